"""Faults of the resources without a family of their own: one finding each, from Argo CD's verdict and its status.

What Argo CD itself reports of an object comes first; `agent.findings.custom` reads the status, and
`agent.findings.engine.named_objects` finds what the fault follows from. A condition that waits is information while
that is normal, and a warning when it lasts.
"""

from collections.abc import Iterator
from datetime import timedelta

from agent.findings.custom.conditions import polarity_of
from agent.findings.custom.signs import MAX_SIGNS, Sign, signs_of
from agent.findings.custom.situation import is_outdated
from agent.findings.custom.words import reports_failure, role_of, words_of
from agent.findings.engine.build import named, object_finding
from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import one_line, quote, quote_node
from agent.findings.engine.inventory import GroupKind, Inventory, group_kind
from agent.findings.engine.message_steps import step_for
from agent.findings.engine.named_objects import blamed
from agent.findings.engine.own_family import OWN_FAMILY
from agent.findings.model import Evidence, Finding, Severity
from agent.objects.error_message import parse, shorten
from agent.objects.manifest import Manifest, list_at, object_at, text_at, texts_at
from agent.objects.times import moment

__all__ = ["bad_status"]

# Most signs that a finding quotes, and names; most others that it names.
_QUOTED = 6
_NAMED = 12
_OTHERS = 5
# Characters of a message in a title and in an explanation, and words that make a text a message.
_STATEMENT_LIMIT = 200
_MESSAGE_LIMIT = 600
_MESSAGE_WORDS = 3
# A shorter quotation may be part of another message by chance.
_SIGNIFICANT = 20

_PATIENCE = timedelta(minutes=30)
"""How long a condition may wait: the slowest common thing that a controller creates is a managed cluster or database,
for which Terraform's AWS provider allows 30 to 40 minutes (registry.terraform.io/providers/hashicorp/aws, Timeouts of
aws_eks_cluster and aws_db_instance)."""


# What Argo CD's own health check calls so is no error.
_NO_FAULTS = ("Healthy", "Progressing", "Suspended")


def bad_status(inventory: Inventory) -> Iterator[Finding]:
    """One finding for each resource without a family of its own whose status reports a fault, or waits."""
    for kind, manifest in inventory.objects:
        if kind not in OWN_FAMILY and (signs := signs_of(manifest)):
            yield _finding(inventory, manifest, signs)


def _finding(inventory: Inventory, manifest: Manifest, signs: list[Sign]) -> Finding:
    distinct: dict[str, Sign] = {}
    for sign in signs:
        distinct.setdefault(sign.text, sign)
    quotations = [evidence for sign in [*distinct.values()][:_QUOTED] for evidence in sign.evidence]
    quotations += [each for each in _unmet_messages(manifest) if each.text not in distinct][:_QUOTED]
    verdict, told = _own_verdict(inventory, manifest, quotations)
    messages = _messages([*told, *quotations])
    first = messages[0] if messages else ""
    statement = one_line(shorten(parse(first).statement, _STATEMENT_LIMIT), _STATEMENT_LIMIT) if first else ""
    severity, how = _severity(inventory, manifest, signs[0], verdict)
    unique = {(evidence.source, evidence.path): evidence for evidence in (*told, *quotations)}
    if " " not in statement:
        statement = _in_words(statement) or _plain_reason(signs[0])
    return object_finding(
        manifest,
        f"{named(manifest)} {signs[0].title}: {statement}".removesuffix(": "),
        " ".join(filter(None, (how, *_sentences(manifest, signs, messages)))),
        tuple(unique.values()),
        step_for(first, manifest),
        severity=severity,
        # A bare state says that something is wrong, and not what.
        level="effect" if statement else "symptom",
        blames=blamed(inventory, manifest, messages),
    )


def _own_verdict(inventory: Inventory, manifest: Manifest, quoted: list[Evidence]) -> tuple[str, tuple[Evidence, ...]]:
    """Argo CD's own health of the object in the resource tree, and its message where nothing of it is `quoted` yet."""
    node = inventory.node(text_at(manifest, "kind"), *(text_at(manifest, "metadata", k) for k in ("namespace", "name")))
    if node is None:
        return "", ()
    message = " ".join(node.message.split())
    is_new = reports_failure(message) and not any(
        len(each.text) >= _SIGNIFICANT and " ".join(each.text.split()) in message for each in quoted
    )
    return node.health, quote_node(node) if is_new else ()


