"""HorizontalPodAutoscalers that cannot scale, or are at their maximum.

One at its minimum is healthy, and so is one whose target is scaled to zero.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.findings.engine.build import named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.remedies import change
from agent.findings.model import Evidence, Finding, Level
from agent.objects.error_message import parse
from agent.objects.manifest import Manifest, integer_at, list_at, object_at, objects_at, text_at
from agent.objects.target import ResourceRef

AUTOSCALER: GroupKind = ("autoscaling", "HorizontalPodAutoscaler")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """Why an autoscaler cannot scale. `name` completes "HorizontalPodAutoscaler x cannot scale: ..."."""

    pattern: str
    name: str
    meaning: str
    step: str
    level: Level = "cause"


# Messages of the controller (Kubernetes' pkg/controller/podautoscaler), the most specific first.
_FAILURES = (
    _Failure(
        pattern=r"missing request for ([\w./-]{1,60})(?: in container (\S{1,80}))?",
        name="its pods request no {0}",
        meaning="Utilization is a percentage of the containers' requests, and a container has none.",
        step="set resources.requests.{0} on every container of {target}",
    ),
    _Failure(
        pattern=r"(?:could not find the requested resource|unable to handle the request) \(get pods\.metrics\.k8s\.io",
        name="the metrics API does not answer (is metrics-server installed and running?)",
        meaning="The metrics come from metrics.k8s.io, the API of metrics-server, which is unavailable.",
        step="Look at metrics-server: `kubectl get apiservice v1beta1.metrics.k8s.io`, "
        "`kubectl -n kube-system get pods -l k8s-app=metrics-server`.",
    ),
    _Failure(
        pattern=r"no (custom|external) metrics API",
        name="the cluster has no {0} metrics API, from which its metric is to be read",
        meaning="Metrics of objects and of outside come from an adapter (Prometheus adapter, KEDA) that registers this "
        "API; none has.",
        step="Install or repair the adapter: `kubectl get apiservices | grep metrics.k8s.io`.",
    ),
    _Failure(
        pattern=r"(?:could not find the requested resource|unable to handle the request|no matches for kind|"
        r"unable to fetch metrics from (?:custom|external) metrics API|"
        r"unable to get (?:external|custom|object|pod) metric)",
        name="the custom or external metrics API has no such metric",
        meaning="The metrics come from an adapter (Prometheus adapter, KEDA), which does not serve this one.",
        step="Look at the adapter's pods, and at the metric's name and selector: `kubectl get apiservices`.",
    ),
    _Failure(
        pattern=r"scaleTargetRef|unable to get the target's current scale|not found",
        name="its target does not exist or cannot be scaled",
        meaning="spec.scaleTargetRef names an object that does not exist, or that has no scale subresource.",
        step="set spec.scaleTargetRef (apiVersion, kind, name) to the workload that it has to scale",
    ),
    _Failure(
        pattern=r"multiple (?:HPAs|HorizontalPodAutoscalers)|controlled by multiple",
        name="another autoscaler scales the same pods",
        meaning="Two autoscalers of the same pods would conflict, so neither scales.",
        step="Remove one of them: `kubectl get hpa` in its namespace shows both.",
    ),
    _Failure(
        pattern=r"no metrics returned|did not receive metrics|pods might be unready|no recommendation",
        name="there are no metrics of its pods",
        meaning="Its pods are not ready or too young to have metrics, or metrics-server does not reach their nodes.",
        step="Look at the pods it scales first; then at `kubectl top pods`.",
        level="symptom",
    ),
)
_UNKNOWN = _Failure(
    pattern="",
    name="",
    meaning="Its controller cannot compute or set the number of replicas; the message has the reason.",
    step="Repair what the message names.",
    level="effect",
)


def autoscalers(inventory: Inventory) -> Iterator[Finding]:
    """The findings of autoscalers whose conditions block scaling, and of those that want more than their maximum."""
    for autoscaler in inventory.of(AUTOSCALER):
        conditions = list_at(autoscaler, "status", "conditions")
        is_broken = False
        for index, condition in enumerate(conditions):
            kind, status, reason = (text_at(condition, key) for key in ("type", "status", "reason"))
            if kind in ("AbleToScale", "ScalingActive") and status == "False":
                if reason != "ScalingDisabled" and not is_broken:
                    is_broken = True
                    path = ("status", "conditions", index)
                    quotes = quote(autoscaler, *path, "message") + quote(autoscaler, *path, "reason")
                    yield _broken(inventory, autoscaler, text_at(condition, "message"), reason, quotes)
            elif kind == "ScalingLimited" and status == "True" and reason == "TooManyReplicas":
                yield _limited(inventory, autoscaler, index)
        if not conditions and (broken := _broken_in_annotation(inventory, autoscaler)):
            yield broken
            continue
        # autoscaling/v1 has no conditions; its events report the same.
        for event in (
            ()
            if conditions or _ANNOTATION in object_at(autoscaler, "metadata", "annotations")
            else inventory.events.of(autoscaler, *_FAILED_EVENTS)[:1]
        ):
            yield _broken(inventory, autoscaler, event.message, event.reason, quote_event(event))


_ANNOTATION = "autoscaling.alpha.kubernetes.io/conditions"
"""Where the API server keeps the conditions of an autoscaler that is read as autoscaling/v1 (Kubernetes'
pkg/apis/autoscaling/annotations.go)."""


def _broken_in_annotation(inventory: Inventory, autoscaler: Manifest) -> Finding | None:
    text = text_at(autoscaler, "metadata", "annotations", _ANNOTATION)
    try:
        conditions: object = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return None
    for condition in objects_at({"conditions": conditions}, "conditions"):
        kind, status, reason = (text_at(condition, key) for key in ("type", "status", "reason"))
        if kind in ("AbleToScale", "ScalingActive") and status == "False" and reason != "ScalingDisabled":
            quotes = quote(autoscaler, "metadata", "annotations", _ANNOTATION)
            return _broken(inventory, autoscaler, text_at(condition, "message"), reason, quotes)
    return None


_FAILED_EVENTS = (
    "FailedGetScale",
    "FailedGetResourceMetric",
    "FailedGetPodsMetric",
    "FailedGetObjectMetric",
    "FailedGetExternalMetric",
    "FailedComputeMetricsReplicas",
)


_STATED = 200


def _broken(
    inventory: Inventory, autoscaler: Manifest, message: str, reason: str, quotes: tuple[Evidence, ...]
) -> Finding:
    found = ((f, re.search(f.pattern, message[:4_000])) for f in _FAILURES)
    failure, match = next(((f, m) for f, m in found if m), (_UNKNOWN, None))
    words = [one_line(group or "", 60) for group in match.groups()] if match else []
    target = _target(autoscaler)
    problem = failure.name.format(*words) or one_line(parse(message).statement, _STATED)
    step = failure.step.format(*words, target=f"{target.kind} {one_line(target.name, 80)}" if target else "its target")
    is_change = step[:1].islower()
    command = _set_requests(target, words[0]) if is_change and target and "request no" in failure.name else ""
    return object_finding(
        autoscaler,
        f"{named(autoscaler)} cannot scale" + (f": {problem}" if problem else f" ({one_line(reason, 60)})"),
        failure.meaning,
        quotes + quote(autoscaler, "spec", "scaleTargetRef") + _quote_containers(inventory, target, words),
        change(inventory, step, command) if is_change else step,
        level=failure.level,
        blames=(target,) if target else (),
    )


def _target(autoscaler: Manifest) -> ResourceRef | None:
    found = object_at(autoscaler, "spec", "scaleTargetRef")
    group, _, version = text_at(found, "apiVersion").rpartition("/")
    kind, name = text_at(found, "kind"), text_at(found, "name")
    if not kind or not name:
        return None
    namespace = namespace_of(autoscaler)
    return ResourceRef.unchecked(group=group, version=version, kind=kind, namespace=namespace, name=name)


def _set_requests(target: ResourceRef, resource: str) -> str:
    amount = {"cpu": "100m", "memory": "128Mi"}.get(resource)
    if amount is None:
        return ""
    return kubectl(
        "set", "resources", f"{target.kind.lower()}/{target.name}", f"--requests={resource}={amount}",
        namespace=target.namespace,
    )  # fmt: skip


def _quote_containers(inventory: Inventory, target: ResourceRef | None, words: list[str]) -> tuple[Evidence, ...]:
    """The resources of the target's container without a request, () without the target's manifest."""
    workload = inventory.get(target.kind, target.namespace, target.name) if target and len(words) > 1 else None
    if workload is None:
        return ()
    path = ("spec", "template", "spec", "containers")
    for index, container in enumerate(objects_at(workload, *path)):
        if not words[1] or text_at(container, "name") == words[1]:
            return quote(workload, *path, index, "resources") or quote(workload, *path, index, "name")
    return ()


def _limited(inventory: Inventory, autoscaler: Manifest, index: int) -> Finding:
    most = integer_at(autoscaler, "spec", "maxReplicas")
    path = ("status", "conditions", index)
    return object_finding(
        autoscaler,
        f"{named(autoscaler)} is at its maximum"
        + (f" of {most} replicas" if most is not None else "")
        + " and wants more",
        "The load requires more pods than spec.maxReplicas allows, so each pod has too much load.",
        quote(autoscaler, *path, "message")
        + quote(autoscaler, *path, "reason")
        + quote(autoscaler, "spec", "maxReplicas")
        + quote(autoscaler, "status", "currentReplicas"),
        change(
            inventory,
            f"raise spec.maxReplicas of {named(autoscaler)} (is there room on the nodes?), or give its pods more",
        ),
        severity="warning",
    )
