"""One container of a Pod with all that a context tells of it. Owns the look-ups; finds nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.context.model import Event
from agent.findings.about import finding_about, name_of, namespace_of
from agent.findings.commands import kubectl
from agent.findings.evidence import one_line, quote
from agent.findings.logs import LastWords
from agent.findings.model import Evidence, Finding, Level
from agent.manifest import Manifest, list_at, object_at, text_at

type StatusField = Literal["initContainerStatuses", "containerStatuses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a Pod with all that tells of it. `field` and `index` are its place in the Pod's status."""

    pod: Manifest
    field: StatusField
    index: int
    events: tuple[Event, ...]
    last_words: LastWords

    @property
    def status(self) -> Manifest:
        return object_at(self.pod, "status", self.field, self.index)

    @property
    def name(self) -> str:
        return one_line(text_at(self.status, "name")) or "(unnamed)"

    @property
    def title(self) -> str:
        return f"Init container {self.name}" if self.field == "initContainerStatuses" else f"Container {self.name}"

    @property
    def spec_path(self) -> tuple[str | int, ...] | None:
        """Where the container stands in the Pod's manifest."""
        key = "initContainers" if self.field == "initContainerStatuses" else "containers"
        for index, spec in enumerate(list_at(self.pod, "spec", key)):
            if text_at(spec, "name") == text_at(self.status, "name"):
                return ("spec", key, index)
        return None

    def quote(self, *path: str | int) -> tuple[Evidence, ...]:
        """A part of the container's status."""
        return quote(self.pod, "status", self.field, self.index, *path)

    def quote_spec(self, *path: str | int) -> tuple[Evidence, ...]:
        """A part of the container's spec."""
        return quote(self.pod, *self.spec_path, *path) if self.spec_path else ()

    def spec_text(self, *path: str | int) -> str:
        return text_at(self.pod, *self.spec_path, *path) if self.spec_path else ""

    def quote_log(self) -> tuple[Evidence, ...]:
        return self.last_words.of(self.pod, text_at(self.status, "name"))

    def finding(
        self, title: str, explanation: str, evidence: tuple[Evidence, ...], *steps: str, level: Level = "cause"
    ) -> Finding:
        return finding_about(self.pod, title, explanation, evidence, *steps, level=level)

    def logs_command(self, *, previous: bool) -> str:
        flags = ("--previous",) if previous else ()
        return pod_command(self.pod, "logs", POD_NAME, "-c", text_at(self.status, "name"), *flags)


def containers_of(pod: Manifest, events: tuple[Event, ...], last_words: LastWords) -> Iterator[Container]:
    """The init containers, then the containers of a Pod, as its status lists them."""
    fields: tuple[StatusField, ...] = ("initContainerStatuses", "containerStatuses")
    for field in fields:
        for index, status in enumerate(list_at(pod, "status", field)):
            if isinstance(status, dict):
                yield Container(pod=pod, field=field, index=index, events=events, last_words=last_words)


POD_NAME = "POD"
"""Stands for the Pod's name in the words of `pod_command`."""


def pod_command(pod: Manifest, *words: str) -> str:
    """A kubectl command in the Pod's namespace."""
    name, namespace = name_of(pod), namespace_of(pod)
    return kubectl(*(name if word == POD_NAME else word for word in words), namespace=namespace)
