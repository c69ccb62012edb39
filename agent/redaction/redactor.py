"""The redactor of a session: what may be sent, traced or logged of texts, values and contexts.

Owns the order of the passes (learn, then replace).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from agent.context.model import ContainerLog, Context, Event, Gap, LogLine, ManagedResource, Revision, TreeNode
from agent.objects.target import ApplicationRef, ResourceRef
from agent.redaction.placeholders import Hiding
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
        return self._object(self._object(value, seen=False), seen=True)

    def context(self, context: Context) -> Context:
        """A context with the secrets hidden in its manifests, events, logs and gaps. Names of objects stay."""
        if not self._enabled:
            return context
        for name in _names(context):
            self._hiding.name(name)
        learned = self._context(context, seen=False)
        return self._context(learned, seen=True) if self._hiding.learned else learned

    def _context(self, context: Context, *, seen: bool) -> Context:
        """One pass: by what each part gives away itself, or (`seen`) by what the other parts gave away."""
        texts = self._hiding.known if seen else self._hiding.texts
        messages = texts([event.message for event in context.events], "\n")
        healths = texts([node.message for node in context.tree], "\n")
        revisions = texts([revision.message for revision in context.revisions], "\n")
        read = [gap.message for gap in context.gaps if gap.reason != "not_configured"]  # which quotes nothing
        gaps = dict(zip(read, texts(read, "\n"), strict=True))
        return replace(
            context,
            application=self._object(context.application, seen=seen),
            manifest=self._object(context.manifest, seen=seen),
            children=tuple(self._object(child, seen=seen) for child in context.children),
            related=tuple(self._object(each, seen=seen) for each in context.related),
            tree=_with_messages(context.tree, healths),
            managed=tuple(self._managed(each, seen=seen) for each in context.managed),
            revisions=_with_messages(context.revisions, revisions),
            events=_with_messages(context.events, messages),
            logs=tuple(
                replace(log, lines=_lines(log, texts([line.text for line in log.lines], "\n"))) for log in context.logs
            ),
            gaps=_with_messages(context.gaps, [gaps.get(gap.message, gap.message) for gap in context.gaps]),
        )

    def _managed(self, managed: ManagedResource, *, seen: bool) -> ManagedResource:
        return replace(
            managed,
            target=self._object(managed.target, seen=seen),
            live=self._object(managed.live, seen=seen),
            normalized_live=self._object(managed.normalized_live, seen=seen),
            predicted_live=self._object(managed.predicted_live, seen=seen),
        )

    def _object[T](self, value: T, *, seen: bool) -> T:
        if seen and not self._hiding.learned:
            return value
        return cast("T", mapped(value, self._hiding.known_text) if seen else redacted(value, self._hiding))


def _with_messages[Told: (Event, Gap, Revision, TreeNode)](
    given: tuple[Told, ...], messages: Sequence[str]
) -> tuple[Told, ...]:
    told = zip(given, messages, strict=True)
    return tuple(each if message == each.message else replace(each, message=message) for each, message in told)


def _lines(log: ContainerLog, texts: Sequence[str]) -> tuple[LogLine, ...]:
    lines = zip(log.lines, texts, strict=True)
    return tuple(line if text == line.text else replace(line, text=text) for line, text in lines)


def _names(context: Context) -> Iterator[str]:
    references: Iterable[ApplicationRef | ResourceRef | None] = (
        context.target.application,
        context.target.resource,
        *(event.involved for event in context.events),
        *(node.resource for node in context.tree),
        *(each.resource for each in context.managed),
    )
    for reference in references:
        if reference:
            yield from (reference.name, reference.namespace)
    for log in context.logs:
        yield from (log.container, log.pod)
