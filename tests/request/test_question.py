"""What a request may say, and how a wrong one is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.errors import RequestError
from agent.objects.target import ApplicationRef, ResourceRef, Target
from agent.request.caller import ANONYMOUS, Caller
from agent.request.conversation import Message
from agent.request.question import LogEntry, LogRequest, Question
from agent.turn.parse import parse_question

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop", "uid": "u-1"},
}
APPLICATION: dict[str, Any] = {
    "metadata": {"name": "guestbook", "namespace": "argocd"},
    "spec": {"project": "shop"},
}
ALL_KEYS = (
    "application, resource, log_request, refresh, read_at, session_id, application_manifest, manifest, resource_tree, "
    "children, related, managed_resources, revisions, sync_windows, events, logs"
)


def ask(custom_inputs: Any = None, *, tail_lines_max: int = 250, **body: Any) -> Question:
    body = {"input": [{"role": "user", "content": "Why?"}], "custom_inputs": custom_inputs} | body
    return parse_question(body, tail_lines_max=tail_lines_max)


def refused(custom_inputs: Any = None, **body: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        ask(custom_inputs, **body)
    return caught.value


# --- the conversation and the chat context ----------------------------------------------------------------------


def test_the_last_user_message_is_the_question_and_the_rest_is_history() -> None:
    question = ask(
        input=[
            {"role": "user", "content": "Why is it down?"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "OOM"}]},
            {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
        ]
    )

    assert question.text == "And now?"
    assert question.history == (Message("user", "Why is it down?"), Message("assistant", "OOM"))


def test_a_question_without_any_target_is_a_question() -> None:
    assert parse_question({"input": "What is a sync wave?"}) == Question(text="What is a sync wave?")


def test_the_chat_context_names_conversation_and_user() -> None:
    question = ask(context={"conversation_id": "c-1", "user_id": "ada"})

    assert (question.conversation_id, question.caller) == ("c-1", Caller.claimed("ada"))


@pytest.mark.parametrize("context", [None, {}, {"conversation_id": None, "user_id": None}, {"user_id": ""}])
def test_without_a_user_the_question_is_anonymous(context: object) -> None:
    question = ask(context=context)

    assert (question.conversation_id, question.caller) == (None, ANONYMOUS)


@pytest.mark.parametrize("name", ["conversation_id", "user_id"])
@pytest.mark.parametrize("value", [7, True, ["ada"], {}, "x" * 513])
def test_a_wrong_name_in_the_chat_context_is_told(name: str, value: object) -> None:
    error = refused(context={name: value})

    assert str(error) == f"context.{name}: must be text of at most 512 characters"
    assert error.field == f"context.{name}"


@pytest.mark.parametrize("value", [7, "x", []])
@pytest.mark.parametrize("name", ["context", "custom_inputs"])
def test_context_and_custom_inputs_must_be_objects(name: str, value: object) -> None:
    assert str(refused(**{name: value})) == f"{name}: must be an object"


# --- the target -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("application", "reference"),
    [
        ("argocd/guestbook", ApplicationRef(namespace="argocd", name="guestbook")),
        (" guestbook ", ApplicationRef(name="guestbook")),
        ({"name": "guestbook"}, ApplicationRef(name="guestbook")),
        (
            {"name": "guestbook", "namespace": "argocd", "project": "shop"},
            ApplicationRef(name="guestbook", namespace="argocd", project="shop"),
        ),
    ],
)
def test_an_application_is_named_by_text_or_object(application: object, reference: ApplicationRef) -> None:
    assert ask({"application": application}).target == Target(application=reference)


def test_a_resource_is_named_by_an_object() -> None:
    resource = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "s", "name": "api", "uid": "u"}

    assert ask({"resource": resource}).target == Target(resource=ResourceRef(**resource))
    assert ask({"resource": {"kind": "Node", "name": "n1"}}).target.resource == ResourceRef(kind="Node", name="n1")


def test_supplied_manifests_name_the_target_where_nothing_else_does() -> None:
    target = ask({"application_manifest": APPLICATION, "manifest": POD}).target

    assert target.application == ApplicationRef(name="guestbook", namespace="argocd", project="shop")
    assert target.resource == ResourceRef(version="v1", kind="Pod", namespace="shop", name="api-1", uid="u-1")


def test_a_target_that_is_named_wins_over_the_manifests() -> None:
    named = {"application": "argocd/other", "resource": {"kind": "ReplicaSet", "name": "api"}}

    target = ask({"application_manifest": {"spec": 7}, "manifest": {"status": {}}} | named).target

    assert str(target) == "ReplicaSet api of Application argocd/other"


@pytest.mark.parametrize("spec", [None, [1], {"project": None}, {"project": {}}])
def test_an_application_manifest_without_a_project_names_the_application(spec: object) -> None:
    manifest = {"kind": "Application", "metadata": {"name": "guestbook"}, "spec": spec}

    assert ask({"application_manifest": manifest}).target.application == ApplicationRef(name="guestbook")


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({"manifest": {}}, "custom_inputs.manifest: must have kind and metadata.name, or name the resource in"),
        ({"manifest": {"kind": "Pod", "metadata": None}}, "custom_inputs.manifest: must have kind and metadata.name"),
        (
            {"manifest": {"kind": "Pod", "metadata": {"name": "a/../../b"}}},
            "custom_inputs.manifest: its name must be one name, without blanks",
        ),
        (
            {"manifest": {"kind": "Pod", "metadata": {"name": "a", "namespace": ".."}}},
            "custom_inputs.manifest: its namespace must be one name",
        ),
        ({"manifest": {"kind": "P" * 300, "metadata": {"name": "a"}}}, "custom_inputs.manifest: its kind must have at"),
        ({"application_manifest": {}}, "custom_inputs.application_manifest: must have metadata.name, or name the"),
        ({"application_manifest": POD}, "custom_inputs.application_manifest: must be an Application; a resource's"),
        (
            {"application_manifest": {"metadata": {"name": "a b"}}},
            "custom_inputs.application_manifest: its name must be one name",
        ),
    ],
)
def test_a_manifest_that_names_no_usable_target_is_told(inputs: object, error: str) -> None:
    assert str(refused(inputs)).startswith(error)


# --- supplied context -------------------------------------------------------------------------------------------


def test_what_is_supplied_is_kept_as_it_is() -> None:
    supplied = ask({"manifest": POD, "children": [POD], "events": [{"reason": "x"}], "logs": {"api": "a\nb"}}).supplied

    assert supplied == {"manifest": POD, "children": [POD], "events": [{"reason": "x"}], "logs": {"api": "a\nb"}}


def test_nothing_supplied_differs_from_supplied_and_empty() -> None:
    assert ask({}).supplied == {}
    assert ask({"children": [], "events": [], "logs": {}}).supplied == {"children": [], "events": [], "logs": {}}


@pytest.mark.parametrize("events", [{"items": []}, {"items": None}, {"kind": "EventList", "metadata": {}, "items": []}])
def test_an_event_list_without_events_is_no_event(events: object) -> None:
    assert ask({"events": events}).supplied["events"] == []


def test_an_event_list_is_the_events_it_holds_with_all_their_nulls() -> None:
    event = {"reason": "BackOff", "eventTime": None, "lastTimestamp": None, "series": None}

    assert ask({"events": {"items": [event]}}).supplied["events"] == [event]


def test_log_entries_may_be_wrapped_as_on_argo_cds_wire() -> None:
    bare = {"content": "a", "timeStampStr": "2026-01-01T00:00:00Z", "podName": "api-1", "last": False, "new": 1}
    entry = LogEntry(content="a", timeStampStr="2026-01-01T00:00:00Z", podName="api-1", last=False)

    logs = ask({"logs": {"api": [bare, {"result": bare}, {}, {"result": {"last": True}}]}}).supplied["logs"]

    assert logs == {"api": [entry, entry, LogEntry(), LogEntry(last=True)]}


def test_containers_may_have_any_name_that_our_own_forms_have() -> None:
    logs = ask({"logs": {"text": "a", "entries": [], "0": "b"}}).supplied["logs"]

    assert logs == {"text": "a", "entries": [], "0": "b"}


def test_manifests_may_nest_deeply_but_not_for_ever() -> None:
    def nested(levels: int) -> Any:
        value: Any = "x"
        for _ in range(levels):
            value = {"properties": [value]}
        return value

    assert ask({"manifest": POD | {"spec": nested(70)}}).target.resource
    error = refused({"manifest": POD | {"spec": nested(100_000)}})
    assert str(error) == "custom_inputs.manifest: must not be nested more than 150 levels deep"


# --- the log request and the session ----------------------------------------------------------------------------


def test_a_log_request_is_taken_as_it_is() -> None:
    request: dict[str, Any] = {"container": "api", "tail_lines": 250, "previous": True, "since_seconds": 60}

    assert ask({"log_request": request}).log_request == LogRequest(**request)


@pytest.mark.parametrize("request_", [None, {}, {"tail_lines": None}])
def test_without_a_number_of_lines_the_log_is_distilled_not_cut(request_: object) -> None:
    assert ask({"log_request": request_}, tail_lines_max=40).log_request == LogRequest()


@pytest.mark.parametrize("tail_lines", [0, -5, 1.5, 2.0, "0x10", 251, True, "10", 10**30, [], {}])
def test_tail_lines_must_be_a_whole_number_in_range(tail_lines: object) -> None:
    error = refused({"log_request": {"tail_lines": tail_lines}})

    assert str(error) == "custom_inputs.log_request.tail_lines: must be a whole number from 1 to 250"
    assert error.field == "custom_inputs.log_request.tail_lines"


def test_the_maximum_of_lines_is_the_operators() -> None:
    assert ask({"log_request": {"tail_lines": 1000}}, tail_lines_max=1000).log_request.tail_lines == 1000
    assert "from 1 to 10" in str(refused({"log_request": {"tail_lines": 11}}, tail_lines_max=10))


@pytest.mark.parametrize("text", ["2026-12-01T11:30:00Z", "2026-12-01T12:30:00+01:00", "2026-12-01T11:30:00"])
def test_when_what_is_supplied_was_read_may_be_told(text: str) -> None:
    assert ask({"read_at": text}).read_at == datetime(2026, 12, 1, 11, 30, tzinfo=UTC)
    assert ask().read_at is None


def test_ages_in_what_is_pasted_are_counted_from_the_time_it_was_read() -> None:
    table = "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n5m          Warning   BackOff   pod/web-0   Back-off"

    supplied = ask({"read_at": "2026-12-01T11:30:00Z", "events": table}).supplied["events"]
    pasted = ask({"read_at": "2026-12-01T11:30:00Z"}, input=f"Why?\n{table}").pasted["events"]

    assert [event["lastTimestamp"] for event in (*supplied, *pasted)] == ["2026-12-01T11:25:00+00:00"] * 2


def test_a_session_is_continued_by_its_id() -> None:
    assert ask({"session_id": "conv_1.aB:~-9"}).session_id == "conv_1.aB:~-9"


# --- what is wrong is named, with what would be right -----------------------------------------------------------

NAME = r"must be one name, without blanks, control characters and any of / \ ? # %"
APPLICATION_FORM = 'must be "namespace/name", "name" or an object with name, namespace and project'
RESOURCE_FORM = "must be an object with kind and name, and where known group, version, namespace and uid"
EVENTS_FORM = "must be a list of Kubernetes events or an EventList (an object with items)"
ENTRY_FORM = 'must be an Argo CD log entry, like {"content": "...", "timeStampStr": "..."}'
TIME_FORM = "must be a time such as 2026-12-01T11:30:00Z"
SESSION_FORM = "must be the session_id of an earlier answer: letters, digits and any of . _ : ~ -"


NO_OBJECTS: list[Any] = ["", 5, True, []]
NO_TIMES: list[Any] = ["", "yesterday", 1_796_000_000, True, {}]
NO_EVENTS: list[Any] = [5, "x", {}, {"items": 5}, {"items": {}}]

WRONG: list[tuple[Any, str, str]] = [
    *[({"application": value}, "application", APPLICATION_FORM) for value in [*NO_OBJECTS, "a/b/c", "/a", "a/"]],
    ({"application": {}}, "application.name", "is required"),
    ({"application": {"name": ""}}, "application.name", "must not be empty"),
    ({"application": {"name": 5}}, "application.name", "must be text"),
    ({"application": {"name": None}}, "application.name", "must be text"),
    ({"application": {"name": "a" * 254}}, "application.name", "must have at most 253 characters"),
    *[({"application": {"name": name}}, "application.name", NAME) for name in ["a b", "a/b", "..", "a\x00", "a%2f"]],
    ({"application": "a b"}, "application.name", NAME),
    ({"application": {"name": "a", "namespace": "b/c"}}, "application.namespace", NAME),
    ({"application": {"name": "a", "project": []}}, "application.project", "must be text"),
    *[({"resource": value}, "resource", RESOURCE_FORM) for value in NO_OBJECTS],
    ({"resource": {"name": "api"}}, "resource.kind", "is required"),
    ({"resource": {"kind": "Pod"}}, "resource.name", "is required"),
    ({"resource": {"kind": "", "name": "api"}}, "resource.kind", "must not be empty"),
    ({"resource": {"kind": "Pod", "name": "api", "group": 7}}, "resource.group", "must be text"),
    ({"resource": {"kind": "Pod", "name": "api", "version": "v1?x"}}, "resource.version", NAME),
    ({"resource": {"kind": "Pod", "name": "api", "namespace": "a\n"}}, "resource.namespace", NAME),
    (
        {"resource": {"kind": "Pod", "name": "a", "uid": "u" * 129}},
        "resource.uid",
        "must have at most 128 characters",
    ),
    *[({"manifest": value}, "manifest", "must be an object: the live manifest") for value in NO_OBJECTS],
    (
        {"application_manifest": []},
        "application_manifest",
        "must be an object: the Application as Argo CD gives it",
    ),
    ({"children": {}}, "children", "must be a list of manifests"),
    ({"children": [POD, None]}, "children[1]", "must be an object: a manifest"),
    *[({"events": value}, "events", EVENTS_FORM) for value in NO_EVENTS],
    ({"events": [{}, "x"]}, "events[1]", "must be an object: a Kubernetes event"),
    ({"events": {"items": [None]}}, "events[0]", "must be an object: a Kubernetes event"),
    *[({"logs": value}, "logs", "must be an object with a log for each container") for value in NO_OBJECTS],
    *[
        ({"logs": {"api": value}}, "logs.api", "must be text or a list of Argo CD log entries")
        for value in [5, None, {"content": "a"}]
    ],
    ({"logs": {"api": ["a line"]}}, "logs.api[0]", ENTRY_FORM),
    ({"logs": {"entries": [{}, 5]}}, "logs.entries[1]", ENTRY_FORM),
    ({"logs": {"text": [{"content": 5}]}}, "logs.text[0].content", "must be text"),
    ({"logs": {"api": [{"result": {"podName": 5}}]}}, "logs.api[0].podName", "must be text"),
    ({"logs": {"api": [{"last": "yes"}]}}, "logs.api[0].last", "must be true or false"),
    (
        {"log_request": 5},
        "log_request",
        "must be an object with any of container, tail_lines, previous and since_seconds",
    ),
    ({"log_request": {"container": 5}}, "log_request.container", "must be text"),
    ({"log_request": {"container": "c" * 254}}, "log_request.container", "must have at most 253 characters"),
    ({"log_request": {"previous": "yes"}}, "log_request.previous", "must be true or false"),
    ({"log_request": {"previous": 1}}, "log_request.previous", "must be true or false"),
    *[
        ({"log_request": {"since_seconds": value}}, "log_request.since_seconds", "must be a whole number from 1")
        for value in [0, -1, 1.5, "60", True]
    ],
    *[({"read_at": value}, "read_at", TIME_FORM) for value in NO_TIMES],
    ({"session_id": 5}, "session_id", "must be text"),
    ({"session_id": ""}, "session_id", "must not be empty"),
    ({"session_id": "x" * 513}, "session_id", "must have at most 512 characters"),
    *[({"session_id": value}, "session_id", SESSION_FORM) for value in ["a b", "../x", "a\n", "é"]],
    ({"tail_lines": 5}, "tail_lines", f"unknown key; allowed are {ALL_KEYS}"),
    (
        {"application": {"name": "a", "nmaespace": "b"}},
        "application.nmaespace",
        "unknown key; allowed are name, namespace, project",
    ),
    (
        {"resource": {"kind": "Pod", "name": "a", "apiVersion": "v1"}},
        "resource.apiVersion",
        "unknown key; allowed are group, version, kind, namespace, name, uid",
    ),
    (
        {"log_request": {"tailLines": 5}},
        "log_request.tailLines",
        "unknown key; allowed are container, tail_lines, previous, since_seconds",
    ),
]


@pytest.mark.parametrize(("inputs", "field", "right"), WRONG)
def test_a_wrong_field_is_named_with_what_would_be_right(inputs: object, field: str, right: str) -> None:
    error = refused(inputs)

    assert str(error) == f"custom_inputs.{field}: {right}"
    assert error.field == f"custom_inputs.{field}"


@pytest.mark.parametrize("inputs", [{"k" * 100_000: 1}, {"logs": {"c" * 100_000: 5}}])
def test_a_long_key_is_not_repeated_whole(inputs: object) -> None:
    assert len(str(refused(inputs))) < 400


def test_the_value_that_is_wrong_is_never_repeated() -> None:
    for inputs in [
        {"session_id": "s3cret value"},
        {"application": {"name": "s3cret value"}},
        {"logs": {"api": {"s3cret": 1}}},
        {"log_request": {"tail_lines": "s3cret"}},
        {"manifest": ["s3cret"]},
    ]:
        assert "s3cret" not in str(refused(inputs))
