"""The shipped broken targets: valid requests, and findings that name the true cause."""

import pytest

from agent.cli.demo.scenarios import DemoScenario, load_scenarios
from agent.context.context import Context
from agent.context.model import ContainerLog, Event, LogLine
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, integer_at, lookup, text_at
from agent.objects.target import ResourceRef
from agent.request.question import LogEntry
from agent.turn.parse import parse_question
from tests.findings.citations import findings_of

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios()}


def read(scenario: DemoScenario) -> Context:
    """The scenario's body as the context it supplies, by the shortest way."""
    question = parse_question(scenario.body)
    supplied = question.supplied
    logs: dict[str, str | list[LogEntry]] = supplied.get("logs", {})
    return Context(
        target=question.target,
        application=supplied.get("application_manifest"),
        manifest=supplied.get("manifest"),
        children=tuple(supplied.get("children", ())),
        events=tuple(map(event, supplied.get("events", ()))),
        logs=tuple(
            ContainerLog(
                container=container,
                lines=tuple(
                    LogLine(text=text)
                    for text in (log.splitlines() if isinstance(log, str) else [entry.content or "" for entry in log])
                ),
            )
            for container, log in logs.items()
        ),
    )


def event(item: Manifest) -> Event:
    about = item["involvedObject"]
    return Event(
        type=text_at(item, "type"),
        reason=text_at(item, "reason"),
        message=text_at(item, "message"),
        involved=ResourceRef.of(about | {"metadata": about}),
        count=integer_at(item, "count") or 1,
    )


def findings(name: str) -> tuple[Finding, ...]:
    return findings_of(read(SCENARIOS[name]))


def quoted(finding: Finding) -> list[str]:
    return [evidence.text for evidence in finding.evidence]


def test_the_pods_out_of_memory_are_the_first_finding() -> None:
    first, *others = findings("oom-killed")

    assert first.title == (
        "Container api is OOMKilled (exit code 137) at its memory limit of 256Mi (2 pods of Deployment checkout-api)"
    )
    assert {"OOMKilled", "137", "256Mi"} <= set(quoted(first))
    assert [f.title for f in others] == [
        "Deployment checkout-api has 1 of 3 wanted pods available",
    ]


def test_the_failed_hook_is_told_with_its_message_and_what_its_pod_said() -> None:
    migration, hook, *others = findings("failed-presync-hook")

    told = 'column "currency" of relation "invoices" contains null values (SQLSTATE 23502)'
    assert migration.title == f"Container migrate failed (exit code 1): {told}"
    assert migration.next_steps[0].startswith("Repair the migration or the data")
    assert any('column "currency" of relation "invoices" contains null values' in text for text in quoted(migration))
    assert hook.title == f"PreSync hook Job payments-migrate-0042 failed: {told}"
    assert "Job has reached the specified backoff limit" in quoted(hook)
    assert [f.title for f in others] == [
        "Job payments-migrate-0042 failed (BackoffLimitExceeded)",
        "The last sync of Application argocd/payments failed after 2 retries",
        "Application argocd/payments is OutOfSync",
    ]


def test_the_failed_hook_is_named_from_the_application_alone() -> None:
    scenario = SCENARIOS["failed-presync-hook"]
    application = scenario.body["custom_inputs"]["application_manifest"]

    first = findings_of(Context(target=parse_question(scenario.body).target, application=application))[0]

    assert first.title == "PreSync hook Job payments-migrate-0042 failed: Job has reached the specified backoff limit"
    assert quoted(first)[0] == "Job has reached the specified backoff limit"


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_is_what_an_api_server_returns(name: str) -> None:
    inputs = SCENARIOS[name].body["custom_inputs"]
    objects = [inputs.get("manifest"), inputs["application_manifest"], *inputs["children"]]
    events = inputs["events"] if isinstance(inputs["events"], list) else inputs["events"]["items"]
    known = {lookup(o, "metadata", "uid") for o in objects if o}

    for manifest in filter(None, objects):
        assert text_at(manifest, "apiVersion")
        assert all(text_at(manifest, "metadata", key) for key in ("uid", "resourceVersion", "creationTimestamp"))
        assert lookup(manifest, "status")
    assert all("eventTime" in item and item["eventTime"] is None for item in events)
    assert {
        text_at(item, "involvedObject", "uid") for item in events if item["involvedObject"]["kind"] != "Node"
    } <= known


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_holds_a_password_for_the_redaction_to_hide(name: str) -> None:
    inputs = SCENARIOS[name].body["custom_inputs"]
    pods = [child for child in inputs["children"] if child["kind"] == "Pod"]
    env = {entry["name"]: entry.get("value") for pod in pods for entry in pod["spec"]["containers"][0]["env"]}

    assert env["DB_PASSWORD"]


def test_scenarios_are_loaded_anew_each_time() -> None:
    load_scenarios()[0].body["input"].clear()

    assert load_scenarios()[0].question == "Why does checkout-api keep restarting, and what should I change?"
