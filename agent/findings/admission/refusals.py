"""Why an API server or a controller refused an object: the known messages, what they mean and what to do.

Owns the wording of refusals: that of the API server and its admission plugins, of Argo CD's gitops-engine
(pkg/sync/sync_context.go) and of its projects (util/argo/argo.go).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.findings.admission.quotas import limit_in
from agent.findings.admission.unknown_fields import unknown_field
from agent.findings.admission.webhook_calls import failed_call
from agent.findings.admission.wrong_types import wrong_type
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line
from agent.objects.error_message import ErrorMessage, parse, shorten
from agent.objects.target import ResourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A known reason. `name` completes "refused: ..." in a title, `step` is what to do, `blames` are the objects at
    fault; with `states` the name ends with the innermost clause of the message."""

    name: str
    meaning: str
    step: str
    blames: tuple[ResourceRef, ...] = ()
    states: bool = False


NAMESPACE_MISSING = "its namespace does not exist"
_UNKNOWN_FIELD = "a field is not in the schema of its kind"
_WRONG_TYPE = "a value has the wrong type"
_DENIED = "an admission policy denied it"

# Characters of the innermost clause in the name of a refusal.
_STATED = 200

# In order of precedence. `{command}` in a step is the command after it, in the namespace of the object; `{named}` what
# the first group of the pattern matched.
_KNOWN: tuple[tuple[str, Refusal, tuple[str, ...]], ...] = (
    (
        r"exceeded quota",
        Refusal(
            name="a ResourceQuota is used up",
            meaning="The namespace's ResourceQuota leaves no room for what the object requests.",
            step="Compare used with hard: {command}; then lower the requests, free resources, or raise the quota.",
        ),
        ("describe", "resourcequota"),
    ),
    (
        r"must specify (limits|requests|cpu|memory)",
        Refusal(
            name="a ResourceQuota requires requests and limits",
            meaning="The namespace's ResourceQuota only admits pods whose containers set the named requests or limits.",
            step="Set what the message names on every container, or add a LimitRange with defaults; see {command}.",
        ),
        ("describe", "resourcequota,limitrange"),
    ),
    (
        r"(maximum|minimum) (cpu|memory|ephemeral-storage|storage) usage per|limit to request ratio",
        Refusal(
            name="a LimitRange forbids its requests or limits",
            meaning="The namespace's LimitRange bounds what one container or claim may request.",
            step="Read the bounds ({command}) and keep to them.",
        ),
        ("describe", "limitrange"),
    ),
    (
        r"violates PodSecurity|unable to validate against any security context constraint",
        Refusal(
            name="the pod security policy of the namespace forbids it",
            states=True,
            meaning="The pod's security context asks for more than the namespace admits.",
            step="Change the fields that the message lists in the securityContext of the pod template.",
        ),
        (),
    ),
    (
        r"error looking up service account|serviceaccounts? \"[^\"]*\" not found",
        Refusal(
            name="its ServiceAccount does not exist",
            meaning="Pods are only created while their ServiceAccount exists.",
            step="Create it, or correct spec.serviceAccountName; see {command}.",
        ),
        ("get", "serviceaccounts"),
    ),
    (
        r"failed calling webhook|failed to call webhook",
        Refusal(
            name="an admission webhook did not answer",
            meaning="The API server calls this webhook before it stores the object, and got no answer.",
            step="Look at the Service and the pods of the webhook; its configuration is in "
            f"{kubectl('get', 'validatingwebhookconfigurations,mutatingwebhookconfigurations')}.",
        ),
        (),
    ),
    (
        r"host \"[^\"]{1,253}\" and path \"[^\"]{1,300}\" is already defined in ingress (\S{1,300})",
        Refusal(
            name="another Ingress has its host and path",
            states=True,
            meaning="The ingress controller admits one Ingress for a host and path, and another has them already.",
            step="Remove host and path from Ingress {named} first (prune it, or order the two by sync wave), or use "
            "another host or path here.",
        ),
        (),
    ),
    (
        r"admission webhook .{1,300} denied the request|denied by .{0,200}polic|denied request",
        Refusal(
            name=_DENIED,
            states=True,
            meaning="An admission webhook or policy of the cluster does not allow the object as it is.",
            step="Change what the message rejects, or ask the owner of the policy for an exception.",
        ),
        (),
    ),
    (
        r"\bis immutable\b|may not change once set|updates to statefulset spec for fields other than|"
        r"cannot change roleRef",
        Refusal(
            name="an immutable field was changed",
            meaning="Kubernetes does not allow a change of this field on an existing object.",
            step="Undo the change in Git, or have the object deleted and created again (it is interrupted meanwhile): "
            "sync it with `--force --replace`; `--replace` alone fails again.",
        ),
        (),
    ),
    (
        r"no matches for kind|Kubernetes API could not find|could not find the requested resource|"
        r"could not find version .* of|ensure CRDs are installed",
        Refusal(
            name="its kind is not installed in the cluster",
            states=True,
            meaning="The CustomResourceDefinition (or this version of it) is not installed in the destination cluster.",
            step="Install the CRD first (in an earlier sync wave or by an Application of its own), or correct "
            f"apiVersion; see {kubectl('api-resources')}.",
        ),
        (),
    ),
    (
        r"namespaces? \"[^\"]*\" not found",
        Refusal(
            name=NAMESPACE_MISSING,
            meaning="Argo CD only creates a namespace where it is asked to.",
            step="Create the namespace, or set the sync option `CreateNamespace=true`.",
        ),
        (),
    ),
    (
        r"is not permitted in project|do not match any of the allowed destinations",
        Refusal(
            name="the AppProject does not permit it",
            states=True,
            meaning="The project of the Application does not allow this source, destination or kind.",
            step="Allow it in the AppProject, or move the Application to a project that does.",
        ),
        (),
    ),
    (
        r"because it is being terminated",
        Refusal(
            name="its namespace is being deleted",
            meaning="Nothing can be created in a namespace while it is being deleted.",
            step="Wait until the namespace is gone and sync again; while it is not, {command} shows what holds it.",
        ),
        ("describe", "namespaces"),
    ),
    (
        r"attempting to grant RBAC permissions not currently held",
        Refusal(
            name="it grants rights that Argo CD does not have itself",
            states=True,
            meaning="Kubernetes refuses a Role with more rights than its creator has.",
            step="Grant Argo CD's service account in the destination cluster these rights, or the verb `escalate`.",
        ),
        (),
    ),
    (
        r"the object has been modified; please apply your changes to the latest version",
        Refusal(
            name="another writer changed it at the same moment",
            meaning="Another writer updated the object between Argo CD's read and its write.",
            step="Sync again; if the error returns, find the controller that keeps writing the object.",
        ),
        (),
    ),
    (
        r"provided port is already allocated",
        Refusal(
            name="its node port is already taken",
            meaning="Another Service of the cluster has the nodePort that it requests.",
            step="Set another nodePort or leave it out; "
            f"{kubectl('get', 'services', '--all-namespaces')} shows which are taken.",
        ),
        (),
    ),
    (
        r"field not declared in schema|unknown field",
        Refusal(
            name=_UNKNOWN_FIELD,
            meaning="The manifest is not valid: the schema of this version of the kind has no such field.",
            step="Correct the field that the message names: it is misspelled, misplaced, or of another API version.",
        ),
        (),
    ),
    (
        r"cannot unmarshal \w+ into Go |: expected [\w ()]+, got \w+",
        Refusal(
            name=_WRONG_TYPE,
            states=True,
            meaning="The API server cannot read the manifest: a value has another type than its field.",
            step="Correct the value that the message names in Git.",
        ),
        (),
    ),
    (
        r"is forbidden|cannot (create|patch|update|delete|get|list|watch) resource",
        Refusal(
            name="permission is missing",
            states=True,
            meaning="The account that makes the request lacks a right in the destination cluster.",
            step="Grant the right that the message names, by a Role or ClusterRole with its binding.",
        ),
        (),
    ),
    (
        r"Too long: (must have|may not be more than)",
        Refusal(
            name="it is too large for client-side apply",
            meaning="The last-applied-configuration annotation would exceed the limit of 262144 bytes.",
            step="Set the sync option `ServerSideApply=true`, which does without this annotation.",
        ),
        (),
    ),
    (
        r"Apply failed with \d+ conflicts?",
        Refusal(
            name="another manager owns some of its fields",
            states=True,
            meaning="Server-side apply does not take over fields that another manager owns.",
            step="Remove these fields in Git, or stop the other manager from setting them.",
        ),
        (),
    ),
    (
        r"strict decoding error|ValidationError|is invalid|Invalid value:|Required value|"
        r"error validating data",
        Refusal(
            name="it is not valid",
            states=True,
            meaning="The API server rejects the manifest as it is written.",
            step="Correct the field that the message names in Git.",
        ),
        (),
    ),
)


