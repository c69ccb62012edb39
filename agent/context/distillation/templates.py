"""Templates of log lines that differ in words, by drain3 (https://github.com/logpai/Drain3).

The only module that imports drain3; it is imported where it is first needed, as the import is slow.
"""

from collections.abc import Collection, Iterable, Sequence

from drain3.drain import Drain, LogCluster

_WORK = 10_000_000
"""Comparisons of words, about a second. Without a limit, lines with nothing in common would take quadratic time."""
_WORDS = 40
_SIMILARITY = 0.7
"""Share of words that must be equal. drain3's default of 0.4 joins an error with a success in similar words."""


class _BoundedDrain(Drain):
    """Counts its comparisons."""

    work = 0

    def fast_match(
        self, cluster_ids: Collection[int], tokens: Sequence[str], sim_th: float, include_params: bool
    ) -> LogCluster | None:
        self.work += len(cluster_ids) * len(tokens)
        return super().fast_match(cluster_ids, tokens, sim_th, include_params)


def templates(messages: Iterable[tuple[int, str]]) -> list[tuple[int, int]]:
    """The template of each message as (class, number). Messages come with their class; two classes share no template.

    After _WORK comparisons, messages with equally many words and the same first two share a template.
    """
    drains: dict[int, _BoundedDrain] = {}
    rest: dict[tuple[int, int, str], int] = {}
    found: list[tuple[int, int]] = []
    work = 0
    for kind, message in messages:
        if work < _WORK:
            drain = drains.setdefault(kind, _BoundedDrain(sim_th=_SIMILARITY))
            before = drain.work
            cluster, _ = drain.add_log_message(" ".join(message.split(None, _WORDS)[:_WORDS]))
            work += drain.work - before
            found.append((kind, cluster.cluster_id))
        else:
            words = message.split(None, _WORDS)
            key = (kind, len(words), " ".join(words[:2]))
            found.append((kind, -1 - rest.setdefault(key, len(rest))))
    return found
