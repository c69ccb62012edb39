"""Tables as kubectl prints them: a header in capitals, columns two blanks or more apart."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from agent.objects.manifest import Manifest
from agent.request.pasted.ages import AGE, time_fields

_HEADER = re.compile(
    r"^\s*[A-Z][A-Z0-9()%/_-]*(?: [A-Z][A-Z0-9()/_-]*)*(?:\s{2,}[A-Z][A-Z0-9()%/_-]*(?: [A-Z]+)*)+\s*$"
)
_GAP = re.compile(r"\s{2,}|\t+")

_EVENT = re.compile(rf"^\s*(?:(\S+)\s+)?({AGE})\s+(Normal|Warning)\s+(\S+)\s+([a-zA-Z.]+/\S+)\s+(.*\S)\s*$")
_DESCRIBED_EVENT = re.compile(rf"^\s*(Normal|Warning)\s+(\S+)\s+({AGE})\s+(\S+(?:, \S+)?)\s{{1,}}(.*\S)\s*$")

_KINDS = {
    "pod": ("v1", "Pod"),
    "deployment": ("apps/v1", "Deployment"),
    "replicaset": ("apps/v1", "ReplicaSet"),
    "statefulset": ("apps/v1", "StatefulSet"),
    "daemonset": ("apps/v1", "DaemonSet"),
    "job": ("batch/v1", "Job"),
    "cronjob": ("batch/v1", "CronJob"),
    "node": ("v1", "Node"),
    "service": ("v1", "Service"),
    "endpoints": ("v1", "Endpoints"),
    "persistentvolumeclaim": ("v1", "PersistentVolumeClaim"),
    "persistentvolume": ("v1", "PersistentVolume"),
    "ingress": ("networking.k8s.io/v1", "Ingress"),
    "horizontalpodautoscaler": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "poddisruptionbudget": ("policy/v1", "PodDisruptionBudget"),
    "application": ("argoproj.io/v1alpha1", "Application"),
}
"""apiVersion and kind by the name that kubectl prints, in small letters."""


def is_header(line: str) -> bool:
    """Whether the line is the header of a table."""
    return _HEADER.match(line) is not None


def is_event_header(line: str) -> bool:
    """Whether the line is the header of `kubectl get events`."""
    return is_header(line) and "REASON" in line.split() and "MESSAGE" in line.split()


def rows(lines: Sequence[str]) -> list[dict[str, str]]:
    """The rows below the header, by column. A row of as many cells as the header is split at its gaps; one with empty
    cells, by the places of the header."""
    header = lines[0].expandtabs()
    names = [name for name in _GAP.split(header.strip()) if name]
    places = [match.start() for match in re.finditer(r"\S+(?: \S+)*", header)]
    found: list[dict[str, str]] = []
    for line in (line.expandtabs() for line in lines[1:] if line.strip()):
        cells = _GAP.split(line.strip())
        if len(cells) != len(names):
            ends = [*places[1:], len(line)]
            cells = [line[start:end].strip() for start, end in zip(places, ends, strict=True)]
        found.append(dict(zip(names, cells, strict=True)))
    return found


def events_of_table(lines: Sequence[str], now: datetime) -> list[Manifest]:
    """The events of `kubectl get events`, as Kubernetes has them."""
    found: list[Manifest] = []
    for line in lines:
        if match := _EVENT.match(line):
            found.append(_event(match[3], match[4], match[6], match[2], now) | _about(match[5], match[1] or ""))
    if found:
        return found
    for row in rows(lines):  # with further columns (-o wide)
        if row.get("OBJECT") and row.get("TYPE") in {"Normal", "Warning"}:
            seen = row.get("LAST SEEN", "")
            event = _event(row["TYPE"], row.get("REASON", ""), row.get("MESSAGE", ""), seen, now)
            found.append(event | _about(row["OBJECT"], row.get("NAMESPACE", "")))
    return found


def described_events(lines: Sequence[str], about: Manifest, now: datetime) -> list[Manifest]:
    """The events below `kubectl describe`, about the object that it describes. A line that is wrapped is joined."""
    found: list[Manifest] = []
    for line in lines:
        if match := _DESCRIBED_EVENT.match(line):
            source = {"source": {"component": match[4]}}
            event = _event(match[1], match[2], match[5], match[3], now) | source
            found.append(event | ({"involvedObject": about} if about else {}))
        elif found and not line.strip().startswith(("Type ", "----")):
            found[-1]["message"] = f"{found[-1]['message']} {line.strip()}"
    return found


def is_described_event(line: str) -> bool:
    """Whether the line is an event as `kubectl describe` prints it, without the object above it."""
    return _DESCRIBED_EVENT.match(line) is not None


def _event(kind: str, reason: str, message: str, age: str, now: datetime) -> Manifest:
    event: Manifest = {"apiVersion": "v1", "kind": "Event", "type": kind, "reason": reason, "message": message}
    return event | time_fields(age, now)


def _about(text: str, namespace: str) -> Manifest:
    version, kind, name = reference(text)
    about = {"apiVersion": version, "kind": kind, "name": name}
    return {"involvedObject": about | ({"namespace": namespace} if namespace else {})}


def reference(text: str) -> tuple[str, str, str]:
    """apiVersion, kind and name of `pod/web`, `deployment.apps/web`, `Pod/web`; an unknown kind keeps its spelling."""
    written, _, name = text.partition("/")
    short, _, group = written.partition(".")
    version, kind = _KINDS.get(short.lower(), (f"{group}/" if group else "", short))
    return version, kind, name


# STATUS of a row that is well, under way or over (kubectl's printers and the phases of the built-in kinds).
_WELL = frozenset({"Running", "Completed", "Succeeded", "Active", "Bound", "Ready", "Available", "Complete", "Synced"})
_WELL_HEALTH = frozenset({"Healthy", "", "Synced"})


def bad_rows(lines: Sequence[str]) -> Iterator[str]:
    """A sentence for each row of `kubectl get` or `argocd app list` that is not well: the row with its columns."""
    for row in rows(lines):
        status = row.get("STATUS", "")
        ready, _, wanted = row.get("READY", "").partition("/")
        short = wanted.isdigit() and ready.isdigit() and int(ready) < int(wanted) and status != "Completed"
        bad = bool(status) and status not in _WELL
        bad |= row.get("HEALTH", row.get("HEALTH STATUS", "")) not in _WELL_HEALTH
        bad |= row.get("READY") == "False" or row.get("ALLOWED DISRUPTIONS") == "0"
        if bad or short:
            cells = (f"{name} {value}" for name, value in row.items() if value and name not in {"NAME", "AGE"})
            yield f"{row.get('NAME', '')}: {', '.join(cells)}"
