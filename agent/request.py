"""The request: the body of `/invocations` parsed into a Question. Raises RequestError naming the field; does no I/O.

Shapes are the caller's (see the README's request contract); what leaves here is checked and needs no second look.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from agent.errors import RequestError
from agent.manifest import Manifest
from agent.target import ApplicationRef, ResourceRef, Target

type Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation so far."""

    role: Role
    text: str


def _application(value: object) -> object:
    """`"namespace/name"` or `"name"` as the object form."""
    if not isinstance(value, str):
        return value
    namespace, slash, name = value.strip().partition("/")
    return {"namespace": namespace, "name": name} if slash else {"name": namespace}


class LogRequest(BaseModel):
    """Which log to read. `container` None: chosen by need; `tail_lines` None: the configured maximum."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: StrictStr | None = Field(default=None, max_length=253)
    tail_lines: StrictInt | None = Field(default=None, ge=1)
    previous: StrictBool = False
    since_seconds: StrictInt | None = Field(default=None, ge=1)


class LogEntry(BaseModel):
    """An entry of Argo CD's log stream, `result` unwrapped or not; unknown keys are Argo CD's own and ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    content: StrictStr | None = None
    time_stamp: StrictStr | None = Field(default=None, alias="timeStamp")
    time_stamp_str: StrictStr | None = Field(default=None, alias="timeStampStr")
    pod_name: StrictStr | None = Field(default=None, alias="podName")
    last: StrictBool | None = None


def _entry(value: object) -> object:
    if isinstance(value, dict) and isinstance(result := cast("dict[str, object]", value).get("result"), dict):
        return cast("object", result)
    return value


def _event_list(value: object) -> object:
    """An EventList (`{"items": [...] or null}`) as the list it holds."""
    if isinstance(value, dict):
        body = cast("dict[str, object]", value)
        if "items" not in body:
            raise ValueError("must be a list of events or an EventList with `items`")
        return body["items"] or []
    return value


type SuppliedLog = StrictStr | list[Annotated[LogEntry, BeforeValidator(_entry)]]


class CustomInputs(BaseModel):
    """`custom_inputs`: the target and what the caller already collected with the user's own rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    application: Annotated[ApplicationRef, BeforeValidator(_application)] | None = None
    resource: ResourceRef | None = None
    application_manifest: Manifest | None = None
    manifest: Manifest | None = None
    children: list[Manifest] | None = None
    events: Annotated[list[Manifest], BeforeValidator(_event_list)] | None = None
    logs: dict[str, SuppliedLog] | None = None
    log_request: LogRequest | None = None
    session_id: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9._:~-]+$")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """Context the caller supplied, unread. None: not supplied; empty: supplied, and there is none."""

    application: Manifest | None = None
    manifest: Manifest | None = None
    children: tuple[Manifest, ...] | None = None
    events: tuple[Manifest, ...] | None = None
    logs: Mapping[str, str | tuple[LogEntry, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A parsed request. `text` is the last user message, `history` the messages before it, oldest first."""

    text: str
    history: tuple[Message, ...] = ()
    target: Target = field(default_factory=Target)
    supplied: Supplied = field(default_factory=Supplied)
    log_request: LogRequest = field(default_factory=LogRequest)
    session_id: str | None = None
    conversation_id: str | None = None
    user_id: str | None = None


def parse_question(body: Mapping[str, Any], *, tail_lines_max: int = 250) -> Question:
    """The question of a request body (`{"input": [...], "context": {...}, "custom_inputs": {...}}`).

    Raises RequestError with the dotted path of the field that is wrong and what would be right.
    """
    history = _messages(body.get("input"))
    if not history or history[-1].role != "user":
        raise RequestError("input: the last message must be the user's question", field="input")
    inputs = _custom_inputs(body.get("custom_inputs"), tail_lines_max)
    log_request = _log_request(inputs.log_request, tail_lines_max)
    supplied = _supplied(inputs)
    context = _object(body.get("context"), "context")
    return Question(
        text=history[-1].text,
        history=history[:-1],
        target=_target(inputs, supplied),
        supplied=supplied,
        log_request=log_request,
        session_id=inputs.session_id,
        conversation_id=_identifier(context.get("conversation_id"), "context.conversation_id"),
        user_id=_identifier(context.get("user_id"), "context.user_id"),
    )


def _messages(items: object) -> tuple[Message, ...]:
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    if not isinstance(items, Sequence) or not items:
        raise RequestError("input: must be a list of messages with at least the user's question", field="input")
    messages: list[Message] = []
    for index, item in enumerate(cast("Sequence[object]", items)):
        where = f"input[{index}]"
        entry = _object(item, where)
        if entry.get("type", "message") != "message":
            continue  # earlier tool calls and reasoning say nothing that the assistant's messages do not
        match entry.get("role"):
            case "user" | "assistant" as role:
                text = _content(entry.get("content"), f"{where}.content")
                if text.strip():
                    messages.append(Message(role, text))
                elif index == len(items) - 1:
                    raise RequestError(f"{where}.content: the question is empty", field=f"{where}.content")
            case "system" | "developer":
                raise RequestError(
                    f"{where}.role: 'system' and 'developer' are not accepted; the instructions are the assistant's own",
                    field=f"{where}.role",
                )
            case other:
                raise RequestError(f"{where}.role: {other!r} is not one of 'user', 'assistant'", field=f"{where}.role")
    return tuple(messages)


