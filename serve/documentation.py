"""The OpenAPI description of the routes: the shapes of requests and answers, with examples.

Describes only: requests are parsed by `agent.request.question` and `serve.openai_api`, and tests hold the two together.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from agent.turn.parse import custom_inputs

if TYPE_CHECKING:
    from agent.request.question import CustomInputs as _CustomInputs
else:
    _CustomInputs = custom_inputs()  # with the parts of the context that may be supplied

type JsonObject = dict[str, Any]

_QUESTION = "Why is this Deployment not becoming ready?"
_CUSTOM_INPUTS: JsonObject = {
    "application": {"name": "guestbook", "namespace": "argocd"},
    "resource": {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "guestbook", "name": "api"},
    "log_request": {"container": "api", "tail_lines": 100},
}


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextPart(BaseModel):
    """A part of a message."""

    type: Literal["input_text", "output_text", "text"] = "input_text"
    text: str


class InputMessage(BaseModel):
    """One message of the conversation."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant"]
    content: str | list[TextPart]


class ListedModel(BaseModel):
    """An entry of the list of models."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """The models of the server, in the shape of OpenAI's API."""

    object: Literal["list"]
    data: list[ListedModel]


class ChatContext(BaseModel):
    """Who asks, in which conversation of the caller's."""

    conversation_id: str | None = Field(None, max_length=512)
    user_id: str | None = Field(None, max_length=512)


class InvocationsRequest(BaseModel):
    """The conversation; its last message is the user's question."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"input": [{"role": "user", "content": _QUESTION}], "custom_inputs": _CUSTOM_INPUTS, "stream": True}
            ]
        }
    )

    input: str | list[InputMessage]
    custom_inputs: _CustomInputs | None = None
    context: ChatContext | None = None
    stream: bool = False


class OpenAIRequest(BaseModel):
    """OpenAI's parameters as far as they are taken. Those that only tune a model have no effect; others are refused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "argocd-assistant", "input": _QUESTION, "custom_inputs": _CUSTOM_INPUTS}]
        }
    )

    input: str | list[InputMessage]
    model: str | None = Field(None, description="Echoed; the server's configuration decides who answers.")
    stream: bool | None = None
    conversation: str | JsonObject | None = Field(
        None, description="The `conversation` of an answer, to go on with it."
    )
    user: str | None = None
    safety_identifier: str | None = Field(None, description="The user; goes before `user`.")
    metadata: dict[str, str] | None = Field(None, description="Echoed; `custom_inputs` in it is JSON text.")
    custom_inputs: _CustomInputs | None = None
    context: ChatContext | None = None


class AssistRequest(_Closed):
    """One question."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"query": "What does OutOfSync mean?"}]})

    query: str = Field(min_length=1)


class AssistAnswer(_Closed):
    """The question and its answer, in Markdown."""

    query: str
    answer: str


class TokenUsage(BaseModel):
    """Tokens as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class CustomOutputs(BaseModel):
    """What an answer holds besides its text."""

    session_id: str | None = Field(None, description="Continues the session when sent back in `custom_inputs`.")
    findings: list[JsonObject] = []
    context: JsonObject = Field(
        default_factory=dict, description="Sections with their tokens, what was left out, the gaps."
    )
    provider: JsonObject = Field(default_factory=dict, description="Which provider, wire protocol and model answered.")
    trace_id: str | None = None


class InvocationsAnswer(BaseModel):
    """A response object; `output` holds messages, reasoning, function calls and their outputs."""

    id: str
    object: Literal["response"]
    created_at: float
    status: str
    model: str
    output: list[JsonObject]
    usage: TokenUsage | None = None
    custom_outputs: CustomOutputs | None = None


class OpenAIAnswer(InvocationsAnswer):
    """The same as OpenAI's response object."""

    conversation: JsonObject | None
    error: JsonObject | None
    incomplete_details: JsonObject | None
    metadata: dict[str, str]
    parallel_tool_calls: bool
    tool_choice: str
    tools: list[JsonObject]


class ServerSentEvent(BaseModel):
    """The data of one server-sent event: `response.created`, `response.output_text.delta`, ...,
    `response.completed` or `error`.
    """

    type: str
    sequence_number: int


