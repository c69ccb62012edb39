"""The resources that an Application's status lists, by what identifies them: whether each is out of sync."""

from collections.abc import Iterator

from agent.findings.engine.applications import Application
from agent.findings.model import Evidence
from agent.objects.manifest import list_at, objects_at, text_at
from agent.objects.target import ResourceRef

type _Key = tuple[str, str, str, str]
"""Group, kind, namespace and name."""

_RESOURCES = ("status", "resources")
_RESULTS = ("status", "operationState", "syncResult", "resources")


class StatusResources:
    """An index over `status.resources`, built in one pass."""

    def __init__(self, application: Application) -> None:
        self._application = application
        listed: list[object] = list_at(application.manifest, *_RESOURCES)
        self._places: dict[_Key, int] = {}
        for place, entry in enumerate(listed):
            self._places.setdefault(_key(entry), place)
        self._entries = listed
        results = objects_at(application.manifest, *_RESULTS)
        self._unpruned = {_key(result) for result in results if text_at(result, "status") == "PruneSkipped"}

    def is_out_of_sync(self, resource: ResourceRef) -> bool:
        """Whether Argo CD calls it OutOfSync; not so where the last operation's findings tell that it was not pruned.

        What is not listed is what the Application as a whole is.
        """
        key = key_of(resource)
        place = self._places.get(key)
        if place is None:
            return self._application.text("status", "sync", "status") != "Synced"
        return text_at(self._entries[place], "status") != "Synced" and key not in self._unpruned

    def out_of_sync(self) -> Iterator[_Key]:
        """The keys of the resources that are listed as OutOfSync."""
        return (key for key, place in self._places.items() if text_at(self._entries[place], "status") == "OutOfSync")

    def quoted(self, resource: ResourceRef) -> tuple[Evidence, ...]:
        """What the status says of the resource, () where it says nothing."""
        place = self._places.get(key_of(resource))
        if place is None:
            return ()
        fields = (("status",), ("requiresPruning",), ("health", "status"))
        return tuple(q for field in fields for q in self._application.quote(*_RESOURCES, place, *field))


def key_of(resource: ResourceRef) -> _Key:
    """The key of a reference."""
    return resource.group, resource.kind, resource.namespace, resource.name


def _key(entry: object) -> _Key:
    return text_at(entry, "group"), text_at(entry, "kind"), text_at(entry, "namespace"), text_at(entry, "name")
