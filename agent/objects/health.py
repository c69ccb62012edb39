"""The health statuses of Argo CD from worst to best.

They are `HealthStatusCode` of `pkg/health/health.go` in argoproj/gitops-engine; the order is ours.
"""

WORST_FIRST = ("Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy")


def badness(health: str) -> int:
    """How bad a health status is: 0 for Healthy and for anything unknown, higher is worse."""
    return len(WORST_FIRST) - 1 - WORST_FIRST.index(health) if health in WORST_FIRST else 0
