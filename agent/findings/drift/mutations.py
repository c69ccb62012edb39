"""Who changes live objects behind Git's back: autoscalers, injectors, controllers. Owns their marks; compares nothing.

Each rule says why in a sentence, or "" where it does not apply.
"""

import re
from itertools import pairwise

from agent.findings.drift.model import ABSENT, Item, Owner, Step

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
    """Whether somebody set the field by hand, or a tool in somebody's hand."""
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
    """Why a controller or webhook made this difference, as the path and the values alone tell."""
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
