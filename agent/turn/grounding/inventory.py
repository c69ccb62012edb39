"""The texts that the model was given and everything that was read, to look claims up in.

Owns how a text is compared (letter case, white space and quotation marks do not count); knows no Markdown.
"""

import re
from collections.abc import Iterable, Iterator
from copy import copy
from functools import cached_property
from typing import cast

from agent.context.context import Context
from agent.findings.engine.evidence import walk
from agent.objects.manifest import Manifest

# Values of a manifest that are looked at; a status that lists tens of thousands of objects has little about each.
_VALUES = 300_000
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " "})
_INDEX = re.compile(r"\[[^\]]*\]")
_WORD = re.compile(r"[a-z0-9][a-z0-9.-]*")


class GroundingInventory:
    """Looks into the texts first, as the model saw them; the whole context is only walked for what is not in them."""

    def __init__(self, texts: Iterable[str], context: Context) -> None:
        self._seen = folded("\n".join(texts))
        self._context = context

    def adding(self, texts: Iterable[str]) -> "GroundingInventory":
        """Return the same inventory with further texts; the context is not walked again."""
        more = copy(self)
        more._seen = f"{self._seen} {folded('\n'.join(texts))}"
        more.__dict__.pop("_words_seen", None)
        return more

    def says(self, text: str) -> bool:
        """Whether `text` was read; one that ends in an ellipsis, up to it."""
        wanted = folded(text).removesuffix("…").removesuffix("...").strip()
        return not wanted or wanted in self._seen or wanted in self._read

    def names(self, name: str) -> bool:
        """Whether `name` was read as a whole word, not as a part of a longer name."""
        wanted = name.lower().rstrip(".-")
        return wanted in self._words_seen or wanted in self._words_read

    def counts(self, number: str) -> bool:
        """Whether the number was read, with its unit or without it."""
        wanted = number.lower().replace(",", "")
        bare = wanted.replace(" ", "")
        digits = re.match(r"[\d.]+", bare)
        spellings = {wanted, bare, *({digits[0]} if digits and bare.endswith(_WORDED_UNITS) else ())}
        return any(_whole_number(spelling, text) for spelling in spellings for text in (self._seen, self._read))

    def has_path(self, path: str) -> bool:
        """Whether a manifest has the path, or its parent: a field that the answer proposes does not exist yet."""
        if self.says(path):
            return True
        keys = tuple(_INDEX.sub("", path.lstrip(".")).split("."))
        return keys in self._paths or (len(keys) > 2 and keys[:-1] in self._paths)

    @cached_property
    def _read(self) -> str:
        return folded("\n".join(_texts(self._context)))

    # Looked up once for each of an answer's hundreds of names: a search through megabytes for each takes a minute.
    @cached_property
    def _words_seen(self) -> set[str]:
        return _words(self._seen)

    @cached_property
    def _words_read(self) -> set[str]:
        return _words(self._read)

    @cached_property
    def _paths(self) -> set[tuple[str, ...]]:
        return {
            tuple(step for step in path if isinstance(step, str))
            for manifest in _manifests(self._context)
            for path, _ in _values(manifest)
        }


# Units that people write out where objects hold bare numbers (`timeoutSeconds: 5`).
_WORDED_UNITS = ("s", "seconds", "second", "minutes", "minute", "hours", "hour", "%", "ms", "min", "h")


def folded(text: str) -> str:
    """Lower case, straight quotation marks, each run of white space one blank."""
    return " ".join(text.translate(_QUOTES).lower().split())


def _words(text: str) -> set[str]:
    """The words that may be names, without the full stop of a sentence."""
    return {word.rstrip(".-") for word in _WORD.findall(text)}


def _whole_number(number: str, text: str) -> bool:
    if number not in text:  # ten times as fast as the pattern
        return False
    return re.search(rf"(?<![\d.]){re.escape(number)}(?![\d]|\.\d)", text) is not None


def _manifests(context: Context) -> Iterator[Manifest]:
    for part, value in context.parts.items():
        yield from part.objects(value)


def _values(manifest: Manifest) -> Iterator[tuple[tuple[str | int, ...], object]]:
    for count, found in enumerate(walk(manifest, depth=30)):
        if count > _VALUES:
            return
        yield found


def _texts(context: Context) -> Iterator[str]:
    """Everything that was read, values with their keys (`memory: 256Mi`)."""
    for manifest in _manifests(context):
        for path, value in _values(manifest):
            if path and isinstance(value, str | int | float):
                yield f"{path[-1]}: {_scalar(value)}"
    for part, value in context.parts.items():
        yield from part.texts(value)
    yield from (gap.message for gap in context.gaps)


def _scalar(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(cast("str | int | float", value))
