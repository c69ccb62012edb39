"""The prompt: instructions, context and question put together in order of priority under a token ceiling.

Owns how the room is dealt out to the sections and how they are laid on the page: everything read from a cluster is
fenced and labelled as data. Which sections there are is `agent.prompt.sections`'.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from agent.context.context import Context
from agent.context.coverage import blind_spots, parts_read
from agent.context.model import Gap
from agent.findings.model import Finding
from agent.objects.target import Target
from agent.prompt.fingerprint import changes_since, fingerprint
from agent.prompt.instructions import BUILT_IN, Instructions
from agent.prompt.rendering import Rendered, beginning, cut, label, least_for, well_formed
from agent.prompt.sections import PARTS, Material, Part, SectionName
from agent.prompt.tokens import count_tokens, surplus
from agent.request.conversation import Message

# Our own marker, and whatever could be taken for it. No text of a cluster keeps more than two of its dashes.
_FENCE = "----- DATA"
_LOOKS_LIKE_A_FENCE = re.compile(r"-{3,}(?=[ \t]*(?:END[ \t]+)?DATA)", re.IGNORECASE)

# A section with less room than this below its title says nothing.
_LEAST_TEXT = 40
# A note on what was left out is no longer than this; the caller is told the whole.
_NOTE_TOKENS = 40
# Instructions never take more than this share of the room, the note of changes never more than that.
_INSTRUCTIONS_SHARE = 0.5
_CHANGES_SHARE, _CHANGES_TOKENS = 0.08, 400
# Room that is left is dealt out again as long as it is this share of the whole.
_WORTH_A_SECOND_LOOK = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the context as the model reads it. `left_out` says what was cut, "" when it is whole; `tokens` is the
    upper estimate for `text`, which is "" where there was no room for any of it; `surplus` is what of the estimate is
    for words that are none."""

    name: SectionName
    title: str
    text: str
    tokens: int
    left_out: str = ""
    surplus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """All that a provider needs for a turn. `history` is what came before `question` where no session holds it;
    `changes` says what changed since the previous turn ("" for nothing), `fingerprint` is what a session keeps for the
    next one to be compared with; `left_out` tells what else than sections was cut; `instructions_version` names the
    text of `instructions`. `read` names what is known, `hiding` are the gaps behind which something may be wrong."""

    instructions: str
    question: str
    history: tuple[Message, ...]
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    target: Target
    changes: str = ""
    fingerprint: str = ""
    left_out: tuple[str, ...] = ()
    instructions_version: str = BUILT_IN.version
    read: tuple[str, ...] = ()
    hiding: tuple[Gap, ...] = ()
    system_text: str = field(init=False, repr=False, compare=False)
    """Instructions and context as one text: the same bytes for the same context, what changed at the very end, so
    that all before it is found in an inference server's prefix cache."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "system_text", self._written())

    def _written(self) -> str:
        told = [section for section in self.sections if section.text]
        fences = _fences([section.text for section in told] + [self.changes])
        blocks = [_block(section, fence) for section, fence in zip(told, fences, strict=False)]
        untold = [section.name for section in self.sections if not section.text]
        if untold:
            blocks.append(_untold(untold))
        if self.changes:
            blocks.append(_changes_block(self.changes, fences[-1]))
        heads = [self.instructions, _head(self.target)] if self.sections else [self.instructions]
        return "\n\n".join([*heads, *blocks])

    def fence_of(self, section: Section) -> str:
        """The line before the section's text; with ` END` the one after it. No text of the context contains one."""
        told = [each for each in self.sections if each.text]
        fences = _fences([each.text for each in told])
        known = {each.name: fence for each, fence in zip(told, fences, strict=True)}
        return known.get(section.name) or _fences([section.text])[0]

    @property
    def tokens(self) -> int:
        """Upper estimate of `system_text` and `question`: of their parts, the most of which are counted already."""
        untold = tuple(section.name for section in self.sections if not section.text)
        changes = count_tokens(_changes_block(self.changes, _fences([""])[0])) if self.changes else 0
        around = _text_tokens(self.instructions) + count_tokens(_head(self.target)) + _untold_tokens(untold) + changes
        told = sum([_block_tokens(section) for section in self.sections if section.text])
        return around + told + 2 * (len(self.sections) + 3) + count_tokens(self.question) + surplus(self.question)


