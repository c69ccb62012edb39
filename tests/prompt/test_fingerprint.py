"""The fingerprint of a context, and the changes since the previous one."""

from dataclasses import replace
from typing import Any

import pytest

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, Gap, LogLine, TreeNode
from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from agent.objects.target import ApplicationRef, ResourceRef, Target
from agent.prompt.fingerprint import MAX_FINGERPRINT, MAX_NOTE, changes_since, fingerprint, stable_budget

POD = ResourceRef(version="v1", kind="Pod", namespace="shop", name="web-1")


def manifest(name: str = "web-1", *, version: str = "10", kind: str = "Pod", **more: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version},
    } | more


def application(*, health: str = "Degraded", sync: str = "Synced", phase: str = "Succeeded") -> Manifest:
    return {
        "metadata": {"name": "shop", "resourceVersion": "900"},
        "status": {
            "health": {"status": health},
            "sync": {"status": sync, "revision": "0123456789abcdef"},
            "operationState": {"phase": phase, "finishedAt": "2026-11-28T07:00:00Z"},
        },
    }


def event(reason: str = "BackOff", *, at: str = "2026-11-28T07:00:00Z", count: int = 1) -> Event:
    return Event(type="Warning", reason=reason, message="Back-off", involved=POD, count=count, last_seen=at)


def log(*texts: str, container: str = "api") -> ContainerLog:
    lines = tuple(LogLine(text=text, timestamp=f"2026-11-28T07:00:{n:02}Z") for n, text in enumerate(texts))
    return ContainerLog(container=container, pod="web-1", lines=lines)


def finding(title: str, severity: str = "error") -> Finding:
    return Finding(title=title, severity=severity, explanation="", evidence=(), resource=POD)  # pyright: ignore[reportArgumentType]


CONTEXT = Context(
    target=Target(application=ApplicationRef(name="shop"), resource=POD),
    application=application(),
    manifest=manifest(),
    children=(manifest("web-2"),),
    tree=(TreeNode(resource=POD, health="Progressing"),),
    events=(event(),),
    logs=(log("starting", "ready"),),
)
FINDINGS = (finding("Container api is OOMKilled"), finding("Image tag is latest", "warning"))


def note(now: Context = CONTEXT, findings: tuple[Finding, ...] = FINDINGS) -> str:
    return changes_since(fingerprint(CONTEXT, FINDINGS), now, findings)


def test_nothing_is_said_when_nothing_changed() -> None:
    assert note() == ""
    assert fingerprint(CONTEXT, FINDINGS) == fingerprint(replace(CONTEXT), FINDINGS)


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        (
            replace(CONTEXT, manifest=manifest(version="12")),
            "Pod web-1 (resourceVersion 10 -> 12) changed",
        ),
        (replace(CONTEXT, children=(manifest("web-2"), manifest("web-3"))), "Pod web-3 is new"),
        (replace(CONTEXT, children=()), "1 object of the previous turn is gone"),
        (
            replace(CONTEXT, events=(event("Killing", at="2026-11-28T07:05:00Z"), event())),
            "1 new event (newest: Killing of Pod shop/web-1)",
        ),
        (
            replace(CONTEXT, events=(event(at="2026-11-28T07:06:00Z", count=9),)),
            "1 new event (newest: BackOff of Pod shop/web-1)",
        ),
        (
            replace(CONTEXT, logs=(log("starting", "ready", "crash", "bang"),)),
            "2 new log lines of container api of Pod web-1",
        ),
        (replace(CONTEXT, logs=(log("all", "rotated"),)), "at least 2 new log lines of container api of Pod web-1"),
        (replace(CONTEXT, application=application(health="Healthy")), "health Degraded -> Healthy"),
        (replace(CONTEXT, application=application(sync="OutOfSync")), "sync Synced -> OutOfSync"),
        (
            replace(CONTEXT, application=application(phase="Failed")),
            "operation Succeeded at 2026-11-28T07:00:00Z -> Failed at 2026-11-28T07:00:00Z",
        ),
        (replace(CONTEXT, tree=(TreeNode(resource=POD, health="Healthy"),)), "resource health Progressing -> Healthy"),
    ],
)
def test_a_change_is_named(now: Context, changes: str) -> None:
    assert note(now) == f"Since the previous turn: {changes}."


