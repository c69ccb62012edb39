"""Faults of any resource by a general reading of its status: conditions of either polarity, states, errors.

    bad_status          one finding a resource
      signs             the signs of a fault              conditions, fields, counts, attempts
        nodes           the walk over the status, the role of each field
        situation       whether the whole object is ready, progressing or suspended
          states, words what states and words mean: the vocabularies

Kinds with a family of their own are left to it. A resource that is progressing and reports no failure is healthy.
"""

from collections.abc import Iterator

from agent.findings.custom.sign import Sign
from agent.findings.custom.signs import other_states, signs_of, unmet_messages
from agent.findings.custom.situation import is_outdated
from agent.findings.engine.build import named, object_finding
from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import GroupKind, Inventory, group_kind
from agent.findings.model import Finding
from agent.objects.error_message import parse
from agent.objects.manifest import Manifest, text_at

__all__ = ["OWN_FAMILY", "bad_status"]

# The kinds that other families read, and those whose status reports no health.
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

# Most signs that a finding quotes, and names.
_QUOTED = 6
_NAMED = 12
# Characters of a message in a title and in an explanation, and words that make a text a message.
_STATEMENT_LIMIT = 200
_MESSAGE_LIMIT = 600
_MESSAGE_WORDS = 3


def bad_status(inventory: Inventory) -> Iterator[Finding]:
    """One finding for each resource without a family of its own whose status reports a fault."""
    for kind, manifest in inventory.objects:
        if kind not in OWN_FAMILY and (signs := signs_of(manifest)):
            yield _finding(manifest, signs)


def _finding(manifest: Manifest, signs: list[Sign]) -> Finding:
    distinct: dict[str, Sign] = {}
    for sign in signs:
        distinct.setdefault(sign.text, sign)
    quotations = [evidence for sign in [*distinct.values()][:_QUOTED] for evidence in sign.evidence]
    quotations += unmet_messages(manifest, distinct)[:_QUOTED]
    faults = one_line("; ".join(dict.fromkeys(sign.short for sign in signs[:_NAMED])), 400)
    group = text_at(manifest, "apiVersion").rpartition("/")[0]
    controller = f"the controller of {one_line(group, 80)}" if group else "its controller"
    is_old = is_outdated(manifest)
    how = "It is degraded" if signs[0].severity == "error" else "It may be unhealthy"
    sentences = [
        f"{how} according to its {'' if is_old else 'current '}status, written by {controller}: {faults}.",
        "The controller has not yet observed the newest spec, so this may concern an earlier one." if is_old else "",
        other_states(manifest, signs),
        _MEANING.get(group_kind(manifest), ""),
    ]
    message = _message(signs)
    statement = one_line(parse(message).statement, _STATEMENT_LIMIT) if message else ""
    sentences.insert(1, f"Its message: {one_line(message, _MESSAGE_LIMIT)}" if message else "")
    return object_finding(
        manifest,
        f"{named(manifest)} {signs[0].title}{f': {statement}' if statement else ''}",
        " ".join(filter(None, sentences)),
        tuple({evidence.path: evidence for evidence in quotations}.values()),
        "Fix what the message names; if it names nothing, read the log of the controller of this kind.",
        severity=signs[0].severity,
        level="effect",
    )


def _message(signs: list[Sign]) -> str:
    """The message of the first sign that has one: a text of several words, or of a field of that name."""
    for evidence in (evidence for sign in signs for evidence in sign.evidence):
        is_named = "message" in evidence.path.rpartition(".")[2].lower()
        text = evidence.text.strip()
        if text[:1] not in "{[" and (is_named or len(text.split()) >= _MESSAGE_WORDS):
            return text
    return ""


# The consequence of a fault in Kubernetes' own kinds.
_MEANING: dict[GroupKind, str] = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        "The API server serves the objects of a CRD only while it is established."
    ),
}
