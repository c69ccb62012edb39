"""The MLflow model: `predict`, `predict_stream`, and what the trace of a turn tells."""

import asyncio
from typing import Any

import pytest
from mlflow.entities import Feedback, SpanType
from mlflow.exceptions import MlflowException
from mlflow.types.responses import ResponsesAgentRequest, ResponsesAgentResponse

from agent.errors import RateLimited, SessionForbidden
from agent.mlflow import tracing
from agent.mlflow.responses_agent import ArgoCDAssistant
from agent.providers.events import ProviderEvent, ToolCall, ToolResult, Usage
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from tests.conftest import TraceStore
from tests.fakes.provider import ScriptedProvider
from tests.turn.test_assistant import POD


class Scripted(ArgoCDAssistant):
    """The assistant with a scripted provider in place of a configured one."""

    def __init__(self, provider: ScriptedProvider) -> None:
        super().__init__(load_settings())
        self.provider = provider

    def new_assistant(self) -> Assistant:
        return Assistant(self.settings, provider=self.provider)


def body(text: str = "Why does it restart?", **more: Any) -> dict[str, Any]:
    return {
        "input": [{"role": "user", "content": text}],
        "context": {"conversation_id": "chat-7", "user_id": "ada"},
        "custom_inputs": {"application": "argocd/checkout", "manifest": POD},
        **more,
    }


def scripted(*deltas: str | ProviderEvent | Exception, **options: Any) -> Scripted:
    return Scripted(ScriptedProvider(deltas or ("It ran ", "out of memory."), **options))


def test_predict_answers_with_text_findings_and_provider(traces: TraceStore) -> None:
    response = scripted(usage=Usage(input_tokens=20, output_tokens=4)).predict(ResponsesAgentRequest(**body()))

    assert isinstance(response, ResponsesAgentResponse)
    answer = response.model_dump()
    assert answer["output"][0]["content"][0]["text"] == "It ran out of memory."
    assert answer["usage"]["total_tokens"] == 24
    outputs = answer["custom_outputs"]
    assert outputs["session_id"] == "session-1"
    assert outputs["provider"] == {"name": "llama-stack", "protocol": "responses", "model": "scripted", "note": None}
    assert set(outputs["findings"][0]) >= {"title", "severity", "explanation", "evidence", "resource"}
    assert {section["name"] for section in outputs["context"]["sections"]} >= {"findings", "status", "spec"}


def test_predict_stream_gives_the_same_text_piece_by_piece(traces: TraceStore) -> None:
    events = [event.model_dump() for event in scripted().predict_stream(ResponsesAgentRequest(**body()))]

    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert deltas == ["It ran ", "out of memory."]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["custom_outputs"]["trace_id"]


def test_a_plain_dictionary_is_taken_as_well(traces: TraceStore) -> None:
    assert scripted().predict(body()).output[0].type == "message"


def test_bad_input_is_an_mlflow_error_that_names_the_field(traces: TraceStore) -> None:
    with pytest.raises(MlflowException, match=r"custom_inputs\.colour: unknown key; allowed are application") as caught:
        scripted().predict(body(custom_inputs={"colour": "red"}))

    assert caught.value.get_http_status_code() == 400
    assert traces.all() == []


def test_an_error_keeps_its_message_whatever_a_server_writes_into_it(traces: TraceStore) -> None:
    with pytest.raises(MlflowException) as caught:
        scripted(on_open=SessionForbidden("This session belongs to somebody else.")).predict(body())

    caught.value.message = "Failed to predict data 'the whole request'"
    assert "the whole request" not in caught.value.serialize_as_json()
    assert caught.value.get_http_status_code() == 403


def test_a_failure_in_the_stream_is_its_last_event(traces: TraceStore) -> None:
    events = [e.model_dump() for e in scripted("It ", RateLimited("Too many requests.")).predict_stream(body())]

    assert (events[-1]["type"], events[-1]["code"]) == ("error", "rate_limited")
    assert events[-1]["custom_outputs"]["findings"]
    assert events[-2]["item"]["content"][0]["text"] == "It "