def compose(
    question: str,
    context: Context,
    findings: Sequence[Finding],
    *,
    history: Sequence[Message] = (),
    remembered: str = "",
    limit: int,
    instructions: Instructions = BUILT_IN,
) -> Prompt:
    """The prompt of a turn. `limit` is the ceiling for instructions and context in tokens (upper estimate); question
    and history are taken as they are, `agent.prompt.budget` and `agent.prompt.history` keep them within their
    shares. `remembered` is the fingerprint of the previous turn's context.

    All text must be redacted already. Equal input gives equal bytes, and another question or note of changes leaves
    those of the context as they are.
    """
    instructions = _fitting(instructions, int(limit * _INSTRUCTIONS_SHARE))
    for_changes = min(int(limit * _CHANGES_SHARE), _CHANGES_TOKENS)
    room = limit - _instruction_tokens(instructions) - count_tokens(_head(context.target)) - for_changes - 4
    return Prompt(
        instructions=instructions.full_text,
        question=well_formed(question),
        history=tuple(Message(message.role, well_formed(message.text)) for message in history),
        sections=tuple(_dealt(Material.of(context, findings), room)),
        findings=tuple(findings),
        gaps=context.gaps,
        target=context.target,
        changes=_changes(changes_since(remembered, context, findings), for_changes),
        fingerprint=fingerprint(context, findings, room=limit),
        left_out=(f"instructions: {instructions.note}",) if instructions.note else (),
        instructions_version=instructions.version,
        read=tuple(map(well_formed, parts_read(context))),
        hiding=blind_spots(context),
    )


def _instruction_tokens(instructions: Instructions) -> int:
    return _text_tokens(instructions.full_text)


@lru_cache(maxsize=4)
def _text_tokens(instructions: str) -> int:
    return count_tokens(instructions)


def _fitting(instructions: Instructions, room: int) -> Instructions:
    """The instructions within `room`: the team's part is cut first, then the built-in text takes the place."""
    if _instruction_tokens(instructions) <= room:
        return instructions
    bare = replace(instructions, team="")
    base = count_tokens(bare.full_text)
    if instructions.team and base + _LEAST_TEXT <= room:
        frame = count_tokens(replace(instructions, team="-").full_text)
        team = beginning(instructions.team, room - frame - 2).rstrip()
        return replace(instructions, team=team, note="the team's instructions are too long for the model's window: cut")
    if base <= room:
        return replace(bare, note="the team's instructions do not fit into the model's window")
    if instructions.version == BUILT_IN.version:
        return replace(BUILT_IN, note=bare.note)
    return replace(BUILT_IN, note=f"{label(instructions.version)} does not fit into the model's window")


