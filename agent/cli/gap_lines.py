"""Gaps for the screen: one short line for each thing that went wrong, however many parts are missing for it.

The whole messages are in the JSON output.
"""

from collections.abc import Sequence

from agent.context.model import Gap

PIPED_WIDTH = 160
"""Characters of a line where no terminal says how many it shows."""
_LABEL = len("not read: ")
_MOST = 6
_NOT_CONFIGURED = "nothing is set up to read from (ARGOCD_SERVER and ARGOCD_AUTH_TOKEN, or KUBECONFIG)"


def gap_lines(gaps: Sequence[Gap], *, width: int) -> list[str]:
    """`events, logs: why`, each of at most `width` characters with the label before it; many gaps end in a count."""
    parts: dict[str, dict[str, None]] = {}
    for gap in gaps:
        why = _NOT_CONFIGURED if gap.reason == "not_configured" else " ".join(gap.message.split())
        parts.setdefault(why, {})[gap.part.replace("_", " ")] = None
    lines = [_shortened(f"{', '.join(names)}: {why}", max(width - _LABEL, 20)) for why, names in parts.items()]
    if len(lines) > _MOST:
        lines[_MOST - 1 :] = [f"{len(lines) - _MOST + 1} more things; --json lists all"]
    return lines


def _shortened(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 4].rstrip()} ..."
