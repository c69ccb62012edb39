"""Lists of events and attempts in a status in which every entry is a failure."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from agent.findings.custom.messages import location
from agent.findings.custom.nodes import MAX_DEPTH, MAX_VALUES, StatusPath, role_of
from agent.findings.custom.sign import Sign
from agent.findings.custom.situation import Situation
from agent.findings.custom.states import state_meaning
from agent.findings.custom.words import words_of
from agent.findings.engine.evidence import one_line, quote, walk
from agent.objects.manifest import Manifest, object_at, objects_at, text_at


def failed_attempts(manifest: Manifest, situation: Situation) -> Iterator[Sign]:
    """A sign for each list of attempts that contains only failures.

    A list with one success gives none, as either end of it may be the newest entry.
    """
    if situation.ready or situation.done or situation.suspended or "fine" in situation.states:
        return
    for path, value in islice(walk(object_at(manifest, "status"), "status", depth=MAX_DEPTH), MAX_VALUES):
        if isinstance(value, list) and isinstance(path[-1], str) and words_of(path[-1])[-1:] in _ATTEMPT_KEYS:
            yield from _sign(manifest, path)


_ATTEMPT_KEYS = (("events",), ("attempts",), ("history",), ("retries",))


def _sign(manifest: Manifest, path: StatusPath) -> Iterator[Sign]:
    entries = objects_at(manifest, *path)
    keys = [_failure_key(entry) for entry in entries]
    if not entries or not all(keys):
        return
    newest: tuple[str | int, ...] = (*path, len(entries) - 1)
    messages = [key for key in entries[-1] if role_of(key) == "message"]
    evidence = tuple(evidence for key in messages for evidence in quote(manifest, *newest, key))
    yield Sign(
        severity="warning",
        path=path,
        title=f"has only failures in {one_line(str(path[-1]), 60)}",
        short=f"{one_line(str(path[-1]), 60)} contains only failures{location(manifest, path[:-1])}",
        evidence=evidence + quote(manifest, *newest, keys[-1]),
        text=evidence[0].text if evidence else keys[-1],
    )


def _failure_key(entry: Manifest) -> str:
    """The key whose value says that an entry failed, "" where none does."""
    keys: Iterator[Any] = iter(entry)
    return next(
        (
            key
            for key in keys
            if (role_of(key) == "state" or key == "type") and state_meaning(text_at(entry, key)) == "bad"
        ),
        "",
    )
