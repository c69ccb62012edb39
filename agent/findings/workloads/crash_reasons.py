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
from agent.findings.engine.logs import FAULT_WORDS, UNEXPLAINED_EXIT, fault_kind, is_exit_only
from agent.findings.engine.remedies import change
from agent.findings.network.endpoints import failed_connections
from agent.findings.workloads.log_line_steps import step_of
from agent.objects.error_message import parse, shorten
from agent.objects.manifest import lookup, objects_at, path_text, text_at

_TITLE_LIMIT = 200
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
        return step_for(self.line, self.kind)


def step_for(line: str, kind: str, container: Container | None = None) -> str:
    """What to do about a line of this kind (of `logs.fault_kind`): about what it names, else what its kind asks for."""
    general = f"{_STEPS[kind].removesuffix('.')}: “{one_line(substance(line), _REPEATED)}”." if kind in _STEPS else ""
    step = step_of(message_of(line) or line, container) or general or _named_step(line)
    connection = next(iter(failed_connections(line)), None) if kind in _PEERS else None
    if connection is None:
        return step
    peer = one_line(connection.host, 120) + (f":{connection.port}" if connection.port else "")
    return _PEERS[kind].format(peer)


# What to do about a connection whose peer the line names.
_PEERS = {
    "refused": "Check whether {0} is up and listens on that port.",
    "dns": "Check the spelling of {0}, whether that Service exists (or the name outside), and cluster DNS.",
    "timeout": "Check whether {0} is up, and which NetworkPolicy or firewall applies to the connection.",
}

_STEPS = {
    "constraint": "Repair the migration or the data: fill, clean up or allow the rows that violate the "
    "constraint before setting it (or correct what is written); then deploy the new image or script through Git.",
    "disk": "Find the full volume among those it mounts and enlarge its claim, or delete what is not needed on it.",
    "authentication": "Check user and password in the Secret that it reads against the account of the server; a "
    "changed Secret is only read at the next start.",
    "service": "Check the account, role or token with which it calls the service, and what that may do there.",
    "setting": "Set the missing value in the pod template, in Git.",
    "file": "Correct the path in command, args or configuration, mount the file, or build it into the image.",
    "permission": "Grant the access: fsGroup or runAsUser in the securityContext for files of a volume, a port above "
    "1024, or a capability.",
    "read-only": "Mount an emptyDir where it writes, or write to a volume that is mounted read-write.",
    "port": "Two processes of the pod listen on the same port: change one of the ports in the pod template.",
    "tls": "Renew the certificate of either side, or mount the CA that signed it.",
    "rights": "Grant its ServiceAccount the right that the line names, by a Role and a RoleBinding in Git.",
    "threads": "Raise the limit of processes of the node's Pods (podPidsLimit of the kubelet), or let the program "
    "start "
    "fewer threads",
    "memory": "Raise the memory limit, or limit the program's own heap or caches below it.",
    "refused": "Check whether its peer is up and listens on that port.",
    "dns": "Check the spelling of the host name, and whether its Service exists.",
    "timeout": "Check whether its peer is up, and which NetworkPolicy or firewall applies.",
}


# What a line is about where its form is unknown: an address, a file, a setting, something in quotes.
_NAMED_THINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"(?<![\w/.:-])([A-Za-z][\w-]{0,80}(?:\.[\w-]{1,80}){0,8}:\d{2,5})(?![\w:.])"),
        "Check whether {0}, which the line names, is up, can be reached and has room for another client.",
    ),
    (re.compile(r"\bsee:? (https?://[^\s\"']{4,200}[^\s\"'.,;])", re.I), "Read {0}, which the line refers to."),
    (
        re.compile(r"(?<![\w./:])(/[\w.-]{1,80}(?:/[\w.-]{1,80}){0,12}/[\w.-]{0,79}\w)"),
        "Look at {0}, which the line names.",
    ),
    (re.compile(r"[\"'`](?=[^\"'`]{0,99}[\d./:@_-])([\w./:@-]{3,100})[\"'`]"), "Look at {0}, which the line names."),
)


def _named_step(line: str) -> str:
    """The step about the first thing that a line names; a general one where it names none."""
    text = substance(line)
    found = ((step, pattern.search(text)) for pattern, step in _NAMED_THINGS)
    step = next((step.format(one_line(match[1], 100)) for step, match in found if match), "")
    return f"{step} {general_step(line)}".strip()


def general_step(line: str) -> str:
    """The step about a line of unknown form: to repair what it reports."""
    return f"Repair what its log reports: “{one_line(substance(line), _REPEATED)}”."


# Characters of a line in a step.
_REPEATED = 160


def reason_in(lines: Iterable[str], *, only_faults: bool = False) -> CrashReason | None:
    """The reason in the last lines of a log (oldest first): the last line with a known reason, else the last one that
    names what to do or reports a fault, else the last line.

    `only_faults`: lines without a fault are no reason.
    """
    candidates = [(line, *fault_kind(line)) for line in lines if line.strip()]
    if only_faults:
        candidates = [each for each in candidates if each[1] or FAULT_WORDS.search(each[0], 0, _READ_LIMIT)]
    if not candidates:
        return None
    ranks = [_rank(line, kind) for line, kind, _ in candidates]
    # The last of the best.
    place = max(range(len(candidates)), key=lambda each: (ranks[each], each))
    _, kind, meaning = candidates[place]
    return CrashReason(line=_whole([each[0] for each in candidates], place), kind=kind, meaning=meaning)


def _rank(line: str, kind: str) -> int:
    """How much a line explains."""
    if kind not in ("", UNEXPLAINED_EXIT):
        return 3
    if step_of(message_of(line) or line):
        return 2
    is_fault = kind or FAULT_WORDS.search(line, 0, _READ_LIMIT)
    return 1 if is_fault and not is_exit_only(message_of(line) or line) else 0


