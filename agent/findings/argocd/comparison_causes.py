"""Why Argo CD cannot generate, compare or accept an Application: known messages, their causes and what to do.

Owns the wording of conditions such as ComparisonError and InvalidSpecError. Sources: Argo CD's reposerver/repository,
controller and util/argo; Git, Helm and Kustomize, whose errors the repo-server passes on.
"""

import re
from dataclasses import dataclass

from agent.findings.engine.evidence import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonCause:
    """A known cause. `name` completes "ComparisonError: ...", `step` is what to do."""

    name: str
    step: str


CLUSTER_UNKNOWN = "its destination cluster is not registered in Argo CD"

# The cause of a message is within its first characters.
_READ_LIMIT = 4_000

# In order of precedence: a tool's own error comes before words that its output may contain. A `.*` is compiled to a
# bounded gap, so that a match takes linear time.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"references project .* which does not exist|project .* does not exist|app project .* not found",
        "its AppProject does not exist",
        "Create the project (`argocd proj create`), or correct spec.project; `argocd proj list` shows the existing.",
    ),
    (
        r"there are no clusters with this name|unable to find destination server|cluster .* has not been configured|"
        r"there are \d+ clusters with the same|error getting cluster by (name|url|server)|"
        r"cluster \"[^\"]{1,200}\" not found",
        CLUSTER_UNKNOWN,
        "Register the cluster (`argocd cluster add`), or correct spec.destination; `argocd cluster list` shows the "
        "registered ones.",
    ),
    (
        r"can't have both name and server defined|destination server missing|destination server and/or namespace|"
        r"spec\.(source|destination|project)\S* (is )?required|spec\.source\.(path|chart)|invalid spec",
        "its spec is incomplete",
        "Correct the field that the message names.",
    ),
    (
        r"failed to unmarshal manifest|error converting YAML to JSON|did not find expected|"
        r"mapping values are not allowed|yaml: (line|unmarshal)|error unmarshaling JSON|Object 'Kind' is missing",
        "a manifest cannot be parsed (it is not valid YAML or no Kubernetes object)",
        "Repair the file and line that the message names.",
    ),
    (
        r"kustomize build|`kustomize|accumulating resources|accumulation err",
        "Kustomize cannot build the manifests",
        "Build it locally, `kustomize build` in the same path, and repair what it reports.",
    ),
    (
        r"plugin sidecar failed|config management plugin|could not find (a )?(plugin|cmp)|cmp-server|"
        r"error generating manifests in cmp|plugin .* (not found|failed)",
        "the config management plugin fails",
        "Read the log of the plugin's sidecar in the pods of argocd-repo-server, and run its command in the same path.",
    ),
    (
        r"failed to load openapi|failed to get api resources|unable to (list|retrieve).*(server APIs|api resources)",
        "the API discovery of the destination cluster fails",
        "Look for an APIService that is not available: `kubectl get apiservices`.",
    ),
    (
        r"failed to (sync cluster|load live state).*(is forbidden|cannot get)|cluster cache.*forbidden|"
        r"\bcannot (list|watch) resource",
        "Argo CD may not read the destination cluster",
        "Grant the service account that the message names the right to list and watch, or narrow the cluster's "
        "namespaces and resources in its Secret.",
    ),
    (
        r"knownhosts: key is unknown|host key verification failed|ssh: handshake failed: knownhosts",
        "the SSH host key of the repository is not known",
        "Add the host's key: `argocd cert add-ssh --batch`.",
    ),
    (
        r"x509: (certificate|cannot validate)|certificate signed by unknown authority|certificate has expired",
        "a TLS certificate is not trusted",
        "Renew the certificate, or give Argo CD its CA: `argocd cert add-tls`, for a cluster caData in its Secret.",
    ),
    (
        r"429 Too Many Requests|rate limit",
        "the repository limits the number of requests",
        "Give Argo CD credentials with a higher limit, or webhooks instead of polling (raise timeout.reconciliation).",
    ),
    (
        r"authentication required|authorization failed|invalid (auth|credentials|username or password)|"
        r"permission denied \(publickey|ssh: handshake failed|could not read Username|Repository not found|"
        r"repository not (accessible|found)|403 Forbidden|401 Unauthorized|response status code 40[13]",
        "the repository refuses Argo CD",
        "Check the repository's URL and credentials: `argocd repo list`, then `argocd repo add` with the right ones.",
    ),
    (
        r"the server has asked for the client to provide credentials|failed to get cluster .*unauthorized|"
        r"failed to load live state.*unauthorized",
        "the destination cluster refuses Argo CD's credentials",
        "Renew the cluster's credentials: `argocd cluster list`, then `argocd cluster add` again.",
    ),
    (
        r"chart \S+ version \S+ not found|chart version .* not found|no version for constraint|constraint .* no match|"
        r"version .* not found in (index|repository)|chart .* not found in|manifest unknown",
        "the chart, or this version of it, is not found in its repository",
        "Correct spec.source.chart or spec.source.targetRevision; `helm search repo --versions` shows them all.",
    ),
    (
        r"unable to resolve .* to a commit|couldn't find remote ref|unknown revision|reference not found|"
        r"invalid revision",
        "the revision does not exist",
        "Correct spec.source.targetRevision: the branch, tag or commit does not exist.",
    ),
    (
        r"app path does not exist|app path is absolute|: path .* does not exist",
        "a path is not in the repository at this revision",
        "Correct spec.source.path, or the revision.",
    ),
    (
        r"helm (template|dependency|pull|registry)|`helm|chart .* not found|execution error at|"
        r"failed parsing (--set|-f)|values don't meet the specifications|looks up no chart",
        "Helm cannot render the chart",
        "Render it locally with the same values, `helm template`, and repair what it reports.",
    ),
    (
        r"no such file or directory",
        "a file is not in the repository at this revision",
        "Correct the reference to the file that the message names, or the revision.",
    ),
    (
        r"failed to unmarshal|error (parsing|decoding|unmarshal)",
        "a manifest cannot be parsed (it is not valid YAML or no Kubernetes object)",
        "Repair the file that the message names.",
    ),
    (
        r"repo-server|argocd-repo-server|code = Unavailable",
        "Argo CD's repo-server does not answer",
        "Look at the pods of argocd-repo-server and their logs.",
    ),
    (
        r"manifest generation .*(timed out|deadline)|signal: killed",
        "generating the manifests takes too long or too much memory",
        "Look at argocd-repo-server's resources; raise its exec timeout (ARGOCD_EXEC_TIMEOUT) or its memory limit.",
    ),
    (
        r"failed to get cluster info|failed to sync cluster|failed to load live state|error synchronizing cache state|"
        r"cluster .* unreachable|error getting cluster|failed to get server version",
        "the destination cluster cannot be reached",
        "Check the cluster: `argocd cluster list` shows the connection and its error.",
    ),
    (
        r"i/o timeout|connection refused|connection reset|no such host|no route to host|deadline exceeded|"
        r"TLS handshake|\bEOF$",
        "a network connection fails",
        "Check the connection from Argo CD's namespace to the host that the message names.",
    ),
)
_COMPILED = tuple(
    (re.compile(pattern.replace(".*", ".{0,300}"), re.IGNORECASE), name, step) for pattern, name, step in _KNOWN
)


def comparison_cause(message: str) -> ComparisonCause | None:
    """The known cause in a condition's message, None where it has none."""
    text = " ".join(message[:_READ_LIMIT].split())
    if failure := _HELM_FAIL.search(text):
        return _unrendered(failure[1], failure[2].partition(" Use --debug")[0])
    for pattern, name, step in _COMPILED:
        if pattern.search(text):
            return ComparisonCause(name=name, step=step)
    return None


# Helm's `required` and `fail` (pkg/engine/engine.go): the template with line and column, and the author's message.
_HELM_FAIL = re.compile(r"execution error at \(([^()]{1,300})\): (.{1,600})")
_VALUE = re.compile(r"(?:\.?Values\.)?\b([A-Za-z]\w{0,60}(?:\.\w{1,60}){1,8})\b")


def _unrendered(template: str, message: str) -> ComparisonCause:
    """A chart whose template refuses to render, with the value that its message names."""
    value = _VALUE.search(message)
    what = value[1] if value else "that value"
    return ComparisonCause(
        name=f"Helm cannot render the chart: {one_line(message, 120)}",
        step=f"Set {what} in Git, in the Application's value files or under spec.source.helm (template "
        f"{one_line(template, 120)} requires it); check it by `helm template` with the same values.",
    )