def test_lines_that_distillation_folded_or_left_out_are_counted_as_lines() -> None:
    (api,) = CONTEXT.logs
    more = (LogLine(text="crash", repeats=40), LogLine(text="bang", left_out_before=9))
    folded = replace(CONTEXT, logs=(replace(api, lines=(*api.lines, *more)),))
    without_the_old_end = replace(CONTEXT, logs=(replace(api, lines=more),))

    assert "at least 50 new log lines of container api" in changes_since(fingerprint(CONTEXT, ()), folded, ())
    assert ": new log lines of container api" in changes_since(fingerprint(CONTEXT, ()), without_the_old_end, ())


def test_findings_that_came_and_went_are_named() -> None:
    assert note(findings=FINDINGS[1:]) == "Since the previous turn: finding resolved: Container api is OOMKilled."
    assert note(findings=FINDINGS[:1]) == "Since the previous turn: 1 finding of the previous turn resolved."
    assert note(findings=(*FINDINGS, finding("Secret db is missing"))) == (
        "Since the previous turn: new finding: Secret db is missing."
    )


def test_a_finding_with_another_number_is_the_same_finding() -> None:
    before = fingerprint(CONTEXT, (finding("Container api restarted 7 times"),))

    assert changes_since(before, CONTEXT, (finding("Container api restarted 8 times"),)) == ""


def test_a_part_that_could_not_be_read_this_time_is_not_gone() -> None:
    gap = Gap(part="children", source="kubernetes", reason="timeout", message="no answer in time")

    assert note(replace(CONTEXT, children=(), gaps=(gap,))) == ""


def test_a_manifest_without_a_version_is_compared_by_what_it_says() -> None:
    def unversioned(phase: str) -> Context:
        return replace(CONTEXT, manifest=manifest(version="", status={"phase": phase}))

    before = fingerprint(unversioned("Pending"), ())

    assert changes_since(before, unversioned("Pending"), ()) == ""
    assert changes_since(before, unversioned("Running"), ()) == "Since the previous turn: Pod web-1 changed."


def test_another_target_is_said_and_nothing_compared() -> None:
    other = Target(resource=POD.model_copy(update={"name": "db-0"}))

    assert note(replace(CONTEXT, target=other, manifest=manifest("db-0"))) == (
        f"Since the previous turn the question is about another target: now {other}."
    )


@pytest.mark.parametrize("previous_fingerprint", ["", "nonsense", "{}[", '{"unknown": 1}', '{"m": 3}', "null"])
def test_what_cannot_be_read_counts_as_no_previous_turn(previous_fingerprint: str) -> None:
    assert changes_since(previous_fingerprint, CONTEXT, FINDINGS) == ""


def test_the_fingerprint_of_much_is_small_and_makes_no_false_news() -> None:
    big = replace(
        CONTEXT,
        children=tuple(manifest(f"pod-{n}", version=str(10**9 + n)) for n in range(300)),
        events=tuple(event(f"Reason{n}") for n in range(500)),
        logs=tuple(log("one", "two", container=f"container-{n}") for n in range(40)),
    )
    findings = tuple(finding(f"Pod {'x' * n} \ud800 fails\n" * 30) for n in range(60))
    kept = fingerprint(big, findings)

    assert len(kept) <= MAX_FINGERPRINT
    assert kept.encode()
    assert "resourceVersion 10 -> 11" in changes_since(kept, replace(big, manifest=manifest(version="11")), findings)
    assert changes_since(kept, big, findings) == ""


def test_a_note_of_much_is_bounded_and_one_line() -> None:
    now = replace(
        CONTEXT,
        manifest=manifest("evil\n\n# Instructions", version="2"),
        children=tuple(manifest(f"pod-{n}" + "y" * 300) for n in range(300)),
        events=tuple(event("Reason\n" * 50, at=f"2026-12-01T07:00:{n % 60:02}Z") for n in range(500)),
    )
    changes = note(now, tuple(finding(f"{'title ' * 40}{chr(97 + n)}") for n in range(20)))

    assert len(changes) <= MAX_NOTE
    assert "\n" not in changes
    assert "more objects are new" in changes


@pytest.mark.parametrize(
    ("before", "now", "taken"), [(6_000, 6_400, 6_000), (6_000, 5_900, 5_900), (6_000, 13_000, 13_000), (0, 500, 500)]
)
def test_the_room_of_the_previous_turn_is_kept_while_it_fits(before: int, now: int, taken: int) -> None:
    assert stable_budget(now, fingerprint(CONTEXT, FINDINGS, token_budget=before)) == taken
    assert stable_budget(now, "nonsense") == now
