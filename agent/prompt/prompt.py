"""The prompt: instructions, context and question put together in order of priority under a token ceiling.

Owns how the token budget is shared among the sections and how they are written: everything read from a cluster is
fenced and labelled as data. Every block is measured as it is written; a section that does not fit is left out and
named. `agent.prompt.sections` lists the sections.
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
from agent.prompt.rendering.findings import least_for
from agent.prompt.rendering.rendered import Rendered, beginning, cut, label, well_formed
from agent.prompt.sections import SectionInput, SectionName, SectionSpec, sections_for
from agent.prompt.tokens import adversarial_margin, count_tokens
from agent.request.conversation import Message
from agent.request.sampling import AS_SERVED, Sampling

# The blank line between two blocks.
_JOIN_TOKENS = 2
# The name of the target is no longer than this in the heading.
_TARGET_TOKENS = 120
# Our own marker, and whatever could be taken for it. No text of a cluster keeps more than two of its dashes.
_FENCE = "----- DATA"
_LOOKS_LIKE_A_FENCE = re.compile(r"-{3,}(?=[ \t]*(?:END[ \t]+)?DATA)", re.IGNORECASE)

# Every fence has as many digits, so each costs as much as this one.
_SAMPLE_FENCE = f"{_FENCE} {0:010d}"

# A section has at least this many tokens below its title, and a text that is cut at least so many.
_LEAST_TEXT = 40
_LEAST_CUT = 12
# A note on what was left out has at most so many tokens; the caller gets the whole note.
_NOTE_TOKENS = 40
# The most of the budget that instructions and the note of changes take.
_INSTRUCTIONS_SHARE = 0.5
_CHANGES_SHARE, _CHANGES_TOKENS = 0.05, 160
# What is left of the budget is shared out again while it is at least this share of the whole.
_WORTH_ANOTHER_LOOK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the context as the model reads it. `left_out` names what was cut, "" when it is whole; `text` is ""
    where there was no room for any of it. Sections measure themselves: `tokens` is the upper estimate for `text`, of
    which `adversarial_margin` is for letters that form no words."""

    name: SectionName
    title: str
    text: str
    left_out: str = ""
    tokens: int = field(init=False)
    adversarial_margin: int = field(init=False)

    def __post_init__(self) -> None:
        margin = adversarial_margin(self.text)
        object.__setattr__(self, "adversarial_margin", margin)
        object.__setattr__(self, "tokens", count_tokens(self.text) + margin)

    @property
    def text_tokens(self) -> int:
        """The upper estimate without the margin."""
        return self.tokens - self.adversarial_margin

    @property
    def block_tokens(self) -> int:
        """The upper estimate for the section as it is written, with the blank line before it."""
        note = count_tokens(f"\n{_note(self.left_out)}") if self.left_out else 0
        return _bare_frame_tokens(self.title) + self.text_tokens + note

    @property
    def cost(self) -> int:
        """What the section takes of the budget: its block and the margin."""
        return self.block_tokens + self.adversarial_margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """All that a provider needs for a turn. `history` is what came before `question` where no session holds it;
    `changes` says what changed since the previous turn ("" for nothing), `fingerprint` is what a session keeps for the
    next one to be compared with; `left_out` names what else than sections was cut; `instructions_version` names the
    text of `instructions`. `read` names what was read, `hiding` are the gaps behind which something may be wrong;
    `sampling` bounds the answer."""

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
    sampling: Sampling = AS_SERVED
    system_text: str = field(init=False, repr=False, compare=False)
    """Instructions and context as one text: the same bytes for the same context, what changed at the very end, so
    that all before it is found in an inference server's prefix cache."""
    system_tokens: int = field(init=False, repr=False, compare=False)
    """Upper estimate of `system_text` as it is written, without the sections' `adversarial_margin`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "system_text", self._written())
        object.__setattr__(self, "system_tokens", self._measured())

    def _measured(self) -> int:
        """The estimate for the text as it is written: at line breaks the estimates of texts add up."""
        tokens = _text_tokens(self.instructions) + _head_tokens(str(self.target)) + 2 * _JOIN_TOKENS
        tokens += sum(section.block_tokens for section in self.sections if section.text)
        if names := tuple(section.name for section in self.sections if not section.text):
            tokens += _no_room_tokens(names) + _JOIN_TOKENS
        if self.changes:
            tokens += count_tokens(_changes_block(self.changes, _SAMPLE_FENCE)) + _JOIN_TOKENS
        return tokens

    def _written(self) -> str:
        shown = [section for section in self.sections if section.text]
        fences = _fences([section.text for section in shown] + [self.changes])
        blocks = [_block(section, fence) for section, fence in zip(shown, fences, strict=False)]
        if names := [section.name for section in self.sections if not section.text]:
            blocks.append(_no_room_line(names))
        if self.changes:
            blocks.append(_changes_block(self.changes, fences[-1]))
        heads = [self.instructions, _head(str(self.target))] if self.sections else [self.instructions]
        return "\n\n".join([*heads, *blocks])

    def fence_of(self, section: Section) -> str:
        """The line before the section's text; with ` END` the one after it. No text of the context contains one."""
        shown = [each for each in self.sections if each.text]
        fences = _fences([each.text for each in shown])
        by_name = {each.name: fence for each, fence in zip(shown, fences, strict=True)}
        return by_name.get(section.name) or _fences([section.text])[0]

    @property
    def tokens(self) -> int:
        """Upper estimate of `system_text` and `question`."""
        margins = sum(section.adversarial_margin for section in self.sections)
        return self.system_tokens + margins + count_tokens(self.question) + adversarial_margin(self.question)


