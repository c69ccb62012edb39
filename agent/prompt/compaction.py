"""A conversation made shorter: what was asked, concluded and quoted stays, the newest turns word for word.

Deterministic and without a model. The result is one text that goes before the next question; a conversation that begins
with such a text is made shorter in the same way, so that what the first turn established outlasts any number of turns.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.prompt.tokens import count_tokens
from agent.request.conversation import Message, Role

_HEAD = "# Earlier in this conversation (shortened)"
_VERBATIM = "## The last turns, word for word"
_END = "# End of the earlier conversation"
_SPEAKER = re.compile(r"^--- (user|assistant)$", re.MULTILINE)
_LEFT_OUT = re.compile(r"^- \((\d{1,9}) turns left out\)$")

# Of one turn, in characters.
_QUESTION, _CONCLUSION, _EVIDENCE = 160, 280, 160
_EVIDENCE_LINES = 3
# Shares of the budget: for the newest turns word for word, and of the rest for what the first turn established.
_VERBATIM_SHARE, _FIRST_SHARE = 0.6, 0.4
_MARKS = 40
"""Tokens of the headings and of the mark for what is left out."""

_CODE_SPAN = re.compile(r"`[^`\n]+`")
_DECORATION = re.compile(r"^[\s#>*+-]+|[\s*]+$")


@dataclass(frozen=True, slots=True)
class _Turn:
    question: str
    answer: str

    @property
    def text(self) -> str:
        return f"--- user\n{self.question}\n--- assistant\n{self.answer}"


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What a conversation holds: a line for each turn that was made shorter before, how many are left out, turns."""

    lines: tuple[str, ...]
    left_out: int
    turns: tuple[_Turn, ...]


def compacted(messages: Sequence[Message], limit: int) -> str:
    """`messages` as one text of at most `limit` tokens (upper estimate; not less than about 100)."""
    earlier = _read(messages)
    token_budget = limit - _MARKS
    while (excess := count_tokens(text := _written(earlier, max(token_budget, 0))) - limit) > 0 and token_budget > 0:
        token_budget -= excess  # parts are estimated one by one, and their sum can be a little less than the whole
    return text


def _written(earlier: _Earlier, token_budget: int) -> str:
    verbatim = _newest(earlier.turns, int(token_budget * _VERBATIM_SHARE))
    shortened = earlier.turns[: len(earlier.turns) - len(verbatim)]
    lines = [*earlier.lines, *map(_line, shortened)]
    kept, left_out = _fitting(
        lines, token_budget - sum(count_tokens(turn.text) + 2 for turn in verbatim), earlier.left_out
    )
    if left_out:
        kept.insert(1, f"- ({left_out} turns left out)")
    parts = [_HEAD, *kept]
    if verbatim:
        parts += [_VERBATIM, *(turn.text for turn in verbatim)]
    return "\n".join([*parts, _END])


def _newest(turns: Sequence[_Turn], token_budget: int) -> list[_Turn]:
    """The last two turns, the last one alone, or what of it fits."""
    for count in (2, 1):
        newest = list(turns[-count:])
        if sum(count_tokens(turn.text) + 2 for turn in newest) <= token_budget:
            return newest
    return [
        _Turn(_cut(turn.question, token_budget // 4), _cut(turn.answer, token_budget * 3 // 4 - 12))
        for turn in turns[-1:]
    ]


def _fitting(lines: Sequence[str], token_budget: int, left_out: int) -> tuple[list[str], int]:
    """The first line and as many of the newest as fit into `token_budget`, and how many turns are left out by now."""
    if not lines:
        return [], left_out
    first = (
        _cut(lines[0], int(token_budget * _FIRST_SHARE))
        if count_tokens(lines[0]) > token_budget * _FIRST_SHARE
        else lines[0]
    )
    token_budget -= count_tokens(first) + 1
    newest: list[str] = []
    for line in reversed(lines[1:]):
        token_budget -= count_tokens(line) + 1
        if token_budget < 0:
            break
        newest.insert(0, line)
    return [first, *newest], left_out + len(lines) - 1 - len(newest)


def _line(turn: _Turn) -> str:
    """A turn in one line: the question, the first statement of the answer, and lines that quote."""
    statements = [line for raw in turn.answer.splitlines() if (line := _DECORATION.sub("", raw))]
    conclusion = _clipped(
        " ".join(statements[:2] if statements and len(statements[0]) < 40 else statements[:1]), _CONCLUSION
    )
    quoting = [_clipped(line, _EVIDENCE) for line in statements[1:] if _CODE_SPAN.search(line)]
    evidence = [line for line in quoting if line not in conclusion][:_EVIDENCE_LINES]
    established = "; ".join([conclusion, *evidence])
    return f"- asked: {_clipped(turn.question, _QUESTION)} | established: {established}"


def _read(messages: Sequence[Message]) -> _Earlier:
    """The turns of a conversation; messages of one role that follow each other belong together."""
    lines, left_out, turns = list[str](), 0, list[_Turn]()
    for index, (question, answer) in enumerate(_turns(messages)):
        if index == 0 and question.startswith(_HEAD):
            shortened, _, question = question.partition(f"\n{_END}")
            lines, left_out, turns = _parsed(shortened)
        turns.append(_Turn(question.strip(), answer.strip()))
    return _Earlier(tuple(lines), left_out, tuple(turns))


def _turns(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    question, answer = list[str](), list[str]()
    for message in messages:
        if message.role == "user" and answer:
            yield "\n\n".join(question), "\n\n".join(answer)
            question, answer = [], []
        (question if message.role == "user" else answer).append(message.text)
    if question or answer:
        yield "\n\n".join(question), "\n\n".join(answer)


def _parsed(shortened: str) -> tuple[list[str], int, list[_Turn]]:
    """The lines, the number of turns left out, and the turns of a text that `compacted` made."""
    head, _, verbatim = shortened.partition(f"\n{_VERBATIM}\n")
    lines = head.splitlines()[1:]
    left_out = sum(int(found[1]) for line in lines if (found := _LEFT_OUT.match(line)))
    parts = _SPEAKER.split(verbatim)[1:]
    messages = [Message(_role(who), text.strip()) for who, text in zip(parts[::2], parts[1::2], strict=True)]
    turns = [_Turn(question, answer) for question, answer in _turns(messages)]
    return [line for line in lines if not _LEFT_OUT.match(line)], left_out, turns


def _role(who: str) -> Role:
    return "user" if who == "user" else "assistant"


def _clipped(text: str, characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 4]} ..."


def _cut(text: str, tokens: int) -> str:
    """The beginning of `text` within `tokens`, marked; "" where not even a mark fits."""
    if count_tokens(text) <= tokens:
        return text
    text = text[: max(tokens, 0) * 8]
    while text and count_tokens(text) > tokens - 3:
        text = text[: len(text) * 7 // 8]
    return f"{text.rstrip()} ..." if text else ""
