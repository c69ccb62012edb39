"""A question without a target, where Argo CD is configured: the answer is about all Applications."""

from typing import Any

import pytest
from starlette.responses import Response

from agent.mlflow.responses_agent import ArgoCDAssistant
from agent.settings import load_settings
from agent.turn.triage.overview import asks_about_applications
from tests.conftest import TraceStore
from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.turn.triage.fleet import fleet

ASKED: dict[str, Any] = {"input": "Which applications are degraded, and why?"}


def answered() -> tuple[str, dict[str, Any]]:
    response = ArgoCDAssistant(load_settings()).predict(ASKED).model_dump()
    return response["output"][0]["content"][0]["text"], response["custom_outputs"]


def test_the_answer_names_the_troubled_applications_and_their_causes(argocd: FakeArgoCD, traces: TraceStore) -> None:
    text, outputs = answered()

    titles = [finding["title"] for finding in outputs["findings"]]
    assert any(title.startswith("argocd/app-0007: Container api is OOMKilled (exit code 137)") for title in titles[:2])
    assert any("the repository refuses Argo CD" in title for title in titles)
    assert "argocd/app-0007" in text
    assert "fleet" in {section["name"] for section in outputs["context"]["sections"]}


def test_where_all_is_well_the_answer_says_so(monkeypatch: pytest.MonkeyPatch, traces: TraceStore) -> None:
    with fleet(7, resources=1).serving() as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        text, outputs = answered()

    assert text.startswith("Nothing wrong was found with any Application: 7 Applications. Health: 7 Healthy.")
    assert outputs["findings"] == []


def test_a_list_that_cannot_be_read_is_a_gap(argocd: FakeArgoCD, traces: TraceStore) -> None:
    argocd.fail("/applications", Response(status_code=403))

    _, outputs = answered()

    assert [(gap["part"], gap["reason"]) for gap in outputs["context"]["gaps"]] == [("fleet", "forbidden")]


@pytest.mark.parametrize("question", ["What is a sync wave?", "How do I write an ignoreDifferences rule?"])
def test_a_general_question_surveys_nothing(argocd: FakeArgoCD, traces: TraceStore, question: str) -> None:
    ArgoCDAssistant(load_settings()).predict({"input": question})
    assert argocd.requests == []


def test_a_follow_up_surveys_again(argocd: FakeArgoCD, traces: TraceStore) -> None:
    messages = [
        {"role": "user", "content": "Which applications are degraded?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "And the second one?"},
    ]
    ArgoCDAssistant(load_settings()).predict({"input": messages})
    assert argocd.requests


@pytest.mark.parametrize(
    "question",
    [
        "Which applications are degraded, and why?",
        "Any apps out of sync?",
        "What's wrong?",
        "Welche Applikationen sind kaputt?",
        "¿Qué aplicaciones fallan?",
        "哪些应用有问题？",
        "Is everything well?",
    ],
)
def test_a_question_about_the_applications_is_known_as_one(question: str) -> None:
    assert asks_about_applications(question)


def test_without_argocd_a_general_question_stays_one(traces: TraceStore) -> None:
    text, _ = answered()
    assert text.startswith("This is a general question")
