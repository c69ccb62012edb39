"""A Job's Pod whose sidecar runs on after the main container has completed."""

from typing import Any

from agent.context.context import Context
from agent.findings.model import Finding
from tests.findings.citations import findings_of
from tests.findings.cluster import context, ended, pod, running


def asked(at: str, *statuses: dict[str, Any], owner: str = "Job") -> list[Finding]:
    job_pod = pod(owner=(owner, "import"))
    job_pod["status"]["containerStatuses"] = list(statuses)
    read = context(job_pod)
    return [
        each
        for each in findings_of(Context(target=read.target, parts=read.parts, read_at=at))
        if "does not complete" in each.title
    ]


DONE = {"name": "import", "ready": False, "restartCount": 0, "state": ended(0, "Completed")}
SIDECAR = running() | {"name": "istio-proxy", "restartCount": 0}


def test_the_sidecar_is_named_when_it_lasts() -> None:
    (finding,) = asked("2026-11-20T09:41:32Z", DONE, SIDECAR)

    assert finding.severity == "warning"
    assert "container istio-proxy is still running, container import completed 2 hours ago" in finding.title
    assert "native sidecar" in finding.next_steps[0]


def test_it_may_end_a_moment_later() -> None:
    assert asked("2026-11-20T07:42:00Z", DONE, SIDECAR) == []


def test_a_container_that_failed_is_another_fault() -> None:
    assert asked("2026-11-20T09:41:32Z", DONE | {"state": ended(1)}, SIDECAR) == []


def test_only_a_job_waits_for_the_end() -> None:
    assert asked("2026-11-20T09:41:32Z", DONE, SIDECAR, owner="ReplicaSet") == []
