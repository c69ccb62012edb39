"""`kubectl describe`: the object, as far as the text holds it, and its events."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from agent.objects.manifest import Manifest
from agent.request.pasted.outline import Entry, below, entries, lines_below, pairs, value_of
from agent.request.pasted.tables import described_events, reference

# The kind of an object is not in its description: the keys that only this kind has (kubectl's pkg/describe).
_MARKS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("v1", "Pod", frozenset({"Containers", "Status"})),
    ("apps/v1", "Deployment", frozenset({"StrategyType", "Replicas"})),
    ("apps/v1", "DaemonSet", frozenset({"Desired Number of Nodes Scheduled"})),
    ("apps/v1", "StatefulSet", frozenset({"Update Strategy", "Replicas"})),
    ("apps/v1", "ReplicaSet", frozenset({"Replicas", "Pods Status", "Selector"})),
    ("batch/v1", "Job", frozenset({"Parallelism", "Pods Statuses"})),
    ("batch/v1", "CronJob", frozenset({"Schedule", "Concurrency Policy"})),
    ("v1", "PersistentVolumeClaim", frozenset({"StorageClass", "VolumeMode", "Used By"})),
    ("v1", "PersistentVolumeClaim", frozenset({"StorageClass", "Capacity", "Volume"})),
    ("v1", "PersistentVolume", frozenset({"StorageClass", "Reclaim Policy"})),
    ("v1", "Node", frozenset({"Roles", "Taints"})),
    ("networking.k8s.io/v1", "Ingress", frozenset({"Rules", "Default backend"})),
    ("networking.k8s.io/v1", "Ingress", frozenset({"Rules", "Ingress Class"})),
    ("v1", "Service", frozenset({"Type", "Selector", "Endpoints"})),
    ("autoscaling/v2", "HorizontalPodAutoscaler", frozenset({"Reference", "Min replicas"})),
)


def described(lines: Sequence[str], now: datetime) -> tuple[Manifest, list[Manifest]] | None:
    """The object and its events; None where the lines describe no object of a known kind."""
    found = entries(lines)
    name = value_of(found, "Name")
    keys = {each.key for each in found}
    api_version, kind = value_of(found, "API Version"), value_of(found, "Kind")
    if not kind:
        api_version, kind = next(((v, k) for v, k, marks in _MARKS if marks <= keys), ("", ""))
    if not name or not kind:
        return None
    namespace = value_of(found, "Namespace")
    metadata: dict[str, Any] = {"name": name} | ({"namespace": namespace} if namespace else {})
    if labels := pairs(found, "Labels"):
        metadata["labels"] = labels
    if owner := value_of(found, "Controlled By"):
        version, owner_kind, owner_name = reference(owner)
        metadata["ownerReferences"] = [
            {"apiVersion": version, "kind": owner_kind, "name": owner_name, "controller": True}
        ]
    manifest: Manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    if value_of(found, "API Version"):
        manifest |= {key: _generic(below(found, title)) for title, key in _GENERIC.items() if title in keys}
    elif kind in _READERS:
        manifest |= _READERS[kind](found)
    about = {"apiVersion": api_version, "kind": kind, **metadata}
    about = {key: value for key, value in about.items() if isinstance(value, str)}
    return manifest, described_events(lines_below(found, "Events"), about, now)


_GENERIC = {"Spec": "spec", "Status": "status"}


def _camel(title: str) -> str:
    first, *others = title.split()
    return first[:1].lower() + first[1:] + "".join(others)


def _generic(found: Sequence[Entry]) -> Any:
    """A custom resource's fields: kubectl writes `lastTransitionTime` as `Last Transition Time`. A key that comes again
    begins the next entry of a list; conditions are a list always."""
    items: list[dict[str, Any]] = [{}]
    for each in found:
        key = _camel(each.key)
        value: Any = _generic(entries(each.below)) if each.below and not each.value else _joined(each)
        if key == "conditions" and isinstance(value, dict):
            value = [value]
        if key in items[-1]:
            items.append({})
        items[-1][key] = value
    return items if len(items) > 1 else items[0]


def _joined(each: Entry) -> Any:
    text = " ".join([each.value, *(line.strip() for line in each.below)]).strip()
    return int(text) if re.fullmatch(r"\d{1,15}", text) else text


def _pod(found: Sequence[Entry]) -> Manifest:
    phase = value_of(found, "Status").partition(" ")[0]
    status: dict[str, Any] = {"phase": phase}
    for title, key in (("Reason", "reason"), ("Message", "message")):
        if text := value_of(found, title):
            status[key] = text
    status["conditions"] = _conditions(lines_below(found, "Conditions"))
    spec: dict[str, Any] = {"volumes": _volumes(below(found, "Volumes"))}
    if node := value_of(found, "Node").partition("/")[0]:
        spec["nodeName"] = node
    if phase == "Terminating":  # kubectl prints it in place of the phase
        status.pop("phase")
    groups = (("Init Containers", "initContainers"), ("Containers", "containers"))
    for title, key in groups:
        containers = below(found, title)
        if containers:
            spec[key] = [_container(each) for each in containers]
            status[f"{key.removesuffix('s')}Statuses"] = [_container_status(each) for each in containers]
    return {"spec": spec, "status": status}


def _conditions(lines: Sequence[str]) -> list[dict[str, str]]:
    """Type and status of each line, and where the table has them the reason and the message."""
    found: list[dict[str, str]] = []
    for line in lines:
        cells = re.split(r"\s{2,}", line.strip())
        if len(cells) < 2 or cells[0] in {"Type", "----"} or cells[0].startswith("--"):
            continue
        condition = {"type": cells[0], "status": cells[1]}
        if len(cells) >= 5:  # of a node: two times, reason, message
            condition |= {"reason": cells[4]} | ({"message": cells[5]} if len(cells) > 5 else {})
        elif len(cells) >= 3:
            condition |= {"reason": cells[2]} | ({"message": cells[3]} if len(cells) > 3 else {})
        found.append(condition)
    return found


def _container(each: Entry) -> dict[str, Any]:
    inside = entries(each.below)
    container: dict[str, Any] = {"name": each.key, "image": value_of(inside, "Image")}
    environment = [
        {"name": variable.key, "value": variable.value}
        for variable in below(inside, "Environment")
        if not variable.value.startswith("<set to the key")
    ]
    if environment:
        container["env"] = environment
    for title in ("Limits", "Requests"):
        if amounts := {amount.key: amount.value for amount in below(inside, title)}:
            container.setdefault("resources", {})[title.lower()] = amounts
    return container


def _container_status(each: Entry) -> dict[str, Any]:
    inside = entries(each.below)
    status: dict[str, Any] = {
        "name": each.key,
        "image": value_of(inside, "Image"),
        "ready": value_of(inside, "Ready") == "True",
        "restartCount": int(value_of(inside, "Restart Count")[:9])
        if value_of(inside, "Restart Count").isdigit()
        else 0,
    }
    for title, key in (("State", "state"), ("Last State", "lastState")):
        if state := _state(inside, title):
            status[key] = state
    return status


def _state(inside: Sequence[Entry], title: str) -> dict[str, Any]:
    state = value_of(inside, title).lower()
    if state not in {"waiting", "running", "terminated"}:
        return {}
    fields = below(inside, title)
    values: dict[str, Any] = {
        key: text for name, key in (("Reason", "reason"), ("Message", "message")) if (text := value_of(fields, name))
    }
    for name, key in (("Exit Code", "exitCode"), ("Signal", "signal")):
        if (text := value_of(fields, name)).isdigit():
            values[key] = int(text[:9])
    return {state: values}


# The field of a volume and its key, by the key of the description.
_VOLUME_SOURCES = {
    "ClaimName": ("persistentVolumeClaim", "claimName"),
    "SecretName": ("secret", "secretName"),
}


def _volumes(found: Sequence[Entry]) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = []
    for each in found:
        inside = entries(each.below)
        volume: dict[str, Any] = {"name": each.key}
        for title, (source, key) in _VOLUME_SOURCES.items():
            if name := value_of(inside, title):
                volume[source] = {key: name}
        if value_of(inside, "Type").startswith("ConfigMap ") and (name := value_of(inside, "Name")):
            volume["configMap"] = {"name": name}
        volumes.append(volume)
    return volumes


_REPLICAS = re.compile(r"(\d{1,9}) (desired|updated|total|available|unavailable|current)")
_REPLICA_FIELDS = {
    "updated": "updatedReplicas",
    "total": "replicas",
    "current": "replicas",
    "available": "availableReplicas",
    "unavailable": "unavailableReplicas",
}


def _replicated(found: Sequence[Entry]) -> Manifest:
    """Deployment, ReplicaSet, StatefulSet: `3 desired | 1 updated | 4 total | 2 available | 2 unavailable`."""
    counts = {word: int(number) for number, word in _REPLICAS.findall(value_of(found, "Replicas"))}
    status: dict[str, Any] = {_REPLICA_FIELDS[word]: n for word, n in counts.items() if word in _REPLICA_FIELDS}
    if "available" in counts:
        status["readyReplicas"] = counts["available"]
    status["conditions"] = _conditions(lines_below(found, "Conditions"))
    spec: dict[str, Any] = {"replicas": counts["desired"]} if "desired" in counts else {}
    if labels := pairs(found, "Selector"):
        spec["selector"] = {"matchLabels": labels}
    return {"spec": spec, "status": status}


def _claim(found: Sequence[Entry]) -> Manifest:
    spec: dict[str, Any] = {}
    for title, key in (("StorageClass", "storageClassName"), ("Volume", "volumeName")):
        if text := value_of(found, title):
            spec[key] = text
    return {"spec": spec, "status": {"phase": value_of(found, "Status")}}


def _node(found: Sequence[Entry]) -> Manifest:
    unschedulable = value_of(found, "Unschedulable") == "true"
    return {
        "spec": {"unschedulable": unschedulable},
        "status": {"conditions": _conditions(lines_below(found, "Conditions"))},
    }


_READERS: dict[str, Callable[[Sequence[Entry]], Manifest]] = {
    "Pod": _pod,
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "StatefulSet": _replicated,
    "PersistentVolumeClaim": _claim,
    "Node": _node,
}
