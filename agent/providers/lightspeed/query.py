"""The body of a streaming query: the question, the earlier messages, and the context as attachments.

Owns Lightspeed's limits and what happens at them; knows no HTTP. Lightspeed keeps no attachment between turns in every
version, so each turn brings all of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.errors import RequestError
from agent.objects.error_message import shorten
from agent.prompt.prompt import Prompt, Section
from agent.prompt.rendering.rendered import label
from agent.request.conversation import Message

# Limits of Lightspeed's request model (`LLMRequest` and `Attachment` in ols/app/models/models.py of
# https://github.com/openshift/lightspeed-service): anything above is refused with 422.
QUERY_CHARACTERS = 32_000
ATTACHMENTS = 10
ATTACHMENT_CHARACTERS = 100_000

# The conversation so far rides in the query of a new session, where Lightspeed keeps it for the turns that follow.
_HISTORY_CHARACTERS = 8_000
_MESSAGE_CHARACTERS = 2_000

type AttachmentType = Literal["api object", "configuration", "error message", "event", "log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One attachment. `what` names it to people, `cut` counts the characters that did not fit."""

    type: AttachmentType
    content_type: Literal["application/yaml", "text/plain"]
    content: str
    what: str
    cut: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A body to post, and what had to be left out of it ("" when nothing was)."""

    body: dict[str, Any]
    left_out: str = ""


def compose_query(
    prompt: Prompt, *, conversation_id: str | None, provider: str | None = None, model: str | None = None
) -> Query:
    """The query of a turn; without a conversation the earlier messages of the prompt are folded into it.

    Raises RequestError for a question that fits neither the query nor an attachment.
    """
    question, overflow = _question(prompt.question)
    attachments = [attachment for attachment in [overflow] if attachment]
    attachments += [_instructions(prompt)] if prompt.sections else []
    attachments += _sections(prompt, room=ATTACHMENTS - len(attachments))
    body: dict[str, Any] = {
        "query": question if conversation_id or overflow else _with_history(question, prompt.history),
        "media_type": "application/json",
    }
    if conversation_id:
        body["conversation_id"] = conversation_id
    if provider and model:
        body |= {"provider": provider, "model": model}
    if attachments:
        body["attachments"] = [
            {"attachment_type": a.type, "content_type": a.content_type, "content": a.content} for a in attachments
        ]
    cut = [f"{a.cut:,} characters of the {a.what}" for a in attachments if a.cut]
    return Query(body=body, left_out=", ".join(cut))


def _question(text: str) -> tuple[str, Attachment | None]:
    """The question, and what of it goes into an attachment because it is longer than a query may be."""
    if len(text) <= QUERY_CHARACTERS:
        return text, None
    note = "\n\n[The question goes on in the first attachment.]"
    head, rest = text[: QUERY_CHARACTERS - len(note)], text[QUERY_CHARACTERS - len(note) :]
    if len(rest) > ATTACHMENT_CHARACTERS:
        most = QUERY_CHARACTERS - len(note) + ATTACHMENT_CHARACTERS
        raise RequestError(
            f"input: the question has {len(text):,} characters; Lightspeed takes at most {most:,}", field="input"
        )
    return head + note, Attachment(type="log", content_type="text/plain", content=rest, what="question")


def _with_history(question: str, history: Sequence[Message]) -> str:
    """The question, followed by the latest earlier messages that fit, oldest first."""
    head = "\n\n--- Earlier in this conversation, oldest first, for reference ---\n"
    tail = "\n--- End of the earlier conversation; answer the question above it ---"
    note = "({} older messages left out)\n"
    room = min(_HISTORY_CHARACTERS, QUERY_CHARACTERS - len(question)) - len(head) - len(tail) - len(note) - 10
    kept: list[str] = []
    for message in reversed(history):
        line = f"{message.role}: {_shortened(message.text)}"
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    if not kept:
        return question
    missing = len(history) - len(kept)
    return question + head + (note.format(missing) if missing else "") + "\n".join(reversed(kept)) + tail


def _shortened(text: str) -> str:
    if len(text) <= _MESSAGE_CHARACTERS:
        return text
    short = shorten(text, _MESSAGE_CHARACTERS)
    return f"{short} ({len(text) - len(short):,} more characters)"


def _instructions(prompt: Prompt) -> Attachment:
    """Lightspeed's own system prompt stays: it may be fixed by its operator, and refuse another."""
    text = f"How to answer the question about {prompt.target}:\n\n{prompt.instructions}"
    return _fitting(text, type="configuration", content_type="text/plain", what="instructions")


def _sections(prompt: Prompt, *, room: int) -> list[Attachment]:
    """The sections in their order of priority, those that have no attachment left share the last one; where there are
    more than sections, Pods have their own."""
    shown = [section for section in prompt.sections if section.text]
    alone = shown if len(shown) <= room else shown[: room - 1]
    spare = room - len(shown)
    attachments: list[Attachment] = []
    for section in alone:
        documents = list(_documents(section, room=1 + max(spare, 0)))
        spare -= len(documents) - 1
        attachments += [_attachment(section, document, prompt.fence_of(section)) for document in documents]
    if rest := shown[len(alone) :]:
        texts = [_fenced(section, section.text, prompt.fence_of(section)) for section in rest]
        what = ", ".join(section.title for section in rest)
        attachments.append(
            _fitting("\n".join(map("".join, texts)), type="configuration", content_type="text/plain", what=what)
        )
    return attachments


def _fenced(section: Section, text: str, fence: str) -> tuple[str, str, str]:
    """Head, text and tail of a section as plain text."""
    return f"{_titled(section)}\n{fence}\n", text, f"\n{fence} END\n"


def _titled(section: Section) -> str:
    return section.title + (f" (left out: {label(section.left_out, 200)})" if section.left_out else "")


def _documents(section: Section, *, room: int) -> Iterator[str]:
    """The texts of a section: one a manifest where there is room for it."""
    if section.name != "children" or room < 2:
        yield section.text
        return
    manifests = re.split(r"^---\n", section.text, flags=re.MULTILINE)
    yield from manifests[: room - 1]
    if rest := manifests[room - 1 :]:
        yield "---\n".join(rest)


def _attachment(section: Section, text: str, fence: str) -> Attachment:
    match section.name:
        case "operation" | "status" | "spec" | "application" | "children" | "related":
            # Comments, so that Lightspeed still reads kind and metadata.name.
            head, tail = f"# {_titled(section)}\n# {fence}\n", f"\n# {fence} END\n"
            return _fitting(text, head, tail, type="api object", content_type="application/yaml", what=section.title)
        case "events":
            kind = "event"
        case "logs":
            kind = "log"
        case "findings" | "gaps":
            kind = "error message"
        case _:
            kind = "configuration"
    head, text, tail = _fenced(section, text, fence)
    return _fitting(text, head, tail, type=kind, content_type="text/plain", what=section.title)


def _fitting(
    text: str,
    head: str = "",
    tail: str = "",
    *,
    type: AttachmentType,
    content_type: Literal["application/yaml", "text/plain"],
    what: str,
) -> Attachment:
    """An attachment within the limit: of a log the end is kept, of anything else the beginning."""
    room = ATTACHMENT_CHARACTERS - len(head) - len(tail)
    cut = 0
    if len(text) > room:
        mark = "# ... {:,} characters did not fit here"
        room -= len(mark) + 10
        cut = len(text) - room
        note = mark.format(cut)
        text = f"{note}\n{text[-room:]}" if type == "log" else f"{text[:room]}\n{note}"
    return Attachment(type=type, content_type=content_type, content=f"{head}{text}{tail}", what=what, cut=cut)
