"""Secrets that the structure of an object reveals: the data of a Secret, the value of a variable named
DB_PASSWORD, the argument after `--token`.

Owns the walk over JSON-like values and what Kubernetes' structures mean; a `StringRedactor` hides their strings.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from agent.redaction.names import HintStrength, NameHint, name_hint
from agent.redaction.spans import PLACEHOLDER
from agent.redaction.values import decoded, is_masked, looks_secret
from agent.redaction.verdict import Syntax, is_secret


class StringRedactor(Protocol):
    """What becomes of the strings of an object."""

    def hide(self, value: str, what: str, *, plain: str, trusted: bool) -> str:
        """The placeholder of the secret `value`. `plain` is it decoded; `trusted`: its name is a secret's, too."""
        ...

    def text(self, text: str) -> str:
        """`text` with its own secrets hidden."""
        ...

    def texts(self, pieces: Sequence[str], joint: str) -> list[str]:
        """The pieces of one text, each with its secrets hidden."""
        ...

    def name(self, name: str) -> None:
        """Note the name of an object, which is no secret."""
        ...


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
_VALUES = frozenset({"value", "plaintext", "plain", "literal", "inline", "string", "stringValue", "content", "default"})
_PAIR_NAMES = ("name", "key", "Name", "header", "parameter", "envVar", "property", "field")
_COMMAND_LINES = frozenset({"command", "args", "cmd", "entrypoint", "argv", "arguments", "extraArgs"})
_KEY_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})  # of a JSON web key: what is not public of it
_UNIT = "\x1f"


type _Child = tuple[Any, Any, Any, str, str]
"""A value, the container and the key that its copy goes under, the name it is judged by, and how a Secret's data is
written there: "base64" or "plain", "" elsewhere."""

# What is looked into; anything else (numbers, booleans, nulls) is copied with its container.
_CONTAINERS: Any = (dict, list, tuple)
_OPENED: Any = (str, dict, list, tuple, bytes)
_OBJECT: Any = dict


def redacted(root: object, strings: StringRedactor) -> Any:
    """A copy of a JSON-like value of any depth, its secrets hidden: same keys, same types, same numbers.

    A tuple becomes a list, the one sequence that JSON has.
    """
    result: list[Any] = [None]
    pending: list[_Child] = [(root, result, 0, "", "")]
    copies: dict[tuple[int, str, str], Any] = {}  # of containers seen before: shared ones (YAML anchors) stay shared
    while pending:
        node, parent, key, name, data = pending.pop()
        if isinstance(node, str):
            parent[key] = _string(node, name, data, strings)
        elif isinstance(node, _CONTAINERS):
            identity = (id(node), name, data)
            if identity not in copies:
                copies[identity], children = _opened(node, name, data, strings)
                children.reverse()
                pending += children
            parent[key] = copies[identity]
        elif isinstance(node, bytes) and data:
            parent[key] = _string(node.decode("utf-8", "replace"), name, "plain", strings)
        else:
            parent[key] = node
    return result[0]


def _opened(node: Any, name: str, data: str, strings: StringRedactor) -> tuple[Any, list[_Child]]:
    """A copy of a container, and what of it is to be put in anew."""
    if isinstance(node, _OBJECT):
        return _opened_mapping(node, name, data, strings)
    if data or not _is_command_line(name, node):
        copy: list[Any] = list(node)
        return copy, [(item, copy, index, name, data) for index, item in enumerate(copy) if isinstance(item, _OPENED)]
    return _command_line(node, strings), []


def _opened_mapping(
    node: Mapping[Any, Any], name: str, data: str, strings: StringRedactor
) -> tuple[dict[Any, Any], list[_Child]]:
    copy: dict[Any, Any] = dict(node)
    done: frozenset[str] = frozenset()
    command: Any = node.get("command")
    arguments: Any = node.get("args")
    if _is_command_line("args", arguments):
        if _is_command_line("command", command):
            line = _command_line([*command, *arguments], strings)
            copy["command"], copy["args"] = line[: len(command)], line[len(command) :]
            done = frozenset({"command", "args"})
        elif command is None and isinstance(image := node.get("image"), str):
            # The image's own command runs; mostly it has the image's name.
            copy["args"] = _command_line([_program(image), *arguments], strings)[1:]
            done = frozenset({"args"})
    is_a_secret = node.get("kind") == "Secret"
    is_a_key = "kty" in node
    about = name if _VALUES.isdisjoint(node) else _subject(node) or name
    children: list[_Child] = []
    for key, value in node.items():
        if not isinstance(value, _OPENED) or key in done:
            continue
        child, written = str(key), data
        if data:
            pass
        elif is_a_secret and key in ("data", "stringData"):
            written = "base64" if key == "data" else "plain"
        elif is_a_key and key in _KEY_PARTS:
            child = "private_key"
        elif key in _VALUES and name_hint(about):
            child = about
        children.append((value, copy, key, child, written))
    return copy, children


