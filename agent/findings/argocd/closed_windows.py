"""Sync windows that block an Application: an open deny window, or allow windows of which none is open.

Source of the rules: Argo CD's SyncWindows.CanSync (pkg/apis/application/v1alpha1/types.go): an active deny window
forbids, an active allow window permits, inactive allow windows forbid; manualSync of a window permits a manual sync.
`can_sync` is Argo CD's verdict on a manual sync.
"""

from collections.abc import Iterator

from agent.context.context import Context
from agent.context.model import SyncWindow, SyncWindows
from agent.findings.engine.applications import Application, first_application
from agent.findings.engine.commands import argocd
from agent.findings.engine.evidence import one_line, quote_field
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding

# Argo CD's message of a running operation (controller/sync.go).
_BLOCKED = "blocked by sync window"
_QUOTED = 3


def blocking_windows(inventory: Inventory) -> Iterator[Finding]:
    """The finding that a window blocks the Application, while it is OutOfSync or an operation waits for a window."""
    context, application = inventory.context, first_application(inventory)
    if application is None or not _waits(application):
        return
    windows = context.sync_windows or SyncWindows(can_sync=False)
    held_up = application.is_waiting_for(_BLOCKED)
    denying = [index for index, window in enumerate(windows.active) if window.kind == "deny"]
    outside = not any(window.kind == "allow" for window in windows.active)
    allowing = [index for index, window in enumerate(windows.assigned) if window.kind == "allow" and outside]
    matters = application.is_automated or not windows.can_sync or held_up
    if denying and matters:
        yield _finding(context, application, windows, "active", denying)
    elif allowing and matters:
        yield _finding(context, application, windows, "assigned", allowing)
    elif held_up or (context.sync_windows and not windows.can_sync):
        yield application.finding(
            f"{application.title}: sync is blocked by a sync window",
            "Argo CD reports this without the window.",
            application.quote("status", "operationState", "message")
            + (_quote(windows, "can_sync") if context.sync_windows else ()),
            *_steps(application, windows),
            level="cause",
            severity="warning",
        )


def _waits(application: Application) -> bool:
    return application.text("status", "sync", "status") == "OutOfSync" or application.is_waiting_for(_BLOCKED)


def _finding(
    context: Context, application: Application, windows: SyncWindows, name: str, indexes: list[int]
) -> Finding:
    listed = windows.active if name == "active" else windows.assigned
    first, others = listed[indexes[0]], len(indexes) - 1
    more = f" and {others} more" if others else ""
    if name == "active":
        title = f"{application.title}: sync is blocked by a deny window: {_spelled(first)}{more}"
        meaning = "The window is open, so Argo CD starts no automated sync until it closes."
    else:
        title = f"{application.title}: sync is only allowed in its sync window: {_spelled(first)}{more}"
        meaning = "It has allow windows, and none is open: an automated sync waits for the next one."
    manual = "A manual sync is allowed meanwhile." if windows.can_sync else "A manual sync is not allowed either."
    return application.finding(
        title,
        f"{meaning} {manual}",
        _quotations(windows, name, indexes) + application.quote("status", "sync", "status"),
        *_steps(application, windows),
        level="cause",
        severity="warning",
    )


def _quotations(windows: SyncWindows, name: str, indexes: list[int]) -> tuple[Evidence, ...]:
    fields = ("kind", "schedule", "duration")
    places = [f"{name}[{index}].{field}" for index in indexes[:_QUOTED] for field in fields]
    return tuple(quoted for place in (*places, "can_sync") for quoted in _quote(windows, place))


def _spelled(window: SyncWindow) -> str:
    duration = f" for {one_line(window.duration, 20)}" if window.duration else ""
    return f"{one_line(window.kind, 10)} from `{one_line(window.schedule, 60)}`{duration}"


def _steps(application: Application, windows: SyncWindows) -> Iterator[str]:
    project = application.text("spec", "project") or "default"
    if windows.can_sync:
        yield f"If it cannot wait: {application.command('sync')}."
    yield f"See when the windows open and close: {argocd('proj', 'windows', 'list', project)}."
    if not windows.can_sync:
        allow = argocd("proj", "windows", "enable-manual-sync", project, "ID")
        yield f"If it cannot wait, the owner of the project can let manual syncs through: {allow}."


def _quote(windows: SyncWindows, path: str) -> tuple[Evidence, ...]:
    return quote_field("sync_windows", windows.fields, path)
