"""Containers that cannot reach a Service, tied to what is wrong with that Service."""

import pytest

from agent.findings.network.endpoints import failed_connections, service_names
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, crash_loop, log, node, pod, resource, running

NO_HOST = "dial tcp: lookup db.shop.svc.cluster.local on 10.96.0.10:53: no such host"
REFUSED = "FATAL: dial tcp 10.96.14.7:5432: connect: connection refused"


@pytest.mark.parametrize(
    ("line", "failure", "host", "port"),
    [
        (NO_HOST, "dns", "db.shop.svc.cluster.local", None),
        ("Error: getaddrinfo ENOTFOUND redis", "dns", "redis", None),
        ("Error: getaddrinfo EAI_AGAIN redis:6379", "dns", "redis", 6379),
        ("nc: bad address 'postgres.shop.svc'", "dns", "postgres.shop.svc", None),
        ('psycopg2.OperationalError: could not translate host name "db" to address: Name', "dns", "db", None),
        ("Caused by: java.net.UnknownHostException: kafka-0.kafka", "dns", "kafka-0.kafka", None),
        ("Error -2 connecting to redis:6379. Name or service not known.", "dns", "redis", 6379),
        ('nginx: [emerg] host not found in upstream "api:8080" in /etc/nginx/conf.d/a.conf:3', "dns", "api", 8080),
        ("(2005, \"Unknown MySQL server host 'mysql' (-2)\")", "dns", "mysql", None),
        ("curl: (6) Could not resolve host: api.shop", "dns", "api.shop", None),
        ("dial tcp 10.0.0.5:5432: connect: connection refused", "refused", "10.0.0.5", 5432),
        ("Error: connect ECONNREFUSED 10.0.0.5:5432", "refused", "10.0.0.5", 5432),
        ('connection to server at "db" (10.0.0.5), port 5432 failed: Connection refused', "refused", "db", 5432),
        ("org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that", "refused", "db", 5432),
        ("requests: HTTPConnectionPool(host='api', port=8080): ... Connection refused", "refused", "api", 8080),
        ("Can't connect to MySQL server on 'mysql:3306' (111)", "refused", "mysql", 3306),
        ("Failed to connect to orders port 8080: Connection refused", "refused", "orders", 8080),
        ("upstream: \"http://10.0.0.5:8080/\" connect() failed (111: Connection refused)", "refused", "10.0.0.5", 8080),
        ("failed to connect to all addresses; last error: ipv4:10.0.0.5:50051: Connection refused", "refused",
         "10.0.0.5", 50051),
        ("dial tcp 10.0.0.5:5432: i/o timeout", "timeout", "10.0.0.5", 5432),
        ("Error: connect ETIMEDOUT 10.0.0.5:443", "timeout", "10.0.0.5", 443),
    ],
)  # fmt: skip
def test_clients_of_every_kind_name_the_other_side(line: str, failure: str, host: str, port: int | None) -> None:
    found = failed_connections(line)

    assert (failure, host, port) in [(each.failure, each.host, each.port) for each in found]


@pytest.mark.parametrize("line", ["2026-11-24T08:55:01Z listening on 0.0.0.0:8080", "GET http://api:80/ 200", ""])
def test_a_line_about_no_failure_names_nobody(line: str) -> None:
    assert failed_connections(line) == []


def test_a_host_name_is_read_as_the_cluster_s_dns_does() -> None:
    assert service_names("db", "shop") == [("shop", "db")]
    assert service_names("db.data", "shop") == [("data", "db"), ("shop", "data")]
    assert service_names("db.data.svc.cluster.local.", "shop") == [("data", "db")]
    assert service_names("db-0.db.data.svc", "shop") == [("data", "db")]
    assert service_names("api.example.com", "shop") == []


def service(name: str = "db", port: int = 5432, **spec: object) -> Manifest:
    found = {"clusterIP": "10.96.14.7", "selector": {"app": name}, "ports": [{"port": port, "targetPort": port}]}
    return resource("v1", "Service", name, spec=found | spec)


