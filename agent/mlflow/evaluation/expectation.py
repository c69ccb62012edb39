"""What a right answer to a scenario says: the fields of `expected.yaml`. How an answer is judged is in `verdicts`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from agent.context.parts import PARTS

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


def terms_in(term: str) -> Iterator[str]:
    """The spellings of a Term, in lower case."""
    return (spelling.strip().lower() for spelling in term.split(" | "))


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(_Strict):
    """The root cause: the terms that all must appear, and the resource (`Kind/name`, spellings as in a Term) where only
    one can be meant."""

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
    """The expected answer. `healthy` means that nothing may be found, and then there is no cause.

    `fix` are terms that all must be in the next steps of the cause; `forbidden` are conclusions that must appear
    nowhere. `question` and `target` are of a folder without request.yaml, which holds both, and `question` of one
    without pasted.txt, which is the question. `as_of` is when everything in the folder was read (unset: now), `source`
    the address of the report that a case is made of. `why` and `red_herring` tell the reader what shows the cause, and
    what may mislead.
    """

    family: str
    question: str = ""
    target: dict[str, Any] = {}
    source: str = ""
    as_of: AwareDatetime | None = None
    why: str = ""
    healthy: bool = False
    cause: Cause | None = None
    evidence: list[Quotation] = []
    fix: list[Term] = []
    forbidden: list[Term] = []
    red_herring: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> "Expectation":
        if self.healthy == (self.cause is not None):
            raise ValueError("must have either healthy: true or a cause")
        if self.cause and not (self.evidence or self.source or self.why):
            raise ValueError("must name the evidence of its cause, or say why it is the cause")
        if self.fix and not self.cause:
            raise ValueError("must have a cause where it has a fix")
        return self

    def inputs(self) -> dict[str, Any]:
        """What it adds to the `custom_inputs` of the request."""
        return self.target | ({"read_at": _written(self.as_of)} if self.as_of else {})


def _written(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