def _whole(lines: list[str], place: int) -> str:
    """The line with those around it that belong to the same value in brackets (Erlang's terms, printed objects)."""
    first = place
    text = lines[place]
    for line in lines[place + 1 : place + 1 + _VALUE_LINES]:
        if not _opens_more(text):
            break
        text = f"{text.rstrip()} {line.strip()}"
    if _opens_more(text):
        text = lines[place]
    while first > 0 and place - first < _VALUE_LINES and _closes_more(text):
        first -= 1
        text = f"{lines[first].rstrip()} {text.strip()}"
    return text if not _closes_more(text) else lines[place]


_VALUE_LINES = 8


_BRACKETS = ("{}", "[]")


def _closes_more(text: str) -> bool:
    return any(text.count(closing) > text.count(opening) for opening, closing in _BRACKETS)


def _opens_more(text: str) -> bool:
    return any(text.count(opening) > text.count(closing) for opening, closing in _BRACKETS)


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
    return step_for(reason.line, reason.kind, container)


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
# The progress that curl prints before its message, over one line (https://curl.se/docs/manpage.html, -#).
_PROGRESS = re.compile(r"(?:[\d.:%-]+[kMG]?\s+){6,}\d{0,6}(?=[A-Za-z])")
_START = re.compile(
    r"(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]?[\d:.,]{0,20}(?:Z|[+-]\d\d:?\d\d)?\]?[\s|]{0,4})?"
    r"(?:\W{0,2}(?:FATAL|ERROR|CRITICAL|SEVERE|PANIC|Error)\b(?! from server)[\]:\s|-]{0,4})?"
)
_LOGFMT = re.compile(r'\b(err|error|msg)="((?:[^"\\]|\\.){4,1000})"')
# io.fabric8.kubernetes.client.KubernetesClientException: the message of the API server within the client's.
_CLIENT_MESSAGE = re.compile(r"Failure executing: \w{3,7} at: \S{1,500}\. Message: (.{1,1000}?)\. Received status:")
_IN_THREAD = re.compile(r"^Exception in thread \"[^\"]{1,200}\" ")
# The classes of a Java exception around the innermost one (https://docs.oracle.com/en/java/javase/21/docs/api/,
# Throwable.toString and printStackTrace).
_EXCEPTIONS = re.compile(
    r"^(?:Caused by: )?"
    r"(?:(?:[a-z_][\w$]{0,60}\.){1,12}[A-Z][\w$]{0,100}(?:Exception|Error): (?=(?:[a-z_][\w$]{0,60}\.){1,12}[A-Z]))*"
    r"(?:[a-z_][\w$]{0,60}\.){1,12}(?=[A-Z][\w$]{0,100}(?:Exception|Error): )"
)


def substance(line: str) -> str:
    """The message of a line of a log, without its time and level; of a JSON or logfmt line its error or message."""
    text = line[:_READ_LIMIT].strip().rpartition("\r")[2]
    if progress := _PROGRESS.match(text):
        text = text[progress.end() :]
    text = message_of(text) or text
    server = [match.end() for match in _SERVER.finditer(text)]
    if server:
        text = text[server[-1] :]
    elif start := _START.match(text):
        text = text[start.end() :] or text
    if logfmt := _logfmt(text):
        text = logfmt
    if api := _CLIENT_MESSAGE.search(text):
        text = api[1]
    text = _EXCEPTIONS.sub("", _IN_THREAD.sub("", text))
    return one_line(shorten(text, _TITLE_LIMIT), _TITLE_LIMIT).removesuffix(".")


def _logfmt(text: str) -> str:
    """Message and error of a logfmt line, "" for any other; of the error its innermost clause."""
    found = {match[1]: match[2] for match in _LOGFMT.finditer(text)}
    error = found.get("error") or found.get("err") or ""
    cause = parse(error.replace("\\n", " ")).statement if error else ""
    message = found.get("msg", "")
    return f"{message}: {cause}" if message and cause and cause not in message else cause or message


def message_of(text: str) -> str:
    """The error or message of a line that is a JSON object, with the path and error of its details; "" without one."""
    if not text.startswith("{"):
        return ""
    try:
        entry: Any = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    values = (lookup(cast("object", entry), key) for key in ("error", "err", "msg", "message"))
    message = next((value for value in values if isinstance(value, str) and value.strip()), "")
    details = (lookup(cast("object", entry), *path) for path in _DETAILS)
    found = [each for each in details if isinstance(each, str) and each]
    if not found and len(message) < _SHORT_MESSAGE and not FAULT_DETAIL.search(message) and isinstance(entry, dict):
        found = _fault_in(cast("dict[str, object]", entry), message)
    return ": ".join([message, *found]) if message else ""


# A message that is as short says what failed, and another field why.
_SHORT_MESSAGE = 40
FAULT_DETAIL = re.compile(r": ")
_NO_DETAIL = frozenset(
    ("level", "lvl", "severity", "time", "ts", "timestamp", "logger", "caller", "stack", "stacktrace")
)


def _fault_in(entry: dict[str, object], message: str) -> list[str]:
    """The first further field of a log entry that reports a fault."""
    others = (
        value
        for key, value in entry.items()
        if isinstance(value, str) and key.lower() not in _NO_DETAIL and value != message and len(value) > _SHORT_MESSAGE
    )
    return [value for value in others if FAULT_WORDS.search(value, 0, _READ_LIMIT)][:1]


# Where structured logs keep the details of a message (https://www.mongodb.com/docs/manual/reference/log-messages/).
_DETAILS = tuple((holder, key) for holder in ("attr", "fields", "context") for key in ("path", "file", "error", "err"))
