"""Resources that are applied more than once: by two Applications, or by two manifests of one. What to do about it.

Source of the messages: Argo CD's controller/state.go.
"""

import re

from agent.findings.engine.evidence import one_line

_SHARED = re.compile(r"(\S{1,120})/(\S{1,253}) is part of applications (\S{1,253}) and (\S{1,253})")
_REPEATED = re.compile(r"Resource [^/\s]{0,253}/(\w{1,120})/[^/\s]{0,253}/(\S{1,253}) appeared (\d{1,6}) times")


def settling(message: str) -> str:
    """Return the step that leaves a resource one owner or one manifest, "" for another message."""
    if match := _SHARED.search(message):
        what, *owners = (one_line(text.rstrip(".,;"), 120) for text in (f"{match[1]} {match[2]}", match[3], match[4]))
        return (
            f"Keep {what} in one of the Applications {owners[0]} and {owners[1]}: in Git, remove it from this one, or "
            f"else from the source of {owners[1]} (unless it is to be deleted, with the annotation "
            "`argocd.argoproj.io/sync-options: Prune=false` on it first)."
        )
    if match := _REPEATED.search(message):
        what = one_line(f"{match[1]} {match[2]}", 120)
        return f"In Git, keep {what} once: {match[3]} manifests have it, of which one is applied; remove the others."
    return ""
