"""Argo CD's health codes by how bad they are."""

WORST_FIRST = ("Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy")


def badness(health: str) -> int:
    """How bad Argo CD calls it: 0 for Healthy, and for what is no code; the worst is the highest."""
    return len(WORST_FIRST) - 1 - WORST_FIRST.index(health) if health in WORST_FIRST else 0
