"""Scenarios as folders: the API objects about a target, and the answer that is expected.

Owns the files of a folder and how they become the body of a request.

    <family>-<name>/
      expected.yaml                       the question, the target, the cause, its evidence and fix (see `Expectation`)
      <part>.yaml                         each part of the context as the API gives it, all optional: application.yaml,
                                          manifest.yaml, children.yaml, tree.yaml, events.yaml ...
      logs/<container>.log                text as `kubectl logs --timestamps` prints it, or Argo CD's stream of entries
      logs/<container>.previous.log       the same of the container's previous run
      pasted.txt                          in place of the question: what a user pastes
      request.yaml                        in place of all but expected.yaml: the body of the request
"""

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

import ryaml
from pydantic import ValidationError

from agent.context.parts import LOGS, PARTS
from agent.errors import RequestError, complaint
from agent.mlflow.evaluation.expectation import Expectation
from agent.request.conversation import parse_conversation
from agent.request.question import Question
from agent.turn.parse import parse_question

EXPECTED = "expected.yaml"
_REQUEST = "request.yaml"
_PASTED = "pasted.txt"
_LOG_FOLDER = "logs"
_PREVIOUS = ".previous"

# The files of a folder and the keys of `custom_inputs` they become.
_PARTS = {f"{part.name}.yaml": part.supplied.key for part in PARTS if part.supplied and part is not LOGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A target with the question about it. `body` is a request as `/invocations` takes it."""

    name: str
    body: dict[str, Any]
    expected: Expectation

    @property
    def parsed(self) -> Question:
        """The body as the assistant reads it."""
        return parse_question(self.body)

    @property
    def question(self) -> str:
        """The question as it was written, with what is pasted in it."""
        return parse_conversation(self.body["input"])[-1].text


def load_scenarios(folder: Path, only: str = "*") -> tuple[Scenario, ...]:
    """The scenarios of `folder` whose name matches the pattern `only`, by name.

    Raises RequestError where there are none, or where one cannot be read.
    """
    if not folder.is_dir():
        raise RequestError.at(
            str(folder), "there is no such folder. Name none to ask the scenarios that come with the project"
        )
    there = scenario_folders(folder)
    found = tuple(load_scenario(path) for path in there if is_named(path.name, only))
    if not found:
        of = f"none of its {len(there)} scenarios matches {only!r}" if there else f"no folder in it has {EXPECTED}"
        raise RequestError.at(str(folder), of)
    return found


def scenario_folders(folder: Path) -> list[Path]:
    """The folders of the scenarios in `folder`, by name; none where it does not exist."""
    return sorted(path.parent for path in folder.glob(f"*/{EXPECTED}"))


def is_named(name: str, only: str) -> bool:
    """Whether a name holds the text `only`, or matches it where it is a pattern."""
    return fnmatch(name, only if any(sign in only for sign in "*?[") else f"*{only}*")


def load_scenario(folder: Path) -> Scenario:
    """The scenario of one folder. Raises RequestError naming the file that is wrong."""
    for path in folder.iterdir():
        if path.name not in {*_PARTS, EXPECTED, _REQUEST, _PASTED, _LOG_FOLDER}:
            files = ", ".join((_REQUEST, _PASTED, *_PARTS))
            raise RequestError.at(str(path), f"is no part of a scenario; there are {files} and logs/")
    try:
        expected = Expectation.model_validate(_yaml(folder / EXPECTED))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RequestError.at(f"{folder / EXPECTED} {place}".rstrip(), complaint(first)) from None
    body = _whole_request(folder, expected) if (folder / _REQUEST).exists() else _request_of_parts(folder, expected)
    try:
        parse_question(body)
    except RequestError as error:
        raise RequestError.at(str(folder), error.public_message) from None
    return Scenario(name=folder.name, body=body, expected=expected)


def _whole_request(folder: Path, expected: Expectation) -> dict[str, Any]:
    """The body that request.yaml is, as of the time it was read."""
    besides = [path.name for path in folder.iterdir() if path.name not in {EXPECTED, _REQUEST}]
    besides += [key for key in ("question", "target") if getattr(expected, key)]
    if besides:
        raise RequestError.at(str(folder), f"has {_REQUEST}, which holds all of it, and {besides[0]} besides")
    body = _object(_yaml(folder / _REQUEST), folder)
    return body | {"custom_inputs": _object(body.get("custom_inputs") or {}, folder) | expected.inputs()}


def _object(value: object, folder: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RequestError.at(str(folder / _REQUEST), "must be an object with input and custom_inputs")
    return cast("dict[str, Any]", value)


def _request_of_parts(folder: Path, expected: Expectation) -> dict[str, Any]:
    """The body out of a question and the files of the parts."""
    pasted = (folder / _PASTED).read_text("utf-8") if (folder / _PASTED).exists() else ""
    if bool(pasted) == bool(expected.question):
        raise RequestError.at(str(folder), f"must have one question: in {EXPECTED}, {_PASTED} or {_REQUEST}")
    inputs = {key: _yaml(folder / name) for name, key in _PARTS.items() if (folder / name).exists()}
    inputs |= expected.inputs() | _logs(folder / _LOG_FOLDER)
    return {"input": [{"role": "user", "content": pasted or expected.question}], "custom_inputs": inputs}


def content_hash(folder: Path, scenarios: tuple[Scenario, ...]) -> str:
    """Twelve digits that change with any file of the scenarios: two runs of one hash were asked the same."""
    digest = hashlib.sha256()
    for scenario in scenarios:
        for path in sorted((folder / scenario.name).rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _logs(folder: Path) -> dict[str, Any]:
    """The logs by container. A request holds either the current runs or the previous ones."""
    paths = sorted(folder.glob("*.log"))
    if not paths:
        return {}
    previous = [path for path in paths if path.stem.endswith(_PREVIOUS)]
    if previous and len(previous) != len(paths):
        raise RequestError.at(str(folder), "must hold logs of the current runs or of the previous ones, not of both")
    texts = {path.stem.removesuffix(_PREVIOUS): path.read_text("utf-8") for path in paths}
    return {"logs": texts} | ({"log_request": {"previous": True}} if previous else {})


def _yaml(path: Path) -> Any:
    try:
        return ryaml.loads(path.read_text("utf-8"))  # pyright: ignore[reportPrivateImportUsage]
    except FileNotFoundError:
        raise RequestError.at(str(path), "does not exist") from None
    except ValueError as error:
        raise RequestError.at(str(path), f"cannot be read as YAML: {str(error)[:200]}") from None
