"""Raw events, in both shapes and any state, and what is told of them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.events import merge_events
from tests.context.manifests import POD, event


def back_off(**fields: Any) -> dict[str, Any]:
    return event(POD, "BackOff", "Back-off restarting failed container", **fields)


def test_the_newest_comes_first():
    old = event(POD, "Pulled", "pulled", lastTimestamp="2026-11-21T07:00:00Z")
    new = event(POD, "Killing", "killing", lastTimestamp="2026-11-21T09:00:00+01:00")
    assert [each.reason for each in merge_events([old, new])] == ["Killing", "Pulled"]
    assert merge_events([new])[0].last_seen == "2026-11-21T08:00:00Z"


def test_repetitions_become_one_event_with_their_sum():
    first = back_off(count=3, firstTimestamp="2026-11-21T06:00:00Z", lastTimestamp="2026-11-21T07:00:00Z")
    second = back_off(count=4, firstTimestamp="2026-11-21T07:30:00Z", lastTimestamp="2026-11-21T08:00:00Z")
    (merged,) = merge_events([second, first])
    assert (merged.count, merged.first_seen, merged.last_seen) == (7, "2026-11-21T06:00:00Z", "2026-11-21T08:00:00Z")
    assert (merged.reporter, merged.involved and merged.involved.name) == ("kubelet", "web-5d9-x1")


def test_the_same_words_about_another_object_are_another_event():
    other = back_off()
    other["involvedObject"] = other["involvedObject"] | {"uid": "another"}
    assert len(merge_events([back_off(), other])) == 2


def test_a_series_tells_count_and_time():
    (merged,) = merge_events([back_off(count=None, series={"count": 12, "lastObservedTime": "2026-11-21T08:30:00.5Z"})])
    assert (merged.count, merged.last_seen) == (12, "2026-11-21T08:30:00.500000Z")


def test_the_newer_shape_is_understood():
    regarding = {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": "u1", "apiVersion": "v1"}
    (merged,) = merge_events(
        [
            {
                "apiVersion": "events.k8s.io/v1",
                "type": "Warning",
                "reason": "FailedScheduling",
                "note": "0/3 nodes are available",
                "regarding": regarding,
                "eventTime": "2026-11-21T08:00:00.000001Z",
                "deprecatedCount": 2,
                "reportingController": "default-scheduler",
            }
        ]
    )
    assert (merged.message, merged.count, merged.reporter) == ("0/3 nodes are available", 2, "default-scheduler")
    assert merged.involved is not None
    assert (merged.involved.uid, merged.last_seen) == ("u1", "2026-11-21T08:00:00.000001Z")


def test_without_any_time_of_its_own_an_event_has_that_of_its_creation():
    (merged,) = merge_events([back_off()])
    assert (merged.first_seen, merged.last_seen) == ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z")


def test_an_event_without_a_readable_time_comes_last():
    odd = event(POD, "Odd", "odd", lastTimestamp="yesterday", eventTime={}, metadata=None)
    merged = merge_events([odd, back_off()])
    assert [(each.reason, each.last_seen) for each in merged] == [("BackOff", "2026-11-21T08:00:00Z"), ("Odd", "")]


def test_a_message_is_one_printable_line():
    (merged,) = merge_events([event(POD, "Failed", "\x1b[31mfirst\nsecond\x00 ")])
    assert merged.message == "first second"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.fixed_dictionaries({}, optional={key: _JSON for key in back_off()}), max_size=5))
def test_no_event_is_too_odd(events: list[dict[str, Any]]):
    assert len(merge_events(events)) <= len(events)


def test_ten_thousand_events_are_merged_in_one_pass():
    events = [event(POD, "BackOff", f"message {number % 100}") for number in range(10_000)]
    merged = merge_events(events)
    assert (len(merged), {each.count for each in merged}) == (100, {100})
