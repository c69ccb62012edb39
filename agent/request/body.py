"""The body of a request as a JSON object. Owns its decoding."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from agent.errors import RequestError

_LONGEST_NUMBER = 80


def decode_body(raw: bytes) -> Mapping[str, Any]:
    """The JSON object of a request's body.

    Raises RequestError for invalid UTF-8, invalid JSON, NaN and infinite numbers, and anything that is not an object.
    """
    try:
        body: object = json.loads(raw.decode("utf-8"), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise RequestError.at("body", f"invalid UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise RequestError.at("body", "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise RequestError.at("body", f"invalid JSON at line {error.lineno} column {error.colno}") from None
    except ValueError:  # an integer beyond Python's limit of digits
        raise RequestError.at("body", "holds a number of too many digits") from None
    if not isinstance(body, dict):
        raise RequestError.at("body", "must be a JSON object with `input`")
    return cast("dict[str, Any]", body)


def _no_number(name: str) -> NoReturn:
    raise RequestError.at("body", f"invalid JSON: {name} is no JSON number")


def _finite(text: str) -> float:
    if math.isfinite(value := float(text)):
        return value
    raise RequestError.at("body", f"holds a number that is too large: {text[:_LONGEST_NUMBER]}")
