"""The request: the body of `/invocations` parsed into a Question. Raises RequestError naming the field.

Shapes are the caller's (see docs/request.md); what leaves here is checked and needs no second look. Which parts of the
context may be supplied, and in which shape, is declared with the parts and given here as `SuppliedKey`s.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Protocol, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    create_model,
)
from pydantic_core import ErrorDetails

from agent.errors import RequestError, complaint
from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ApplicationRef, ResourceRef, Target
from agent.objects.times import moment
from agent.request.caller import ANONYMOUS, Caller
from agent.request.conversation import Message, parse_conversation
from agent.request.keys import check_context_keys, check_keys
from agent.request.sampling import AS_SERVED, Sampling, parse_sampling

# Deeper than any manifest (schemas inside a CustomResourceDefinition reach about 60), and shallow enough to be walked.
_DEEPEST = 150
_LONGEST_KEY = 80


class SuppliedKey(Protocol):
    """A key of `custom_inputs` under which a part of the context is supplied: the type that pydantic checks, and what
    is expected where the shape is wrong, by the path below the key (`*` for any index or name). `tag_at` is the place
    in pydantic's own path that holds the tag of a union and no key."""

    @property
    def key(self) -> str: ...

    @property
    def schema(self) -> Any: ...

    @property
    def expected(self) -> Mapping[tuple[str, ...], str]: ...

    @property
    def tag_at(self) -> int | None: ...


def _application(value: object) -> object:
    """`"namespace/name"` or `"name"` as the object form."""
    if not isinstance(value, str):
        return value
    match value.strip().split("/"):
        case [name] if name:
            return {"name": name}
        case [namespace, name] if namespace and name:
            return {"namespace": namespace, "name": name}
        case _:
            raise ValueError(_EXPECTED["application",])


def _time(value: object) -> object:
    """An RFC 3339 time; without a zone it is UTC."""
    if isinstance(value, str) and (time := moment(value)):
        return time
    raise ValueError(_EXPECTED["read_at",])


class LogRequest(BaseModel):
    """Which log to read. `container` None: chosen by need; `tail_lines` None: all that is read of it,
    distilled."""

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


def _session_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:~-]+", value):
        raise ValueError("must be the session_id of an earlier answer: letters, digits and any of . _ : ~ -")
    return value


class CustomInputs(BaseModel):
    """`custom_inputs`: what the question is about, and how it is to be answered. The parts of the context that a caller
    may supply come as further fields (see `custom_inputs_model`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    application: Annotated[ApplicationRef, BeforeValidator(_application)] | None = None
    resource: ResourceRef | None = None
    log_request: LogRequest | None = None
    refresh: StrictBool = False
    read_at: Annotated[datetime, BeforeValidator(_time)] | None = None
    session_id: Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_session_id)] | None = None


@lru_cache(maxsize=16)
def custom_inputs_model(keys: tuple[SuppliedKey, ...]) -> type[CustomInputs]:
    """The model of `custom_inputs` with the parts that may be supplied under `keys`."""
    fields: dict[str, Any] = {each.key: (each.schema | None, None) for each in keys}
    return create_model("CustomInputs", __base__=CustomInputs, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A parsed request. `text` is the last user message, `history` the messages before it, oldest first; `supplied`
    holds the parts of the context that the caller supplied, by their keys (an empty list: there is none); `pasted` is
    what the last message holds beside its own words, with marks in its place in `text`; `refresh` asks for what is
    cached to be read anew; `read_at` is when what is supplied was read, None: now."""

    text: str
    pasted: Mapping[str, Any] = field(default_factory=dict[str, Any])
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()
    target: Target = field(default_factory=Target)
    supplied: Mapping[str, Any] = field(default_factory=dict[str, Any])
    log_request: LogRequest = field(default_factory=LogRequest)
    refresh: bool = False
    read_at: datetime | None = None
    session_id: str | None = None
    conversation_id: str | None = None
    caller: Caller = ANONYMOUS
    sampling: Sampling = AS_SERVED


def parse_question(
    body: Mapping[str, Any], *, supplied_keys: tuple[SuppliedKey, ...], tail_lines_max: int = 250
) -> Question:
    """The question of a request body (`{"input": [...], "context": {...}, "custom_inputs": {...}}`).

    Raises RequestError with the dotted path of the field that is wrong and what would be right.
    """
    model = custom_inputs_model(supplied_keys)
    check_keys(body, custom_inputs=model.model_fields)
    *history, question = parse_conversation(body.get("input"))
    inputs = _custom_inputs(body.get("custom_inputs"), model, supplied_keys, tail_lines_max)
    values = ((each.key, getattr(inputs, each.key)) for each in supplied_keys)
    supplied = {key: value for key, value in values if value is not None}
    context = _object(body.get("context"), "context")
    check_context_keys(context)
    return Question(
        text=question.text,
        history=tuple(history),
        target=_target(inputs, supplied),
        supplied=supplied,
        log_request=_log_request(inputs.log_request, tail_lines_max),
        refresh=inputs.refresh,
        read_at=inputs.read_at,
        session_id=inputs.session_id,
        conversation_id=_identifier(context.get("conversation_id"), "context.conversation_id"),
        caller=Caller.claimed(_identifier(context.get("user_id"), "context.user_id")),
        sampling=parse_sampling(body),
    )


def with_pasted(
    question: Question,
    parts: Mapping[str, Any],
    *,
    text: str,
    notes: tuple[str, ...],
    supplied_keys: tuple[SuppliedKey, ...],
) -> Question:
    """The question with the parts that its text holds, by their keys, checked like those that are supplied; `text` is
    what is left of it. Where any part cannot be used, or was supplied too, the question stays as it was written."""
    model = custom_inputs_model(supplied_keys)
    known = all(key in model.model_fields and key not in question.supplied for key in parts)
    if not known or any(_is_deeper(value, _DEEPEST) for value in parts.values()):
        return question
    try:
        checked = model.model_validate(parts)
        values = {key: getattr(checked, key) for key in parts}
        target = _target(CustomInputs(), values)
    except (ValidationError, RequestError):
        return question
    return replace(question, text=text, pasted=values, notes=notes, target=question.target or target)


