"""A survey that can be resumed after an interruption: a file with a line for each Application that was examined.

Owns the form of the file (JSON lines). Its content is redacted, like all that is printed.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from pydantic import TypeAdapter, ValidationError

from agent.errors import RequestError
from agent.turn.triage.examined import Examined

_EXAMINED: TypeAdapter[Examined] = TypeAdapter(Examined)


class Checkpoint:
    """Reads the results of an earlier run and adds those of this one.

    `of` names what is surveyed (server, projects, selector). The last line may be incomplete; its Application is
    examined again.
    """

    def __init__(self, path: Path, *, of: str) -> None:
        self._path = path
        self._of = of
        self._file: TextIO | None = None

    def read(self) -> list[Examined]:
        """Return the results in the file, [] if there is none yet. Raises RequestError for a file of another survey and
        for one that cannot be read."""
        if not self._path.exists():
            return []
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(f"cannot be read ({type(error).__name__})") from None
        if not lines:
            return []
        if _parsed(lines[0]) != {"survey": self._of}:
            raise self._error("is of another survey: name a new file, or remove it")
        return list(self._examined(lines[1:]))

    def note(self, examined: Examined) -> None:
        """Append one result and flush it. Raises RequestError for a file that cannot be written."""
        if self._file is None:
            self._file = self._opened()
        self._file.write(json.dumps(asdict(examined), default=_plain) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> TextIO:
        try:
            is_new = not self._path.exists() or self._path.stat().st_size == 0
            file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise self._error(f"cannot be written ({error.strerror})") from None
        # A line that was broken off must not swallow the next one.
        file.write(json.dumps({"survey": self._of}) + "\n" if is_new else "\n")
        return file

    def _examined(self, lines: list[str]) -> Iterator[Examined]:
        for number, line in enumerate(lines, 2):
            value = _parsed(line)
            if value is None:
                continue  # blank, or broken off by an interruption
            try:
                yield _EXAMINED.validate_python(value)
            except ValidationError:
                raise self._error(f"line {number} is not what a survey notes") from None

    def _error(self, what: str) -> RequestError:
        return RequestError.at(f"--resume {self._path}", what)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    """What asdict leaves: references are pydantic models."""
    return value.model_dump()