_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), refusal, command) for pattern, refusal, command in _KNOWN)


def refusal_in(message: str, namespace: str = "") -> Refusal | None:
    """The known reason in a message, None where it has none. `namespace` is that of the refused object.

    The reason names what the message names: numbers of a quota or range, the failed webhook, an unknown field.
    """
    error = parse(message)
    for clause in dict.fromkeys(_clauses(error)):
        for pattern, refusal, command in _COMPILED:
            if match := pattern.search(clause):
                step = refusal.step.replace("{command}", kubectl(*command, namespace=namespace))
                step = step.replace("{named}", one_line(match[1], 300)) if match.lastindex else step
                return _detailed(replace(refusal, step=step), error)
    return None


def _clauses(error: ErrorMessage) -> Iterator[str]:
    """What is read for a reason: the innermost clause first, then the words around it, then the whole."""
    yield error.cause
    yield from error.others
    yield from (frame.text for frame in reversed(error.frames))
    yield error.text


def _detailed(refusal: Refusal, error: ErrorMessage) -> Refusal:
    text = error.text
    if call := failed_call(text):
        name = f"the admission webhook {one_line(call.webhook, 120)} did not answer" + (
            f": {call.why}" if call.why else ""
        )
        service = call.service
        if service is None:
            return replace(refusal, name=name)
        get = kubectl("get", "pods,endpointslices,services", namespace=service.namespace)
        renew = f"Renew its certificate and restart the pods of Service {one_line(service.name, 80)}. "
        step = f"Look at Service {one_line(service.name, 80)} and its pods: {get}. {refusal.step}"
        step = renew + step if "expired" in call.why else step
        return replace(refusal, name=name, step=step, blames=(service,))
    if limit := limit_in(text):
        step = f"{limit.change[:1].upper()}{limit.change[1:]}. {refusal.step}" if limit.change else refusal.step
        return replace(refusal, name=limit.name, step=step)
    if refusal.name == _UNKNOWN_FIELD:
        return replace(refusal, name=unknown_field(text) or refusal.name)
    if refusal.name == _WRONG_TYPE and (wrong := wrong_type(text)):
        return replace(refusal, name=wrong.name, step=wrong.step)
    if refusal.name == _DENIED:
        refusal = replace(refusal, step=_admitting(error) or refusal.step)
    if refusal.states:
        stated = one_line(shorten(error.cause, _STATED), _STATED)
        step = refusal.step if stated in refusal.step else f"{refusal.step.removesuffix('.')}: “{stated}”."
        return replace(refusal, name=f"{refusal.name}: {stated}", step=step)
    return refusal


# Of a ValidatingAdmissionPolicy (apiserver/pkg/admission/plugin/policy/validating) and of a webhook.
_POLICY = re.compile(
    r"(ValidatingAdmissionPolicy) '([^']{1,253})'(?: with binding '[^']{1,253}')? denied request"
    r"|(admission webhook) \"([^\"]{1,253})\" denied the request"
)


def _admitting(error: ErrorMessage) -> str:
    """The step for a refusal by a policy that the message names, "" where it names none."""
    match = _POLICY.search(error.text)
    if match is None:
        return ""
    policy = " ".join(one_line(each, 120) for each in match.groups() if each)
    clause = one_line(shorten(error.cause, _STATED), _STATED)
    return f"In Git, change what it rejects (“{clause}”), or ask the owner of the {policy} for an exception."