def compose(
    question: str,
    context: Context,
    findings: Sequence[Finding],
    *,
    history: Sequence[Message] = (),
    previous_fingerprint: str = "",
    limit: int,
    instructions: Instructions = BUILT_IN,
    sampling: Sampling = AS_SERVED,
) -> Prompt:
    """The prompt of a turn. `limit` is the ceiling for instructions and context in tokens (upper estimate), at least
    the 640 of `agent.prompt.budget.plan`; question and history are taken as they are, `agent.prompt.budget` and
    `agent.prompt.history` keep them within their shares. `previous_fingerprint` is that of the previous turn's context.

    All text must be redacted already. Equal input gives equal bytes, and another question or note of changes leaves
    those of the context as they are.
    """
    instructions = _fitting(instructions, int(limit * _INSTRUCTIONS_SHARE))
    for_changes = min(int(limit * _CHANGES_SHARE), _CHANGES_TOKENS)
    head_tokens = _text_tokens(instructions.full_text) + _head_tokens(str(context.target)) + 2 * _JOIN_TOKENS
    prompt = Prompt(
        instructions=instructions.full_text,
        question=well_formed(question),
        history=tuple(Message(message.role, well_formed(message.text)) for message in history),
        sections=tuple(_sections(SectionInput.of(context, findings), limit - head_tokens - for_changes)),
        findings=tuple(findings),
        gaps=context.gaps,
        target=context.target,
        changes=_changes(changes_since(previous_fingerprint, context, findings), for_changes),
        fingerprint=fingerprint(context, findings, token_budget=limit),
        left_out=(f"instructions: {instructions.note}",) if instructions.note else (),
        instructions_version=instructions.version,
        read=tuple(map(well_formed, parts_read(context))),
        hiding=blind_spots(context),
        sampling=sampling,
    )
    return _within(prompt, limit)


def _within(prompt: Prompt, limit: int) -> Prompt:
    """The prompt as it was put together, measured once more as a whole: while it passes `limit`, the section of the
    lowest priority is left out."""
    while prompt.system_tokens > limit and (shown := [section for section in prompt.sections if section.text]):
        sections = [_left_out(each.name, each.title) if each is shown[-1] else each for each in prompt.sections]
        prompt = replace(prompt, sections=tuple(sections))
    return prompt


@lru_cache(maxsize=4)
def _text_tokens(instructions: str) -> int:
    return count_tokens(instructions)


@lru_cache(maxsize=64)
def _no_room_tokens(names: tuple[SectionName, ...]) -> int:
    return count_tokens(_no_room_line(names))


def _fitting(instructions: Instructions, token_budget: int) -> Instructions:
    """The instructions within `token_budget`: the team's part is cut first, then the built-in text takes the place."""
    if _text_tokens(instructions.full_text) <= token_budget:
        return instructions
    bare = replace(instructions, team="")
    base = count_tokens(bare.full_text)
    if instructions.team and base + _LEAST_TEXT <= token_budget:
        frame = count_tokens(replace(instructions, team="-").full_text)
        team = beginning(instructions.team, token_budget - frame - 2).rstrip()
        return replace(instructions, team=team, note="the team's instructions are too long for the model's window: cut")
    if base <= token_budget:
        return replace(bare, note="the team's instructions do not fit into the model's window")
    if instructions.version == BUILT_IN.version:
        return replace(BUILT_IN, note=bare.note)
    return replace(BUILT_IN, note=f"{label(instructions.version)} does not fit into the model's window")


def _sections(given: SectionInput, token_budget: int) -> Iterator[Section]:
    """The sections: each within its share first. What is left then goes to those that were cut, in proportion to their
    shares, and what they cannot use of it to the one with the largest share that can."""
    specs = sections_for(given)
    left = token_budget - _no_room_tokens(tuple(spec.name for spec in specs)) - _JOIN_TOKENS
    made: list[tuple[SectionSpec, Section | None, int]] = []
    for spec in specs:
        share = int(token_budget * spec.share)
        if spec.name == "findings":
            share = max(share, least_for(given.findings) + _frame_tokens(spec.title))
        section, cost = _section(spec, given, min(left, share))
        made.append((spec, section, cost))
        left -= cost
    least = max(token_budget * _WORTH_ANOTHER_LOOK, _LEAST_TEXT)
    for in_proportion in (True, False):
        cut = [index for index, (_, section, _) in enumerate(made) if section is None or section.left_out]
        cut.sort(key=lambda index: -made[index][0].share)
        shares = sum(made[index][0].share for index in cut)
        for index in cut:
            if left <= least:
                break
            spec, _, cost = made[index]
            more = int(left * spec.share / shares) if in_proportion and shares > spec.share else left
            shares -= spec.share
            again, new_cost = _section(spec, given, cost + more)
            if again is not None and new_cost > cost:
                made[index] = (spec, again, new_cost)
                left += cost - new_cost
    for spec, section, _ in made:
        yield section or _left_out(spec.name, spec.title)


