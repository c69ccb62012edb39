"""What the API server fills in where a manifest leaves a field out. Owns the table of defaults.

Sources: k8s.io/kubernetes pkg/apis/*/v1/defaults.go, k8s.io/apiextensions-apiserver, and the CRD schemas of the Gateway
API, External Secrets and Argo CD, whose lists are compared whole, so that their defaults show up as differences.
"""

from collections.abc import Mapping
from typing import Any, cast

from agent.findings.drift.model import ABSENT, Step

_PROBE: dict[str, tuple[Any, ...]] = {
    "timeoutSeconds": (1,),
    "periodSeconds": (10,),
    "successThreshold": (1,),
    "failureThreshold": (3,),
    "initialDelaySeconds": (0,),
}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")

# By the last keys of a path (entries of lists do not count): the values that are defaults.
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    # pods
    "ports.protocol": ("TCP",),
    "spec.terminationGracePeriodSeconds": (30,),
    "spec.dnsPolicy": ("ClusterFirst",),
    "spec.restartPolicy": ("Always",),
    "spec.schedulerName": ("default-scheduler",),
    "spec.enableServiceLinks": (True,),
    "spec.preemptionPolicy": ("PreemptLowerPriority",),
    "spec.serviceAccountName": ("default",),
    "spec.serviceAccount": ("default",),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "imagePullPolicy": ("Always", "IfNotPresent"),
    "httpGet.scheme": ("HTTP",),
    "httpGet.path": ("/",),
    "grpc.service": ("",),
    "fieldRef.apiVersion": ("v1",),
    "resourceFieldRef.divisor": ("0", 0),
    "defaultMode": (420,),
    "serviceAccountToken.expirationSeconds": (3600,),
    "hostPath.type": ("",),
    "iscsi.iscsiInterface": ("default",),
    "rbd.pool": ("rbd",),
    # workloads
    "spec.replicas": (1,),
    "spec.revisionHistoryLimit": (10,),
    "spec.progressDeadlineSeconds": (600,),
    "spec.podManagementPolicy": ("OrderedReady",),
    "strategy.type": ("RollingUpdate",),
    "updateStrategy.type": ("RollingUpdate",),
    "rollingUpdate.maxSurge": ("25%", 0),
    "rollingUpdate.maxUnavailable": ("25%", 1),
    "rollingUpdate.partition": (0,),
    "persistentVolumeClaimRetentionPolicy.whenDeleted": ("Retain",),
    "persistentVolumeClaimRetentionPolicy.whenScaled": ("Retain",),
    "volumeClaimTemplates.apiVersion": ("v1",),
    "volumeClaimTemplates.kind": ("PersistentVolumeClaim",),
    "volumeMode": ("Filesystem",),
    "spec.backoffLimit": (6,),
    "spec.completions": (1,),
    "spec.parallelism": (1,),
    "spec.completionMode": ("NonIndexed",),
    "spec.podReplacementPolicy": ("TerminatingOrFailed",),
    "spec.suspend": (False,),
    "spec.concurrencyPolicy": ("Allow",),
    "spec.successfulJobsHistoryLimit": (3,),
    "spec.failedJobsHistoryLimit": (1,),
    # services and networks
    "spec.sessionAffinity": ("None",),
    "sessionAffinityConfig.clientIP.timeoutSeconds": (10800,),
    "spec.type": ("ClusterIP",),
    "spec.internalTrafficPolicy": ("Cluster",),
    "spec.externalTrafficPolicy": ("Cluster",),
    "spec.ipFamilyPolicy": ("SingleStack",),
    "spec.allocateLoadBalancerNodePorts": (True,),
    # webhooks, custom resource definitions, storage, autoscalers, access
    "webhooks.failurePolicy": ("Fail",),
    "webhooks.matchPolicy": ("Equivalent",),
    "webhooks.reinvocationPolicy": ("Never",),
    "webhooks.timeoutSeconds": (10,),
    "rules.scope": ("*",),
    "service.port": (443,),
    "spec.conversion.strategy": ("None",),
    "spec.preserveUnknownFields": (False,),
    "spec.persistentVolumeReclaimPolicy": ("Retain",),
    "reclaimPolicy": ("Delete",),
    "volumeBindingMode": ("Immediate",),
    "spec.minReplicas": (1,),
    "subjects.apiGroup": ("", "rbac.authorization.k8s.io"),
    "roleRef.apiGroup": ("rbac.authorization.k8s.io",),
    # Gateway API
    "parentRefs.group": ("gateway.networking.k8s.io",),
    "parentRefs.kind": ("Gateway",),
    "backendRefs.group": ("",),
    "backendRefs.kind": ("Service",),
    "backendRefs.weight": (1,),
    "matches.path.type": ("PathPrefix",),
    "matches.path.value": ("/",),
    "headers.type": ("Exact",),
    "certificateRefs.group": ("",),
    "certificateRefs.kind": ("Secret",),
    "namespaces.from": ("Same",),
    # External Secrets
    "conversionStrategy": ("Default",),
    "decodingStrategy": ("None",),
    "metadataPolicy": ("None",),
    "nullBytePolicy": ("Ignore",),
    "target.creationPolicy": ("Owner",),
    "target.deletionPolicy": ("Retain",),
    "template.engineVersion": ("v2",),
    "template.mergePolicy": ("Replace",),
    "secretStoreRef.kind": ("SecretStore",),
} | {f"{probe}.{field}": values for probe in _PROBES for field, values in _PROBE.items()}

# Fields whose value the API server chooses.
_ASSIGNED: frozenset[str] = frozenset(
    {
        "spec.clusterIP",
        "spec.clusterIPs",
        "spec.ipFamilies",
        "spec.policyTypes",
        "ports.targetPort",
        "names.listKind",
        "names.singular",
        "spec.serviceAccount",
        "spec.volumeName",
        "spec.storageClassName",
        "spec.claimRef",
    }
)
_LONGEST = 3


def is_default(steps: tuple[Step, ...], value: object) -> bool:
    """Whether the API server would have filled in this value at this path; of an object, all values in it.

    An empty value (null, "", {}, [], and 0 and false where no other default is known) is a default anywhere.
    """
    keys = tuple(step for step in steps if isinstance(step, str))
    return _is_default(keys, value)


def is_empty(value: object, depth: int = 10) -> bool:
    """Whether a value is empty: absent, null, "", {}, [], or only such values inside, at most `depth` deep."""
    if isinstance(value, Mapping | tuple | list):
        whole = cast("Mapping[str, object] | tuple[object, ...] | list[object]", value)
        inside = whole.values() if isinstance(whole, Mapping) else whole
        return depth > 0 and all(is_empty(item, depth - 1) for item in inside)
    return value is None or value is ABSENT or value == ""


def _is_default(keys: tuple[str, ...], value: object) -> bool:
    suffixes = [".".join(keys[-length:]) for length in range(1, _LONGEST + 1) if length <= len(keys)]
    if any(suffix in _ASSIGNED for suffix in suffixes):
        return True
    known = [_DEFAULTS[suffix] for suffix in suffixes if suffix in _DEFAULTS]
    if known and not is_empty(value):
        return any(_is_among(value, defaults) for defaults in known)
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        return all(_is_default((*keys, key), item) for key, item in entries.items())
    if isinstance(value, tuple):
        return all(_is_default(keys, item) for item in cast("tuple[object, ...]", value))
    return is_empty(value) or (isinstance(value, int | float) and value == 0)


def _is_among(value: object, defaults: tuple[Any, ...]) -> bool:
    return any(type(value) is type(default) and value == default for default in defaults)
