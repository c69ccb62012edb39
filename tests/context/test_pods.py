"""Which Pod is worst, and whose log tells most."""

from typing import Any

import pytest

from agent.context.pods import choose_log, is_workload, unhealthiest_first
from agent.context.source import LogChoice
from agent.errors import SourceError
from agent.manifest import Manifest
from agent.request import LogRequest
from tests.context.manifests import (
    COMPLETED,
    CRASH_LOOP,
    DEPLOYMENT,
    NO_IMAGE,
    OOM_KILLED,
    RUNNING,
    STARTING,
    container_status,
    crashing,
    healthy,
    pod,
)


def choose(*pods: Manifest, **request: Any) -> LogChoice:
    return choose_log(pods, LogRequest(**request), tail_lines=50)


def chosen(*pods: Manifest, **request: Any) -> tuple[str, str, bool]:
    choice = choose(*pods, **request)
    return choice.pod, choice.container, choice.previous


def test_failing_pods_come_before_starting_and_healthy_ones():
    pods = [
        pod("healthy", healthy("api")),
        pod("done", container_status("api", COMPLETED), phase="Succeeded"),
        pod("no-image", container_status("api", NO_IMAGE)),
        pod("crashing", crashing("api")),
        pod("not-ready", container_status("api", RUNNING)),
        pod("restarted", container_status("api", RUNNING, ready=True, last=OOM_KILLED, restarts=1)),
        pod("unschedulable", phase="Pending"),
    ]
    names = [each["metadata"]["name"] for each in unhealthiest_first(pods)]
    assert names[0] == "crashing"
    assert set(names[1:3]) == {"no-image", "unschedulable"}
    assert names[3:] == ["not-ready", "restarted", "healthy", "done"]


def test_equals_are_ordered_by_restarts_then_the_newest_first():
    often = pod("often", container_status("api", CRASH_LOOP, last=OOM_KILLED, restarts=9))
    older = pod("older", crashing("api"), created="2026-11-20T00:00:00Z")
    newer = pod("newer", crashing("api"), created="2026-11-21T00:00:00Z")
    assert [each["metadata"]["name"] for each in unhealthiest_first([older, newer, often])] == [
        "often",
        "newer",
        "older",
    ]


def test_a_crashing_container_is_read_by_its_previous_run():
    assert chosen(pod("web-1", healthy("proxy"), crashing("api"))) == ("web-1", "api", True)


def test_the_worst_pod_is_read():
    assert chosen(pod("web-1", healthy("api")), pod("web-2", crashing("api"))) == ("web-2", "api", True)


def test_a_container_that_ended_for_good_is_read_by_its_last_run():
    assert chosen(pod("job-1", container_status("main", OOM_KILLED), phase="Failed")) == ("job-1", "main", False)


def test_an_init_container_that_holds_up_the_pod_is_read():
    waits = container_status("migrate", RUNNING)
    blocked = pod("web-1", container_status("api", STARTING), init=(waits,), phase="Pending")
    assert chosen(blocked) == ("web-1", "migrate", False)


def test_an_init_container_that_is_done_is_not():
    done = container_status("migrate", COMPLETED, ready=True)
    assert chosen(pod("web-1", crashing("api"), init=(done,))) == ("web-1", "api", True)


def test_a_sidecar_that_started_is_fine():
    sidecar = container_status("proxy", RUNNING) | {"started": True}
    assert chosen(pod("web-1", healthy("api"), init=(sidecar,))) == ("web-1", "api", False)


def test_of_healthy_containers_the_default_one_is_read():
    healthy_pod = pod("web-1", healthy("proxy"), healthy("api"))
    assert chosen(healthy_pod) == ("web-1", "proxy", False)
    healthy_pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "api"
    assert chosen(healthy_pod) == ("web-1", "api", False)


def test_the_container_asked_for_is_read_wherever_it_is():
    pods = [pod("web-1", crashing("api")), pod("db-1", healthy("postgres"))]
    assert chosen(*pods, container="postgres") == ("db-1", "postgres", False)


@pytest.mark.parametrize("asked", [True, False])
def test_a_run_that_was_asked_for_is_the_one_read(asked: bool):
    assert choose(pod("web-1", crashing("api")), previous=asked).previous is asked
    assert choose(pod("web-1", healthy("api")), previous=asked).previous is asked


def test_an_unknown_container_names_those_there_are():
    with pytest.raises(SourceError) as raised:
        choose(pod("web-1", crashing("api"), init=(healthy("migrate"),)), container="apo")
    assert raised.value.code == "not_found"
    assert raised.value.public_message == "No container 'apo' in Pod shop/web-1; there are: api, migrate"


def test_a_pod_that_names_no_container_has_no_log():
    with pytest.raises(SourceError, match="its manifest names none"):
        choose(pod("web-1"))


def test_the_request_is_passed_on():
    choice = choose(pod("web-1", healthy("api")), since_seconds=60)
    assert (choice.namespace, choice.tail_lines, choice.since_seconds) == ("shop", 50, 60)


def test_workloads_are_known_by_kind_or_by_their_pod_template():
    assert is_workload("deployment")
    assert is_workload("CloneSet", DEPLOYMENT)
    cron = {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "main"}]}}}}}}
    assert is_workload("Backup", cron)
    assert not is_workload("ConfigMap", {"data": {}})