def database(status: Manifest, name: str = "db-0") -> Manifest:
    found = pod(status, name=name, owner=("StatefulSet", "db"))
    found["metadata"]["labels"] = {"app": "db"}
    return found


def test_a_host_that_does_not_resolve_is_a_missing_service_told_with_those_there_are() -> None:
    crashing = pod(crash_loop(1), spec={"env": [{"name": "DB_HOST", "value": "db.shop.svc.cluster.local"}]})

    first, second = findings_of(context(crashing, logs=(log(NO_HOST),), related=(service("dbase"),)))

    assert first.title == "Service db that container api connects to does not exist"
    assert "There is dbase." in first.explanation
    assert [e.path for e in first.evidence][1] == "spec.containers[0].env[0].value"
    assert second.title.startswith("Container api keeps crashing (exit code 1): dial tcp: lookup db.shop.svc")


def test_a_service_of_another_namespace_is_pointed_at() -> None:
    elsewhere = service()
    elsewhere["metadata"]["namespace"] = "data"
    line = "Error: getaddrinfo ENOTFOUND db"

    finding = findings_of(context(pod(crash_loop(1)), logs=(log(line),), related=(elsewhere,)))[0]

    assert "its name from here is db.data.svc" in finding.explanation


def test_the_crashing_database_stands_above_the_application_that_cannot_connect() -> None:
    api, db = pod(crash_loop(1)), database(crash_loop(137, "OOMKilled"))

    findings = findings_of(context(api, logs=(log(REFUSED, pod_name="api-6c9d8f7b5d-x7k2p"),), related=(service(), db)))

    assert [f.title for f in findings] == [
        "Container api is OOMKilled (exit code 137); it has no memory limit of its own",
        "Service db has no ready endpoints: its only pod is not ready",
        "Service db that container api connects to has no ready endpoints: its pod is not ready",
        "Container api keeps crashing (exit code 1): dial tcp 10.96.14.7:5432: connect: connection refused",
    ]
    assert str(findings[0].resource) == "Pod shop/db-0"


def test_a_database_scaled_to_zero_is_told_as_such() -> None:
    template = {"metadata": {"labels": {"app": "db"}}}
    stopped = resource("apps/v1", "StatefulSet", "db", spec={"replicas": 0, "template": template}, status={})

    finding = findings_of(context(pod(crash_loop(1)), logs=(log(REFUSED),), related=(service(), stopped)))[0]

    assert finding.title == (
        "Service db that container api connects to has no ready endpoints: StatefulSet db is scaled to zero"
    )


def test_a_port_that_the_service_does_not_have_is_the_cause() -> None:
    line = "dial tcp 10.96.14.7:5433: i/o timeout"

    finding = findings_of(context(pod(crash_loop(1)), logs=(log(line),), related=(service(),)))[0]

    assert finding.title == "Service db that container api connects to has no port 5433 (it has 5432)"


def test_the_tree_alone_ties_a_refused_connection_to_the_pods_behind_the_service() -> None:
    tree = (
        node("Service", "redis", selects={"app": "redis"}),
        node(
            "Pod", "redis-0", labels={"app": "redis"}, health="Degraded", message="back-off restarting failed container"
        ),
    )
    line = "Error 111 connecting to redis:6379. Connection refused."

    findings = findings_of(context(pod(crash_loop(1)), logs=(log(line),), tree=tree))

    connection = next(f for f in findings if "connects to" in f.title)
    assert connection.title.endswith(
        "Service redis that container api connects to has no ready endpoints: its pod is not ready"
    )
    assert "back-off restarting failed container" in [e.text for e in connection.evidence]


