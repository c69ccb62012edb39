"""When a sync window is what keeps an Application from being synced."""

from agent.context.model import SyncWindow, SyncWindows
from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.drift.states import context_of

DENY = SyncWindow(kind="deny", schedule="0 8 * * 1-5", duration="10h")
ALLOW = SyncWindow(kind="allow", schedule="0 22 * * *", duration="1h", manual_sync=True)


def application(sync: str = "OutOfSync", *, automated: bool = True, **status: object) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "team-a", "syncPolicy": {"automated": {} if automated else None}},
        "status": {"sync": {"status": sync}, "health": {"status": "Healthy"}} | status,
    }


def told(manifest: Manifest, windows: SyncWindows | None) -> list[Finding]:
    found = findings_of(context_of(application=manifest, sync_windows=windows))
    return [finding for finding in found if "window" in finding.title]


def test_an_open_deny_window_is_the_cause_of_being_out_of_sync() -> None:
    windows = SyncWindows(assigned=(DENY,), active=(DENY,), can_sync=False)

    (finding,) = told(application(), windows)

    assert finding.title == (
        "Application argocd/shop: sync is blocked by a deny window: deny from `0 8 * * 1-5` for 10h"
    )
    assert (finding.severity, finding.level) == ("warning", "cause")
    assert "A manual sync is not allowed either." in finding.explanation
    assert [e.text for e in finding.evidence] == ["deny", "0 8 * * 1-5", "10h", "false", "OutOfSync"]
    assert any("`argocd proj windows list team-a`" in step for step in finding.next_steps)


def test_outside_every_allow_window_the_next_one_is_waited_for() -> None:
    (finding,) = told(application(), SyncWindows(assigned=(ALLOW,), can_sync=True))

    assert "sync is only allowed in its sync window: allow from `0 22 * * *` for 1h" in finding.title
    assert "A manual sync is allowed meanwhile." in finding.explanation
    assert finding.next_steps[0] == "If it cannot wait: `argocd app sync argocd/shop`."


def test_a_window_that_blocks_nothing_is_not_told() -> None:
    closed = SyncWindows(assigned=(DENY,), active=(DENY,), can_sync=False)

    assert told(application("Synced"), closed) == []
    assert told(application(), SyncWindows(assigned=(ALLOW,), active=(ALLOW,))) == []
    assert told(application(), SyncWindows(assigned=(DENY,))) == []
    assert told(application(automated=False), SyncWindows(assigned=(ALLOW,), can_sync=True)) == []
    assert told(application(), None) == []


def test_an_operation_that_is_held_up_by_a_window_says_so_without_knowing_which() -> None:
    state = {"phase": "Running", "message": "Sync operation blocked by sync window"}

    (finding,) = told(application(operationState=state), None)

    assert finding.evidence[0].text == "Sync operation blocked by sync window"
