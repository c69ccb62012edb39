"""How a caller wants the answer sampled: `max_output_tokens`, `temperature` and `top_p` of a request.

The fields and their bounds are those of OpenAI's Responses API
(https://platform.openai.com/docs/api-reference/responses/create), which MLflow's ResponsesAgent takes too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """`max_output_tokens` is the most tokens of the answer, `temperature` 0 to 2, `top_p` 0 to 1; None: not asked."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None

    def named(self, **names: str) -> dict[str, int | float]:
        """The values that are set, as fields of a request; `names` are other names of fields."""
        values = {
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
        }
        return {names.get(key, key): value for key, value in values.items() if value is not None}


AS_SERVED = Sampling()
"""Whatever the model server does by itself."""


def parse_sampling(body: Mapping[str, Any]) -> Sampling:
    """Return the sampling of a request body. Raises RequestError naming the field."""
    return Sampling(
        max_output_tokens=_tokens(body.get("max_output_tokens")),
        temperature=_number(body.get("temperature"), "temperature", 2),
        top_p=_number(body.get("top_p"), "top_p", 1),
    )


def _tokens(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RequestError.at("max_output_tokens", "must be a whole number from 1")
    return value


def _number(value: object, field: str, most: int) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise RequestError.at(field, f"must be a number from 0 to {most}")
    return float(value)
