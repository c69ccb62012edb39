"""The line of a log with the reason why a process exited: its substance for a title, and what to do about it.

Which lines are fatal, and their meanings, is in `logs`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from agent.findings.engine.build import namespace_of
from agent.findings.engine.commands import kubectl
from agent.findings.engine.container import Container
from agent.findings.engine.evidence import one_line
from agent.findings.engine.logs import UNEXPLAINED_EXIT, fault_kind
from agent.findings.engine.remedies import change
from agent.objects.manifest import lookup, objects_at, path_text, text_at

_TITLE_LIMIT = 120
_READ_LIMIT = 2_000
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashReason:
    """Why a process exited according to its log. `kind` and `meaning` are those of `logs.fault_kind`, ""
    where unknown."""

    line: str
    kind: str
    meaning: str

    @property
    def substance(self) -> str:
        """The line without time and level, short enough for a title."""
        return substance(self.line)

    @property
    def step(self) -> str:
        """What to do where only the line is known."""
        return _STEPS.get(self.kind, "Repair what the quoted lines of its log report.")


_STEPS = {
    "constraint": "Repair the migration or the data: fill, clean up or allow the rows that violate the "
    "constraint before setting it (or correct what is written); then deploy the new image or script through Git.",
    "disk": "Find the full volume among those it mounts and enlarge its claim, or delete what is not needed on it.",
    "authentication": "Check user and password in the Secret that it reads against the account of the server; a "
    "changed Secret is only read at the next start.",
    "setting": "Set the missing value in the pod template, in Git.",
    "file": "Correct the path in command, args or configuration, mount the file, or build it into the image.",
    "permission": "Grant the access: fsGroup or runAsUser in the securityContext for files of a volume, a port above "
    "1024, or a capability.",
    "read-only": "Mount an emptyDir where it writes, or write to a volume that is mounted read-write.",
    "port": "Two processes of the pod listen on the same port: change one of the ports in the pod template.",
    "tls": "Renew the certificate of either side, or mount the CA that signed it.",
    "rights": "Grant its ServiceAccount the right that the line names, by a Role and a RoleBinding in Git.",
    "memory": "Raise the memory limit, or limit the program's own heap or caches below it.",
    "refused": "Check whether its peer is up and listens on that port.",
    "dns": "Check the spelling of the host name, and whether its Service exists.",
    "timeout": "Check whether its peer is up, and which NetworkPolicy or firewall applies.",
}


_FAULT = re.compile(r"error|fail|exception|fatal|panic|denied|refused", re.IGNORECASE)


def reason_in(lines: Iterable[str], *, only_faults: bool = False) -> CrashReason | None:
    """The reason in the last lines of a log (oldest first): the last line with a known reason, else the last line.

    `only_faults`: lines without a fault are no reason.
    """
    candidates = [(line, *fault_kind(line)) for line in lines if line.strip()]
    if only_faults:
        candidates = [each for each in candidates if each[1] or _FAULT.search(each[0], 0, _READ_LIMIT)]
    if not candidates:
        return None
    explained = (each for each in reversed(candidates) if each[1] not in ("", UNEXPLAINED_EXIT))
    line, kind, meaning = next(explained, candidates[-1])
    return CrashReason(line=line, kind=kind, meaning=meaning)


def first_step(container: Container, reason: CrashReason) -> str:
    """What to do first about a container that exited for this reason, with the names in its spec."""
    if reason.kind == "setting" and (name := _variable(reason.line)):
        return _set_variable(container, name)
    namespace = namespace_of(container.pod)
    if reason.kind == "authentication" and (secrets := _secrets(container)):
        named = ", ".join(one_line(name, 80) for name in secrets[:_NAMED])
        look = kubectl("describe", "secret", secrets[0], namespace=namespace)
        return (
            f"Check user and password in Secret {named}, which container {container.name} reads ({look} shows its "
            "keys), against the account of the server; correct it at its source, then restart the pod."
        )
    if reason.kind == "disk" and (claims := _claims(container)):
        named = ", ".join(one_line(name, 80) for name in claims[:_NAMED])
        look = kubectl("describe", "pvc", *claims[:_NAMED], namespace=namespace)
        return (
            f"Make PersistentVolumeClaim {named} larger (spec.resources.requests.storage in Git, where its "
            f"StorageClass allows expansion), or delete what is not needed on the volume; see {look}."
        )
    return reason.step


_VARIABLE = re.compile(
    r"\bKeyError: ['\"]([A-Z][A-Z0-9_]{2,80})['\"]|\b([A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,6})\b"
)


def _variable(line: str) -> str:
    """The environment variable that a line reports missing, "" where it names none."""
    match = _VARIABLE.search(line[:_READ_LIMIT])
    return (match[1] or match[2]) if match else ""


def _set_variable(container: Container, name: str) -> str:
    template = container.template
    if template is None:
        where = f"`{path_text(container.spec_path)}.env`" if container.spec_path else "`env`"
    else:
        where = f"`{template[1]}.env` of {template[0].kind} {one_line(template[0].name, 80)}"
    what = f"set the environment variable {name} of container {container.name} ({where}), by a value or from a "
    return change(container.inventory, what + "ConfigMap or Secret")


def _secrets(container: Container) -> list[str]:
    """The Secrets of the container's environment and of its Pod's volumes."""
    env = (text_at(each, "valueFrom", "secretKeyRef", "name") for each in objects_at(container.spec, "env"))
    whole = (text_at(each, "secretRef", "name") for each in objects_at(container.spec, "envFrom"))
    files = (text_at(each, "secret", "secretName") for each in objects_at(container.pod, "spec", "volumes"))
    return [name for name in dict.fromkeys((*env, *whole, *files)) if name]


def _claims(container: Container) -> list[str]:
    """The claims that the container mounts."""
    mounted = {text_at(each, "name") for each in objects_at(container.spec, "volumeMounts")}
    volumes = (each for each in objects_at(container.pod, "spec", "volumes") if text_at(each, "name") in mounted)
    names = (text_at(each, "persistentVolumeClaim", "claimName") for each in volumes)
    return [name for name in names if name]


# A server's message within a client's: `...: ERROR: column x`, `PSQLException: FATAL: password ...`.
_SERVER = re.compile(r"\b(?:ERROR|FATAL|PANIC): {1,4}(?=\S)")
_START = re.compile(
    r"(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]?[\d:.,]{0,20}(?:Z|[+-]\d\d:?\d\d)?\]?[\s|]{0,4})?"
    r"(?:\W{0,2}(?:FATAL|ERROR|CRITICAL|SEVERE|PANIC|Error)\b(?! from server)[\]:\s|-]{0,4})?"
)
_LOGFMT = re.compile(r'\b(?:err|error)="?([^"]{4,400})"|\bmsg="([^"]{4,400})"')


def substance(line: str) -> str:
    """The message of a line of a log, without its time and level; of a JSON or logfmt line its error or message."""
    text = line[:_READ_LIMIT].strip()
    text = _message_of(text) or text
    server = [match.end() for match in _SERVER.finditer(text)]
    if server:
        text = text[server[-1] :]
    elif start := _START.match(text):
        text = text[start.end() :] or text
    if logfmt := _LOGFMT.search(text):
        text = logfmt[1] or logfmt[2]
    return one_line(text, _TITLE_LIMIT).removesuffix(".")


def _message_of(text: str) -> str:
    """The error or message of a line that is a JSON object, "" without one."""
    if not text.startswith("{"):
        return ""
    try:
        entry: Any = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    values = (lookup(cast("object", entry), key) for key in ("error", "err", "msg", "message"))
    return next((value for value in values if isinstance(value, str) and value.strip()), "")
