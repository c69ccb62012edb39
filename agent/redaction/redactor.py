"""The redactor of a session: what may be sent, traced or logged of texts, values and contexts.

Owns the order of the passes (learn, then replace).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from agent.context.context import Context, Redaction
from agent.context.model import Gap
from agent.redaction.placeholders import Hiding
from agent.redaction.redacted import Redacted, sealed
from agent.redaction.structure import mapped, redacted


class Redactor:
    """Hides secrets. `key` is secret and lasts as long as the session: the same key gives the same value the same
    placeholder `[REDACTED:<what>:<6 hexadecimal digits>]`, in this process or another; another key gives another one.

    What was recognised once is hidden wherever it is met later, so redact the context first, then the question, then
    tool outputs and the answer. With `enabled=False` everything passes unchanged.
    """

    def __init__(self, key: bytes, *, enabled: bool = True) -> None:
        self._hiding = Hiding(key)
        self._enabled = enabled

    @property
    def hidden(self) -> int:
        """How many distinct values were hidden so far."""
        return len(self._hiding)

    def text(self, text: str) -> str:
        """A free text (question, log, message, tool output, answer) with its secrets hidden. Text without any comes
        back identical."""
        return self._hiding.known_text(self._hiding.text(text)) if self._enabled else text

    def value[T](self, value: T) -> T:
        """A JSON-like value with the secrets in its strings hidden; Kubernetes objects anywhere in it are understood.

        Keys, numbers, booleans, nulls and the shape stay. Dictionaries and lists are copied, never changed.
        """
        if not self._enabled:
            return value
        learned = _Finding(self._hiding).value(value)
        return _Replacing(self._hiding).value(learned) if self._hiding.learned else learned

    def release[T](self, value: T) -> Redacted[T]:
        """`value` as one that may leave the turn: made of nothing but what this redactor returned."""
        return sealed(value)

    def context(self, context: Context) -> Context:
        """A context with the secrets hidden in all of its parts and gaps. Names of objects stay."""
        if not self._enabled:
            return context
        for name in _names(context):
            self._hiding.name(name)
        learned = _redacted(context, _Finding(self._hiding))
        return _redacted(learned, _Replacing(self._hiding)) if self._hiding.learned else learned


class _Finding:
    """The first pass: hides what a text or value gives away itself, and learns it."""

    def __init__(self, hiding: Hiding) -> None:
        self._hiding = hiding

    def value[V](self, value: V) -> V:
        return cast("V", redacted(value, self._hiding))

    def texts(self, texts: Sequence[str]) -> list[str]:
        return self._hiding.texts(texts, "\n")


class _Replacing:
    """The second pass: hides what other parts gave away."""

    def __init__(self, hiding: Hiding) -> None:
        self._hiding = hiding

    def value[V](self, value: V) -> V:
        return cast("V", mapped(value, self._hiding.known_text))

    def texts(self, texts: Sequence[str]) -> list[str]:
        return self._hiding.known(texts, "\n")


def _redacted(context: Context, redaction: Redaction) -> Context:
    gaps = _gaps_redacted(context.gaps, redaction)
    parts = {part: part.redact(value, redaction) for part, value in context.parts.items()}
    return Context(target=context.target, parts=parts, gaps=gaps, origins=context.origins, read_at=context.read_at)


def _gaps_redacted(gaps: tuple[Gap, ...], redaction: Redaction) -> tuple[Gap, ...]:
    read = [gap.message for gap in gaps if gap.reason != "not_configured"]  # which quotes nothing
    messages = dict(zip(read, redaction.texts(read), strict=True))
    return tuple(replace(gap, message=messages.get(gap.message, gap.message)) for gap in gaps)


def _names(context: Context) -> Iterator[str]:
    for reference in (context.target.application, context.target.resource):
        if reference:
            yield from (reference.name, reference.namespace)
    for part, value in context.parts.items():
        yield from part.names(value)
