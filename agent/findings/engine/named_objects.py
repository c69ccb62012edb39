"""The objects of the context that a fault of a custom resource follows from: its parts, and what it refers to."""

import re
from collections.abc import Iterator
from itertools import islice

from agent.findings.engine.evidence import walk
from agent.findings.engine.inventory import Inventory, group_kind
from agent.objects.manifest import Manifest, object_at, text_at
from agent.objects.target import ResourceRef

# Most values of a spec that are read for names.
_MAX_VALUES = 2_000
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,250}[a-z0-9])?")


def blamed(inventory: Inventory, manifest: Manifest, messages: list[str]) -> Iterator[ResourceRef]:
    """The other objects that the status names or refers to, that a message names, or whose name begins with its own.

    The ranking puts a finding about one of them before the finding about the whole (a Challenge before its Certificate,
    a store before the ExternalSecret).
    """
    name = text_at(manifest, "metadata", "name")
    words = {word for message in messages for word in _NAME.findall(message)}
    named = _references(manifest)
    for kind, other in inventory.objects:
        reference = ResourceRef.of(other)
        if other is manifest or reference is None or not reference.name:
            continue
        is_part = kind[0] == group_kind(manifest)[0] or kind[0].endswith("." + group_kind(manifest)[0])
        if (
            (reference.kind, reference.name) in named
            or ("", reference.name) in named
            or reference.name in words
            or (is_part and reference.name.startswith(f"{name}-"))
        ):
            yield reference


def _references(manifest: Manifest) -> set[tuple[str, str]]:
    """Kind (or "") and name of every reference in spec and status: `secretStoreRef: {kind, name}`, `podName`."""
    found: set[tuple[str, str]] = set()
    for part in ("spec", "status"):
        for path, value in islice(walk(object_at(manifest, part), depth=8), _MAX_VALUES):
            key = path[-1] if path else ""
            if isinstance(value, dict):
                kind, name = text_at(value, "kind"), text_at(value, "name")
                if name and (kind or str(key).endswith("Ref")):
                    found.add((kind, name))
            elif isinstance(value, str) and str(key).endswith("Name") and part == "status":
                found.add(("", value))
    return found
