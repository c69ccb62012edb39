"""The request: the body of `/invocations` parsed into a Question. Raises RequestError naming the field.

Shapes are the caller's (see the README's request contract); what leaves here is checked and needs no second look.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    ValidationError,
)
from pydantic_core import ErrorDetails

from agent.errors import RequestError, complaint
from agent.objects.manifest import Manifest, object_at, text_at
from agent.objects.target import ApplicationRef, ResourceRef, Target
from agent.request.body import decode_body
from agent.request.conversation import Message, Role, parse_conversation
from agent.request.keys import check_context_keys, check_keys

__all__ = [
    "CustomInputs",
    "LogEntry",
    "LogRequest",
    "Message",
    "Question",
    "Role",
    "Supplied",
    "decode_body",
    "parse_question",
]

# Deeper than any manifest (schemas inside a CustomResourceDefinition reach about 60), and shallow enough to be walked.
_DEEPEST = 150
_LONGEST_KEY = 80


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
            raise ValueError(_RIGHT["application",])


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


def _entry(value: object) -> object:
    return object_at(value, "result") or value


def _event_list(value: object) -> object:
    """An EventList (`{"items": [...] or null}`) as the list it holds."""
    if isinstance(value, dict):
        body = cast("dict[str, object]", value)
        if "items" not in body:
            raise ValueError(_RIGHT["events",])
        return [] if body["items"] is None else body["items"]
    return value


def _item_list(value: object) -> object:
    """Argo CD's `{"items": [...]}`, `{}` when there are none, as the list it holds."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value).get("items") or []
    return value


def _session_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:~-]+", value):
        raise ValueError("must be the session_id of an earlier answer: letters, digits and any of . _ : ~ -")
    return value


def _log_form(value: object) -> str | None:
    return "text" if isinstance(value, str) else "entries" if isinstance(value, list) else None


type SuppliedLog = Annotated[
    Annotated[StrictStr, Tag("text")] | Annotated[list[Annotated[LogEntry, BeforeValidator(_entry)]], Tag("entries")],
    Discriminator(_log_form),
]


class CustomInputs(BaseModel):
    """`custom_inputs`: the target and what the caller already collected with the user's own rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    application: Annotated[ApplicationRef, BeforeValidator(_application)] | None = None
    resource: ResourceRef | None = None
    application_manifest: Manifest | None = None
    manifest: Manifest | None = None
    children: list[Manifest] | None = None
    related: list[Manifest] | None = None
    resource_tree: Manifest | None = None
    managed_resources: Annotated[list[Manifest], BeforeValidator(_item_list)] | None = None
    revisions: list[Manifest] | None = None
    sync_windows: Manifest | None = None
    events: Annotated[list[Manifest], BeforeValidator(_event_list)] | None = None
    logs: dict[str, SuppliedLog] | None = None
    log_request: LogRequest | None = None
    refresh: StrictBool = False
    session_id: Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_session_id)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """Context the caller supplied, unread. None: not supplied; empty: supplied, and there is none."""

    application: Manifest | None = None
    manifest: Manifest | None = None
    children: tuple[Manifest, ...] | None = None
    related: tuple[Manifest, ...] | None = None
    resource_tree: Manifest | None = None
    managed_resources: tuple[Manifest, ...] | None = None
    revisions: tuple[Manifest, ...] | None = None
    sync_windows: Manifest | None = None
    events: tuple[Manifest, ...] | None = None
    logs: Mapping[str, str | tuple[LogEntry, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A parsed request. `text` is the last user message, `history` the messages before it, oldest first; `refresh` asks
    for what is cached to be read anew."""

    text: str
    history: tuple[Message, ...] = ()
    target: Target = field(default_factory=Target)
    supplied: Supplied = field(default_factory=Supplied)
    log_request: LogRequest = field(default_factory=LogRequest)
    refresh: bool = False
    session_id: str | None = None
    conversation_id: str | None = None
    user_id: str | None = None


def parse_question(body: Mapping[str, Any], *, tail_lines_max: int = 250) -> Question:
    """The question of a request body (`{"input": [...], "context": {...}, "custom_inputs": {...}}`).

    Raises RequestError with the dotted path of the field that is wrong and what would be right.
    """
    check_keys(body, custom_inputs=CustomInputs.model_fields)
    *history, question = parse_conversation(body.get("input"))
    inputs = _custom_inputs(body.get("custom_inputs"), tail_lines_max)
    context = _object(body.get("context"), "context")
    check_context_keys(context)
    return Question(
        text=question.text,
        history=tuple(history),
        target=_target(inputs),
        supplied=_supplied(inputs),
        log_request=_log_request(inputs.log_request, tail_lines_max),
        refresh=inputs.refresh,
        session_id=inputs.session_id,
        conversation_id=_identifier(context.get("conversation_id"), "context.conversation_id"),
        user_id=_identifier(context.get("user_id"), "context.user_id"),
    )


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


