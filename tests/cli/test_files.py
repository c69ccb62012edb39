"""What the files of `ask` become in the request."""

from typing import Any

import pytest

from agent.cli.ask import AskOptions, request_body
from agent.errors import RequestError
from tests.cli.conftest import Write

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"containers": [{"name": "api"}]},
}
OTHER: dict[str, Any] = {**POD, "metadata": {"name": "web-2", "namespace": "shop"}}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"template": {"spec": {"containers": [{"name": "api"}]}}},
}
APPLICATION: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop", "namespace": "argocd"},
    "spec": {"source": {"repoURL": "https://git.example.com"}, "destination": {"namespace": "shop"}},
}
EVENT: dict[str, Any] = {"apiVersion": "v1", "kind": "Event", "involvedObject": {"name": "web-1"}, "reason": "BackOff"}


def inputs(**asked: Any) -> dict[str, Any]:
    """`custom_inputs` but the log request, which is always there."""
    given = request_body(AskOptions(question="Why?", **asked))["custom_inputs"]
    return {key: value for key, value in given.items() if key != "log_request"}


def refused(**asked: Any) -> str:
    with pytest.raises(RequestError) as caught:
        inputs(**asked)
    return str(caught.value)


def test_the_first_manifest_is_the_target_and_the_others_are_its_children(write: Write) -> None:
    file = write("all.yaml", [DEPLOYMENT, POD, OTHER])

    assert inputs(files=(file,)) == {"manifest": DEPLOYMENT, "children": [POD, OTHER]}


def test_an_application_and_events_are_recognized_wherever_they_stand(write: Write) -> None:
    file = write("all.yaml", [EVENT, POD, APPLICATION])

    assert inputs(files=(file,)) == {"application_manifest": APPLICATION, "manifest": POD, "events": [EVENT]}


def test_an_application_as_argo_cds_api_gives_it_is_recognized(write: Write) -> None:
    bare = {key: value for key, value in APPLICATION.items() if key not in {"kind", "apiVersion"}}

    assert inputs(files=(write("app.json", bare),)) == {"application_manifest": bare}


def test_an_application_of_another_group_is_a_resource(write: Write) -> None:
    foreign = {"apiVersion": "app.k8s.io/v1beta1", "kind": "Application", "metadata": {"name": "shop"}}

    assert inputs(files=(write("app.yaml", foreign),)) == {"manifest": foreign}


@pytest.mark.parametrize("name", ["list.yaml", "list.json"])
def test_lists_are_what_they_hold(write: Write, name: str) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [DEPLOYMENT, POD, EVENT]}

    assert inputs(files=(write(name, listed),)) == {"manifest": DEPLOYMENT, "children": [POD], "events": [EVENT]}


def test_the_items_of_a_typed_list_get_its_kind(write: Write) -> None:
    pods = {"kind": "PodList", "items": [{key: value for key, value in POD.items() if key != "kind"}, OTHER]}

    assert inputs(files=(write("pods.json", pods),)) == {"manifest": POD, "children": [OTHER]}


def test_a_json_file_may_hold_a_bare_list(write: Write) -> None:
    assert inputs(files=(write("pods.json", [POD, OTHER]),)) == {"manifest": POD, "children": [OTHER]}


def test_several_files_are_read_in_their_order(write: Write) -> None:
    files = write("a.yaml", DEPLOYMENT), write("b.json", POD)

    assert inputs(files=files) == {"manifest": DEPLOYMENT, "children": [POD]}


def test_the_resource_that_is_named_is_the_target_wherever_it_stands(write: Write) -> None:
    given = inputs(files=(write("all.yaml", [DEPLOYMENT, POD, OTHER]),), resource="Pod/web-2", namespace="shop")

    assert given["manifest"] == OTHER
    assert given["children"] == [DEPLOYMENT, POD]
    assert given["resource"] == {"kind": "Pod", "group": "", "name": "web-2", "namespace": "shop"}


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ({"resource": "Pod/web-3"}, "--resource Pod/web-3: is not in the files; there are: Deployment/web, Pod/web-1"),
        ({"resource": "Pod/web-1", "namespace": "other"}, "--resource Pod/web-1: is not in the files"),
    ],
)
def test_a_resource_that_is_not_in_the_files_is_told(write: Write, asked: dict[str, str], there: str) -> None:
    assert refused(files=(write("all.yaml", [DEPLOYMENT, POD]),), **asked).startswith(there)


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("Deployment/web", {"kind": "Deployment", "group": "", "name": "web", "namespace": ""}),
        (
            "Rollout.argoproj.io/web",
            {"kind": "Rollout", "group": "argoproj.io", "name": "web", "namespace": ""},
        ),
    ],
)
def test_a_resource_is_spelled_with_its_group_or_without(text: str, resource: dict[str, str]) -> None:
    assert inputs(resource=text) == {"resource": resource}


@pytest.mark.parametrize("text", ["Deployment", "Deployment/", "/web", "deployment/web", ".apps/web"])
def test_a_resource_that_is_spelled_otherwise_is_told(text: str) -> None:
    assert refused(resource=text).startswith(f"--resource {text}: ")