def test_the_trace_shows_the_steps_below_one_root(traces: TraceStore) -> None:
    tool = (ToolCall(call_id="c", name="get_pods", arguments="{}"), ToolResult(call_id="c", output="one"))
    outputs = (
        scripted(*tool, "It was OOMKilled.", usage=Usage(input_tokens=20, output_tokens=4))
        .predict(body())
        .custom_outputs
    )
    assert outputs is not None

    trace = traces.trace(outputs["trace_id"])

    spans = {span.name: span for span in trace.data.spans}
    root = spans["predict"]
    assert root.parent_id is None
    assert {name: span.span_type for name, span in spans.items()} == {
        "predict": SpanType.AGENT,
        "collect": SpanType.RETRIEVER,
        "analyze": SpanType.TASK,
        "compose": SpanType.PARSER,
        "ground": SpanType.TASK,
        "turn": SpanType.CHAT_MODEL,
        "get_pods": SpanType.TOOL,
    }
    assert {spans[name].parent_id for name in ("collect", "analyze", "compose", "turn")} == {root.span_id}
    assert spans["get_pods"].parent_id == spans["turn"].span_id
    assert spans["turn"].outputs["content"] == "It was OOMKilled."


def test_the_claims_of_an_answer_are_checked_and_assessed_on_the_trace(traces: TraceStore) -> None:
    agent = scripted("`Deployment/ghost-api` made it, ", "and it ended with `OOMKilled`.")
    answer = agent.predict(body()).model_dump()

    grounding = answer["custom_outputs"]["grounding"]
    assert (grounding["checked"], grounding["supported"]) == (2, 1)
    assert grounding["invented_resources"] == ["Deployment/ghost-api"]
    text = answer["output"][0]["content"][0]["text"]
    assert text.endswith("`Deployment/ghost-api`. Check that it exists before you act on it.\n")
    (trace,) = traces.all()
    (assessment,) = trace.info.assessments
    assert isinstance(assessment, Feedback)
    assert (assessment.name, assessment.value) == ("grounded", 0.5)
    assert [span.outputs["share"] for span in trace.data.spans if span.name == "ground"] == [0.5]
    assert assessment.rationale == "Not in what was read: resource 'Deployment/ghost-api'"


@pytest.mark.parametrize(
    ("text", "status", "why"),
    [
        ("It ran out of memory.", "nothing_checked", "The answer contains nothing that could be looked up"),
        (
            "Great example of `Kubernetes` in 10 steps.",
            "off_topic",
            "The answer names no resource, cause or evidence of the findings. Not in what was read: ",
        ),
    ],
)
def test_the_assessment_has_no_value_where_nothing_was_checked_that_counts(
    traces: TraceStore, text: str, status: str, why: str
) -> None:
    grounding = scripted(text).predict(body()).model_dump()["custom_outputs"]["grounding"]

    assert (grounding["status"], grounding["share"]) == (status, None)
    (trace,) = traces.all()
    (assessment,) = trace.info.assessments
    assert isinstance(assessment, Feedback)
    assert (assessment.value, (assessment.metadata or {})["status"]) == (None, status)
    assert (assessment.rationale or "").startswith(why)


def test_an_answer_without_a_model_is_not_assessed(traces: TraceStore) -> None:
    ArgoCDAssistant.from_environment().predict(body())

    (trace,) = traces.all()
    assert trace.info.assessments == []


def test_the_findings_come_first_in_a_whole_answer_and_last_in_a_stream(traces: TraceStore) -> None:
    nonsense = "You should change the Pod to a new one."

    whole = scripted(nonsense).predict(body()).model_dump()["output"][0]["content"][0]["text"]
    events = [event.model_dump() for event in scripted(nonsense).predict_stream(body())]

    assert whole.startswith("> **The model's answer names nothing of what was found.**")
    assert whole.endswith(f"{nonsense}\n")
    streamed = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert streamed.startswith(f"{nonsense}\n\n> **The model's answer names nothing of what was found.**")
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == streamed
    for trace in traces.all():
        assert trace.data.spans[0].outputs["output"][0]["content"][0]["text"] == whole


def test_the_trace_can_be_found_by_user_session_application_and_resource(traces: TraceStore) -> None:
    outputs = scripted(usage=Usage(input_tokens=20, output_tokens=4)).predict(body()).custom_outputs
    assert outputs is not None

    info = traces.trace(outputs["trace_id"]).info

    assert info.trace_metadata["mlflow.trace.user"] == "ada"
    assert info.trace_metadata["mlflow.trace.session"] == "chat-7"
    assert info.tags["argocd.application"] == "argocd/checkout"
    assert info.tags["kubernetes.resource"] == "Pod/api-1"
    assert info.tags["assistant.model"] == "scripted"
    assert info.token_usage == {"input_tokens": 20, "output_tokens": 4, "total_tokens": 24}


def test_the_session_of_the_provider_names_the_trace_when_the_caller_named_none(traces: TraceStore) -> None:
    outputs = scripted().predict(body(context=None)).custom_outputs
    assert outputs is not None

    assert traces.trace(outputs["trace_id"]).info.trace_metadata["mlflow.trace.session"] == "session-1"