def _dealt(material: Material, room: int) -> Iterator[Section]:
    """The sections: each within its share first, then what is left goes to those that were cut, by priority."""
    parts = [part for part in PARTS if part.present(material)]
    left = room - _untold_tokens(tuple(part.name for part in parts)) - 2
    made: list[tuple[Part, Section | None, int]] = []
    for part in parts:
        share = int(room * part.share)
        if part.name == "findings":
            share = max(share, least_for(material.findings) + _frame_tokens(part.title) + 2 + _NOTE_TOKENS)
        section, cost = _section(part, material, min(left, share))
        made.append((part, section, cost))
        left -= cost
    for divisor in (2, 1):  # half of it for each at first: ten thousand events are not to take it all from the logs
        for index, (part, section, cost) in enumerate(made):
            is_short = section is None or section.left_out
            if is_short and left > max(room * _WORTH_A_SECOND_LOOK, _LEAST_TEXT):
                again, new_cost = _section(part, material, cost + left // divisor)
                if again is not None and new_cost > cost:
                    made[index] = (part, again, new_cost)
                    left += cost - new_cost
    for part, section, _ in made:
        yield section or Section(name=part.name, title=part.title, text="", tokens=0, left_out="all of it: no room")


def _section(part: Part, material: Material, room: int) -> tuple[Section | None, int]:
    """The section within `room`, frame and note included, and what it costs; None where nothing fits."""
    inside = room - _frame_tokens(part.title) - 2 - _NOTE_TOKENS
    if inside < _LEAST_TEXT:
        return None, 0
    made = _checked(part, part.render(material, inside), inside)
    # Words that are none: the renderer's count was too low. Evidence is short, and has to stay.
    if made.tokens > inside and part.name != "findings":
        made = _checked(part, part.render(material, inside * inside // made.tokens), inside)
        if made.tokens > inside:
            most = Rendered(text=cut(made.text, inside // 3), tokens=0, left_out="most of it")
            made = _checked(part, most, inside)
    if not made.text:
        return None, 0
    return made, _block_tokens(made) + 2


def _checked(part: Part, made: Rendered, room: int) -> Section:
    """The part without anything that looks like a fence, and within its room."""
    text, left_out = _LOOKS_LIKE_A_FENCE.sub("--", well_formed(made.text)), made.left_out
    # Lines that are counted one by one are together no more than that; `re` gives the same text where nothing matched.
    tokens = made.tokens if text is made.text else count_tokens(text)
    if tokens > room:
        text, left_out = cut(text, room), left_out or "the end of it"
        tokens = count_tokens(text)
    strange = surplus(text)
    return Section(
        name=part.name, title=part.title, text=text, tokens=tokens + strange, left_out=left_out, surplus=strange
    )


def _block_tokens(section: Section) -> int:
    """Upper estimate of a section with its frame and its note."""
    note = count_tokens(_note(section.left_out)) + 1 if section.left_out else 0
    return _frame_tokens(section.title) + section.tokens + note


@lru_cache(maxsize=64)
def _frame_tokens(title: str) -> int:
    return count_tokens(_block(Section(name="findings", title=title, text="", tokens=0), _fences([""])[0])) + 1


@lru_cache(maxsize=64)
def _untold_tokens(names: tuple[SectionName, ...]) -> int:
    return count_tokens(_untold(names)) if names else 0


def _note(left_out: str) -> str:
    """What was left out, on one line: names from a cluster may stand in it."""
    return f"(Left out: {beginning(label(left_out, 400), _NOTE_TOKENS - 10)})"


def _block(section: Section, fence: str) -> str:
    note = f"\n{_note(section.left_out)}" if section.left_out else ""
    return f"## {section.title}\n{fence}\n{section.text}\n{fence} END{note}"


def _head(target: Target) -> str:
    return f"# Context of {label(str(target), 300)}"


def _untold(names: Sequence[str]) -> str:
    return f"(No room for: {', '.join(names)})"


def _changes_block(changes: str, fence: str) -> str:
    return f"# What changed\n{fence}\n{changes}\n{fence} END"


def _changes(changes: str, room: int) -> str:
    """The note of changes within its room, "" where there is none."""
    inside = room - count_tokens(_changes_block("", _fences([""])[0])) - 3
    if not changes or inside < 10:
        return ""
    text = _LOOKS_LIKE_A_FENCE.sub("--", well_formed(changes))
    return text if count_tokens(text) <= inside else cut(text, inside)


def _fences(texts: Sequence[str]) -> list[str]:
    """A marker for each text that no text contains. It depends on the texts up to its own, so that a change of one
    leaves what stands before it as it was, byte by byte; of digits only, so that each costs the same."""
    digest = hashlib.sha256()
    fences: list[str] = []
    for text in texts:
        digest.update(text.encode("utf-8", "replace") + b"\0")
        fences.append(f"{_FENCE} {int(digest.hexdigest()[:12], 16) % 10**10:010d}")
    return fences
