"""Namespaces whose deletion does not end: the remaining objects, their finalizers, an API that does not answer."""

import re
from collections.abc import Iterator
from datetime import timedelta

from agent.findings.engine.applications import applications_of
from agent.findings.engine.build import name_of, named, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.durations import PATIENCE, lasted_beyond, latest, minutes_text
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, list_at, text_at
from agent.objects.target import ResourceRef

NAMESPACE: GroupKind = ("", "Namespace")

# Conditions of the namespace controller that are bad when True (Kubernetes' pkg/controller/namespace/deletion/
# status_condition_utils.go, which also words the messages below).
_CONDITIONS = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
)
_READ_LIMIT = 2_000
_NAMED = 5
_RESOURCES = re.compile(r"([a-z0-9][a-z0-9.-]{0,200}) has \d{1,9} resource instances")
_FINALIZERS = re.compile(r"([A-Za-z0-9][\w./-]{0,200}) in \d{1,9} resource instances")
_GROUP_VERSIONS = re.compile(r"([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})/(v[0-9][a-z0-9]{0,20})")


def namespaces(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each Namespace whose conditions show what blocks its deletion, unless that began lately."""
    now = inventory.now or latest(inventory.context, next(iter(applications_of(inventory)), None))
    for namespace in inventory.of(NAMESPACE):
        deleted = text_at(namespace, "metadata", "deletionTimestamp")
        lasted = lasted_beyond(now, namespace, deleted) if deleted else None
        conditions = _conditions(namespace)
        if deleted and conditions and (lasted is None or lasted >= PATIENCE):
            yield _held(namespace, conditions, lasted)


def _conditions(namespace: Manifest) -> dict[str, tuple[int, str]]:
    """The conditions that are True, by type in the order of _CONDITIONS: index and message."""
    found: dict[str, tuple[int, str]] = {}
    for index, condition in enumerate(list_at(namespace, "status", "conditions")):
        if text_at(condition, "status") == "True":
            found[text_at(condition, "type")] = (index, text_at(condition, "message")[:_READ_LIMIT])
    return {kind: found[kind] for kind in _CONDITIONS if kind in found}


def _held(namespace: Manifest, conditions: dict[str, tuple[int, str]], lasted: timedelta | None) -> Finding:
    messages = {kind: message for kind, (_, message) in conditions.items()}
    resources = _all(_RESOURCES, messages.get("NamespaceContentRemaining", ""))
    finalizers = _all(_FINALIZERS, messages.get("NamespaceFinalizersRemaining", ""))
    failure = messages.get("NamespaceDeletionDiscoveryFailure", "")
    groups = list(dict.fromkeys(".".join(match[::-1]) for match in _GROUP_VERSIONS.findall(failure)))
    why = [f"API {_listed(groups)} does not answer" if groups else "discovery fails"] if failure else []
    why += [f"{_listed(resources)} {'is' if len(resources) == 1 else 'are'} still in it"] if resources else []
    why += [f"held by finalizer {_listed(finalizers)}"] if finalizers else []
    since = f" Its deletion was requested {minutes_text(lasted)} before the latest known time." if lasted else ""
    return object_finding(
        namespace,
        f"{named(namespace)} cannot be deleted" + (f": {', '.join(why)}" if why else ""),
        "A namespace is removed after all its objects, and only if every API of the cluster lists what it has there."
        + since,
        tuple(
            quoted
            for index, _ in conditions.values()
            for quoted in quote(namespace, "status", "conditions", index, "message")
            or quote(namespace, "status", "conditions", index, "type")
        )
        + quote(namespace, "metadata", "deletionTimestamp"),
        *_steps(name_of(namespace), resources, finalizers, groups, discovery_fails=bool(failure)),
        blames=tuple(
            ResourceRef.unchecked(group="apiregistration.k8s.io", kind="APIService", namespace="", name=group)
            for group in groups
        ),
    )


def _steps(
    name: str, resources: list[str], finalizers: list[str], groups: list[str], *, discovery_fails: bool
) -> Iterator[str]:
    if discovery_fails:
        removal = f", or, if it is gone for good, {kubectl('delete', 'apiservice', groups[0])}" if groups else ""
        yield f"Repair the API that does not answer ({kubectl('get', 'apiservices')} shows why){removal}."
    kinds = [each.removesuffix(".") for each in resources[:_NAMED]]
    get = kubectl("get", ",".join(kinds) or "all", "-o", "yaml", namespace=name)
    if finalizers:
        yield (
            f"See what is left, and let the controller that sets finalizer {one_line(finalizers[0], 100)} run until it "
            f"has cleaned up: {get}."
        )
        patch = ("--type", "merge", "-p", '{"metadata":{"finalizers":null}}')
        yield (
            "Only if that controller is gone for good, and what it would clean up may remain, remove the "
            f"finalizer from each: {kubectl('patch', kinds[0] if kinds else 'KIND', 'NAME', *patch, namespace=name)}."
        )
    elif resources or not discovery_fails:
        yield f"See what is left: {get}."


def _all(pattern: re.Pattern[str], message: str) -> list[str]:
    return list(dict.fromkeys(each.removesuffix(".") for each in pattern.findall(message)))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return one_line(", ".join(names[:_NAMED]), 200) + more