def _left_out(name: SectionName, title: str) -> Section:
    return Section(name=name, title=title, text="", left_out="all of it: no room")


def _section(spec: SectionSpec, given: SectionInput, token_budget: int) -> tuple[Section | None, int]:
    """The section and what it costs, measured as it will be written: heading, fences and note included. None where
    nothing fits into `token_budget`."""
    inside = token_budget - _frame_tokens(spec.title)
    if inside < _LEAST_TEXT:
        return None, 0
    section = _rendered(spec, given, inside)
    cost = section.cost
    # Evidence is short, and has to stay: its margin comes on top.
    needed = cost - section.adversarial_margin if spec.name == "findings" else cost
    return (section, cost) if section.text and needed <= token_budget else (None, 0)


def _rendered(spec: SectionSpec, given: SectionInput, token_budget: int) -> Section:
    """The section with a text within `token_budget`. A text of letters that form no words is made again for as much
    less as its margin takes, then cut."""
    section = _safe(spec, spec.render(given, token_budget), token_budget)
    if section.tokens <= token_budget or spec.name == "findings":
        return section
    smaller = token_budget * section.text_tokens // section.tokens
    section = _safe(spec, spec.render(given, smaller), token_budget)
    limit = token_budget // 3
    while section.tokens > token_budget and limit >= _LEAST_CUT:
        section = _safe(spec, Rendered(text=cut(section.text, limit), tokens=limit, left_out="most of it"), limit)
        limit //= 2
    return section


def _safe(spec: SectionSpec, made: Rendered, token_budget: int) -> Section:
    """The section without anything that looks like a fence; its text is measured here, not believed."""
    text = _LOOKS_LIKE_A_FENCE.sub("--", well_formed(made.text))
    section = Section(name=spec.name, title=spec.title, text=text, left_out=made.left_out)
    if section.text_tokens <= token_budget:
        return section
    return replace(section, text=cut(text, token_budget), left_out=made.left_out or "the end of it")


@lru_cache(maxsize=64)
def _bare_frame_tokens(title: str) -> int:
    """Heading, fences and the blank line before them. The text between stands on lines of its own, so counts add up."""
    return count_tokens(_block(Section(name="", title=title, text=""), _SAMPLE_FENCE)) + _JOIN_TOKENS


def _frame_tokens(title: str) -> int:
    """What a section costs besides its text, with the longest note on what was left out."""
    return _bare_frame_tokens(title) + 1 + _NOTE_TOKENS


def _note(left_out: str) -> str:
    """What was left out, on one line: names from a cluster may stand in it."""
    return f"(Left out: {beginning(label(left_out, 400), _NOTE_TOKENS - 10)})"


def _block(section: Section, fence: str) -> str:
    note = f"\n{_note(section.left_out)}" if section.left_out else ""
    return f"## {section.title}\n{fence}\n{section.text}\n{fence} END{note}"


@lru_cache(maxsize=128)
def _head(target: str) -> str:
    return f"# Context of {beginning(label(target, 300), _TARGET_TOKENS)}"


@lru_cache(maxsize=128)
def _head_tokens(target: str) -> int:
    return count_tokens(_head(target))


def _no_room_line(names: Sequence[str]) -> str:
    return f"(No room for: {', '.join(names)})"


def _changes_block(changes: str, fence: str) -> str:
    return f"# What changed\n{fence}\n{changes}\n{fence} END"


def _changes(changes: str, token_budget: int) -> str:
    """The note of changes within its budget, "" where there is none."""
    inside = token_budget - count_tokens(_changes_block("", _SAMPLE_FENCE)) - 3
    if not changes or inside < 10:
        return ""
    text = _LOOKS_LIKE_A_FENCE.sub("--", well_formed(changes))
    return text if count_tokens(text) <= inside else cut(text, inside)


def _fences(texts: Sequence[str]) -> list[str]:
    """A marker for each text that no text contains. It depends on the texts up to its own, so that a change of one
    leaves what is before it as it was, byte by byte; of digits only, so that each costs the same."""
    digest = hashlib.sha256()
    fences: list[str] = []
    for text in texts:
        digest.update(text.encode("utf-8", "replace") + b"\0")
        fences.append(f"{_FENCE} {int(digest.hexdigest()[:12], 16) % 10**10:010d}")
    return fences
