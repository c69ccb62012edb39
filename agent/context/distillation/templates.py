"""Templates of log lines that differ in words, by drain3. The only module that imports it, and imported late."""

from collections.abc import Collection, Iterable, Sequence

from drain3.drain import Drain, LogCluster

_WORK = 10_000_000
"""Comparisons of words, about a second: lines that share nothing would be compared each with each."""
_WORDS = 40
_SIMILARITY = 0.7
"""Words that must be equal. drain3's 0.4 joins an error with a success that is worded alike."""


class _BoundedDrain(Drain):
    """Counts its comparisons."""

    work = 0

    def fast_match(
        self, cluster_ids: Collection[int], tokens: Sequence[str], sim_th: float, include_params: bool
    ) -> LogCluster | None:
        self.work += len(cluster_ids) * len(tokens)
        return super().fast_match(cluster_ids, tokens, sim_th, include_params)


def templates(messages: Iterable[tuple[int, str]]) -> list[tuple[int, int]]:
    """The template of each message, which is given with its class; messages of two classes share none.

    Templates are numbered from 0 by class. Once too much was compared, messages with as many words and the same first
    two share a template.
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
