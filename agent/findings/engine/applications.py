"""The Argo CD Applications of a context: the one of the target and those among its resources (app of apps).

Owns how to quote from them and name their resources; finds nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.findings.engine.commands import argocd, qualified_name
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.objects import GroupKind
from agent.findings.model import Evidence, EvidenceSource, Finding, Level, Severity
from agent.objects.manifest import Manifest, integer_at, lookup, object_at, text_at
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
        """Whether an operation runs that has not failed so far: what differs now is about to be applied."""
        operation = object_at(self.manifest, "status", "operationState")
        return text_at(operation, "phase") == "Running" and not integer_at(operation, "retryCount")

    def held_up_by(self, reason: str) -> bool:
        """Whether the running operation says that this holds it up."""
        operation = object_at(self.manifest, "status", "operationState")
        return text_at(operation, "phase") == "Running" and reason in text_at(operation, "message")

    @property
    def is_going(self) -> bool:
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
        """A finding about the Application, or about `resource` as the Application tells of it."""
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


def applications_of(first: Manifest | None, resources: Iterable[Manifest]) -> Iterator[Application]:
    """The target's Application first, then those that are resources."""
    if first is not None:
        yield Application(manifest=first, source="application")
    for manifest in resources:
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
