"""Who changes live objects besides Git: the managers of their fields, autoscalers, and webhooks that inject.

Owns the names by which people, controllers and injectors are known.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

from agent.context.model import TreeNode
from agent.findings.drift.model import ABSENT, Item, Owner, Step
from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.target import ResourceRef

# Managers of one object that are read; real objects have a handful.
_MANAGERS = 50


@dataclass(frozen=True, kw_only=True)
class Owners:
    """The managers of one live object's fields, newest first, from its `metadata.managedFields`.

    The format of `fieldsV1`: https://kubernetes.io/docs/reference/using-api/server-side-apply/
    """

    manifest: Manifest | None

    def of(self, steps: tuple[Step, ...]) -> Owner | None:
        """The owner that last set the field at `steps`, or the closest field around it; None where none is recorded."""
        best: tuple[int, Owner] | None = None
        for owner, fields in self._managers:
            depth = _depth(fields, steps)
            if depth and (best is None or depth > best[0]):
                best = depth, owner
        # A manager of a field far above (`f:spec`) did not set this one.
        return best[1] if best and best[0] >= min(len(steps), 2) else None

    @cached_property
    def _managers(self) -> list[tuple[Owner, Manifest]]:
        entries = objects_at(self.manifest, "metadata", "managedFields")[:_MANAGERS]
        managers = [
            (
                Owner(
                    manager=text_at(entry, "manager"),
                    operation=text_at(entry, "operation"),
                    time=text_at(entry, "time"),
                ),
                object_at(entry, "fieldsV1"),
            )
            for entry in entries
            if text_at(entry, "manager")
        ]
        return sorted(managers, key=lambda manager: manager[0].time, reverse=True)


def _depth(fields: Manifest, steps: tuple[Step, ...]) -> int:
    """How many of the steps the manager's field set contains, 0 where the manager does not own the field.

    A set that ends on the way (`f:rules: {}`) owns all fields below.
    """
    current: Manifest = fields
    for depth, step in enumerate(steps):
        following = _step(current, step)
        if following is None:
            return depth if depth and not set(current) - {"."} else 0
        current = following
    return len(steps)


def _step(fields: Manifest, step: Step) -> Manifest | None:
    """The field set below a step: `f:name` for a key, `k:{...}` for an entry of a list by its keys."""
    if isinstance(step, str):
        found: object = fields.get(f"f:{step}")
        return cast("Manifest", found) if isinstance(found, dict) else None
    if isinstance(step, int):
        return None
    for key, below in fields.items():
        if key.startswith("k:") and isinstance(below, dict) and _names(key[2:], step):
            return cast("Manifest", below)
    return None


def _names(text: str, item: Item) -> bool:
    """Whether `{"containerPort":80,"protocol":"TCP"}` names this entry."""
    try:
        keys: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(keys, Mapping):
        return False
    named = cast("Mapping[str, Any]", keys)
    pairs = list(zip(item.fields, item.values, strict=True))
    return any(field in named for field, _ in pairs) and all(named.get(field, value) == value for field, value in pairs)


type _Workload = tuple[str, str, str]
"""Kind, namespace and name."""


class Autoscalers:
    """The autoscalers among manifests and in a resource tree by the workload they target: HPA, KEDA's ScaledObject,
    VPA."""

    def __init__(self, manifests: Iterable[Manifest], tree: Iterable[TreeNode]) -> None:
        self._scalers: dict[_Workload, str] = {}
        self._resizers: dict[_Workload, str] = {}
        for manifest in manifests:
            match text_at(manifest, "kind"):
                case "HorizontalPodAutoscaler" | "ScaledObject":
                    self._scalers[_target(manifest, "scaleTargetRef")] = _named(manifest)
                case "VerticalPodAutoscaler" if text_at(manifest, "spec", "updatePolicy", "updateMode") != "Off":
                    self._resizers[_target(manifest, "targetRef")] = _named(manifest)
                case _:
                    pass
        # The tree does not contain an autoscaler's target: by convention both have the same name.
        self._by_name = {
            (node.resource.namespace, node.resource.name): f"HorizontalPodAutoscaler {node.resource.name}"
            for node in tree
            if node.resource.kind == "HorizontalPodAutoscaler"
        }

    def of(self, resource: ResourceRef) -> str:
        """Kind and name of the autoscaler that sets the replicas of the workload, "" for none."""
        by_name = self._by_name.get((resource.namespace, resource.name)) or self._by_name.get(
            (resource.namespace, f"{resource.name}-hpa")
        )
        return self._scalers.get(_key(resource)) or by_name or ""

    def resizer_of(self, resource: ResourceRef) -> str:
        """Kind and name of the VerticalPodAutoscaler that sets its requests, "" for none."""
        return self._resizers.get(_key(resource), "")


def _target(manifest: Manifest, reference: str) -> _Workload:
    kind = text_at(manifest, "spec", reference, "kind") or "Deployment"  # KEDA's default
    return kind, text_at(manifest, "metadata", "namespace"), text_at(manifest, "spec", reference, "name")


def _named(manifest: Manifest) -> str:
    return f"{text_at(manifest, 'kind')} {text_at(manifest, 'metadata', 'name')}"


def _key(resource: ResourceRef) -> _Workload:
    return resource.kind, resource.namespace, resource.name


# Containers, init containers and volumes that admission webhooks inject, by name.
_INJECTED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), injector)
    for pattern, injector in (
        (r"istio-.*|workload-socket|credential-socket|workload-certs|istiod-ca-cert", "Istio's sidecar injector"),
        (r"linkerd-.*", "Linkerd's proxy injector"),
        (r"vault-agent.*|vault-secrets|home-init|home-sidecar", "Vault's agent injector"),
        (r"consul-(?:dataplane|connect).*|envoy-sidecar", "Consul's injector"),
        (r"kuma-.*", "Kuma's injector"),
        (r"daprd|dapr-.*", "Dapr's sidecar injector"),
        (r"opentelemetry-auto-instrumentation.*|otc-container.*|otel-auto-.*", "OpenTelemetry's operator"),
        (r"datadog-.*", "Datadog's admission controller"),
        (r"install-oneagent|oneagent-.*", "Dynatrace's webhook"),
        (r"jaeger-agent", "Jaeger's operator"),
        (r"kube-api-access-.*", "the ServiceAccount admission plugin"),
        (r"aws-iam-token|aws-token", "EKS's pod identity webhook"),
        (r"azure-identity-token", "Azure's workload identity webhook"),
    )
)
_INJECTED_LISTS = frozenset({"containers", "initContainers", "volumes", "volumeMounts", "imagePullSecrets", "env"})
_INJECTED_ENV = re.compile(
    r"AWS_(?:ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|STS_REGIONAL_ENDPOINTS|CONTAINER_.*)|AZURE_(?:FEDERATED_TOKEN_FILE|"
    r"AUTHORITY_HOST|TENANT_ID|CLIENT_ID)|STAKATER_.*|DD_(?:AGENT_HOST|ENTITY_ID|TRACE_AGENT_URL)"
)
_INJECTED_MOUNTS = re.compile(r"/var/run/secrets/(?:kubernetes\.io|eks\.amazonaws\.com|azure)/.*|/vault/secrets")

_ANNOTATIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (r"kubectl\.kubernetes\.io/restartedAt", "`kubectl rollout restart` (or Argo CD's restart action) set it"),
        (r"deployment\.kubernetes\.io/.*|deprecated\.daemonset\..*", "the workload's controller keeps it"),
        (r"(?:sidecar|sidecar-injector)\.istio\.io/status|(?:.*\.)?istio\.io/rev", "Istio's sidecar injector set it"),
        (r"linkerd\.io/(?:proxy-version|trust-root-sha256|created-by|inject-.*)", "Linkerd's proxy injector set it"),
        (r"vault\.hashicorp\.com/agent-inject-status", "Vault's agent injector set it"),
        (r"(?:.*\.)?reloader\.stakater\.com/.*", "Reloader set it to restart the pods"),
        (r"pv\.kubernetes\.io/.*|volume(?:\.beta)?\.kubernetes\.io/.*", "the volume controller keeps it"),
        (r"(?:cni|ipam)\..*|k8s\.(?:v1\.cni\.cncf|ovn)\.(?:io|org)/.*", "the network plugin set it"),
        (r"(?:.*\.)?cattle\.io/.*", "Rancher set it"),
        (r"openshift\.io/.*|operator\.openshift\.io/.*|olm\..*", "OpenShift set it"),
        (r"meta\.helm\.sh/.*", "Helm set it"),
        (r"kubernetes\.io/metadata\.name", "the API server sets it on every namespace"),
        (r"(?:batch\.kubernetes\.io/)?(?:controller-uid|job-name|job-tracking)", "the Job controller sets it"),
        (
            r"cloud\.google\.com/neg.*|networking\.gke\.io/.*|ingress\.kubernetes\.io/.*",
            "the load balancer set it",
        ),
        (r"autoscaling\..*|vpaUpdates|vpaObservedContainers", "an autoscaler set it"),
        (r"endpoints\.kubernetes\.io/.*|control-plane\.alpha\.kubernetes\.io/.*", "a controller keeps it"),
    )
)

_PEOPLE = re.compile(
    r"kubectl.*|oc|k9s|lens|mozilla|chrome|node-fetch|okhttp.*|python-requests|openapi-generator|swagger-codegen|"
    r"curl|helm|terraform.*|hashicorp|pulumi.*|ansible.*|before-first-apply|dashboard|headlamp.*",
    re.IGNORECASE,
)
_ARGOCD = re.compile(r"argocd.*|argo-cd.*|gitops-engine", re.IGNORECASE)
_CONTROLLER = re.compile(
    r"kube-controller-manager|kube-scheduler|kubelet|kube-apiserver|.*(?:controller|operator|webhook|injector|"
    r"autoscaler|recommender|updater|admission|manager).*|cert-manager.*|vpa.*|keda.*|istio.*|pilot-discovery|"
    r"linkerd.*|vault.*|external-secrets.*|reloader.*|crossplane.*|rancher.*|gatekeeper.*|kyverno.*|dapr.*|consul.*|"
    r"rollouts.*|velero.*|descheduler.*|flagger.*|cainjector.*",
    re.IGNORECASE,
)


def is_argocd(owner: Owner | None) -> bool:
    """Whether Argo CD set the field."""
    return owner is not None and bool(_ARGOCD.fullmatch(owner.manager))


def is_person(owner: Owner | None) -> bool:
    """Whether a person set the field, by hand or with a tool."""
    return owner is not None and bool(_PEOPLE.fullmatch(owner.manager))


def is_controller(owner: Owner | None) -> bool:
    """Whether a controller or a webhook set the field."""
    return (
        owner is not None
        and not is_argocd(owner)
        and not is_person(owner)
        and bool(_CONTROLLER.fullmatch(owner.manager))
    )


def mutation(steps: tuple[Step, ...], live: object, git: object) -> str:
    """Why a controller or webhook made this difference, by its path and values alone; "" where none is known to."""
    return _injected(steps, git) or _annotation(steps, git) or _field(steps, git)


def _injected(steps: tuple[Step, ...], git: object) -> str:
    for list_name, step in pairwise(steps):
        if not isinstance(step, Item) or list_name not in _INJECTED_LISTS:
            continue
        name = str(step.values[0])
        injector = next((injector for pattern, injector in _INJECTED if pattern.fullmatch(name)), "")
        if injector and (git is ABSENT or list_name in ("containers", "initContainers")):
            return f"{injector} adds {name}"
        if git is ABSENT and (
            (list_name == "env" and _INJECTED_ENV.fullmatch(name))
            or (list_name == "volumeMounts" and _INJECTED_MOUNTS.fullmatch(name))
        ):
            return f"a webhook or controller injects {name}"
    return ""


def _annotation(steps: tuple[Step, ...], git: object) -> str:
    if len(steps) < 2 or steps[-2] not in ("annotations", "labels") or not isinstance(steps[-1], str):
        return ""
    reason = next((reason for pattern, reason in _ANNOTATIONS if pattern.fullmatch(str(steps[-1]))), "")
    return reason if git is ABSENT or "restartedAt" in str(steps[-1]) else ""


def _field(steps: tuple[Step, ...], git: object) -> str:
    match steps:
        case (*_, "caBundle"):
            return "a certificate injector (cert-manager's cainjector, or the webhook itself) writes the CA bundle"
        case (*_, "nodePort" | "healthCheckNodePort") if git is ABSENT:
            return "the API server assigned the node port"
        case ("spec", "loadBalancerIP" | "loadBalancerClass" | "externalIPs") if git is ABSENT:
            return "the load balancer's controller set it"
        case ("secrets" | "imagePullSecrets", *_) if git is ABSENT:
            return "the token controller adds the ServiceAccount's secrets"
        case ("metadata", "finalizers", *_) if git is ABSENT:
            return "the controller of the kind adds its finalizer"
        case _:
            return ""