def _object(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RequestError.at(where, "must be an object")
    return cast("Mapping[str, Any]", value)


def _identifier(value: object, where: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 512:
        raise RequestError.at(where, "must be text of at most 512 characters")
    return value or None


def _custom_inputs(
    value: object, model: type[CustomInputs], keys: tuple[SuppliedKey, ...], tail_lines_max: int
) -> CustomInputs:
    inputs = _object(value, "custom_inputs")
    for key, part in inputs.items():
        if _is_deeper(part, _DEEPEST):
            raise RequestError.at(_dotted([key]), f"must not be nested more than {_DEEPEST} levels deep")
    try:
        return model.model_validate(inputs)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = list(first["loc"])
        supplied = next((each for each in keys if each.key == location[0]), None)
        if supplied and supplied.tag_at is not None:
            del location[supplied.tag_at : supplied.tag_at + 1]
        text = _expected(first, location, model, supplied, tail_lines_max)
        raise RequestError.at(_dotted(location), text) from None


def _is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists nest deeper than `levels`; level by level, as recursion would be what it guards."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (cast("dict[str, object]", parent).values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _dotted(location: Sequence[str | int]) -> str:
    text = "custom_inputs"
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step[:_LONGEST_KEY]}"
    return text


_EXPECTED: dict[tuple[str, ...], str] = {
    ("application",): 'must be "namespace/name", "name" or an object with name, namespace and project',
    ("resource",): "must be an object with kind and name, and where known group, version, namespace and uid",
    ("read_at",): "must be a time such as 2026-12-01T11:30:00Z",
    ("log_request",): "must be an object with any of container, tail_lines, previous and since_seconds",
    ("log_request", "since_seconds"): "must be a whole number from 1",
}
_WRONG_SHAPES = {"dict_type", "list_type", "model_type", "union_tag_not_found", "int_type", "greater_than_equal"}
_ALLOWED: dict[str, type[BaseModel]] = {
    "application": ApplicationRef,
    "resource": ResourceRef,
    "log_request": LogRequest,
}


def _expected(
    error: ErrorDetails,
    location: Sequence[str | int],
    model: type[CustomInputs],
    supplied: SuppliedKey | None,
    tail_lines_max: int,
) -> str:
    """What would be right at `location`."""
    if error["type"] == "extra_forbidden":
        allowed = _ALLOWED.get(str(location[0]), model) if len(location) > 1 else model
        return f"unknown key; allowed are {', '.join(allowed.model_fields)}"
    if list(location) == ["log_request", "tail_lines"]:
        return _tail_lines(tail_lines_max)
    if error["type"] in _WRONG_SHAPES:
        if supplied and (text := _matching(supplied.expected, location[1:])):
            return text
        if text := _EXPECTED.get(tuple(str(step) for step in location)):
            return text
    return complaint(error)


def _matching(expected: Mapping[tuple[str, ...], str], path: Sequence[str | int]) -> str:
    """The text whose pattern the path has, "" without one."""
    for pattern, text in expected.items():
        if len(pattern) == len(path) and all(step in ("*", key) for step, key in zip(pattern, path, strict=True)):
            return text
    return ""


def _tail_lines(maximum: int) -> str:
    return f"must be a whole number from 1 to {maximum}"


def _log_request(request: LogRequest | None, tail_lines_max: int) -> LogRequest:
    request = request or LogRequest()
    if request.tail_lines is not None and request.tail_lines > tail_lines_max:
        raise RequestError.at("custom_inputs.log_request.tail_lines", _tail_lines(tail_lines_max))
    return request


def _target(inputs: CustomInputs, supplied: Mapping[str, Any]) -> Target:
    """The target as named, else as the supplied manifests name it."""
    application, resource = inputs.application, inputs.resource
    if application is None and (manifest := supplied.get("application_manifest")) is not None:
        application = _named_application(manifest)
    if resource is None and (manifest := supplied.get("manifest")) is not None:
        resource = _named_resource(manifest)
    return Target(application=application, resource=resource)


def _named_application(manifest: Manifest) -> ApplicationRef:
    """The Application that a manifest is. Argo CD's API leaves kind and apiVersion out."""
    where = "custom_inputs.application_manifest"
    if text_at(manifest, "kind") not in ("", "Application"):
        raise RequestError.at(where, "must be an Application; a resource's manifest goes into custom_inputs.manifest")
    if not text_at(manifest, "metadata", "name"):
        raise RequestError.at(where, "must have metadata.name, or name the Application in custom_inputs.application")
    values = {
        "name": text_at(manifest, "metadata", "name"),
        "namespace": text_at(manifest, "metadata", "namespace"),
        "project": text_at(manifest, "spec", "project"),
    }
    return _reference(ApplicationRef, values, where)


def _named_resource(manifest: Manifest) -> ResourceRef:
    where = "custom_inputs.manifest"
    reference = ResourceRef.of(manifest)
    if reference is None:
        raise RequestError.at(where, "must have kind and metadata.name, or name the resource in custom_inputs.resource")
    return _reference(ResourceRef, reference.model_dump(), where)


def _reference[R: BaseModel](model: type[R], values: dict[str, str], where: str) -> R:
    """A reference out of a manifest; it may reach a path of an API, so it is checked like one that is spelled out."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RequestError.at(where, f"its {first['loc'][0]} {complaint(first)}") from None
