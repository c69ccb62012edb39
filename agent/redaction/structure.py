"""Secrets that the structure of an object gives away: the data of a Secret, the value of a variable named
DB_PASSWORD, the argument after `--token`.

Owns the walk over JSON-like values and what Kubernetes' structures mean; `Strings` decides what becomes of a string.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from agent.redaction.names import Naming, Strength, naming
from agent.redaction.values import PLACEHOLDER, decoded, is_masked, looks_secret
from agent.redaction.verdict import Place, is_secret


class Strings(Protocol):
    """What becomes of the strings of an object."""

    def hide(self, value: str, what: str, *, plain: str, trusted: bool) -> str:
        """What stands for `value`, a secret. `plain` is it decoded; `trusted`: its name says so too."""
        ...

    def text(self, text: str) -> str:
        """`text` with its own secrets hidden."""
        ...

    def texts(self, pieces: Sequence[str], joint: str) -> list[str]:
        """The pieces of one text, each with its secrets hidden."""
        ...

    def name(self, name: str) -> None:
        """A name of an object was met."""
        ...


class _Where(NamedTuple):
    """Where a value stands: `name` is the name it is judged by, `data` says how a Secret's data is written there."""

    name: str = ""
    data: str = ""  # "base64" or "plain" within a Secret's data


_NOWHERE = _Where()
_NAMES = frozenset(
    {
        "name",
        "namespace",
        "generateName",
        "kind",
        "image",
        "uid",
        "nodeName",
        "serviceAccountName",
        "serviceAccount",
        "secretName",
        "configMapName",
        "claimName",
        "container",
        "containerName",
        "project",
        "chart",
        "apiVersion",
        "podName",
        "storageClassName",
        "ingressClassName",
    }
)
_VALUES = frozenset({"value", "plaintext", "plain", "literal", "inline", "stringValue", "content", "default"})
_PAIR_NAMES = ("name", "key", "Name", "header", "parameter", "envVar", "property", "field")
_COMMAND_LINES = frozenset({"command", "args", "cmd", "entrypoint", "argv", "arguments", "extraArgs"})
_KEY_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})  # of a JSON web key: what is not public of it
_UNIT = "\x1f"


def redacted(root: object, strings: Strings) -> Any:
    """A copy of a JSON-like value of any depth, its secrets hidden: same keys, same types, same numbers.

    A tuple becomes a list, the one sequence that JSON has.
    """
    result: list[Any] = [None]
    pending: list[tuple[object, Any, Any, _Where]] = [(root, result, 0, _NOWHERE)]
    copies: dict[tuple[int, _Where], Any] = {}  # of containers met before: shared ones (YAML anchors) stay shared
    while pending:
        node, parent, key, where = pending.pop()
        if isinstance(node, str):
            parent[key] = _string(node, where, strings)
        elif isinstance(node, dict | list | tuple):
            identity = (id(cast("object", node)), where)
            if identity not in copies:
                copies[identity], children = _opened(cast("dict[str, object] | list[object]", node), where, strings)
                pending.extend(reversed(children))
            parent[key] = copies[identity]
        elif isinstance(node, bytes) and where.data:
            parent[key] = _string(node.decode("utf-8", "replace"), where._replace(data="plain"), strings)
        else:
            parent[key] = node
    return result[0]


type _Child = tuple[object, Any, Any, _Where]


def _opened(node: Mapping[Any, object] | Sequence[object], where: _Where, strings: Strings) -> tuple[Any, list[_Child]]:
    """An empty copy of a container, and what is to be put into it."""
    if isinstance(node, Mapping):
        return _opened_mapping(node, where, strings)
    copy: list[Any] = [None] * len(node)
    if where.data or not _is_command_line(where.name, node):
        return copy, [(item, copy, index, where) for index, item in enumerate(node)]
    copy[:] = _command_line(cast("Sequence[str]", node), strings)
    return copy, []


