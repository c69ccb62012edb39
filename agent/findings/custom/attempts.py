"""What has been tried: lists of events and attempts, where every one failed and nothing else tells how it stands."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from agent.findings.custom.messages import inside
from agent.findings.custom.nodes import DEPTH, VALUES, Path, role_of
from agent.findings.custom.sign import Sign
from agent.findings.custom.situation import Situation
from agent.findings.custom.states import standing_of
from agent.findings.custom.words import words_of
from agent.findings.engine.evidence import one_line, quote, walk
from agent.objects.manifest import Manifest, object_at, objects_at, text_at


def failed_attempts(manifest: Manifest, situation: Situation) -> Iterator[Sign]:
    """A sign for each list of what has been tried that has nothing but failures in it.

    One success among them, and nothing is told: whether the newest entry comes first or last is not known.
    """
    if situation.well or situation.done or situation.halted or "fine" in situation.states:
        return
    for path, value in islice(walk(object_at(manifest, "status"), "status", depth=DEPTH), VALUES):
        if isinstance(value, list) and isinstance(path[-1], str) and words_of(path[-1])[-1:] in _TRIED:
            yield from _sign(manifest, path)


_TRIED = (("events",), ("attempts",), ("history",), ("retries",))


def _sign(manifest: Manifest, path: Path) -> Iterator[Sign]:
    entries = objects_at(manifest, *path)
    states = [_state_of(entry) for entry in entries]
    if not entries or not all(states):
        return
    newest: tuple[str | int, ...] = (*path, len(entries) - 1)
    told = [key for key in entries[-1] if role_of(key) == "message"]
    said = tuple(evidence for key in told for evidence in quote(manifest, *newest, key))
    yield Sign(
        severity="warning",
        path=path,
        title=f"has nothing but failures in {one_line(str(path[-1]), 60)}",
        short=f"{one_line(str(path[-1]), 60)} tells of failures only{inside(manifest, path[:-1])}",
        said=said + quote(manifest, *newest, states[-1]),
        text=said[0].text if said else states[-1],
    )


def _state_of(entry: Manifest) -> str:
    """The key under which an entry says that it failed, "" where it does not."""
    named: Iterator[Any] = iter(entry)
    return next(
        (
            key
            for key in named
            if (role_of(key) == "state" or key == "type") and standing_of(text_at(entry, key)) == "bad"
        ),
        "",
    )
