"""The fake Argo CD against a real one: it is given the recorded Applications, every recorded request is replayed, and
status and shape of each answer must be the recorded ones: the same keys, and a value of the same type at each."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest
import requests

from agent.objects.manifest import Manifest, lookup, object_at, objects_at, text_at
from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.fakes.recorded_argocd import LIST, Exchange, applications, exchanges

# What the fake does not compute of a Pod and what its answers need not have: the requests of its containers.
_NOT_TOLD = frozenset({"cpu", "memory"})
_KINDS_WITHOUT_ROUTE = ("/api/version", "/api/v1/session/userinfo")
_APPLICATIONS = [each for each in exchanges() if each.path not in _KINDS_WITHOUT_ROUTE]


def _of(application: str, suffix: str) -> Iterator[Exchange]:
    for each in exchanges():
        if each.app == application and each.path == f"{LIST}/{application}{suffix}":
            yield each


def given(fake: FakeArgoCD, name: str, manifest: Manifest) -> None:
    """Gives the fake an Application as it was recorded."""
    fake.add_application(manifest)
    answers = {suffix: each.answer for suffix in ("/resource-tree", "/managed-resources") for each in _of(name, suffix)}
    live = _live_manifests(name, answers["/managed-resources"])
    nodes = {text_at(node, "uid"): node for node in objects_at(answers["/resource-tree"], "nodes")}
    for node in objects_at(answers["/resource-tree"], "nodes"):
        owner = nodes.get(text_at(node, "parentRefs", 0, "uid") or "none")
        fake.add_resource(
            name,
            live.get(text_at(node, "uid")) or _stub(node),
            parent=_stub(owner) if owner else None,
            health=text_at(node, "health", "status"),
            message=text_at(node, "health", "message"),
            restarts=int(_info(node).get("Restart Count", "0")),
            networking=object_at(node, "networkingInfo") or None,
            live="uid" in node,
        )
    for item in objects_at(answers["/managed-resources"], "items"):
        states = [json.loads(text_at(item, key)) for key in ("targetState", "liveState", "predictedLiveState")]
        target, is_live, predicted = states
        fake.add_managed(name, _reference(item, states), target=target, live=is_live, predicted=predicted)
    for each in _of(name, "/events"):
        uid = each.query.get("resourceUID", text_at(manifest, "metadata", "uid"))
        fake.add_events(uid, cast("list[Any] | None", lookup(each.answer, "items")))
    for each in _of(name, "/syncwindows"):
        fake.set_sync_windows(name, **object_at(each.answer))
    for each in exchanges():
        if each.app == name and "/revisions/" in each.path and each.status == 200:
            fake.add_revision(name, each.path.split("/")[-2], **object_at(each.answer))
    for each in _of(name, "/logs"):
        _give_log(fake, each)


def _live_manifests(name: str, managed: object) -> dict[str, Manifest]:
    """The live manifests by uid: those that were read, else those of the differences."""
    read = [json.loads(text_at(each.answer, "manifest") or "null") for each in _of(name, "/resource")]
    listed = [json.loads(text_at(item, "liveState")) for item in objects_at(managed, "items")]
    return {text_at(each, "metadata", "uid"): object_at(each) for each in (*listed, *read) if each}


def _stub(node: Manifest) -> Manifest:
    """The manifest of a node of which nothing but the node was recorded."""
    group, version = text_at(node, "group"), text_at(node, "version")
    revision = _info(node).get("Revision", "").removeprefix("Rev:")
    metadata = {"name": node["name"], "namespace": text_at(node, "namespace"), "uid": text_at(node, "uid")}
    metadata |= {"creationTimestamp": text_at(node, "createdAt")}
    metadata |= {"annotations": {"deployment.kubernetes.io/revision": revision}} if revision else {}
    stub = {"apiVersion": f"{group}/{version}" if group else version, "kind": node["kind"], "metadata": metadata}
    if node["kind"] == "Pod":
        status = {"ready": True, "image": "", "name": "app"}
        stub["spec"] = {
            "nodeName": _info(node)["Node"],
            "containers": [{"image": "web", "resources": {"requests": {"cpu": "50m"}}}],
        }
        stub["status"] = {"phase": "Running", "containerStatuses": [status]}
    return stub


def _info(node: Manifest) -> dict[str, str]:
    return {text_at(each, "name"): text_at(each, "value") for each in objects_at(node, "info")}


def _reference(item: Manifest, states: Sequence[object]) -> Manifest:
    state = next(object_at(each) for each in states if each)
    names = {"name": text_at(item, "name"), "namespace": text_at(item, "namespace")}
    return {"apiVersion": state["apiVersion"], "kind": state["kind"], "metadata": names}


def _give_log(fake: FakeArgoCD, each: Exchange) -> None:
    pod, previous = each.query["podName"], each.query["previous"] == "true"
    if each.status != 200:
        fake.lose_logs(pod)
        return
    *entries, _ = (lookup(json.loads(line), "result") for line in each.body.splitlines())
    if entries and text_at(entries[0], "timeStamp") == "":
        fake.add_refused_log(pod, "", text_at(entries[0], "content"), previous=previous)
    else:
        fake.add_log(pod, "", [text_at(entry, "content") for entry in entries], previous=previous)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    fake = FakeArgoCD()
    for name, manifest in applications().items():
        if "uid" in manifest["metadata"]:
            given(fake, name, manifest)
        else:  # only the list was recorded of the one without a project
            fake.add_application(manifest)
            fake.lose_project(name)
    with fake.serving() as found:
        yield found


def replayed(url: str, each: Exchange) -> requests.Response:
    token = {"authorization": f"Bearer {TOKEN}"}
    if each.status == 401:
        token = {} if "no session" in text_at(each.answer, "message") else {"authorization": "Bearer malformed"}
    return requests.get(url + each.request, headers=token, timeout=10)


@pytest.mark.parametrize("each", _APPLICATIONS, ids=lambda each: each.request.removeprefix(LIST)[:90])
def test_the_fake_gives_the_recorded_status_and_shape(url: str, each: Exchange) -> None:
    response = replayed(url, each)

    assert response.status_code == each.status
    assert response.headers["content-type"].split(";")[0] == each.content_type.split(";")[0]
    if each.status == 401:  # the words tell what is wrong with this one token
        assert set(response.json()) == set(each.answer)
    elif isinstance(each.answer, str) and not each.is_log:
        assert response.text == each.answer
    elif each.status != 200:
        assert response.json() == each.answer
    elif each.is_log:
        recorded = [shape(json.loads(line)) for line in each.body.splitlines()]
        assert [shape(json.loads(line)) for line in response.content.splitlines()] == recorded
    else:
        assert shape(response.json()) == shape(each.answer)


def shape(value: Any) -> Any:
    """The types in a value, key by key and entry by entry; of text that is JSON that of its content."""
    match value:
        case dict():
            return {str(key): shape(each) for key, each in cast("dict[object, object]", value).items()}
        case list():
            entries = cast("list[object]", value)
            return [shape(each) for each in entries if text_at(each, "name") not in _NOT_TOLD]
        case _:
            return type(value).__name__