def _opened_mapping(node: Mapping[Any, object], where: _Where, strings: Strings) -> tuple[dict[Any, Any], list[_Child]]:
    copy: dict[Any, Any] = dict.fromkeys(node)
    done: frozenset[str] = frozenset()
    command, arguments = node.get("command"), node.get("args")
    if _is_command_line("command", command) and _is_command_line("args", arguments):
        command, arguments = cast("list[str]", command), cast("list[str]", arguments)
        line = _command_line([*command, *arguments], strings)
        copy["command"], copy["args"] = line[: len(command)], line[len(command) :]
        done = frozenset({"command", "args"})
    elif command is None and _is_command_line("args", arguments) and isinstance(image := node.get("image"), str):
        # The image's own command runs; mostly it has the image's name.
        copy["args"] = _command_line([_program(image), *cast("list[str]", arguments)], strings)[1:]
        done = frozenset({"args"})
    is_a_secret = node.get("kind") == "Secret"
    about = where.name if _VALUES.isdisjoint(node) else _subject(node) or where.name
    children: list[_Child] = []
    for key, value in node.items():
        if key in done:
            continue
        if where.data:
            child = _Where(str(key), where.data)
        elif is_a_secret and key in ("data", "stringData"):
            child = _Where(str(key), "base64" if key == "data" else "plain")
        elif key in _KEY_PARTS and "kty" in node:
            child = _Where("private_key")
        elif key in _VALUES and naming(about):
            child = _Where(about)
        else:
            child = _Where(str(key))
        children.append((value, copy, key, child))
    return copy, children


def _subject(node: Mapping[Any, object]) -> str:
    """What the `value` of a pair is named: of an environment variable, a Helm parameter, a header, a JSON patch."""
    path = node.get("path")
    if isinstance(path, str) and "op" in node:
        return path.rpartition("/")[2]
    name = next((name for key in _PAIR_NAMES if isinstance(name := node.get(key), str)), "")
    return "" if PLACEHOLDER.search(name) else name


def _is_command_line(name: str, node: object) -> bool:
    if not isinstance(node, list | tuple) or not node:
        return False
    items = cast("Sequence[object]", node)
    return all(isinstance(item, str) for item in items) and (
        name in _COMMAND_LINES or any(cast("str", item).startswith("-") for item in items)
    )


def _program(image: str) -> str:
    """`mysql` of `registry.example.com/library/mysql:8@sha256:...`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _command_line(items: Sequence[str], strings: Strings) -> list[str]:
    line = list(items)
    for index in range(1, len(line)):
        option, value = items[index - 1], items[index]
        named = naming(option.lstrip("-")) if option.startswith("-") and "=" not in option else None
        if named and not value.startswith("-") and is_secret(value, named, Place.FIELD):
            line[index] = strings.hide(value, named.what, plain=value, trusted=named.strength is Strength.STRONG)
    if any(_UNIT in item for item in line):
        return [strings.text(item) for item in line]
    return strings.texts(line, _UNIT)


def _string(value: str, where: _Where, strings: Strings) -> str:
    named = naming(where.name)
    if where.data:
        if is_masked(value):
            return value
        plain = (decoded(value) if where.data == "base64" else None) or value
        trusted = named is not None and named.strength is Strength.STRONG
        return strings.hide(value, named.what if named else "secret", plain=plain, trusted=trusted)
    if where.name in _NAMES:
        strings.name(value)
    hidden = _under_name(value, named, strings) if named else None
    return strings.text(value) if hidden is None else hidden


def _under_name(value: str, named: Naming, strings: Strings) -> str | None:
    """The value of a name that promises a secret, None where it is none as a whole."""
    if not is_secret(value, named, Place.FIELD):
        return None
    trusted = named.strength is Strength.STRONG
    if named.what == "cookie" and "=" in value:
        header = "cookie: "
        return strings.text(header + value).removeprefix(header)
    if named.what == "authorization" and " " in value:
        scheme, _, credentials = value.partition(" ")
        return f"{scheme} {strings.hide(credentials, named.what, plain=credentials, trusted=trusted)}"
    if named.what == "connection-string" or "://" in value:
        partly = strings.text(value)
        if partly != value or not looks_secret(value) or value.startswith("jdbc:"):
            return partly
    return strings.hide(value, named.what, plain=value, trusted=trusted)


def mapped(root: object, change: Callable[[str], str]) -> Any:
    """A copy of a JSON-like value of any depth with each of its strings, but no key, changed."""
    result: list[Any] = [None]
    pending: list[tuple[object, Any, Any]] = [(root, result, 0)]
    copies: dict[int, Any] = {}
    while pending:
        node, parent, key = pending.pop()
        if isinstance(node, str):
            parent[key] = change(node)
        elif isinstance(node, dict):
            if id(cast("object", node)) not in copies:
                entries = cast("dict[Any, object]", node)
                copy = copies[id(cast("object", node))] = dict.fromkeys(entries)
                pending.extend((value, copy, name) for name, value in entries.items())
            parent[key] = copies[id(cast("object", node))]
        elif isinstance(node, list):
            if id(cast("object", node)) not in copies:
                items = cast("list[object]", node)
                copy = copies[id(cast("object", node))] = [None] * len(items)
                pending.extend((value, copy, index) for index, value in enumerate(items))
            parent[key] = copies[id(cast("object", node))]
        else:
            parent[key] = node
    return result[0]
