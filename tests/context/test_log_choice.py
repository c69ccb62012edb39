"""Whose log is read."""

from typing import Any

import pytest

from agent.context.log_choice import MAX_LOGS, LogChoice, choose_log, choose_logs
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.request.question import LogRequest
from tests.context.manifests import (
    COMPLETED,
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


def several(*pods: Manifest, **request: Any) -> list[tuple[str, str, bool]]:
    choices = choose_logs(pods, LogRequest(**request), tail_lines=50)
    assert {choice.tail_lines for choice in choices} == {50}
    return [(choice.pod, choice.container, choice.previous) for choice in choices]


def test_every_container_that_fails_is_read_in_the_run_that_failed():
    mixed = pod(
        "web-1",
        crashing("api"),
        healthy("proxy"),
        container_status("worker", RUNNING),
        container_status("cron", RUNNING, ready=True, last=OOM_KILLED, restarts=1),
    )
    assert several(mixed) == [
        ("web-1", "api", True),
        ("web-1", "worker", False),
        ("web-1", "cron", True),
    ]


def test_an_init_container_that_fails_is_read_and_those_that_wait_for_it_are_not():
    failing = container_status("migrate", {"terminated": {"exitCode": 1}})
    assert several(pod("web-1", container_status("api", STARTING), init=(failing,), phase="Pending")) == [
        ("web-1", "migrate", False)
    ]


def test_a_container_that_never_ran_has_no_log_while_others_do():
    assert several(pod("web-1", container_status("api", NO_IMAGE), crashing("proxy"))) == [("web-1", "proxy", True)]
    assert several(pod("web-1", container_status("api", NO_IMAGE))) == [("web-1", "api", False)]


def test_where_nothing_fails_one_log_is_read():
    assert several(pod("web-1", healthy("api")), pod("web-2", healthy("api"))) == [("web-1", "api", False)]


def test_of_many_alike_another_container_comes_first():
    owner = DEPLOYMENT
    alike = [pod(f"web-{number}", crashing("api"), owner=owner) for number in range(6)]
    other = pod(
        "job-1",
        container_status("main", RUNNING),
        owner={"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "uid": "x"}},
    )
    found = several(*alike, other)
    assert (found[:2], len(found)) == ([("web-0", "api", True), ("job-1", "main", False)], MAX_LOGS)


@pytest.mark.parametrize("request_", [{"container": "proxy"}, {"previous": True}, {"previous": False}])
def test_what_was_asked_for_is_the_one_log_read(request_: dict[str, Any]):
    pods = [pod("web-1", crashing("api"), healthy("proxy")), pod("web-2", crashing("api"))]
    assert several(*pods, **request_) == [chosen(*pods, **request_)]


# --- workloads ------------------------------------------------------------------------------------------------------
