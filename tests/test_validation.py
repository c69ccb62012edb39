"""What pydantic finds wrong is told in plain words."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError, field_validator

from agent.errors import complaint


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    text: str = Field(default="x", min_length=1, max_length=10_000)
    flag: StrictBool = False
    lax_flag: bool = False
    count: StrictInt = Field(default=1, ge=1, le=20_000)
    lax_count: int = 0
    share: float = Field(default=0.5, gt=0.25)
    colour: Literal["red", "blue"] = "red"
    names: list[str] = []
    data: dict[str, int] = {}
    below: "Everything | None" = None

    @field_validator("text")
    @classmethod
    def _not_bad(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("must not be bad")
        return value


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("text", 5, "must be text"),
        ("text", "", "must not be empty"),
        ("text", "x" * 10_001, "must have at most 10000 characters"),
        ("text", "bad", "must not be bad"),
        ("flag", "true", "must be true or false"),
        ("lax_flag", "maybe", "must be true or false"),
        ("count", "1", "must be a whole number"),
        ("count", 0, "must be at least 1"),
        ("count", 20_001, "must be at most 20,000"),
        ("lax_count", 1.5, "must be a whole number"),
        ("lax_count", "one", "must be a whole number"),
        ("lax_count", "9" * 5_000, "must be a whole number"),
        ("share", [], "must be a number"),
        ("share", "half", "must be a number"),
        ("share", float("nan"), "must be a number"),
        ("share", 0.25, "must be greater than 0.25"),
        ("colour", "green", "must be one of 'red' or 'blue'"),
        ("names", {}, "must be a list"),
        ("data", [], "must be an object"),
        ("data", {5: 1}, "must be text"),
        ("below", 5, "must be an object"),
        ("below", {"x": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_complaint_says_what_would_be_right(field: str, value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate({field: value})

    assert complaint(caught.value.errors()[0]) == words


def test_a_missing_field_is_required() -> None:
    class Needy(BaseModel):
        name: str

    with pytest.raises(ValidationError) as caught:
        Needy.model_validate({})

    assert complaint(caught.value.errors()[0]) == "is required"