def _custom_inputs(value: object, tail_lines_max: int) -> CustomInputs:
    inputs = _object(value, "custom_inputs")
    for key, part in inputs.items():
        if _is_deeper(part, _DEEPEST):
            raise RequestError.at(_dotted([key]), f"must not be nested more than {_DEEPEST} levels deep")
    try:
        return CustomInputs.model_validate(inputs)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = list(first["loc"])
        if location[0] == "logs":
            del location[2:3]  # the tag of the form, text or entries
        raise RequestError.at(_dotted(location), _right(first, location, tail_lines_max)) from None


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


# What would be right where something of another shape stands; "*" is any index or container.
_RIGHT: dict[tuple[str, ...], str] = {
    ("application",): 'must be "namespace/name", "name" or an object with name, namespace and project',
    ("resource",): "must be an object with kind and name, and where known group, version, namespace and uid",
    ("application_manifest",): "must be an object: the Application as Argo CD gives it",
    ("manifest",): "must be an object: the live manifest",
    ("children",): "must be a list of manifests",
    ("children", "*"): "must be an object: a manifest",
    ("related",): "must be a list of manifests",
    ("related", "*"): "must be an object: a manifest",
    ("resource_tree",): "must be an object with nodes: the resource tree as Argo CD gives it",
    ("managed_resources",): "must be a list of managed resources as Argo CD gives them, or an object with items",
    ("managed_resources", "*"): "must be an object: a managed resource with its states",
    ("revisions",): "must be a list of revision metadata, newest first",
    ("revisions", "*"): "must be an object with revision, author, date and message",
    ("sync_windows",): "must be an object with assignedWindows, activeWindows and canSync",
    ("events",): "must be a list of Kubernetes events or an EventList (an object with items)",
    ("events", "*"): "must be an object: a Kubernetes event",
    ("logs",): "must be an object with a log for each container",
    ("logs", "*"): "must be text or a list of Argo CD log entries",
    ("logs", "*", "*"): 'must be an Argo CD log entry, like {"content": "...", "timeStampStr": "..."}',
    ("log_request",): "must be an object with any of container, tail_lines, previous and since_seconds",
    ("log_request", "since_seconds"): "must be a whole number from 1",
}
_WRONG_SHAPES = {"dict_type", "list_type", "model_type", "union_tag_not_found", "int_type", "greater_than_equal"}
_ALLOWED: dict[str, type[BaseModel]] = {
    "application": ApplicationRef,
    "resource": ResourceRef,
    "log_request": LogRequest,
}


def _right(error: ErrorDetails, location: Sequence[str | int], tail_lines_max: int) -> str:
    """What would be right at `location`."""
    if error["type"] == "extra_forbidden":
        model = _ALLOWED.get(str(location[0]), CustomInputs) if len(location) > 1 else CustomInputs
        return f"unknown key; allowed are {', '.join(model.model_fields)}"
    if location == ["log_request", "tail_lines"]:
        return _tail_lines(tail_lines_max)
    kind = tuple("*" if isinstance(s, int) or (i == 1 and location[0] == "logs") else s for i, s in enumerate(location))
    if error["type"] in _WRONG_SHAPES and kind in _RIGHT:
        return _RIGHT[kind]
    return complaint(error)


def _tail_lines(maximum: int) -> str:
    return f"must be a whole number from 1 to {maximum}"


def _log_request(request: LogRequest | None, tail_lines_max: int) -> LogRequest:
    request = request or LogRequest()
    if request.tail_lines is not None and request.tail_lines > tail_lines_max:
        raise RequestError.at("custom_inputs.log_request.tail_lines", _tail_lines(tail_lines_max))
    return request


def _supplied(inputs: CustomInputs) -> Supplied:
    logs = inputs.logs
    return Supplied(
        application=inputs.application_manifest,
        manifest=inputs.manifest,
        children=_tuple(inputs.children),
        related=_tuple(inputs.related),
        resource_tree=inputs.resource_tree,
        managed_resources=_tuple(inputs.managed_resources),
        revisions=_tuple(inputs.revisions),
        sync_windows=inputs.sync_windows,
        events=_tuple(inputs.events),
        logs=None if logs is None else {k: v if isinstance(v, str) else tuple(v) for k, v in logs.items()},
    )


def _tuple(items: list[Manifest] | None) -> tuple[Manifest, ...] | None:
    return None if items is None else tuple(items)


def _target(inputs: CustomInputs) -> Target:
    """The target as named, else as the supplied manifests name it."""
    application, resource = inputs.application, inputs.resource
    if application is None and inputs.application_manifest is not None:
        application = _named_application(inputs.application_manifest)
    if resource is None and inputs.manifest is not None:
        resource = _named_resource(inputs.manifest)
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
