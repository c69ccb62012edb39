"""Drift: where the cluster differs from Git, what each difference is, and what to do about it.

`drifts_of` is the way in. Compared is what Argo CD's UI shows: the normalized live state against the predicted one.
"""

from agent.findings.drift.explanation import drifts_of
from agent.findings.drift.model import ABSENT, Category, Difference, Drift

__all__ = ["ABSENT", "Category", "Difference", "Drift", "drifts_of"]
