"""A corpus to measure redaction by: secrets of many kinds planted in manifests, events, logs and questions, and the
ordinary values of such places, which must stay readable.

Everything is made from a seed at test time. To add a kind, add one entry to PASSWORDS, KEYS, VENDORS or ORDINARY.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, cast

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, LogLine
from agent.objects.target import Target
from tests.redaction.corpus.keys import KEYS
from tests.redaction.corpus.making import Manifest, b64
from tests.redaction.corpus.ordinary import ORDINARY
from tests.redaction.corpus.passwords import PASSWORDS
from tests.redaction.corpus.vendors import VENDORS

type Place = Literal["manifest", "event", "log", "question"]

PLACES: tuple[Place, ...] = ("manifest", "event", "log", "question")
KINDS = (*PASSWORDS, *KEYS, *VENDORS)
_URLS = {
    "DATABASE_URL": "postgres://app:{}@db:5432/shop",
    "JDBC_URL": "jdbc:postgresql://db/shop?user=app&password={}",
    "uri": "mongodb://app:{}@m-0:27017/shop",
}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One value in one place. `needles` are the texts that it is found by."""

    kind: str
    place: Place
    value: str
    needles: tuple[str, ...]
    context: Context
    question: str


def planted(seed: int, *, each: int = 2) -> Iterator[Planted]:
    """`each` secrets of every kind in every place."""
    random = Random(seed)
    for kind in KINDS:
        for place in PLACES:
            for _ in range(each):
                value = kind.make(random)
                manifest = _with_urls(random.choice(kind.manifests)(value), value)
                yield _plant(kind.name, place, value, random.choice(kind.texts), manifest, _needles(value))


def ordinary(seed: int, *, each: int = 2) -> Iterator[Planted]:
    """`each` ordinary values of every kind in every place; each needle must still be there."""
    random = Random(seed)
    for kind in ORDINARY:
        for place in PLACES:
            for _ in range(each):
                value = kind.make(random)
                yield _plant(
                    kind.name, place, value, random.choice(kind.texts), random.choice(kind.manifests)(value), (value,)
                )


def everything(context: Context, question: str) -> str:
    """All the text of a context and a question, base64 decoded, as a search for leaks reads it."""
    strings = [question, *(event.message for event in context.events)]
    strings += [line.text for log in context.logs for line in log.lines]
    pending: list[Any] = [context.manifest]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending += cast("dict[str, Any]", node).values()
        elif isinstance(node, list):
            pending += cast("list[Any]", node)
        else:
            strings += [str(node), _decoded(str(node))]
    return "\n".join(strings)


def _decoded(text: str) -> str:
    """The text that `text` is the base64 of, "" where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _plant(kind: str, place: Place, value: str, text: str, manifest: Manifest, needles: tuple[str, ...]) -> Planted:
    text = text.replace("{}", value)
    context, question = Context(target=Target()), "Why is it degraded?"
    match place:
        case "manifest":
            context = Context(target=Target(), manifest=manifest)
        case "event":
            message = f"Error: {text}"
            context = Context(target=Target(), events=(Event(type="Warning", reason="Failed", message=message),))
        case "log":
            lines = tuple(LogLine(text=line) for line in ["starting", *text.split("\n"), "stopped"])
            context = Context(target=Target(), logs=(ContainerLog(container="api", lines=lines),))
        case "question":
            question = text
    return Planted(kind=kind, place=place, value=value, needles=needles, context=context, question=question)


def _with_urls(manifest: Manifest, value: str) -> Manifest:
    """Some names hold a URL with the secret in it, not the secret alone."""
    text = json.dumps(manifest)
    for name, url in _URLS.items():
        for key in (f'"name": "{name}", "value": ', f'"{name}": '):
            text = text.replace(f"{key}{json.dumps(value)}", f"{key}{json.dumps(url.replace('{}', value))}")
    return json.loads(text)


def _needles(value: str) -> tuple[str, ...]:
    """The value, its base64, and of a key of several lines each line."""
    lines = [line for line in value.replace("\\n", "\n").split("\n") if line and not line.startswith("-----")]
    return (*lines, b64(value)[:-4])
