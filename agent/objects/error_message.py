"""An error message as what it is: a chain of frames around an innermost cause.

Programs wrap an error on its way up: `failed to sync: rpc error: code = Unknown desc = Get "https://...": dial tcp`.
The outer words name who noticed the fault, the innermost clause what it is. `parse` takes the message apart; `shorten`
cuts one and keeps both ends. Owns the frames that programs write; what a cause means, and what to do, is for findings.

Each frame of the table names its source. An unknown frame is `words: rest`, the form of Go's `fmt.Errorf("...: %w")`
(https://go.dev/blog/go1.13-errors) and of most other languages.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, cast

type FrameKind = Literal[
    "words",  # any other `words: `
    "rpc",  # `rpc error: code = X desc = `
    "command",  # a quoted command line that failed
    "exit",  # `exit status 1: `
    "request",  # `Get "https://...": `
    "webhook",  # a webhook that denied, or could not be called
    "object",  # `Deployment.apps "web" is invalid: `
    "file",  # a file, manifest or template that is being read
    "server",  # `Error from server (Forbidden): `
]

READ_LIMIT = 16_000
"""Characters that are read: of a longer message both ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One layer of a message. `text` is verbatim without its colon; `details` are the things that it names: `code`,
    `command`, `verb`, `url`, `webhook`, `kind`, `name`, `file`, `line`, `status`."""

    kind: FrameKind
    text: str
    details: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """A message taken apart. `frames` are the outermost first, `cause` is the innermost clause, never empty for a
    message with words; `others` are further causes of a list of errors."""

    text: str
    frames: tuple[Frame, ...]
    cause: str
    others: tuple[str, ...] = ()

    def detail(self, name: str) -> str:
        """A thing that the frames name, the innermost first, "" where none does."""
        return next((frame.details[name] for frame in reversed(self.frames) if name in frame.details), "")

    @property
    def statement(self) -> str:
        """The cause, with the words of the frame around it where it names nothing by itself."""
        if _NAMES_SOMETHING.search(self.cause) or not self.frames or self.frames[-1].kind in ("rpc", "exit", "command"):
            return self.cause
        around = self.frames[-1].text
        return around if around.endswith(self.cause) else f"{around}: {self.cause}"

    def frame(self, kind: FrameKind) -> Frame | None:
        """The innermost frame of a kind."""
        return next((frame for frame in reversed(self.frames) if frame.kind == kind), None)


# A name, a path, a number: what a clause is about.
_NAMES_SOMETHING = re.compile(r"[\"'`/\d]|\w\.\w|[a-z][A-Z]")


@lru_cache(maxsize=2_048)
def parse(text: str) -> ErrorMessage:
    """The message taken apart. Linear in its length; any text is a message, whose cause may be all of it."""
    read = _folded(text)
    body = _without_tail(read)
    frames, cause, others = _peel(body, 0)
    return ErrorMessage(text=read, frames=tuple(frames), cause=cause or body or read, others=tuple(others))


def shorten(text: str, limit: int) -> str:
    """The message in at most `limit` characters: whole, or without its quoted command lines, or both ends of it.

    The end gets two thirds, as it has the innermost cause.
    """
    if len(text) <= limit:
        return text
    shorter = _COMMAND_LINE.sub(_first_words, text)
    if len(shorter) <= limit:
        return shorter
    mark = " … "
    end = max((limit - len(mark)) * 2 // 3, 0)
    start = max(limit - len(mark) - end, 0)
    return shorter[:start].rstrip() + mark + shorter[len(shorter) - end :].lstrip()


# A command line in backticks, as Argo CD's executor quotes it (util/exec/exec.go: "`%v` failed %v: %s").
_COMMAND_LINE = re.compile(r"`([^`]{60,200000})`")
_FIRST_WORDS = 2


def _first_words(match: re.Match[str]) -> str:
    words = match[1].split(None, _FIRST_WORDS)
    return f"`{' '.join(words[:_FIRST_WORDS])} …`"


def _folded(text: str) -> str:
    if len(text) > READ_LIMIT:
        text = text[: READ_LIMIT // 3] + " … " + text[-READ_LIMIT * 2 // 3 :]
    return " ".join(text.replace('\\"', '"').split())


# What follows a cause and belongs to none: Argo CD's retries (controller/appcontroller.go, sync.go), Helm's advice
# (helm.sh/helm/v3/cmd/helm/template.go), the usage that cobra prints.
_TAILS = re.compile(
    r"(?:"
    r"\.? ?\(retried \d+ times?\)\.?"
    r"|\.? Retrying attempt #\d+ at [\d:apmAPM. ]+"
    r"|\.? Use --debug flag to render out invalid YAML"
    r"|,? requeuing.{0,40}"
    r"|,? ?\[?(?:RequestID|request id|Request ID|requestId)[:=] ?[\w-]{4,64}\]?\)?"
    r")\s*$"
)


def _without_tail(text: str) -> str:
    for _ in range(4):
        shorter = _TAILS.sub("", text[-400:])
        if shorter == text[-400:]:
            break
        text = text[:-400] + shorter
    return text.strip()


@dataclass(frozen=True, slots=True)
class _Known:
    """A known frame: a pattern at the start of the rest, whose named groups are its details."""

    kind: FrameKind
    pattern: re.Pattern[str]


def _known(kind: FrameKind, pattern: str) -> _Known:
    return _Known(kind, re.compile(pattern))


_QUOTED = r"\"(?:[^\"\\]|\\.){1,4000}\""

_FRAMES: tuple[_Known, ...] = (
    # google.golang.org/grpc/internal/status/status.go
    _known("rpc", r"(?:[^:`\"]{1,200}\. )?rpc error: code = (?P<code>\w{1,30}) desc = "),
    # Argo CD util/exec/exec.go; git, helm and kustomize are run by it
    _known(
        "command",
        r"`(?P<command>[^`]{1,200000})` failed (?:exit status (?P<status>\d{1,3})|timeout after (?P<limit>\S{1,20})"
        r"|(?P<signal>signal: \w{1,20}))(?:: ?|$)",
    ),
    _known(
        "command",
        r"(?:failed|error) (?:to run|running|executing) (?:command )?[`'\"](?P<command>[^`'\"]{1,4000})[`'\"]: ",
    ),
    # os/exec ExitError: https://pkg.go.dev/os/exec#ExitError
    _known(
        "exit",
        r"(?:failed |command failed |process failed )?(?:with )?exit (?:status|code) (?P<status>\d{1,3})"
        r"(?:: |; |, (?:stderr|output): )",
    ),
    # net/url Error: https://pkg.go.dev/net/url#Error
    _known(
        "request", r"(?P<verb>Get|Head|Post|Put|Patch|Delete|Options|get|post) \\?\"(?P<url>[^\"\\ ]{1,2000})\\?\": "
    ),
    # k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go
    _known("webhook", r"admission webhook \"(?P<webhook>[^\"]{1,300})\" denied the request(?: without explanation)?: "),
    _known("webhook", r"failed (?:calling|to call) webhook(?: \"(?P<webhook>[^\"]{1,300})\")?: "),
    # k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go
    _known("webhook", r"conversion webhook for (?P<kind>[^,]{1,200}, Kind=\w{1,120}) failed: "),
    # k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go
    _known(
        "webhook",
        r"ValidatingAdmissionPolicy '(?P<webhook>[^']{1,300})' with binding '(?P<binding>[^']{1,300})' "
        r"denied request: ",
    ),
    # k8s.io/kubectl/pkg/cmd/util/helpers.go
    _known("server", r"Error from server(?: \((?P<code>\w{1,40})\))?: "),
    # k8s.io/kubectl/pkg/cmd/apply
    _known("file", r"error when (?P<verb>\w{1,20})(?: patch)? \"(?P<file>[^\"]{1,400})\": "),
    # k8s.io/apimachinery/pkg/api/errors: NewInvalid, NewForbidden, NewConflict
    _known("object", r"(?P<kind>[A-Za-z][\w.-]{0,200}) \"(?P<name>[^\"]{0,260})\" is invalid: "),
    _known("object", r"(?P<kind>[a-z][\w./-]{0,200}) \"(?P<name>[^\"]{0,260})\" is forbidden: (?!User )"),
    # helm.sh/helm/v3/pkg/releaseutil/manifest_sorter.go
    _known("file", r"(?:YAML|JSON) parse error on (?P<file>[^\s:]{1,400}): "),
    # helm.sh/helm/v3/pkg/engine/engine.go: a template's failure
    _known("file", r"execution error at \((?P<file>[^():]{1,300}):(?P<line>\d{1,6}):\d{1,6}\): "),
    # sigs.k8s.io/kustomize/api: accumulating a resource, a base or a component
    _known(
        "file",
        r"accumulating (?:resources|components|directory)?:? ?"
        r"(?:accumulation err='|from |with resource )?'?(?P<file>[^'\s:]{1,400})'?: ",
    ),
    # k8s.io/kubernetes/pkg/kubelet/images/image_manager.go, containerd
    _known(
        "object",
        r"(?:Failed to pull|failed to pull and unpack|failed to resolve reference)(?: image)? "
        r"\\?\"(?P<image>[^\"\\]{1,500})\\?\": ",
    ),
    # k8s.io/mount-utils/mount_linux.go
    _known(
        "command",
        r"mount failed: (?:exit status (?P<status>\d{1,3}) )?Mounting command: (?P<command>.{1,2000}?) Output: ",
    ),
    # k8s.io/kubernetes/pkg/volume/util/operationexecutor: the volume of a mount that fails
    _known(
        "object",
        r"(?P<verb>MountVolume\.\w{1,30}|AttachVolume\.\w{1,30}|UnmountVolume\.\w{1,30}) "
        r"failed for volume \"(?P<volume>[^\"]{1,300})\" ?: ",
    ),
)

# Where a cause begins: it has colons of its own. Each is a form of one library or of the API server.
_LEAVES: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:dial|read|write) (?:tcp|udp|unix)",  # https://pkg.go.dev/net#OpError
        r"lookup \S",  # https://pkg.go.dev/net#DNSError
        r"x509: |tls: |remote error: |net/http: |http2: |knownhosts: |ssh: (?!handshake failed: )",
        r"yaml: |json: |error converting YAML to JSON: |strict decoding error: |unable to decode ",
        r"(?:open|stat|lstat|mkdir|chdir|readlink|fork/exec|chmod|chown|unlink|remove|rename) [/.\w<]",
        r"exec: \"",
        r"template: \S{1,300}:\d",  # https://pkg.go.dev/text/template#ExecError
        r"(?:\.|\b)?[a-zA-Z]\w{0,60}(?:\[[^\]]{0,300}\])*(?:\.[\w-]{1,80}(?:\[[^\]]{0,300}\])*){1,30}: ",  # a field
        r"(?:metadata|spec|data|status|subjects|rules)(?:\[[^\]]{0,300}\])*: "
        r"(?:Required|Invalid|Forbidden|Unsupported|Too )",
        r"resource mapping not found for name: ",
        r"exceeded quota: ",
        r"Apply failed with \d+ conflict",
        r"User \"",
        r"(?:[\w.-]{1,200}) is forbidden: User ",
        r"\d+/\d+ nodes are available",  # k8s.io/kubernetes/pkg/scheduler/framework/types.go: FitError
        r"[\w@.-]{0,200}[/.][\w./:@-]{1,400}: ",  # a path, an image, a class: what the rest is about
        r"pq: |ERROR: |FATAL: |SQLSTATE",
        r"no matches for kind ",
        r"Operation cannot be fulfilled on ",
        r"unable to parse |couldn't parse ",
        r"values don't meet the specifications",
        r"(?:failed to )?perform \"?[A-Za-z]{3,10}\"? on ",
    )
)

_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_MAX_FRAMES = 40


def _peel(text: str, depth: int) -> tuple[list[Frame], str, list[str]]:
    """The frames around a cause, the cause, and the further causes of a list."""
    frames: list[Frame] = []
    rest = text
    while len(frames) < _MAX_FRAMES:
        rest = rest.strip()
        if depth < _MAX_DEPTH and (inner := _inside(rest)):
            further, cause, others = _peel(inner[0], depth + 1)
            causes = [_peel(each, depth + 1)[1] for each in inner[1:]]
            return [*frames, *further], cause, [*others, *causes]
        if known := _known_frame(rest):
            frame, rest = known
            frames.append(frame)
            continue
        if any(leaf.match(rest) for leaf in _LEAVES):
            break
        if rest[:1] in "\"'" and len(rest) > _LONG_QUOTATION:
            rest = rest[1:]  # a message in quotes, as kustomize nests them; the shorter ones are names
            continue
        split = _split(rest)
        if split is None:
            break
        words, after = split
        if _is_short(after) and not _holds_more(after):
            break
        url = _URL.search(words)
        frames.append(Frame(kind="words", text=words, details={"url": url[0]} if url else {}))
        rest = after
    return frames, rest.strip(" .;,") if rest.strip(" .;,") else rest, []


_MAX_DEPTH = 4
_LONG_QUOTATION = 120


def _known_frame(text: str) -> tuple[Frame, str] | None:
    for known in _FRAMES:
        if match := known.pattern.match(text):
            details = {name: value for name, value in match.groupdict().items() if value}
            rest = text[match.end() :]
            if not rest.strip():
                rest = details.get("signal") or ("timeout after " + details["limit"] if "limit" in details else "")
            if not rest:
                return None
            return Frame(kind=known.kind, text=match[0].rstrip(": ").removesuffix(" desc ="), details=details), rest
    return None


def _split(text: str) -> tuple[str, str] | None:
    """The words before the first colon that separates a frame, and the rest; a colon in quotes or brackets does not."""
    place = _separator(text)
    if place is None:
        return None
    return text[:place].strip(), text[place + 1 :].strip()


# What follows a colon between clauses: not the value of a name (`Requested: 1, Available: 0`).
_SEPARATES = re.compile(r" (?!\d[\d.]{0,20}[\w%]{0,3}(?:[,;)]|\. |\s*$))")


def _separator(text: str) -> int | None:
    closing: list[str] = []
    quote = ""
    for place, char in enumerate(text):
        if quote:
            if char == quote and text[place - 1] != "\\":
                quote = ""
        elif char in '"`' or (char == "'" and (place == 0 or not text[place - 1].isalnum())):
            if text.find(char, place + 1) > 0:
                quote = char
        elif char in _CLOSING:
            closing.append(_CLOSING[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char == ":" and not closing and _SEPARATES.match(text, place + 1):
            return place
    return None


_URL = re.compile(r"\b[a-z][a-z0-9+]{1,10}://[^\s\"'<>`]{1,2000}")

# A last clause this short says little without the one before it: `connection refused`, `not found`, `EOF`.
_SHORT_WORDS = 3


def _is_short(text: str) -> bool:
    return len(text.split()) < _SHORT_WORDS and _separator(text) is None


def _holds_more(text: str) -> bool:
    return text[:1] in "[{" and len(text) > 20


def _inside(text: str) -> list[str]:
    """The messages inside a text that is a list of errors or a JSON object with one, else nothing."""
    for read in (_json_messages, _aggregate, _bullets):
        if found := read(text):
            return found
    return []


_MESSAGE_KEYS = ("message", "error_description", "detail", "error", "errors", "reason", "msg", "err")


def _json_messages(text: str) -> list[str]:
    if not (text.startswith("{") and text.endswith("}")):
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(_messages_in(value, 0))[:8]


def _messages_in(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, list) and depth < _MAX_DEPTH:
        for item in cast("list[object]", value):
            yield from _messages_in(item, depth + 1)
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        entries = {str(key).lower(): item for key, item in cast("dict[object, object]", value).items()}
        for key in _MESSAGE_KEYS:
            if key in entries and (found := list(_messages_in(entries[key], depth + 1))):
                yield from found
                return


def _aggregate(text: str) -> list[str]:
    """The errors of k8s.io/apimachinery/pkg/util/errors.Aggregate: `[a, b]`."""
    if not (text.startswith("[") and text.endswith("]")) or ": " not in text:
        return []
    return [part for part in _parts(text[1:-1]) if part]


def _parts(text: str) -> Iterator[str]:
    start, depth, quote = 0, 0, ""
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in '"`':
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth <= 0 and text[place + 1 : place + 2] == " ":
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


# github.com/hashicorp/go-multierror/format.go: "2 errors occurred:\n\t* a\n\t* b"
_BULLETS = re.compile(r"\d{1,4} errors? occurred: \* ")


def _bullets(text: str) -> list[str]:
    match = _BULLETS.match(text)
    return [part.strip() for part in text[match.end() :].split(" * ") if part.strip()] if match else []
