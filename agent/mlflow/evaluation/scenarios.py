"""Scenarios as folders: the API objects about a target, and the answer that is expected.

Owns the files of a folder and how they become the body of a request.

    <family>-<name>/
      expected.yaml                       the question, the target, the cause, its evidence (see `Expectation`)
      <part>.yaml                         each part of the context as the API gives it, all optional: application.yaml,
                                          manifest.yaml, children.yaml, tree.yaml, events.yaml ...
      logs/<container>.log                text as `kubectl logs --timestamps` prints it, or Argo CD's stream of entries
      logs/<container>.previous.log       the same of the container's previous run

In place of the parts there may be one file:

      request.yaml                        the body of a request
      pasted.txt                          what somebody pastes as the question

A folder may hold sets of scenarios instead, a folder each.
"""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast

import ryaml
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.context.parts import LOGS, PARTS
from agent.errors import RequestError, complaint
from agent.objects.manifest import text_at
from agent.objects.times import as_of
from agent.request.question import Question
from agent.turn.parse import parse_question

EXPECTED = "expected.yaml"
_REQUEST = "request.yaml"
_PASTED = "pasted.txt"
# Where the wheel has them (pyproject.toml). It holds no code.
_INSTALLED = "argocd_assistant_scenarios"
_PREVIOUS = ".previous"

# The files of a folder and the keys of `custom_inputs` they become.
_PARTS = {f"{part.name}.yaml": part.supplied.key for part in PARTS if part.supplied and part is not LOGS}

_SOURCES = frozenset(part.evidence for part in PARTS)


def _source(value: str) -> str:
    if value not in _SOURCES:
        raise ValueError(f"must be one of {', '.join(sorted(_SOURCES))}")
    return value


type _EvidenceSource = Annotated[str, AfterValidator(_source)]
"""What a quotation may be from (`Part.evidence`)."""

type Term = Annotated[str, Field(min_length=1)]
"""The beginning of a word or words, looked for without regard to case; ` | ` separates spellings of which one is
enough."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(_Strict):
    """The root cause: the resource (`Kind/name`, spellings as in a Term; None: any) and the terms that all must
    appear."""

    resource: Term | None = None
    says: Annotated[list[Term], Field(min_length=1)]


class Quotation(_Strict):
    """A text that must be quoted, and from where: a source, or several of which each would do."""

    source: _EvidenceSource | Annotated[list[_EvidenceSource], Field(min_length=1)]
    text: Term

    @property
    def sources(self) -> list[str]:
        return self.source if isinstance(self.source, list) else [self.source]


class Expectation(_Strict):
    """The expected answer. `healthy` means that nothing may be found but information, and then there is no cause.

    `fix` are terms that all must be in the steps of the first finding; `forbidden` are conclusions that must appear
    nowhere. A case of others has its `source`, a URL. `as_of` is when it was read, unset: now. For the reader: `why` it
    is so, and what may mislead here (`red_herring`).
    """

    family: str
    question: str = ""
    target: dict[str, Any] = {}
    source: str = ""
    as_of: AwareDatetime | None = None
    why: str = ""
    healthy: bool = False
    cause: Cause | None = None
    fix: list[Term] = []
    evidence: list[Quotation] = []
    forbidden: list[Term] = []
    red_herring: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> "Expectation":
        if self.healthy == (self.cause is not None):
            raise ValueError("must have either healthy: true or a cause")
        if self.cause and not (self.evidence or self.source):
            raise ValueError("must name the evidence of its cause, or the source of the case")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A target with the question about it. `body` is a request as `/invocations` takes it; `set` is the set that it
    belongs to, "" for a folder without sets."""

    name: str
    body: dict[str, Any]
    expected: Expectation
    set: str = ""

    @property
    def question(self) -> str:
        """The text of the question."""
        return text_at(self.body, "input", -1, "content")

    @property
    def parsed(self) -> Question:
        """The body as the assistant reads it."""
        with self.at_its_time():
            return parse_question(self.body)

    @contextmanager
    def at_its_time(self) -> Generator[None]:
        """Ask at the time of the case."""
        with as_of(self.expected.as_of):
            yield


SETS = {
    "own": "written by us, with the rules",
    "reports": "of others; rules were mended by them",
    "untouched": "of others; no rule was mended by them",
}
"""The sets of scenarios that come with the project, and whose cases they are."""


def shipped_scenarios() -> Path:
    """Return the folder of the sets of scenarios that come with the project: `tests/scenarios` of a checkout, which the
    wheel installs beside the package."""
    checkout = Path(__file__).parents[3] / "tests" / "scenarios"
    installed = find_spec(_INSTALLED)
    if checkout.is_dir() or installed is None:
        return checkout
    return Path(next(iter(installed.submodule_search_locations or ())))