def test_a_failed_turn_is_a_failed_trace_with_the_public_message_only(traces: TraceStore) -> None:
    list(scripted("It ", RateLimited("Too many requests.")).predict_stream(body()))

    [trace] = traces.all()
    assert trace.info.state == "ERROR"
    turn = next(span for span in trace.data.spans if span.name == "turn")
    assert turn.outputs["content"] == "It "
    assert [event.attributes["exception.message"] for event in turn.events] == ["Too many requests."]
    assert trace.info.request_preview == "Why does it restart?"
    assert trace.info.response_preview == "Not answered: Too many requests. The answer had begun: It."


def test_a_turn_that_failed_before_its_question_was_read_is_listed_by_its_target(traces: TraceStore) -> None:
    with pytest.raises(MlflowException):
        scripted(on_open=SessionForbidden("This session belongs to another user.")).predict(body("Is it tr0ub4dor?"))

    [trace] = traces.all()
    assert trace.info.request_preview == "A question about Pod shop/api-1 of Application argocd/checkout"
    assert trace.info.response_preview == "Not answered: This session belongs to another user."
    assert trace.data.spans[0].inputs["target"]["resource"]["name"] == "api-1"
    assert "tr0ub4dor" not in traces.everything()


def test_the_list_of_traces_shows_question_and_answer_in_words(traces: TraceStore) -> None:
    tool = (ToolCall(call_id="c", name="get_pods", arguments="{}"), ToolResult(call_id="c", output="one"))
    scripted("Let me look. ", *tool, "## Root cause\n\nContainer api is **OOMKilled**.").predict(body())

    [trace] = traces.all()
    assert trace.info.request_preview == "Why does it restart?"
    assert trace.info.response_preview == "Root cause. Container api is OOMKilled."


def test_the_inputs_of_a_trace_hold_no_empty_value(traces: TraceStore) -> None:
    scripted().predict({"input": [{"role": "user", "content": "Why?"}], "custom_inputs": {"manifest": POD}})

    [trace] = traces.all()
    assert set(trace.data.spans[0].inputs) == {"input", "target"}


def test_a_stream_that_is_left_keeps_its_trace_with_the_partial_text(traces: TraceStore) -> None:
    agent = scripted(*["word "] * 1_000, pause=0.001)
    stream = agent.predict_stream(body())
    for event in stream:
        if event.type == "response.output_text.delta":
            break
    stream.close()

    [trace] = traces.all()
    assert trace.info.tags["assistant.cancelled"] == "true"
    root = next(span for span in trace.data.spans if span.name == "predict_stream")
    assert root.outputs["output"][-1]["content"][0]["text"].startswith("word ")
    assert root.outputs["output"][-1]["status"] == "incomplete"
    assert str(trace.info.response_preview).startswith("The client left before the end of the answer. word")
    assert agent.provider.open_streams == 0


def test_no_event_of_a_stream_is_recorded_apart(traces: TraceStore) -> None:
    list(scripted().predict_stream(body()))

    [trace] = traces.all()
    assert [event for span in trace.data.spans for event in span.events] == []


@pytest.mark.parametrize("seconds", [0.0, 60.0], ids=["while it streams", "at its end"])
def test_a_turn_has_one_trace_whenever_its_root_is_made(
    traces: TraceStore, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(tracing, "_WHILE_IT_STREAMS", seconds)
    events = list(scripted(*["word "] * 20, pause=0.001).predict_stream(body()))

    [trace] = traces.all()
    outputs = events[-1].model_dump()["custom_outputs"]
    assert trace.info.trace_id == outputs["trace_id"]
    assert [span.name for span in trace.data.spans if span.parent_id is None] == ["predict_stream"]


def test_a_secret_of_manifest_or_question_is_in_no_table_of_the_store(traces: TraceStore) -> None:
    scripted("The password tr0ub4dor-and-3 is wrong.").predict(body("Is tr0ub4dor-and-3 wrong?"))

    stored = traces.everything()
    assert "CrashLoopBackOff" in stored
    assert "tr0ub4dor" not in stored


def test_the_asynchronous_face_serves_many_turns_on_one_loop(traces: TraceStore) -> None:
    agent = scripted()

    async def ask() -> list[dict[str, Any]]:
        return await asyncio.gather(*(agent.respond(body(f"Question {n}")) for n in range(20)))

    answers = asyncio.run(ask())

    assert len({answer["custom_outputs"]["trace_id"] for answer in answers}) == 20
    assert {answer["output"][0]["content"][0]["text"] for answer in answers} == {"It ran out of memory."}
