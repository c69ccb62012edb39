"""The Argo CD Applications of a context: the target's and those among its resources (app of apps).

Owns how to quote from them, and the index over the resources that their status lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.findings.engine.commands import argocd, qualified_name
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, EvidenceSource, Finding, Level, Severity
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, object_at, objects_at, text_at
from agent.objects.target import ResourceRef

APPLICATION: GroupKind = ("argoproj.io", "Application")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An Application and the part of the context it was read from."""

    manifest: Manifest
    source: EvidenceSource

    @property
    def reference(self) -> ResourceRef | None:
        return ResourceRef.of(self.manifest)

    @property
    def title(self) -> str:
        reference = self.reference
        return one_line(str(reference)) if reference else "The Application"

    def text(self, *path: str | int) -> str:
        return text_at(self.manifest, *path)

    def quote(self, *path: str | int) -> tuple[Evidence, ...]:
        return quote(self.manifest, *path, source=self.source)

    @property
    def is_automated(self) -> bool:
        """Whether Argo CD syncs it by itself."""
        automated = lookup(self.manifest, "spec", "syncPolicy", "automated")
        return automated is not None and lookup(automated, "enabled") is not False

    @property
    def heals_itself(self) -> bool:
        """Whether Argo CD undoes changes in the cluster by itself."""
        return self.is_automated and lookup(self.manifest, "spec", "syncPolicy", "automated", "selfHeal") is True

    @property
    def is_syncing(self) -> bool:
        """Whether an operation is running that has not failed so far, and so will apply what differs now."""
        operation = object_at(self.manifest, "status", "operationState")
        return text_at(operation, "phase") == "Running" and not integer_at(operation, "retryCount")

    def is_waiting_for(self, reason: str) -> bool:
        """Whether the message of the running operation names `reason` as what it waits for."""
        operation = object_at(self.manifest, "status", "operationState")
        return text_at(operation, "phase") == "Running" and reason in text_at(operation, "message")

    @property
    def is_being_deleted(self) -> bool:
        """Whether the Application is being deleted."""
        return bool(self.text("metadata", "deletionTimestamp"))

    def command(self, *words: str) -> str:
        """`argocd app WORDS... NAME`."""
        reference = self.reference
        return argocd("app", *words, qualified_name(reference) if reference else "NAME")

    def command_after(self, word: str, *words: str) -> str:
        """`argocd app WORD NAME WORDS...`, for what follows the name."""
        reference = self.reference
        return argocd("app", word, qualified_name(reference) if reference else "NAME", *words)

    def finding(
        self,
        title: str,
        explanation: str,
        evidence: tuple[Evidence, ...],
        *steps: str,
        level: Level,
        severity: Severity = "error",
        resource: ResourceRef | None = None,
        blames: tuple[ResourceRef, ...] = (),
    ) -> Finding:
        """A finding about the Application, or about `resource` where its status reports on that."""
        return Finding(
            title=title,
            severity=severity,
            level=level,
            explanation=explanation,
            evidence=evidence,
            resource=resource or self.reference,
            blames=blames,
            next_steps=tuple(step for step in steps if step),
        )


def applications_of(inventory: Inventory) -> tuple[Application, ...]:
    """The target's Application first, then those that are resources (app of apps)."""
    return inventory.once(_applications)


def first_application(inventory: Inventory) -> Application | None:
    """The target's Application, None where there is none, or where one is but a resource."""
    first = next(iter(applications_of(inventory)), None)
    return first if first and first.source == "application" else None


def _applications(inventory: Inventory) -> tuple[Application, ...]:
    return tuple(_read(inventory.context.application, inventory))


def _read(first: Manifest | None, inventory: Inventory) -> Iterator[Application]:
    if first is not None:
        yield Application(manifest=first, source="application")
    for manifest in inventory.of(APPLICATION):
        if first is None or ResourceRef.of(manifest) != ResourceRef.of(first):
            yield Application(manifest=manifest, source="manifest")


def resource_of(entry: Manifest) -> ResourceRef | None:
    """The resource that an entry of `status.resources` or of a sync result names."""
    if not text_at(entry, "kind") or not text_at(entry, "name"):
        return None
    group, version, kind, namespace, name = (
        text_at(entry, key) for key in ("group", "version", "kind", "namespace", "name")
    )
    return ResourceRef.unchecked(group=group, version=version, kind=kind, namespace=namespace, name=name)


def names_of(entries: list[Manifest], limit: int = 5) -> str:
    """The first resources by kind and name, and how many more there are."""
    names = [one_line(f"{text_at(entry, 'kind')} {text_at(entry, 'name')}", 100) for entry in entries[:limit]]
    more = len(entries) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


type _Key = tuple[str, str, str, str]
"""Group, kind, namespace and name."""

_RESOURCES = ("status", "resources")
_RESULTS = ("status", "operationState", "syncResult", "resources")


class StatusResources:
    """An index over `status.resources`, built in one pass."""

    def __init__(self, application: Application) -> None:
        self._application = application
        listed: list[object] = list_at(application.manifest, *_RESOURCES)
        self._positions: dict[_Key, int] = {}
        for position, entry in enumerate(listed):
            self._positions.setdefault(_entry_key(entry), position)
        self._entries = listed
        results = objects_at(application.manifest, *_RESULTS)
        self._unpruned = {_entry_key(result) for result in results if text_at(result, "status") == "PruneSkipped"}

    def is_out_of_sync(self, resource: ResourceRef) -> bool:
        """Whether Argo CD reports it as OutOfSync; for a resource that is not listed, whether the Application is.

        False where the last operation skipped its pruning, which has a finding of its own.
        """
        key = status_key(resource)
        position = self._positions.get(key)
        if position is None:
            return self._application.text("status", "sync", "status") != "Synced"
        return text_at(self._entries[position], "status") != "Synced" and key not in self._unpruned

    def out_of_sync(self) -> Iterator[_Key]:
        """The keys of the resources that are listed as OutOfSync."""
        return (
            key
            for key, position in self._positions.items()
            if text_at(self._entries[position], "status") == "OutOfSync"
        )

    def quote(self, resource: ResourceRef) -> tuple[Evidence, ...]:
        """The resource's entry in the status, () where it has none."""
        position = self._positions.get(status_key(resource))
        if position is None:
            return ()
        fields = (("status",), ("requiresPruning",), ("health", "status"))
        return tuple(q for field in fields for q in self._application.quote(*_RESOURCES, position, *field))


def status_key(resource: ResourceRef) -> _Key:
    """The key of a reference."""
    return resource.group, resource.kind, resource.namespace, resource.name


def _entry_key(entry: object) -> _Key:
    return text_at(entry, "group"), text_at(entry, "kind"), text_at(entry, "namespace"), text_at(entry, "name")