def test_a_timeout_names_the_network_policy_in_between() -> None:
    ready = database(running(), name="db-0")
    policy = resource(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "deny",
        spec={"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]},
    )
    slow = log("dial tcp 10.96.14.7:5432: i/o timeout", pod_name="api-6c9d8f7b5d-x7k2p")

    finding = findings_of(context(pod(crash_loop(1)), logs=(slow,), related=(service(), ready, policy)))[0]

    assert (
        finding.title
        == "Service db does not answer container api: NetworkPolicy deny keeps it out: no rule admits its pod"
    )
    assert '{"matchLabels": {"app": "db"}}' in [e.text for e in finding.evidence]


def test_a_connection_to_localhost_is_a_default_that_nobody_set() -> None:
    finding = findings_of(context(pod(crash_loop(1)), logs=(log("connect ECONNREFUSED 127.0.0.1:5432"),)))[0]

    assert finding.title == "Container api connects to itself (127.0.0.1:5432), where nothing listens"


def test_where_the_other_side_is_not_known_it_is_said_what_to_check() -> None:
    outside = findings_of(context(pod(crash_loop(1)), logs=(log("lookup api.example.com: no such host"),)))[0]
    inside = findings_of(context(pod(crash_loop(1)), logs=(log("connecting to redis:6379: Connection refused"),)))[0]

    assert outside.title == "Container api keeps crashing (exit code 1): lookup api.example.com: no such host"
    assert inside.title == "Container api keeps crashing (exit code 1): it is refused by redis:6379"
    assert "kubernetes.io/service-name=redis" in inside.next_steps[0]


def test_a_crash_by_refused_connections_is_one_finding_with_all_the_lines() -> None:
    lines = (
        "could not connect to db.shop:5432: Connection refused",
        "FATAL dial tcp 10.0.0.7:5432: connect: connection refused",
    )

    (finding,) = findings_of(context(pod(crash_loop(1)), logs=(log(*lines),)))

    assert finding.title == "Container api keeps crashing (exit code 1): it is refused by db.shop:5432"
    assert set(lines) <= {e.text for e in finding.evidence}


def test_a_connection_that_failed_before_another_fault_is_not_the_cause() -> None:
    lines = log("otel: connect ECONNREFUSED 127.0.0.1:4317", "panic: missing environment variable DB_URL")

    assert [f.title for f in findings_of(context(pod(crash_loop(1)), logs=(lines,)))] == [
        "Container api keeps crashing (exit code 1): panic: missing environment variable DB_URL"
    ]


def test_a_container_that_is_ready_has_reached_what_it_needed() -> None:
    well = pod(running(), conditions=[condition("Ready", "True")])

    assert not any("Service" in f.title for f in findings_of(context(well, logs=(log(REFUSED),), related=(service(),))))


def test_a_name_of_two_labels_outside_of_the_cluster_is_no_missing_service() -> None:
    lost = "Error: getaddrinfo ENOTFOUND example.com"

    titles = [f.title for f in findings_of(context(pod(crash_loop(1)), logs=(log(lost),), related=(service(),)))]

    assert not any("Service" in title for title in titles)


def test_a_name_server_that_does_not_answer_blames_no_service() -> None:
    lost = "Error: getaddrinfo EAI_AGAIN db.shop.svc.cluster.local"

    first = findings_of(context(pod(crash_loop(1)), logs=(log(lost),)))[0]

    assert first.title == "Container api reaches no name server: db.shop.svc.cluster.local does not resolve for now"


def test_a_pod_that_cannot_resolve_its_own_name_blames_no_service() -> None:
    lonely = pod(crash_loop(1))
    own = lonely["metadata"]["name"]

    first = findings_of(
        context(lonely, logs=(log(f"java.net.UnknownHostException: {own}: Name or service not known"),))
    )[0]

    assert first.title == f"Container api cannot resolve the host name of its own Pod, {own}"


def test_a_name_that_ends_in_svc_is_the_cluster_s_own_whatever_is_known_of_its_namespace() -> None:
    line = "dial tcp: lookup db.elsewhere.svc on 10.96.0.10:53: no such host"

    first, *_ = findings_of(context(pod(crash_loop(1)), logs=(log(line),)))

    assert first.title == "Service db that container api connects to does not exist"
    assert "`kubectl -n elsewhere get services`" in first.next_steps[1]
