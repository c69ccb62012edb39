"""The first step of a turn: a request body becomes a Question, with the parts of the context that may be supplied."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from agent.context.context import Part
from agent.context.parts import PARTS
from agent.request import question
from agent.request.pasted.reading import read_pasted
from agent.request.question import CustomInputs, Question, SuppliedKey, custom_inputs_model


def parse_question(
    body: Mapping[str, Any], *, tail_lines_max: int = 250, parts: Sequence[Part[Any]] = PARTS
) -> Question:
    """Return the question of a request body (`{"input": [...], "context": {...}, "custom_inputs": {...}}`).

    Raises RequestError with the dotted path of the field that is wrong and what would be right.
    """
    keys = _keys(parts)
    asked = question.parse_question(body, supplied_keys=keys, tail_lines_max=tail_lines_max)
    pasted = read_pasted(asked.text, asked.read_at or datetime.now(UTC))
    asked = replace(asked, messages=tuple(pasted.messages))
    text, notes = pasted.text or asked.text, tuple(pasted.notes)
    return question.with_pasted(asked, pasted.parts(), text=text, notes=notes, supplied_keys=keys)


def custom_inputs(parts: Sequence[Part[Any]] = PARTS) -> type[CustomInputs]:
    """Return the pydantic model of `custom_inputs`, for documentation."""
    return custom_inputs_model(_keys(parts))


def _keys(parts: Sequence[Part[Any]]) -> tuple[SuppliedKey, ...]:
    return tuple(part.supplied for part in parts if part.supplied)
