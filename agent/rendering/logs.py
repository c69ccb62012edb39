"""Container logs as text within a token limit. Owns their form on the page."""

from collections.abc import Sequence

from agent.context.model import ContainerLog
from agent.rendering.rendered import Rendered
from agent.tokens import count_tokens


def render_logs(logs: Sequence[ContainerLog], limit: int) -> Rendered:
    """The end of each log; containers share the room evenly."""
    share = limit // max(len(logs), 1)
    parts = [_log(log, share) for log in logs]
    return Rendered(
        text="\n".join(part.text for part in parts),
        tokens=sum(part.tokens for part in parts),
        left_out="; ".join(part.left_out for part in parts if part.left_out),
    )


def _log(log: ContainerLog, limit: int) -> Rendered:
    where = f"container {log.container}" + (f" of Pod {log.pod}" if log.pod else "")
    head = f"# {where}, {'previous run' if log.previous else 'current run'}, oldest line first"
    room = limit - count_tokens(head) - 12
    kept: list[str] = []
    tokens = 0
    for line in reversed(log.lines):
        text = f"{line.timestamp} {line.text}".lstrip()
        cost = count_tokens(text) + 1
        if tokens + cost > room:
            break
        kept.append(text)
        tokens += cost
    missing = len(log.lines) - len(kept) + log.left_out
    note = f"{missing} older lines of {where}" if missing else ""
    text = "\n".join([head, *([f"# ... {missing} older lines left out"] if missing else []), *reversed(kept)])
    return Rendered(text=text, tokens=count_tokens(text), left_out=note)