def _severity(inventory: Inventory, manifest: Manifest, sign: Sign, verdict: str) -> tuple[Severity, str]:
    """The severity of the finding, and the sentence with it."""
    group = text_at(manifest, "apiVersion").rpartition("/")[0]
    controller = f"the controller of {one_line(group, 80)}" if group else "its controller"
    if sign.waits:
        since = moment(text_at(manifest, *sign.path, "lastTransitionTime"))
        lasted = inventory.now - since if since and inventory.now else timedelta()
        if lasted > _PATIENCE:
            return "warning", f"It has waited for {minutes_text(lasted)}, which is long: {sign.short}."
        return "info", f"It waits, which is normal for a while: {sign.short}."
    is_old = is_outdated(manifest)
    severity: Severity = "error" if verdict == "Degraded" else "warning" if verdict in _NO_FAULTS else sign.severity
    subject = f"The {one_line(' '.join(words_of(text_at(manifest, 'kind'))), 80)}"
    how = f"{subject} is degraded: it is" if severity == "error" else f"{subject} may be degraded: it may be"
    old = " The controller has not yet observed the newest spec, so this may concern an earlier one." if is_old else ""
    return severity, f"{how} unhealthy according to its current status, written by {controller}.{old}"


def _sentences(manifest: Manifest, signs: list[Sign], messages: list[str]) -> Iterator[str]:
    faults = one_line("; ".join(dict.fromkeys(sign.short for sign in signs[:_NAMED])), 400)
    yield "" if signs[0].waits else f"Failed or in doubt: {faults}."
    texts = one_line(shorten(" | ".join(messages), _MESSAGE_LIMIT), _MESSAGE_LIMIT).rstrip(".")
    yield f"Its {'messages' if messages[1:] else 'message'}: {texts}." if texts else ""
    yield _other_states(manifest, signs)
    yield _MEANING.get(group_kind(manifest), "")


def _messages(quotations: list[Evidence]) -> list[str]:
    """The distinct messages among the quotations: texts of several words, or of a field of that name."""
    texts = ((evidence.path, _told_in(evidence.text.strip())) for evidence in quotations)
    found = (
        text
        for path, text in texts
        if text[:1] not in "{["
        and (role_of(path.rpartition(".")[2]) in ("text", "error") or len(text.split()) >= _MESSAGE_WORDS)
    )
    texts = list(dict.fromkeys(found))
    return [text for text in texts if len(text.split()) > 1] or texts


def _told_in(text: str) -> str:
    """The message in a text that is a JSON object with one, else the text."""
    return parse(text).cause or text if text.startswith("{") else text


def _plain_reason(sign: Sign) -> str:
    """What a sign without a message says: its reason in plain words, `failed to be created or updated`."""
    return _in_words(next((each.text for each in sign.evidence if each.path.endswith("reason")), ""))


def _in_words(reason: str) -> str:
    """A reason in plain words: `backend not found`, `failed to be created or updated`; one word stays as it is."""
    words = words_of(reason)
    verbs = [word for word in words[1:] if word not in ("or", "and")]
    if words[:1] == ("failed",) and verbs and all(verb.endswith("e") for verb in verbs):
        return " ".join(("failed to be", *(f"{word}d" if word in verbs else word for word in words[1:])))
    return " ".join(words) if len(words) > 1 else reason


def _unmet_messages(manifest: Manifest) -> list[Evidence]:
    """The messages of the object's conditions that are unmet or report a failure."""
    evidence: tuple[Evidence, ...] = ()
    for index, each in enumerate(list_at(manifest, "status", "conditions")[:MAX_SIGNS]):
        is_unmet = text_at(each, "status").lower() != "true" and polarity_of(text_at(each, "type")) == "positive"
        if is_unmet or reports_failure(text_at(each, "message")):
            evidence += quote(manifest, "status", "conditions", index, "message")
    return list(evidence)


def _other_states(manifest: Manifest, signs: list[Sign]) -> str:
    """A sentence with the conditions and states of the whole object that are no sign, "" where there are none."""
    status = object_at(manifest, "status")
    bad = {sign.path for sign in signs}
    others = [
        f"{one_line(kind, 60)}={one_line(text_at(each, 'status'), 20)}"
        + (
            f" ({': '.join(told)})"
            if (told := [one_line(each, 80) for each in texts_at(each, "reason", "message") if each])
            else ""
        )
        for index, each in enumerate(list_at(status, "conditions")[:MAX_SIGNS])
        if ("status", "conditions", index) not in bad and (kind := text_at(each, "type")) and text_at(each, "status")
    ]
    states = [
        f"{one_line(key, 60)} {one_line(value, 60)}"
        for key, value in status.items()
        if role_of(key) == "state" and isinstance(value, str) and value and " " not in value
    ]
    others = others[:_OTHERS] + [each for each in states[:_OTHERS] if not any(each in sign.title for sign in signs)]
    if others or states:
        return f"It also reports {', '.join(others)}." if others else ""
    are_negative = all(polarity_of(text_at(manifest, *sign.path, "type")) == "negative" for sign in signs)
    return "It reports no overall state: its state is not yet known." if are_negative else ""


# The consequence of a fault in Kubernetes' own kinds.
_MEANING: dict[GroupKind, str] = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        "The API server serves the objects of a CRD only while it is established."
    ),
}