def _subject(node: Mapping[Any, object]) -> str:
    """What the `value` of a pair is hint: of an environment variable, a Helm parameter, a header, a JSON patch."""
    path = node.get("path")
    if isinstance(path, str) and "op" in node:
        return path.rpartition("/")[2]
    name = next((name for key in _PAIR_NAMES if isinstance(name := node.get(key), str)), "")
    return "" if PLACEHOLDER.search(name) else name


def _is_command_line(name: str, node: Any) -> bool:
    if not node or not isinstance(node, _LISTS) or not all(isinstance(item, str) for item in node):
        return False
    return name in _COMMAND_LINES or any(item.startswith("-") for item in node)


_LISTS: Any = (list, tuple)


def _program(image: str) -> str:
    """`mysql` of `registry.example.com/library/mysql:8@sha256:...`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _command_line(items: Sequence[str], strings: StringRedactor) -> list[str]:
    line = list(items)
    for index in range(1, len(line)):
        option, value = items[index - 1], items[index]
        hint = name_hint(option.lstrip("-")) if option.startswith("-") and "=" not in option else None
        if hint and not value.startswith("-") and is_secret(value, hint, Syntax.FIELD):
            line[index] = strings.hide(value, hint.what, plain=value, trusted=hint.strength is HintStrength.STRONG)
    if any(_UNIT in item for item in line):
        return [strings.text(item) for item in line]
    return strings.texts(line, _UNIT)


def _string(value: str, name: str, data: str, strings: StringRedactor) -> str:
    hint = name_hint(name)
    if data:
        if is_masked(value):
            return value
        plain = (decoded(value) if data == "base64" else None) or value
        trusted = hint is not None and hint.strength is HintStrength.STRONG
        return strings.hide(value, hint.what if hint else "secret", plain=plain, trusted=trusted)
    if name in _NAMES:
        strings.name(value)
    hidden = _under_name(value, hint, strings) if hint else None
    return strings.text(value) if hidden is None else hidden


def _under_name(value: str, hint: NameHint, strings: StringRedactor) -> str | None:
    """The value of a name that promises a secret, None where it is none as a whole."""
    if not is_secret(value, hint, Syntax.FIELD):
        return None
    trusted = hint.strength is HintStrength.STRONG
    if hint.what == "cookie" and "=" in value:
        header = "cookie: "
        return strings.text(header + value).removeprefix(header)
    if hint.what == "authorization" and " " in value:
        scheme, _, credentials = value.partition(" ")
        return f"{scheme} {strings.hide(credentials, hint.what, plain=credentials, trusted=trusted)}"
    if hint.what == "connection-string" or "://" in value:
        partly = strings.text(value)
        if partly != value or not looks_secret(value) or value.startswith("jdbc:"):
            return partly
    return strings.hide(value, hint.what, plain=value, trusted=trusted)


def mapped(root: object, change: Callable[[str], str]) -> Any:
    """A copy of a JSON-like value of any depth with each of its strings, but no key, changed."""
    result: list[Any] = [None]
    pending: list[tuple[Any, Any, Any]] = [(root, result, 0)]
    copies: dict[int, Any] = {}
    while pending:
        node, parent, key = pending.pop()
        if isinstance(node, str):
            parent[key] = change(node)
        elif isinstance(node, _CONTAINERS):
            if id(node) not in copies:
                is_object = isinstance(node, _OBJECT)
                copy: Any = dict(node) if is_object else list(node)
                copies[id(node)] = copy
                inside: Any = node.items() if is_object else enumerate(node)
                pending += [(value, copy, name) for name, value in inside if isinstance(value, _OPENED)]
            parent[key] = copies[id(node)]
        else:
            parent[key] = node
    return result[0]
