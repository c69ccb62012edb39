"""Why an API server or a controller refused an object: the known messages, what they mean and what to do.

Owns the wording of refusals; makes no finding.
"""

import re
from dataclasses import dataclass, replace

from agent.findings.admission.quotas import limit_in
from agent.findings.admission.webhook_calls import failed_call
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line
from agent.objects.target import ResourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A known reason. `name` completes "refused: ..." in a title, `step` says what to do, `blames` is at fault."""

    name: str
    meaning: str
    step: str
    blames: tuple[ResourceRef, ...] = ()


NAMESPACE_MISSING = "its namespace does not exist"

# No refusal says its reason later than this.
_READ_LIMIT = 4_000

# In order of precedence. `{command}` in a step is the command after it, in the namespace of the object.
_KNOWN: tuple[tuple[str, Refusal, tuple[str, ...]], ...] = (
    (
        r"exceeded quota",
        Refusal(
            name="a ResourceQuota is used up",
            meaning="The namespace's ResourceQuota leaves no room for what the object asks.",
            step="Compare used with hard by {command}; then lower the requests, free some, or raise the quota.",
        ),
        ("describe", "resourcequota"),
    ),
    (
        r"must specify (limits|requests|cpu|memory)",
        Refusal(
            name="a ResourceQuota demands requests and limits",
            meaning="The namespace's ResourceQuota only admits pods whose containers set the named requests or limits.",
            step="Set what the message names on every container, or add a LimitRange with defaults; see {command}.",
        ),
        ("describe", "resourcequota,limitrange"),
    ),
    (
        r"(maximum|minimum) (cpu|memory|ephemeral-storage|storage) usage per|limit to request ratio",
        Refusal(
            name="a LimitRange forbids its requests or limits",
            meaning="The namespace's LimitRange bounds what one container or claim may ask.",
            step="Read the bounds by {command} and keep to them.",
        ),
        ("describe", "limitrange"),
    ),
    (
        r"violates PodSecurity|unable to validate against any security context constraint",
        Refusal(
            name="the pod security policy of the namespace forbids it",
            meaning="The pod's security context asks for more than the namespace admits.",
            step="Change the fields that the message lists in the securityContext of the pod template.",
        ),
        (),
    ),
    (
        r"error looking up service account|serviceaccounts? \"[^\"]*\" not found",
        Refusal(
            name="its ServiceAccount does not exist",
            meaning="Pods are only created when their ServiceAccount is there.",
            step="Create it, or correct spec.serviceAccountName; see {command}.",
        ),
        ("get", "serviceaccounts"),
    ),
    (
        r"failed calling webhook|failed to call webhook",
        Refusal(
            name="an admission webhook did not answer",
            meaning="The API server asks this webhook before it stores the object, and got no answer from it.",
            step="Look at the Service and the pods of the webhook; its configuration is in "
            f"{kubectl('get', 'validatingwebhookconfigurations,mutatingwebhookconfigurations')}.",
        ),
        (),
    ),
    (
        r"admission webhook .* denied the request|denied by .*polic",
        Refusal(
            name="an admission policy denied it",
            meaning="An admission webhook or policy of the cluster does not allow the object as it is.",
            step="Change what the message objects to, or ask the owner of the policy for an exception.",
        ),
        (),
    ),
    (
        r"\bis immutable\b|may not change once set|updates to statefulset spec for fields other than|"
        r"cannot change roleRef",
        Refusal(
            name="an immutable field was changed",
            meaning="Kubernetes does not allow this field to change on an existing object.",
            step="Undo the change in Git, or have the object deleted and created anew (it is interrupted meanwhile): "
            "sync it with `--force --replace`; `--replace` alone fails again.",
        ),
        (),
    ),
    (
        r"no matches for kind|Kubernetes API could not find|could not find the requested resource|"
        r"could not find version .* of|ensure CRDs are installed",
        Refusal(
            name="its kind is not known to the cluster",
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
            meaning="Argo CD does not create namespaces by itself.",
            step="Create the namespace, or set the sync option `CreateNamespace=true`.",
        ),
        (),
    ),
    (
        r"is not permitted in project|do not match any of the allowed destinations",
        Refusal(
            name="the AppProject does not permit it",
            meaning="The project of the Application does not allow this source, destination or kind.",
            step="Allow it in the AppProject, or move the Application to a project that does.",
        ),
        (),
    ),
    (
        r"because it is being terminated",
        Refusal(
            name="its namespace is being deleted",
            meaning="Nothing can be created in a namespace that is going.",
            step="Wait until the namespace is gone and sync again; if it does not go, {command} tells what holds it.",
        ),
        ("describe", "namespaces"),
    ),
    (
        r"attempting to grant RBAC permissions not currently held",
        Refusal(
            name="it grants rights that Argo CD does not have itself",
            meaning="Kubernetes lets nobody create a Role with more rights than he has.",
            step="Give Argo CD's service account in the destination cluster those rights, or the verb `escalate`.",
        ),
        (),
    ),
    (
        r"the object has been modified; please apply your changes to the latest version",
        Refusal(
            name="it was changed by somebody else at the same moment",
            meaning="Another writer updated the object between Argo CD's read and its write.",
            step="Sync again; if it comes back, find the controller that writes all the time.",
        ),
        (),
    ),
    (
        r"provided port is already allocated",
        Refusal(
            name="its node port is already taken",
            meaning="Another Service of the cluster has the port that it asks for.",
            step="Take another nodePort or leave it out; "
            f"{kubectl('get', 'services', '--all-namespaces')} shows who has which.",
        ),
        (),
    ),
    (
        r"field not declared in schema|unknown field",
        Refusal(
            name="it is not valid, as it has a field that its kind does not know",
            meaning="The schema of this version of the kind has no such field.",
            step="Correct the field that the message names: it is misspelled, misplaced, or of another API version.",
        ),
        (),
    ),
    (
        r"is forbidden|cannot (create|patch|update|delete|get|list|watch) resource",
        Refusal(
            name="permission is missing",
            meaning="The account that acts here lacks a right in the destination cluster.",
            step="Grant the right that the message names, by a Role or ClusterRole with its binding.",
        ),
        (),
    ),
    (
        r"Too long: (must have|may not be more than)",
        Refusal(
            name="it is too large for client-side apply",
            meaning="The last-applied annotation would pass the limit of 262144 bytes.",
            step="Set the sync option `ServerSideApply=true`, which needs no such annotation.",
        ),
        (),
    ),
    (
        r"Apply failed with \d+ conflicts?",
        Refusal(
            name="another manager owns some of its fields",
            meaning="Server-side apply does not take over fields that somebody else manages.",
            step="Leave those fields out in Git, or stop the other manager from setting them.",
        ),
        (),
    ),
    (
        r"strict decoding error|ValidationError|is invalid|Invalid value|Required value|"
        r"error validating data",
        Refusal(
            name="it is not valid",
            meaning="The API server rejects the manifest as it is written.",
            step="Correct the field that the message names in Git.",
        ),
        (),
    ),
)


def refusal_in(message: str, namespace: str = "") -> Refusal | None:
    """The known reason a message gives, None where it is none of them. `namespace` is where the object was to go.

    Where the message tells numbers (of a quota, of a range) or why a webhook cannot be called, so does the reason.
    """
    text = message[:_READ_LIMIT]
    for pattern, refusal, command in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            told = replace(refusal, step=refusal.step.replace("{command}", kubectl(*command, namespace=namespace)))
            return _detailed(told, text)
    return None


def _detailed(refusal: Refusal, text: str) -> Refusal:
    if call := failed_call(text):
        name = f"the admission webhook {one_line(call.webhook, 120)} did not answer" + (
            f": {call.why}" if call.why else ""
        )
        service = call.service
        if service is None:
            return replace(refusal, name=name)
        look = kubectl("get", "pods,endpointslices,services", namespace=service.namespace)
        step = f"Look at Service {one_line(service.name, 80)} and its pods: {look}. {refusal.step}"
        return replace(refusal, name=name, step=step, blames=(service,))
    if limit := limit_in(text):
        step = f"{limit.change[:1].upper()}{limit.change[1:]}. {refusal.step}" if limit.change else refusal.step
        return replace(refusal, name=limit.name, step=step)
    return refusal
