"""The text of logs: without terminal escapes, and the refusals that Kubernetes sends in place of a log.

Owns the cleaning of a text and the recognition of refusals.
"""

import re

from agent.errors import SourceError

MAX_LINE = 4000
"""Characters of one line that are kept."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles and links
    r"|\x1b[@-Z\\-_]?"  # any other escape
    # Control characters but tab, and the marks that make text read in another order than it is written.
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")

_REFUSAL_PREFIX = re.compile(r"^(?:Error from server(?: \(\w+\))?: |error: )")
# Messages of kubelet (pkg/kubelet/kubelet_pods.go) and kube-apiserver, unchanged since Kubernetes 1.10.
_REFUSALS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"container \S+ in pod \S+ is (?:waiting to start|terminated|not available)"), "waiting"),
    (re.compile(r"pod \S+ does not have a host assigned"), "waiting"),
    (re.compile(r"previous terminated container \S+ in pod \S+ not found"), "not_found"),
    (re.compile(r"container \S+ is not valid for pod \S+"), "not_found"),
    (re.compile(r"a container name must be specified for pod \S+"), "invalid"),
    (re.compile(r"unable to retrieve container logs for \S+"), "unavailable"),
    (re.compile(r"failed to try resolving symlinks in path "), "unavailable"),
    (re.compile(r"failed to create fsnotify watcher"), "unavailable"),
    (re.compile(r'Get "https://\S+/containerLogs/'), "unavailable"),
)


def printable(text: str) -> str:
    """`text` without terminal escapes and control characters; a carriage return inside becomes a blank."""
    if text.isprintable():
        return text
    if "\r" in text:
        text = text.rstrip("\r").replace("\r", " ")
    return _SURROGATES.sub("\ufffd", _ESCAPES.sub("", text))


def refusal(text: str) -> SourceError | None:
    """The error for a message of Kubernetes in place of a log, None where `text` is a log.

    The error's code is `waiting` (the container has not started), `not_found` (no such container, or no previous run),
    `invalid` or `unavailable`.
    """
    if len(text) > 2 * MAX_LINE:
        return None
    message = _REFUSAL_PREFIX.sub("", text.strip())
    if "\n" in message:
        return None
    for pattern, code in _REFUSALS:
        if pattern.match(message):
            return no_log(message, code)
    return None


def no_log(message: str, code: str) -> SourceError:
    """The error for a message in place of a log."""
    return SourceError(f"Kubernetes gave no log: {printable(message)[:300]}", code=code)
