"""The `custom_outputs` of an answer, from the first event to the last."""

from dataclasses import replace
from typing import Any

import pytest

from agent.context.context import Context
from agent.context.model import Gap
from agent.errors import ProviderUnreachable
from agent.findings.model import Evidence, Finding
from agent.objects.target import ResourceRef, Target
from agent.prompt.budget import RequestPlan, plan
from agent.prompt.prompt import Section
from agent.providers.events import ProviderInfo, SessionStarted, TextDelta, TurnStarted
from agent.turn.events import Outcome, Report
from agent.turn.outputs import OutputsSoFar, context_as_json, early_outputs, final_outputs, provider_as_json

POD = ResourceRef(kind="Pod", name="api-1", namespace="shop")
PROVIDER = ProviderInfo(name="llama-stack", protocol="responses", model="llama3")
PLAN = RequestPlan(
    budget=plan(window=32_000, wanted=8_000, answer=1_000), tokens=900, left_out=("history: 2 messages",)
)
REPORT = Report(
    question="Why?",
    history=(),
    target=Target(resource=POD),
    context=Context(target=Target(resource=POD)),
    findings=(
        Finding(
            title="Container api is OOMKilled",
            severity="error",
            explanation="It used more memory than its limit.",
            evidence=(Evidence(source="manifest", path="status.phase", text="Failed", resource=POD),),
            resource=POD,
        ),
    ),
    sections=(
        Section(name="findings", title="Findings", text="OOMKilled"),
        Section(name="logs", title="Container logs", text="", left_out="40 lines"),
    ),
    gaps=(Gap(part="events", source="kubernetes", reason="forbidden", message="refused"),),
    plan=PLAN,
)
OUTCOME = Outcome(text="Out of memory.", session_id="s-1", provider=PROVIDER, usage=None, report=REPORT)


def test_findings_and_context_are_known_before_the_model_is_asked() -> None:
    outputs = early_outputs(REPORT)

    assert list(outputs) == ["findings", "context"]
    assert [finding["title"] for finding in outputs["findings"]] == ["Container api is OOMKilled"]
    assert outputs["context"] == context_as_json(REPORT)


def test_the_context_lists_tokens_sections_what_was_left_out_and_gaps() -> None:
    context = context_as_json(REPORT)

    assert (context["window"], context["tokens"]) == (32_000, 900)
    assert [(section["name"], section["left_out"]) for section in context["sections"]] == [
        ("findings", ""),
        ("logs", "40 lines"),
    ]
    assert context["sections"][0]["tokens"] > 0
    assert context["left_out"] == ["history: 2 messages", "logs: 40 lines"]
    assert context["gaps"] == [{"part": "events", "source": "kubernetes", "reason": "forbidden", "message": "refused"}]


@pytest.mark.parametrize(("changes", "shown"), [("", None), ("Pod api-1 changed", "Pod api-1 changed")])
def test_changes_since_the_previous_turn_are_null_where_there_are_none(changes: str, shown: str | None) -> None:
    assert context_as_json(replace(REPORT, changes=changes))["changes"] == shown


def test_a_provider_without_model_and_note_has_null_for_them() -> None:
    assert provider_as_json(PROVIDER) == {
        "name": "llama-stack",
        "protocol": "responses",
        "model": "llama3",
        "note": None,
    }
    assert provider_as_json(ProviderInfo(name="offline", protocol="none"))["model"] is None


def test_the_final_outputs_add_session_provider_and_grounding_to_the_early_ones() -> None:
    outputs = final_outputs(OUTCOME)

    assert outputs == early_outputs(REPORT) | {
        "session_id": "s-1",
        "provider": provider_as_json(PROVIDER),
        "grounding": OUTCOME.grounding.as_json(),
    }


def test_an_outage_is_named_with_its_code_only_where_there_was_one() -> None:
    outage = ProviderUnreachable("llama-stack does not answer.")

    assert final_outputs(replace(OUTCOME, outage=outage))["provider"]["outage"] == {
        "code": "provider_unreachable",
        "message": "llama-stack does not answer.",
    }
    assert "outage" not in final_outputs(OUTCOME)["provider"]


def test_the_outputs_grow_with_the_events_and_end_as_those_of_the_outcome() -> None:
    outputs, seen = OutputsSoFar(), list[dict[str, Any]]()
    for event in (
        REPORT,
        TurnStarted(provider=PROVIDER, session_id=None),
        TextDelta("Out of memory."),
        SessionStarted(session_id="s-1"),
        OUTCOME,
    ):
        outputs.take(event)
        seen.append(dict(outputs.value))

    early = early_outputs(REPORT)
    started = early | {"session_id": None, "provider": provider_as_json(PROVIDER)}
    assert seen == [early, started, started, started | {"session_id": "s-1"}, final_outputs(OUTCOME)]
