"""The manifests of a file as they come: JSON lines one by one, a YAML or JSON file as one whole.

Reads files and standard input. A file of JSON lines is never in memory as a whole.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from agent.cli.files import objects_in
from agent.errors import RequestError
from agent.objects.manifest import Manifest, lookup, object_at, text_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Manifests that are judged together, each with its id (that of its line, or kind/namespace/name)."""

    ids: tuple[str, ...]
    manifests: tuple[Manifest, ...]


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_files(names: Iterable[str]) -> None:
    """Raises RequestError for the first file that cannot be opened, before any other is read."""
    given = [*names]
    if given.count("-") > 1:
        raise RequestError.at("-", "standard input can be read once")
    for name in given:
        if name != "-":
            _open(name).close()


def batches(name: str) -> Iterator[Batch]:
    """The manifests of a file, `-` for standard input. Raises RequestError naming the file, and the line."""
    where = "standard input" if name == "-" else name
    with ExitStack() as stack:
        file = sys.stdin.buffer if name == "-" else stack.enter_context(_open(name))
        try:
            yield from _batches(file, where)
        except OSError as error:
            raise RequestError.at(where, f"cannot be read: {error.strerror or type(error).__name__}") from None


def _open(name: str) -> BinaryIO:
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - the caller closes it
        if Path(name).is_dir():
            raise IsADirectoryError(0, "is a directory")
    except OSError as error:
        raise RequestError.at(name, f"cannot be read: {error.strerror or type(error).__name__}") from None
    return file


def _batches(file: BinaryIO, where: str) -> Iterator[Batch]:
    lines = enumerate(chain([file.readline().removeprefix(_BYTE_ORDER_MARK)], file), start=1)
    head: list[tuple[int, bytes]] = []
    for numbered in lines:
        head.append(numbered)
        if sum(bool(line.strip()) for _, line in head) == 2:
            break
    if _are_json_lines([line.strip() for _, line in head if line.strip()]):
        for number, line in chain(head, lines):
            if line.strip():
                yield _of_line(line, f"{where} line {number}")
        return
    manifests = objects_in(b"".join(line for _, line in chain(head, lines)), where=where)
    yield Batch(ids=tuple(map(identity, manifests)), manifests=tuple(manifests))


def _are_json_lines(first: list[bytes]) -> bool:
    """Whether a file whose first two lines with text are these holds an object a line, and not one object or YAML."""
    if not first or not first[0].startswith(b"{"):
        return False
    if len(first) == 2 and first[1].startswith(b"{"):
        return first[0] != b"{"
    try:
        value: object = json.loads(first[0])
    except (ValueError, RecursionError):
        return False
    return first[1] != b"---" if len(first) == 2 else "manifest" in object_at(value) and not lookup(value, "kind")


def _of_line(line: bytes, where: str) -> Batch:
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise RequestError.at(where, f"invalid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise RequestError.at(where, f"invalid JSON at column {error.pos + 1}") from None
    except (ValueError, RecursionError):
        raise RequestError.at(where, "is nested too deeply, or holds a number of too many digits") from None
    if not isinstance(value, dict):
        raise RequestError.at(where, "must be an object, with the Kubernetes object under `manifest` or by itself")
    entry = cast("Manifest", value)
    is_wrapped = "manifest" in entry and "kind" not in entry
    manifest: object = entry["manifest"] if is_wrapped else entry
    if not isinstance(manifest, dict):
        raise RequestError.at(where, "`manifest` must be an object")
    found = cast("Manifest", manifest)
    return Batch(ids=((text_at(entry, "id") if is_wrapped else "") or identity(found),), manifests=(found,))


def identity(manifest: Manifest) -> str:
    """kind/namespace/name; what is unknown is left out."""
    parts = (text_at(manifest, "kind"), *(text_at(manifest, "metadata", key) for key in ("namespace", "name")))
    return "/".join(filter(None, parts)) or "(no kind)"
