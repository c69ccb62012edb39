"""Any resource by a general reading of its status: conditions of either polarity, states, errors; knows no kind.

    bad_status          one finding a resource                          here
      signs             what tells of a fault                           conditions, counts
        fields          the signs of single fields                      states, beside
        places          the walk over the status, what keys are for
        situation       whether the whole is well, coming or halted
          words         what words mean: the vocabularies

Kinds with a family of their own are left to it. A resource that is still coming up, and says nothing of a failure, is
not broken.
"""

from collections.abc import Iterator

from agent.findings.custom.sign import Sign
from agent.findings.custom.signs import other_states, signs_of, unmet_messages
from agent.findings.custom.situation import is_outdated
from agent.findings.engine.build import named, object_finding
from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import GroupKind, Inventory, group_kind
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, text_at

__all__ = ["OWN_FAMILY", "bad_status"]

# The kinds that other modules of this package read, and those whose status is no health.
OWN_FAMILY: frozenset[GroupKind] = frozenset(
    {
        ("", "Pod"),
        ("", "PersistentVolumeClaim"),
        ("", "PersistentVolume"),
        ("", "Node"),
        ("", "Namespace"),
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("policy", "PodDisruptionBudget"),
        ("", "Event"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
        ("argoproj.io", "Application"),
        ("argoproj.io", "ApplicationSet"),
    }
)

# A finding quotes this many signs of one resource, and names this many; more say the same again.
_QUOTED = 6
_NAMED = 12


def bad_status(inventory: Inventory) -> Iterator[Finding]:
    """For each resource without a family of its own: one finding that quotes all that its status calls wrong."""
    for kind, manifest in inventory.objects:
        if kind not in OWN_FAMILY and (signs := signs_of(manifest)):
            yield _finding(manifest, signs)


def _finding(manifest: Manifest, signs: list[Sign]) -> Finding:
    distinct: dict[str, Sign] = {}
    for sign in signs:
        distinct.setdefault(sign.text, sign)
    evidence_list = [evidence for sign in [*distinct.values()][:_QUOTED] for evidence in sign.evidence]
    evidence_list += unmet_messages(manifest, distinct)[:_QUOTED]
    called = one_line("; ".join(dict.fromkeys(sign.short for sign in signs[:_NAMED])), 400)
    group = text_at(manifest, "apiVersion").rpartition("/")[0]
    controller = f"the controller of {one_line(group, 80)}" if group else "its controller"
    is_old = is_outdated(manifest)
    how = "It is degraded" if signs[0].severity == "error" else "It may be unhealthy"
    explained = [
        f"{how} by its {'' if is_old else 'current '}status, kept by {controller}: {called}.",
        "It has not yet seen the newest spec, so this may be of an earlier one." if is_old else "",
        other_states(manifest, signs),
        _MEANING.get(group_kind(manifest), ""),
    ]
    return object_finding(
        manifest,
        f"{named(manifest)} {signs[0].title}",
        " ".join(filter(None, explained)),
        tuple({evidence.path: evidence for evidence in evidence_list}.values()),
        "Repair what the message names; if it names nothing, read the log of the controller of this kind.",
        severity=signs[0].severity,
        level="effect",
    )


# What follows from a bad status of Kubernetes' own kinds.
_MEANING: dict[GroupKind, str] = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        "The API server serves the objects of a CRD only while it is established."
    ),
}