def _content(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise RequestError(f"{where}: must be text or a list of text parts", field=where)
    parts: list[str] = []
    for index, part in enumerate(cast("Sequence[object]", content)):
        text = _object(part, f"{where}[{index}]").get("text")
        if not isinstance(text, str):
            raise RequestError(f"{where}[{index}]: only text parts are understood", field=f"{where}[{index}]")
        parts.append(text)
    return "".join(parts)


def _object(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RequestError(f"{where}: must be an object", field=where)
    return cast("Mapping[str, Any]", value)


def _identifier(value: object, where: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 512:
        raise RequestError(f"{where}: must be text of at most 512 characters", field=where)
    return value or None


def _custom_inputs(value: object, tail_lines_max: int) -> CustomInputs:
    try:
        return CustomInputs.model_validate(_object(value, "custom_inputs"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _dotted("custom_inputs", first["loc"])
        raise RequestError(
            f"{where}: {_complaint(first['type'], first['msg'], first['loc'], tail_lines_max)}", field=where
        ) from None


def _dotted(root: str, location: Sequence[str | int]) -> str:
    text = root
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not step.startswith(("function-", "str", "list[", "constrained-")):  # pydantic's names of union branches
            text += f".{step}"
    return text


_ALLOWED: dict[str, type[BaseModel]] = {
    "": CustomInputs,
    "application": ApplicationRef,
    "resource": ResourceRef,
    "log_request": LogRequest,
}


def _complaint(kind: str, message: str, location: Sequence[str | int], tail_lines_max: int) -> str:
    if kind == "extra_forbidden":
        parent = str(location[0]) if len(location) > 1 else ""
        model = _ALLOWED.get(parent, CustomInputs)
        return f"unknown key; allowed are {', '.join(model.model_fields)}"
    if location[-1:] == ("tail_lines",):
        return f"must be a whole number from 1 to {tail_lines_max}"
    if kind == "missing":
        return "is required"
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def _log_request(request: LogRequest | None, tail_lines_max: int) -> LogRequest:
    request = request or LogRequest()
    if request.tail_lines is None:
        return request.model_copy(update={"tail_lines": tail_lines_max})
    if request.tail_lines > tail_lines_max:
        where = "custom_inputs.log_request.tail_lines"
        raise RequestError(f"{where}: must be a whole number from 1 to {tail_lines_max}", field=where)
    return request


def _supplied(inputs: CustomInputs) -> Supplied:
    logs = inputs.logs
    return Supplied(
        application=inputs.application_manifest,
        manifest=inputs.manifest,
        children=None if inputs.children is None else tuple(inputs.children),
        events=None if inputs.events is None else tuple(inputs.events),
        logs=None if logs is None else {k: v if isinstance(v, str) else tuple(v) for k, v in logs.items()},
    )


def _target(inputs: CustomInputs, supplied: Supplied) -> Target:
    """The target as named, else as the supplied manifests name it."""
    application = inputs.application
    if application is None and supplied.application is not None:
        reference = ResourceRef.of(supplied.application)
        if reference:
            spec = cast("dict[str, Any]", supplied.application.get("spec") or {})
            project = spec.get("project") if isinstance(spec, dict) else ""  # pyright: ignore[reportUnnecessaryIsInstance]
            application = ApplicationRef.model_construct(
                name=reference.name,
                namespace=reference.namespace,
                project=project if isinstance(project, str) else "",
            )
    resource = inputs.resource
    if resource is None and supplied.manifest is not None:
        resource = ResourceRef.of(supplied.manifest)
        if resource is None:
            raise RequestError(
                "custom_inputs.manifest: must have kind and metadata.name, or name the resource in custom_inputs.resource",
                field="custom_inputs.manifest",
            )
    return Target(application=application, resource=resource)


def decode_body(raw: bytes) -> Mapping[str, Any]:
    """The JSON object of a request's body.

    Raises RequestError for invalid UTF-8, invalid JSON and anything that is no object.
    """
    try:
        body: object = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RequestError(f"body: invalid UTF-8 at byte {error.start}", field="body") from None
    except RecursionError:
        raise RequestError("body: nested too deeply", field="body") from None
    except ValueError as error:
        where = f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its text"
        raise RequestError(f"body: invalid JSON at {where}", field="body") from None
    if not isinstance(body, dict):
        raise RequestError("body: must be a JSON object with `input`", field="body")
    return cast("dict[str, Any]", body)