def load_scenarios(folder: Path, only: str = "*", *, of_set: str | None = None) -> tuple[Scenario, ...]:
    """The scenarios of `folder` and of the sets in it, or of one set, whose name matches the pattern `only`; by set and
    name.

    Raises RequestError where there are none, or where one cannot be read.
    """
    if not folder.is_dir():
        raise RequestError.at(
            str(folder), "there is no such folder. Name none to ask the scenarios that come with the project"
        )
    sets = sorted({path.parents[1] for path in folder.glob(f"*/*/{EXPECTED}")}, key=_order_of_set)
    if of_set is not None and of_set not in {each.name for each in sets}:
        there = f"there are {', '.join(each.name for each in sets)}" if sets else f"{folder} holds no sets"
        raise RequestError.at(f"--set {of_set}", there)
    names = [] if of_set is not None else sorted(path.parent for path in folder.glob(f"*/{EXPECTED}"))
    for each in sets:
        if of_set in (None, each.name):
            names += sorted(path.parent for path in each.glob(f"*/{EXPECTED}"))
    pattern = only if any(sign in only for sign in "*?[") else f"*{only}*"
    found = tuple(
        replace(load_scenario(path), set="" if path.parent == folder else path.parent.name)
        for path in names
        if fnmatch(path.name, pattern)
    )
    _check_names(folder, found)
    if not found:
        there = f"none of its {len(names)} scenarios matches {only!r}" if names else f"no folder in it has {EXPECTED}"
        raise RequestError.at(str(folder), there)
    return found


def _order_of_set(folder: Path) -> tuple[int, str]:
    return (list(SETS).index(folder.name) if folder.name in SETS else len(SETS), folder.name)


def _check_names(folder: Path, scenarios: tuple[Scenario, ...]) -> None:
    seen: dict[str, str] = {}
    for each in scenarios:
        if each.name in seen:
            raise RequestError.at(str(folder), f"{each.name} is in the sets {seen[each.name]} and {each.set}")
        seen[each.name] = each.set


def load_scenario(folder: Path) -> Scenario:
    """The scenario of one folder. Raises RequestError naming the file that is wrong."""
    whole = next((name for name in (_REQUEST, _PASTED) if (folder / name).exists()), None)
    for path in folder.iterdir():
        if path.name not in ({whole, EXPECTED} if whole else {*_PARTS, EXPECTED, "logs"}):
            there = f"{whole} is the whole of it" if whole else f"there are {', '.join(_PARTS)} and logs/"
            raise RequestError.at(str(path), f"is no part of a scenario; {there}")
    try:
        expected = Expectation.model_validate(_yaml(folder / EXPECTED))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RequestError.at(f"{folder / EXPECTED} {place}".rstrip(), complaint(first)) from None
    scenario = Scenario(name=folder.name, body=_body(folder, whole, expected), expected=expected)
    try:
        _ = scenario.parsed
    except RequestError as error:
        raise RequestError.at(str(folder), error.public_message) from None
    return scenario


def _body(folder: Path, whole: str | None, expected: Expectation) -> dict[str, Any]:
    if bool(expected.question) == (whole is not None):
        there = f"has no place beside {whole}" if whole else "is missing"
        raise RequestError.at(f"{folder / EXPECTED} question", there)
    if whole == _REQUEST:
        body = _yaml(folder / _REQUEST)
        if not isinstance(body, dict):
            raise RequestError.at(str(folder / _REQUEST), "must be the body of a request (input, custom_inputs)")
        return cast("dict[str, Any]", body)
    inputs: dict[str, Any] = {
        key: _yaml(folder / name) for name, key in _PARTS.items() if (folder / name).exists()
    } | expected.target
    inputs |= _logs(folder / "logs")
    text = (folder / _PASTED).read_text("utf-8") if whole else expected.question
    return {"input": [{"role": "user", "content": text}], "custom_inputs": inputs}


def content_hash(folder: Path, scenarios: tuple[Scenario, ...]) -> str:
    """Twelve digits that change with any file of the scenarios: two runs of one hash were asked the same."""
    digest = hashlib.sha256()
    for scenario in scenarios:
        for path in sorted((folder / scenario.set / scenario.name).rglob("*")):
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


def terms_in(term: str) -> Iterator[str]:
    """The spellings of a Term, in lower case."""
    return (spelling.strip().lower() for spelling in term.split(" | "))
