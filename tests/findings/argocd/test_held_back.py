"""What keeps a missing resource missing."""

from typing import Any

from agent.context.context import Context
from agent.context.model import SyncWindow, SyncWindows
from agent.findings.argocd.held_back import held_back
from agent.findings.engine.applications import Application
from agent.objects.target import Target


def context(windows: SyncWindows | None = None) -> Context:
    return Context(target=Target(), sync_windows=windows)


def application(**operation: Any) -> Application:
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "status": {"operationState": operation},
    }
    return Application(manifest=manifest, source="application")


def test_a_failed_hook_is_repaired_first() -> None:
    hook = {"kind": "Job", "name": "migrate", "hookType": "PreSync", "hookPhase": "Failed"}

    held = held_back(context(), application(phase="Failed", syncResult={"resources": [hook]}))

    assert held is not None
    assert held.step.startswith("Repair Job migrate first, then sync all of it again")


def test_a_deny_window_is_waited_for() -> None:
    deny = SyncWindow(kind="deny", schedule="0 8 * * *", duration="8h")

    held = held_back(context(SyncWindows(active=(deny,), assigned=(deny,), can_sync=False)), application())

    assert held is not None
    assert held.reason == "A sync window blocks syncs, so Argo CD does not create it now."


def test_an_allow_window_that_is_not_open_holds_and_an_open_one_does_not() -> None:
    allow = SyncWindow(kind="allow", schedule="0 8 * * *", duration="8h")

    assert held_back(context(SyncWindows(assigned=(allow,), can_sync=False)), application())
    assert held_back(context(SyncWindows(active=(allow,), assigned=(allow,))), application()) is None


def test_nothing_holds_a_resource_after_a_sync_that_succeeded() -> None:
    assert held_back(context(), application(phase="Succeeded")) is None
