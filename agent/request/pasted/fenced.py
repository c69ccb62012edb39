"""YAML and JSON inside a text, fenced or not, as the objects that they hold."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from agent.objects.manifest import Manifest, list_at, text_at

FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
"""A fenced block of Markdown; one that is never closed reaches to the end."""

# More than any manifest has; references to anchors may multiply without end.
_LONGEST = 2_000_000
_ANCHOR = re.compile(r"(?:^|[\s:\[{,-])[&*][A-Za-z0-9]", re.MULTILINE)


def objects_of(text: str) -> list[Manifest]:
    """The Kubernetes objects of YAML or JSON, lists taken apart; [] where it is neither or holds anything else."""
    if len(text) > _LONGEST or ("kind" not in text and "involvedObject" not in text):
        return []
    try:
        documents = [json.loads(text)] if text.lstrip()[:1] in {"{", "["} else _yaml(text)
    except (ValueError, RecursionError):
        return []
    found = [each for document in documents for each in _unpacked(document)]
    return found if all(text_at(each, "kind") for each in found) else []


def _yaml(text: str) -> list[object]:
    """The documents of YAML; times and binary data stay the text that they are in a manifest. Raises ValueError."""
    if _ANCHOR.search(text):
        return []
    import yaml  # only where something was pasted

    loader: type[Any] = type("_PastedLoader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    for tag in ("timestamp", "binary"):
        loader.add_constructor(f"tag:yaml.org,2002:{tag}", loader.construct_yaml_str)
    try:
        return [document for document in yaml.load_all(text, loader) if document is not None]
    except yaml.YAMLError as error:
        raise ValueError("no YAML") from error


def _unpacked(document: object) -> Iterator[Manifest]:
    if isinstance(document, list):
        for each in cast("list[object]", document):
            yield from _unpacked(each)
    elif isinstance(document, dict):
        manifest = cast("Manifest", document)
        kind = text_at(manifest, "kind")
        if "items" in manifest and (kind.endswith("List") or not kind):
            for item in list_at(manifest, "items"):
                if isinstance(item, dict):
                    yield ({"kind": kind.removesuffix("List")} if kind != "List" else {}) | cast("Manifest", item)
        else:
            yield manifest
