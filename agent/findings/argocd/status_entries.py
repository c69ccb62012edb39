"""The entries of an Application's `status.resources`: those that pass a test, and quotations of them."""

from collections.abc import Callable

from agent.findings.engine.applications import Application
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, list_at, object_at

# Of many entries so many are quoted.
_QUOTED = 5


def entries_where(application: Application, wanted: Callable[[Manifest], bool]) -> list[tuple[int, Manifest]]:
    """The entries of `status.resources` that pass the test, each with its place in the list."""
    found: list[tuple[int, Manifest]] = []
    for index in range(len(list_at(application.manifest, "status", "resources"))):
        entry = object_at(application.manifest, "status", "resources", index)
        if wanted(entry):
            found.append((index, entry))
    return found


def quoted_entries(application: Application, entries: list[tuple[int, Manifest]], field: str) -> tuple[Evidence, ...]:
    """A field of the first of these entries of `status.resources`."""
    return tuple(
        quoted for index, _ in entries[:_QUOTED] for quoted in application.quote("status", "resources", index, field)
    )