class Error(BaseModel):
    """What is wrong. `field` is the dotted path of the wrong value in the request."""

    error_code: str
    message: str
    field: str | None = None


class OpenAIErrorBody(BaseModel):
    """What is wrong; `param` names the parameter."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(BaseModel):
    """An error in the shape of OpenAI's."""

    error: OpenAIErrorBody


class Alive(_Closed):
    """The process runs."""

    status: Literal["alive"]


class PartReady(BaseModel):
    """Whether a part is ready, and why not; facts about it where it is."""

    model_config = ConfigDict(extra="allow")

    ready: bool
    error_code: str | None = None
    message: str | None = None


class ReadyReport(_Closed):
    """Whether every part is ready."""

    ready: bool
    parts: dict[str, PartReady]


class Versions(BaseModel):
    """Versions by name."""

    model_config = ConfigDict(extra="allow")

    python: str
    mlflow: str


_STATUSES = {
    400: "The request is wrong; the message names the field.",
    403: "The session belongs to another user.",
    404: "There is no such session.",
    409: "A turn is running in the session.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    429: "The provider refuses more requests for now.",
    500: "Something unexpected failed.",
    502: "The provider failed.",
    503: "The provider is not reachable, or the server is stopping.",
    504: "The provider took too long.",
}


def _errors(model: type[BaseModel]) -> dict[int | str, JsonObject]:
    return {status: {"model": model, "description": text} for status, text in _STATUSES.items()}


def _asks(request: type[BaseModel], answer: type[BaseModel], error: type[BaseModel], *, streams: bool) -> JsonObject:
    """The keywords of a route that takes `request`."""
    ok: JsonObject = {"model": answer, "description": "The answer."}
    if streams:
        ok["content"] = {"text/event-stream": {"schema": {"$ref": _reference(ServerSentEvent)}}}
        ok["description"] = "The answer, or with `stream` its events."
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": _reference(request)}}}}
    return {
        "tags": ["Questions"],
        "openapi_extra": {"requestBody": body},
        "responses": {200: ok} | _errors(error),
    }


def _reference(model: type[BaseModel]) -> str:
    return f"#/components/schemas/{model.__name__}"


def _probe(answer: type[BaseModel]) -> JsonObject:
    return {"tags": ["Probes"], "responses": {200: {"model": answer}}}


INVOCATIONS = _asks(InvocationsRequest, InvocationsAnswer, Error, streams=True)
RESPONSES = _asks(OpenAIRequest, OpenAIAnswer, OpenAIError, streams=True)
ASSIST = _asks(AssistRequest, AssistAnswer, Error, streams=False)
ALIVE = _probe(Alive)
MODELS: JsonObject = {"tags": ["Questions"], "responses": {200: {"model": ModelList}}}
VERSION = _probe(Versions)
READY = _probe(ReadyReport)
READY["responses"][503] = {"model": ReadyReport, "description": "Some part is not ready."}


def described(app: FastAPI) -> Callable[[], JsonObject]:
    """`app.openapi` with the requests' schemas in it, which FastAPI leaves out where it does not parse the body."""
    plain = app.openapi

    def openapi() -> JsonObject:
        schema = plain()
        schemas: JsonObject = schema["components"]["schemas"]
        if InvocationsRequest.__name__ not in schemas:
            schemas |= _request_schemas()
        return schema

    return openapi


def _request_schemas() -> JsonObject:
    models = (InvocationsRequest, OpenAIRequest, AssistRequest, ServerSentEvent)
    _, described = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: JsonObject = described["$defs"]
    # Where the parser takes a second spelling, which pydantic's schema does not know of.
    inputs: JsonObject = schemas[_CustomInputs.__name__]["properties"]
    inputs["application"]["anyOf"].append({"type": "string", "description": "`namespace/name`"})
    event_list: JsonObject = {
        "type": "object",
        "properties": {"items": {"type": ["array", "null"], "items": {"type": "object"}}},
        "required": ["items"],
        "description": "a Kubernetes EventList",
    }
    inputs["events"]["anyOf"].append(event_list)
    return schemas
