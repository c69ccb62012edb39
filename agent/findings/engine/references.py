"""References to objects that do not exist: what a message calls missing, where a Pod's spec asks for it, what makes it,
and which existing name may have been meant.

Owns the wording of the messages (kubelet, scheduler, controllers).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote, walk
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.remedies import change, syncing
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, lookup, text_at
from agent.objects.target import ResourceRef

_KINDS = {
    "secret": "Secret",
    "configmap": "ConfigMap",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "serviceaccount": "ServiceAccount",
    "storageclass": "StorageClass",
    "namespace": "Namespace",
    "priorityclass": "PriorityClass",
}

# kubelet: `secret "db" not found`; API server: `configmaps "a" not found`, `storageclass.storage.k8s.io "x" not found`.
_OBJECT = re.compile(
    rf'\b({"|".join(_KINDS)})(?:s|es)?(?:\.[a-z0-9.]{{1,60}})? "([^"\s]{{1,253}})" not found', re.IGNORECASE
)
# kubelet: `couldn't find key PASSWORD in Secret shop/db`.
_KEY = re.compile(r"couldn't find key (\S{1,253}) in (Secret|ConfigMap) (?:([^/\s]{1,253})/)?([^/\s]{1,253})")
# volumes: `references non-existent secret key: tls.key`.
_VOLUME_KEY = re.compile(r"references non-existent (secret|config) key: (\S{1,253})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An object that is not there, or one of its keys. `name` is "" where the message does not contain it."""

    kind: str
    name: str
    key: str = ""

    def cause(self, namespace: str) -> str:
        """What findings about the same missing thing have in common (see `Finding.cause`)."""
        return f"missing {namespace} {self.kind} {self.name} {self.key}" if self.name else ""

    def __str__(self) -> str:
        named = f"{self.kind} {self.name}".rstrip()
        return f"key {self.key} of {named}" if self.key else named


def missing_in(message: str) -> Missing | None:
    """The object or key that a message reports as missing, None for none."""
    if match := _KEY.search(message):
        return Missing(kind=match[2], name=match[4], key=match[1])
    if match := _VOLUME_KEY.search(message):
        return Missing(kind="Secret" if match[1] == "secret" else "ConfigMap", name="", key=match[2])
    if match := _OBJECT.search(message):
        return Missing(kind=_KINDS[match[1].lower()], name=match[2])
    return None


# The references in a Pod's spec: the key of the reference, and the field with the name.
_POINTERS = {
    "Secret": {("secretKeyRef", "name"), ("secretRef", "name"), ("secret", "secretName"), ("secret", "name")},
    "ConfigMap": {("configMapKeyRef", "name"), ("configMapRef", "name"), ("configMap", "name")},
    "PersistentVolumeClaim": {("persistentVolumeClaim", "claimName")},
}


def quote_reference(pod: Manifest, missing: Missing) -> tuple[Evidence, ...]:
    """The first reference in the Pod's spec to the missing object (or key)."""
    for path, value in walk(lookup(pod, "spec"), "spec"):
        if not missing.name or value != missing.name or path[-2:] not in _POINTERS.get(missing.kind, ()):
            continue
        key = text_at(pod, *path[:-1], "key")
        if not missing.key or not key or key == missing.key:
            return quote(pod, *path)
    return ()


def makers_of(inventory: Inventory, namespace: str, missing: Missing) -> tuple[ResourceRef, ...]:
    """The objects of the context that create a missing Secret (ExternalSecret, SealedSecret, Certificate, ...)."""
    return inventory.makers(namespace, missing.name) if missing.kind == "Secret" else ()


def how_to_supply(inventory: Inventory, namespace: str, missing: Missing) -> tuple[str, ...]:
    """The steps that create a missing object or key."""
    kind, name = missing.kind, one_line(missing.name, 80)
    makers = makers_of(inventory, namespace, missing)
    look = kubectl("describe", kind.lower(), missing.name, namespace=namespace)
    if not missing.key or not missing.name:
        look = kubectl("get", kind.lower(), namespace=namespace)
    if makers:
        maker = makers[0]
        show = kubectl("describe", maker.kind.lower(), maker.name, namespace=namespace)
        first = f"{maker.kind} {one_line(maker.name, 80)} creates it; fix that first: {show}."
    elif not missing.key and (kind, namespace, missing.name) in inventory.missing and (sync := syncing(inventory)):
        first = f"{kind} {name} is in Git and not in the cluster, so a sync creates it: {sync}."
    elif missing.key:
        first = change(
            inventory, f"add the key {one_line(missing.key)} to {kind} {name}, or correct the key in the reference"
        )
    else:
        first = change(
            inventory, f"add {kind} {name}".rstrip() + " (or the resource that creates it), or correct the reference"
        )
    return (
        first,
        f"See what exists: {look}.",
        "If the program can run without it, mark the reference `optional: true`.",
    )


_MAX_READ = 200
_MAX_NAMED = 5


def alike(name: str, names: Iterable[str]) -> str:
    """A sentence (after a blank) with the names that are similar to `name`, else with the first ones; "" for none."""
    candidates = sorted(one_line(each, 80) for each in islice(names, _MAX_READ))
    close = get_close_matches(one_line(name, 80), candidates, n=3) or candidates[:_MAX_NAMED]
    return f" There {'is' if len(close) == 1 else 'are'} {', '.join(close)}." if close else ""
