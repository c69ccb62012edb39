"""`argocd app get`: the Application, as far as the text holds it."""

import re
from collections.abc import Sequence
from typing import Any

from agent.objects.manifest import Manifest
from agent.request.pasted.outline import Entry, entries, lines_below, value_of
from agent.request.pasted.tables import is_header, rows

_STATUS = re.compile(r"^([A-Za-z]+)(?:\s+(?:from|to)?\s*.*?\(([0-9a-f]{7,40})\))?")
_TIME = re.compile(r"^(.*?)\s+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})(?: \S+)?\s*$")


def is_app(lines: Sequence[str]) -> bool:
    """Whether the lines are the output of `argocd app get`."""
    keys = {each.key for each in entries(lines)}
    return "Name" in keys and "Sync Status" in keys and "Health Status" in keys


def application_of(lines: Sequence[str]) -> Manifest:
    """The Application of the output of `argocd app get`."""
    head, tables = _parted(lines)
    found = entries(head)
    namespace, _, name = value_of(found, "Name").rpartition("/")
    sync = _STATUS.match(value_of(found, "Sync Status"))
    health, _, health_message = value_of(found, "Health Status").partition(" ")
    status: dict[str, Any] = {
        "sync": {"status": sync[1] if sync else "Unknown"} | ({"revision": sync[2]} if sync and sync[2] else {}),
        "health": {"status": health} | ({"message": health_message.strip("() ")} if health_message else {}),
    }
    for table in tables:
        if "CONDITION" in table[0]:
            status["conditions"] = _conditions(table)
        elif "KIND" in table[0].split():
            status["resources"] = [_resource(row) for row in rows(table)]
    if operation := _operation(found):
        status["operationState"] = operation
    spec: dict[str, Any] = {
        "project": value_of(found, "Project"),
        "destination": {"server": value_of(found, "Server"), "namespace": value_of(found, "Namespace")},
    }
    sources = _sources(found)
    spec |= {"source": sources[0]} if len(sources) == 1 else {"sources": sources} if sources else {}
    if value_of(found, "Sync Policy").startswith("Automated"):
        spec["syncPolicy"] = {"automated": {"prune": "Prune" in value_of(found, "Sync Policy")}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
        "spec": spec,
        "status": status,
    }


def _parted(lines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The lines before the tables, and each table with its header."""
    head: list[str] = []
    tables: list[list[str]] = []
    for line in lines:
        if is_header(line):
            tables.append([line])
        elif tables:
            tables[-1].append(line)
        else:
            head.append(line)
    return head, tables


def _conditions(table: Sequence[str]) -> list[dict[str, str]]:
    """Conditions; a message may be wider than its column, so that the time is looked for at the end."""
    found: list[dict[str, str]] = []
    for line in table[1:]:
        kind, _, rest = line.strip().partition(" ")
        if not rest:
            continue
        match = _TIME.match(rest.strip())
        condition = {"type": kind, "message": match[1] if match else rest.strip()}
        if match:
            date, time, zone = match[2].split(" ")
            condition["lastTransitionTime"] = f"{date}T{time}{zone[:3]}:{zone[3:]}"
        found.append(condition)
    return found


def _resource(row: dict[str, str]) -> dict[str, Any]:
    resource: dict[str, Any] = {
        key: row.get(name, "")
        for name, key in (("GROUP", "group"), ("KIND", "kind"), ("NAMESPACE", "namespace"), ("NAME", "name"))
    }
    if sync := row.get("STATUS"):
        resource["status"] = sync
    if health := row.get("HEALTH"):
        resource["health"] = {"status": health}
    return resource


def _sources(found: Sequence[Entry]) -> list[dict[str, str]]:
    lines = lines_below(found, "Source") or lines_below(found, "Sources")
    flat = lines or [f"{each.key}: {each.value}" for each in found if each.key in {"Repo", "Target", "Path", "Chart"}]
    sources: list[dict[str, str]] = []
    keys = {"Repo": "repoURL", "Target": "targetRevision", "Path": "path", "Chart": "chart"}
    for line in flat:
        name, _, value = line.strip().removeprefix("- ").partition(":")
        if name == "Repo":
            sources.append({})
        if sources and name in keys and value.strip():
            sources[-1][keys[name]] = value.strip()
    return sources


def _operation(found: Sequence[Entry]) -> dict[str, Any]:
    """The last operation, printed below the rest (Operation, Phase, Start, Finished, Message)."""
    phase = value_of(found, "Phase")
    if not phase:
        return {}
    state: dict[str, Any] = {"phase": phase, "operation": {"sync": {}}}
    message = next((each for each in found if each.key == "Message"), None)
    if message:
        state["message"] = " ".join([message.value, *(line.strip() for line in message.below)])
    if revision := value_of(found, "Sync Revision"):
        state["syncResult"] = {"revision": revision}
    return state
