"""A part of the context as a contributor adds one: the team's runbooks, supplied by the caller."""

from collections.abc import Iterable
from typing import Any

from agent.context.context import Part, PartSection, SuppliedAs

type Runbook = dict[str, str]


def _lines(runbooks: tuple[Runbook, ...]) -> Iterable[str]:
    for runbook in runbooks:
        yield f"{runbook['title']}: {runbook['text']}"


RUNBOOKS: Part[Any] = Part(
    name="runbooks",
    title="the runbooks",
    empty=(),
    supplied=SuppliedAs(
        key="runbooks",
        schema=list[dict[str, str]],
        expected={(): "must be a list of runbooks", ("*",): "must be an object with title and text"},
    ),
    texts=_lines,
    section=PartSection(title="Runbooks of the team", share=0.1, lines=_lines),
)
