"""One container of a Pod: its status, spec, events and log in a context."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from agent.context.model import Event
from agent.findings.engine.build import name_of, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.logs import LogErrors
from agent.findings.engine.remedies import change
from agent.findings.model import Evidence, Finding, Level
from agent.objects.manifest import Manifest, list_at, object_at, path_text, text_at
from agent.objects.target import ResourceRef

type StatusField = Literal["initContainerStatuses", "containerStatuses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a Pod. `status` is its entry in the Pod's status, at `field` and `index`; `spec_path` leads to
    its entry in the spec, None where there is none."""

    inventory: Inventory
    pod: Manifest
    status: Manifest
    field: StatusField
    index: int
    events: tuple[Event, ...]
    log_errors: LogErrors
    spec_path: tuple[str | int, ...] | None = None

    @property
    def name(self) -> str:
        return one_line(text_at(self.status, "name")) or "(unnamed)"

    @property
    def title(self) -> str:
        return f"Init container {self.name}" if self.field == "initContainerStatuses" else f"Container {self.name}"

    @property
    def spec(self) -> Manifest:
        """The container's spec, {} where the Pod's manifest does not have it."""
        return object_at(self.pod, *self.spec_path) if self.spec_path else {}

    @property
    def template(self) -> tuple[ResourceRef, str] | None:
        """The workload whose template has the container, and the container's path in the workload."""
        workload = self.inventory.workload_of(self.pod)
        if workload is None or self.spec_path is None:
            return None
        above = "spec.jobTemplate.spec.template" if workload.kind == "CronJob" else "spec.template"
        return workload, f"{above}.{path_text(self.spec_path)}"

    def quote(self, *path: str | int) -> tuple[Evidence, ...]:
        """A part of the container's status."""
        return quote(self.pod, "status", self.field, self.index, *path)

    def quote_spec(self, *path: str | int) -> tuple[Evidence, ...]:
        """A part of the container's spec."""
        return quote(self.pod, *self.spec_path, *path) if self.spec_path else ()

    def spec_text(self, *path: str | int) -> str:
        return text_at(self.pod, *self.spec_path, *path) if self.spec_path else ""

    def quote_log(self) -> tuple[Evidence, ...]:
        return self.log_errors.of(self.pod, text_at(self.status, "name"))

    def quote_last_words(self) -> tuple[Evidence, ...]:
        """What its log reports as faults, else its last lines."""
        return self.quote_log() or self.log_errors.last_words(self.pod, text_at(self.status, "name"))

    def finding(
        self,
        title: str,
        explanation: str,
        evidence: tuple[Evidence, ...],
        *steps: str,
        level: Level = "cause",
        cause: str = "",
        blames: Iterable[ResourceRef] = (),
    ) -> Finding:
        return object_finding(self.pod, title, explanation, evidence, *steps, level=level, cause=cause, blames=blames)

    def change(self, field: str, value: str, command: str = "") -> str:
        """The step that sets a field of the container (`resources.limits.memory`) in its workload's template."""
        template = self.template
        if template is None:
            return change(self.inventory, f"set {field} of container {self.name} to {value}", command)
        workload, path = template
        owner = f"{workload.kind} {one_line(workload.name, 80)}"
        return change(self.inventory, f"set `{path}.{field}` of {owner} to {value} (container {self.name})", command)

    def change_template(self, what: str) -> str:
        """The step of a change of the template in words (see `remedies.change`)."""
        return change(self.inventory, what)

    def logs_command(self, *, previous: bool) -> str:
        flags = ("--previous",) if previous else ()
        return pod_command(self.pod, "logs", POD_NAME, "-c", text_at(self.status, "name"), *flags)


def containers_of(inventory: Inventory, pod: Manifest, log_errors: LogErrors) -> Iterator[Container]:
    """The init containers, then the containers of a Pod, as its status lists them."""
    events = inventory.events.of(pod)
    fields: tuple[StatusField, ...] = ("initContainerStatuses", "containerStatuses")
    for field in fields:
        for index, entry in enumerate(list_at(pod, "status", field)):
            if isinstance(entry, dict):
                status = cast("Manifest", entry)
                spec_path = _spec_path(pod, field, text_at(status, "name"))
                yield Container(
                    inventory=inventory,
                    pod=pod,
                    status=status,
                    field=field,
                    index=index,
                    events=events,
                    log_errors=log_errors,
                    spec_path=spec_path,
                )


def _spec_path(pod: Manifest, field: StatusField, name: str) -> tuple[str | int, ...] | None:
    key = "initContainers" if field == "initContainerStatuses" else "containers"
    for index, spec in enumerate(list_at(pod, "spec", key)):
        if text_at(spec, "name") == name:
            return ("spec", key, index)
    return None


POD_NAME = "POD"
"""The placeholder of the Pod's name in the words of `pod_command`."""


def pod_command(pod: Manifest, *words: str) -> str:
    """A kubectl command in the Pod's namespace."""
    name, namespace = name_of(pod), namespace_of(pod)
    return kubectl(*(name if word == POD_NAME else word for word in words), namespace=namespace)
