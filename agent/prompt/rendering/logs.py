"""Container logs as text within a token limit. Owns their form on the page and how containers share the budget; which
lines matter is `agent.context.distillation`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from agent.context.distillation import Distiller, KeptLine, may_belong_to_a_trace, time_of
from agent.context.model import ContainerLog, LogLine
from agent.objects.error_message import shorten
from agent.prompt.rendering.rendered import Rendered
from agent.prompt.tokens import count_tokens

_FOLDED = "; [×n until t] stands for n lines alike"
_MARK_TOKENS = 8
"""Of a line for what was left out before it, where something was; what marks cost beyond is taken off the budget."""
_SHORTEST_CUT = 200
# A log of more tokens than this is shortened even where all of it fits: what repeats is folded to this share.
_READ_WHOLE = 1_000
_IN_BRIEF = 0.5
_TRIES = 6


def render_logs(logs: Sequence[ContainerLog], limit: int) -> Rendered:
    """What matters of each log, oldest line first; what a container does not need is left to the others."""
    return LogRenderer(logs).render(limit)


class LogRenderer:
    """The logs of a context, read once and rendered for any limit: the lines of a log are ranked when it is first
    cut."""

    def __init__(self, logs: Sequence[ContainerLog]) -> None:
        self._logs = [_RankedLog(log) for log in logs]

    def render(self, limit: int) -> Rendered:
        """As `render_logs`."""
        shares = _shares([log.wanted for log in self._logs], limit)
        parts = [log.render(share - 1) for log, share in zip(self._logs, shares, strict=True)]
        text = "\n".join(part.text for part in parts if part.text)
        return Rendered(
            text=text, tokens=count_tokens(text), left_out="; ".join(part.left_out for part in parts if part.left_out)
        )


class _RankedLog:
    def __init__(self, log: ContainerLog) -> None:
        self._log = log

    @cached_property
    def _whole(self) -> Rendered:
        text = _whole(self._log)
        return Rendered(text=text, tokens=count_tokens(text), left_out=_note(self._log, self._log.lines))

    @cached_property
    def wanted(self) -> int:
        """Its tokens and a line break's, or fewer where it repeats itself."""
        return _wanted(self._log, self._whole.tokens + 1)

    @cached_property
    def _distiller(self) -> Distiller:
        lines = self._log.lines
        return Distiller(
            [line.text for line in lines],
            weights=[line.repeats for line in lines],
            left_out=[line.left_out_before for line in lines],
        )

    def render(self, limit: int) -> Rendered:
        return self._whole if self._whole.tokens <= limit else _part(self._log, limit, lambda: self._distiller)


def _wanted(log: ContainerLog, need: int) -> int:
    """The tokens that a log needs, or is worth: one that is folded already needs all of them."""
    if need <= _READ_WHOLE or any(line.repeats > 1 for line in log.lines):
        return need
    return max(int(need * _IN_BRIEF), _READ_WHOLE)


def _shares(needs: Sequence[int], limit: int) -> list[int]:
    """The budget of each: what it needs, or as much as every other that needs more."""
    shares = [0] * len(needs)
    left = max(limit, 0)
    for place, index in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        shares[index] = min(needs[index], left // (len(needs) - place))
        left -= shares[index]
    return shares


def _whole(log: ContainerLog) -> str:
    return "\n".join([_head(log, log.lines), *_body(log, log.lines)])


def _part(log: ContainerLog, limit: int, distiller: Callable[[], Distiller]) -> Rendered:
    """As much of the log as the limit takes, the most important lines first."""
    head = _head(log, log.lines)
    token_budget = limit - count_tokens(f"{head}{_FOLDED}\n... 1,000,000 lines left out\n")
    if not log.lines:
        return Rendered(text="", tokens=0, left_out=_note(log, ()))
    longest = max(_SHORTEST_CUT, limit // 2)
    short = replace(log, lines=tuple(_cut(line, longest) for line in log.lines))
    costs = [count_tokens(_shown(line)) + 1 + _MARK_TOKENS * (line.left_out_before > 0) for line in short.lines]
    for _ in range(_TRIES):
        if token_budget <= 0:
            break
        selection = distiller().pick(token_budget, costs.__getitem__)
        kept = tuple(_folded(short.lines, each) for each in selection.kept)
        picked = replace(short, lines=kept, left_out_after=log.left_out_after + selection.left_out_after)
        text = _whole(picked)
        tokens = count_tokens(text)
        if tokens <= limit:
            cut = sum(len(log.lines[each.index].text) > longest for each in selection.kept)
            return Rendered(text=text, tokens=tokens, left_out=_note(picked, kept, cut=cut))
        token_budget = min(token_budget - (tokens - limit), token_budget * 9 // 10)
    missing = replace(log, lines=(), left_out=_lines_of(log))
    return Rendered(text="", tokens=0, left_out=_note(missing, ()))


def _folded(lines: Sequence[LogLine], kept: KeptLine) -> LogLine:
    line = replace(lines[kept.index], repeats=kept.repeats, left_out_before=kept.left_out_before)
    if kept.last == kept.index:
        return line
    last = lines[kept.last]
    return replace(line, last_timestamp=last.last_timestamp or last.timestamp or time_of(last.text))


def _cut(line: LogLine, longest: int) -> LogLine:
    if len(line.text) <= longest:
        return line
    text = shorten(line.text, longest)
    return replace(line, text=f"{text} […{len(line.text) - len(text)} characters cut]")


def _where(log: ContainerLog) -> str:
    return f"container {log.container}" + (f" of Pod {log.pod}" if log.pod else "")


def _head(log: ContainerLog, lines: Sequence[LogLine]) -> str:
    folded = _FOLDED if any(line.repeats > 1 for line in lines) else ""
    return f"# {_where(log)}, {'previous run' if log.previous else 'current run'}, oldest line first{folded}"


def _body(log: ContainerLog, lines: Sequence[LogLine]) -> Iterator[str]:
    missing, repeats_shown = log.left_out, 1
    for line in lines:
        missing += line.left_out_before
        if missing:
            yield f"... {missing:,} lines left out"
        # A trace repeats as a whole: its first line shows how often.
        if not line.text or (line.repeats == repeats_shown and not missing and may_belong_to_a_trace(line.text)):
            yield _shown(replace(line, repeats=1))
        else:
            yield _shown(line)
            repeats_shown = line.repeats
        missing = 0
    if log.left_out_after:
        yield f"... {log.left_out_after:,} lines left out"


def _shown(line: LogLine) -> str:
    text = f"{line.timestamp} {line.text}" if line.timestamp else line.text
    if line.repeats == 1:
        return text
    return f"{text} [×{line.repeats:,}{f' until {line.last_timestamp}' if line.last_timestamp else ''}]"


def _lines_of(log: ContainerLog) -> int:
    return sum(line.repeats + line.left_out_before for line in log.lines) + log.left_out + log.left_out_after


def _note(log: ContainerLog, lines: Sequence[LogLine], *, cut: int = 0) -> str:
    missing = sum(line.left_out_before for line in lines) + log.left_out + log.left_out_after
    folded = sum(line.repeats - 1 for line in lines)
    named = ((missing, "lines"), (folded, "repeated lines"), (cut, "ends of long lines"))
    counts = [f"{count:,} {name}" for count, name in named if count]
    return f"{', '.join(counts)} of {_where(log)}" if counts else ""
