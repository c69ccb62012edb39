"""What keeps Argo CD from creating a resource that is missing: a sync of that resource alone would go around it.

Owns the reasons: a sync window, and a last sync that failed before it came to the resource (a hook, a wave, a refusal).
Source: Argo CD's controller/sync.go and gitops-engine/pkg/sync/sync_context.go.
"""

from dataclasses import dataclass

from agent.context.context import Context
from agent.findings.argocd.operation_state import OPERATION, RESULTS
from agent.findings.engine.applications import Application, names_of
from agent.objects.manifest import Manifest, objects_at, text_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a resource is still missing, as a sentence, and what to do instead of a sync of it."""

    reason: str
    step: str


def held_back(context: Context, application: Application | None) -> Held | None:
    """Return what keeps missing resources of the Application missing, None where nothing is known to."""
    if application is None:
        return None
    if context.sync_windows and _is_closed(context):
        return Held(
            reason="A sync window blocks syncs, so Argo CD does not create it now.",
            step="Wait until the sync window permits a sync, which then creates it; the project's owner can change it.",
        )
    if application.text(*OPERATION, "phase") in ("Failed", "Error"):
        return _failed(application)
    return None


def _is_closed(context: Context) -> bool:
    windows = context.sync_windows
    if windows is None:
        return False
    active = [window.kind for window in windows.active]
    return "deny" in active or ("allow" not in active and any(each.kind == "allow" for each in windows.assigned))


def _failed(application: Application) -> Held:
    hooks = [entry for entry in objects_at(application.manifest, *RESULTS) if _has_failed(entry)]
    if not hooks:
        return Held(
            reason="The last sync failed before it was created.",
            step=f"Repair what failed in the last sync, then sync all of it again: {application.command('sync')}.",
        )
    what = names_of(hooks, limit=2)
    return Held(
        reason=f"The last sync stopped at {what}, before it was created.",
        step=f"Repair {what} first, then sync all of it again: {application.command('sync')}. A sync of this resource "
        "alone would leave out hooks and waves.",
    )


def _has_failed(entry: Manifest) -> bool:
    return text_at(entry, "status") == "SyncFailed" or text_at(entry, "hookPhase") in ("Failed", "Error")