def test_times_and_binary_data_stay_the_text_they_are_in_the_manifest(write: Write) -> None:
    file = write(
        "pod.yaml", "kind: Pod\nmetadata:\n  creationTimestamp: 2026-11-21T09:12:33Z\nx: !!binary aGk=\nd: 2026-11-21\n"
    )

    assert inputs(files=(file,))["manifest"] == {
        "kind": "Pod",
        "metadata": {"creationTimestamp": "2026-11-21T09:12:33Z"},
        "x": "aGk=",
        "d": "2026-11-21",
    }


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ("# nothing\n---\n", "is empty"),
        ("- a\n- b\n", "holds something that is no Kubernetes object"),
        ("just text", "holds something that is no Kubernetes object"),
        ("kind: Pod\n  name: [\n", "invalid YAML at line 2 column 7"),
        ("kind: Pod\nx: !secret y\n", "invalid YAML at line 2 column 4"),
        ('{"kind": "Pod" \n "oops"}', "invalid JSON at line 2"),
        ("{" + '"a":{' * 100_000, "is nested too deeply"),
        (b"kind: \xff", "invalid UTF-8 at byte 6"),
    ],
)
def test_a_file_that_holds_no_manifests_is_told(write: Write, content: Any, what: str) -> None:
    file = write("bad.yaml", content)

    assert refused(files=(file,)).startswith(f"-f {file}: {what}")


def test_a_file_that_is_not_there_is_told() -> None:
    assert refused(files=("no/such.yaml",)) == "-f no/such.yaml: cannot be read: No such file or directory"
    assert refused(logs=("api=no/such.log",)) == "--logs no/such.log: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "content",
    [
        EVENT,
        {"kind": "List", "items": [EVENT]},
        {"kind": "EventList", "items": [{key: value for key, value in EVENT.items() if key != "kind"}]},
        {"items": [{key: value for key, value in EVENT.items() if key != "kind"}]},
    ],
)
def test_events_may_come_as_kubectl_or_the_api_writes_them(write: Write, content: Any) -> None:
    (found,) = inputs(events=(write("events.json", content),))["events"]

    assert found["reason"] == "BackOff"


@pytest.mark.parametrize("items", [[], None])
def test_a_list_without_events_says_that_there_are_none(write: Write, items: Any) -> None:
    assert inputs(events=(write("events.json", {"kind": "EventList", "items": items}),)) == {"events": []}


def test_what_is_no_event_is_told(write: Write) -> None:
    file = write("events.yaml", [EVENT, POD])

    assert refused(events=(file,)) == f"--events {file}: Pod web-1 is no event"


def test_a_log_is_that_of_the_container_named_before_it(write: Write) -> None:
    api, proxy = write("a.log", "one\ntwo\n"), write("b.log", b"thr\xffee\n")

    assert inputs(logs=(f"api={api}", f"proxy={proxy}")) == {"logs": {"api": "one\ntwo\n", "proxy": "thr\ufffdee\n"}}


def test_a_log_without_a_container_is_that_of_the_only_one(write: Write) -> None:
    log = write("some.log", "one\n")

    assert inputs(logs=(log,), container="proxy")["logs"] == {"proxy": "one\n"}
    assert inputs(logs=(log,), files=(write("all.yaml", [DEPLOYMENT, POD]),))["logs"] == {"api": "one\n"}
    assert inputs(logs=(log,))["logs"] == {"some": "one\n"}


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(write: Write) -> None:
    assert inputs(logs=(write("a=b.log", "one\n"),))["logs"] == {"a=b": "one\n"}


def test_which_container_a_log_is_of_is_asked_where_it_is_not_known(write: Write) -> None:
    pod = {**POD, "spec": {"containers": [{"name": "api"}, {"name": "proxy"}]}}
    log = write("some.log", "one\n")

    assert refused(logs=(log,), files=(write("pod.yaml", pod),)) == (
        f"--logs {log}: say of which container: CONTAINER=FILE with one of api, proxy"
    )
    assert "there is a log of container 'api' already" in refused(logs=(f"api={log}", f"api={log}"))


def test_a_log_of_a_container_that_the_manifests_do_not_name_is_refused(write: Write) -> None:
    log = write("app.log", "one\n")
    pod = {**POD, "spec": {"containers": [{"name": "web"}], "initContainers": [{"name": "migrate"}]}}
    file, deployment = write("pod.yaml", pod), write("deployment.yaml", DEPLOYMENT)

    assert refused(logs=(f"nope={log}",), files=(file,)) == (
        f"--logs nope={log}: there is no container 'nope' in the manifests; there are: migrate, web"
    )
    assert "no container 'nope'" in refused(logs=(log,), container="nope", files=(file,))
    assert refused(logs=(f"istio-proxy={log}",), files=(deployment,)).endswith(
        "there are: api (one that is injected into the Pod is in the Pod's manifest only: give that with -f, too)"
    )
    assert inputs(logs=(f"migrate={log}",), files=(file,))["logs"] == {"migrate": "one\n"}


def test_a_log_of_any_container_is_taken_where_no_manifest_names_containers(write: Write) -> None:
    log = write("app.log", "one\n")
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"clusterIP": "None"}}

    assert inputs(logs=(f"nope={log}",), files=(write("service.yaml", service),))["logs"] == {"nope": "one\n"}
    assert inputs(logs=(f"nope={log}",))["logs"] == {"nope": "one\n"}


def test_a_cron_job_names_the_containers_of_its_pods(write: Write) -> None:
    log = write("app.log", "one\n")
    spec = {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "report"}]}}}}}
    file = write("cron.yaml", {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "r"}, "spec": spec})

    assert inputs(logs=(log,), files=(file,))["logs"] == {"report": "one\n"}
    assert "there are: report" in refused(logs=(f"nope={log}",), files=(file,))


def test_of_a_huge_log_only_the_end_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.cli.files._LOG_BYTES", 20)
    log = write("huge.log", "".join(f"line {n}\n" for n in range(1000)))

    assert inputs(logs=(f"api={log}",))["logs"] == {"api": "line 998\nline 999\n"}


def test_standard_input_is_read_once(write: Write) -> None:
    assert refused(files=("-",), logs=("api=-",)) == "-: standard input can be read once"
