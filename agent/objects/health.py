"""Argo CD's health codes by how bad they are."""

WORST_FIRST = ("Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy")


def badness(health: str) -> int:
    """How bad a health code is: 0 for Healthy and for anything that is no code, higher is worse."""
    return len(WORST_FIRST) - 1 - WORST_FIRST.index(health) if health in WORST_FIRST else 0
