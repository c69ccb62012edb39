"""A field that the schema of a kind does not have: its path, and the field that was likely meant."""

import re
from difflib import get_close_matches

from agent.findings.engine.evidence import one_line

# The API server's strict decoding (`unknown field "spec.replicass"`) and server-side apply (`.spec.replicass: field not
# declared in schema`): https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
_FIELD = re.compile(r'unknown field "([^"`\s]{1,253})"|(?:^|\s)\.?([^\s:`]{1,253}): field not declared in schema')

# Fields of workloads, Services and Ingresses that manifests set most: https://kubernetes.io/docs/reference/kubernetes-api/
_KNOWN = """
affinity annotations args automountServiceAccountToken backend backoffLimit capabilities claimName clusterIP command
completions concurrencyPolicy configMap configMapKeyRef configMapRef containerPort containers cpu data defaultMode
emptyDir env envFrom failureThreshold fsGroup host hostNetwork hostPath http httpGet image imagePullPolicy
imagePullSecrets ingressClassName initContainers initialDelaySeconds items jobTemplate key labels lifecycle limits
livenessProbe matchExpressions matchLabels maxReplicas maxSurge maxUnavailable medium memory metadata metrics
minAvailable minReadySeconds minReplicas mountPath name namespace nodeName nodePort nodeSelector optional parallelism
path pathType paths periodSeconds persistentVolumeClaim podManagementPolicy port ports preStop priorityClassName
progressDeadlineSeconds protocol readOnly readOnlyRootFilesystem readinessProbe replicas requests resources
restartPolicy revisionHistoryLimit rollingUpdate rules runAsGroup runAsNonRoot runAsUser schedule scaleTargetRef
secret secretKeyRef secretName secretRef securityContext selector service serviceAccountName serviceName
sizeLimit spec startupProbe storageClassName strategy subPath successThreshold suspend targetPort template
terminationGracePeriodSeconds timeoutSeconds tls tolerations topologySpreadConstraints type updateStrategy value
valueFrom volumeClaimTemplates volumeMounts volumes
"""


def unknown_field(message: str) -> str:
    """The first unknown field of a message with the likely one, "" without one.

    As in: unknown field `spec.replicass` (did you mean `replicas`?).
    """
    match = _FIELD.search(message)
    if match is None:
        return ""
    path = match[1] or match[2]
    meant = get_close_matches(path.rpartition(".")[2], _KNOWN.split(), n=1, cutoff=0.8)
    return f"unknown field `{one_line(path, 120)}`" + (f" (did you mean `{meant[0]}`?)" if meant else "")
