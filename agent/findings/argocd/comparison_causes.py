"""Why Argo CD cannot generate, compare or accept an Application: the cause in its message, and what to do.

Owns the wording of conditions such as ComparisonError and InvalidSpecError. Sources: Argo CD's reposerver/repository,
controller and util/argo; Git, Helm and Kustomize, whose errors the repo-server passes on. The innermost clause of a
message decides; the frames around it name the tool or the cluster.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line
from agent.objects.error_message import ErrorMessage, parse, shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonCause:
    """A cause. `name` completes "ComparisonError: ...", `step` is what to do."""

    name: str
    step: str


CLUSTER_UNKNOWN = "its destination cluster is not registered in Argo CD"

# Characters of the innermost clause in a title.
_STATEMENT_LIMIT = 200

# Causes by the words of one clause, in order of precedence. In name and step `{g1}` is the first group; `_words` has
# the others. A `.*` is compiled to a bounded gap, so that a match takes linear time.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"references project .* which does not exist|project .* does not exist|app project .* not found",
        "its AppProject does not exist",
        "Create the project (`argocd proj create`), or correct spec.project; `argocd proj list` shows the existing.",
    ),
    (
        r"application \S{1,253} in namespace '?([\w.-]{1,253})'? is not permitted to use project '?([\w.-]{1,253})",
        "AppProject {g2} does not admit Applications of namespace {g1}",
        "Add {g1} to spec.sourceNamespaces of AppProject {g2}; the namespace must also be in `application.namespaces` "
        "of argocd-cmd-params-cm.",
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
        r"no endpoints available for service \"([^\"]{1,253})\"",
        "Service {g1} has no running pods",
        "Look at the pods of Service {g1}{of_webhook}: they serve what the API server calls.",
    ),
    (
        r"duplicate entries for key (\[.{1,200}?\])",
        "the live object has the list entry {g1} more than once",
        "Remove the duplicate: correct it in Git where it is twice there, else replace the live object once "
        "(`argocd app sync --replace --resource ...`), as apply cannot remove it.",
    ),
    (
        r"field not declared in schema",
        "the cluster's schema of this kind lacks a field",
        "Compare the field with the CRD or Kubernetes version of the cluster (`kubectl explain`); where Argo CD's own "
        "schema is the older one, use ServerSideDiff or upgrade Argo CD.",
    ),
    (
        r"unknown (?:method|service) (\S{1,120})",
        "Argo CD's components are of different versions: the repo-server does not know {g1}",
        "Bring all components of Argo CD to one version and restart argocd-repo-server.",
    ),
    (
        r"error getting openapi resources",
        "the OpenAPI schema of the destination cluster cannot be read",
        "Check the cluster's credentials and the ClusterRole of its service account (argocd-manager): `argocd cluster "
        "get`; then `kubectl get --raw /openapi/v2` with the same account.",
    ),
    (
        r"failed to load openapi|failed to get api resources|unable to (list|retrieve).*(server APIs|api resources)",
        "the API discovery of the destination cluster fails",
        "Look for an APIService that is not available: `kubectl get apiservices`.",
    ),
    (
        r"is forbidden: User|\bcannot (get|list|watch) resource",
        "Argo CD may not read the destination cluster",
        "Grant the service account that the message names the right to list and watch, or narrow the cluster's "
        "namespaces and resources in its Secret.",
    ),
    (
        r"knownhosts: key is unknown|host key verification failed",
        "the SSH host key of the repository is not known",
        "Add the host's key: `argocd cert add-ssh --batch`.",
    ),
    (
        r"x509: |certificate signed by unknown authority|certificate has expired",
        "a TLS certificate is not trusted",
        "Renew the certificate, or give Argo CD its CA: `argocd cert add-tls` for a repository, caData in its Secret "
        "for a cluster, caBundle for a webhook.",
    ),
    (
        r"429 Too Many Requests|rate limit",
        "the repository limits the number of requests",
        "Give Argo CD credentials with a higher limit, or webhooks instead of polling (raise timeout.reconciliation).",
    ),
    (
        r"no repository definition for (https?://[^\s,]{1,300}[^\s,.])",
        "{g1}, the repository of a dependency of the chart, is not registered in Argo CD",
        "Register it: `argocd repo add {g1} --type helm --name NAME`.",
    ),
    (
        r"may not add resource with an already registered id: (\S{1,300}?)(?=[:']|$)",
        "Kustomize cannot build the manifests: {g1} is already registered, so two of its resources define it",
        "Remove one of the two definitions of {g1} from the kustomization, or make one a patch of the other.",
    ),
    (
        r"no space left on device",
        "the disk of {component} is full",
        "Make room for {component}: enlarge its /tmp volume (emptyDir sizeLimit) or the node's disk; a restart of its "
        "pod empties the cache of repositories.",
    ),
    (
        r"invalid Kustomization: .*unknown field \"([^\"]{1,200})\"",
        "Kustomize cannot build the manifests: kustomization.yaml has the unknown field {g1}",
        "Correct field {g1} in kustomization.yaml: its spelling, or the version of Kustomize that knows it.",
    ),
    (
        r"looks like \"([^\"]{1,400})\" is not a valid chart repository",
        "{g1} is no Helm repository with an index.yaml{as_oci}",
        'Where it is an OCI registry, register it so: enableOCI: "true" and type: helm in its Secret (`argocd repo '
        "add` with `--type helm --enable-oci`), and its host without a scheme; else correct the URL.",
    ),
    (
        r"the server has asked for the client to provide credentials|^Unauthorized$",
        "the destination cluster refuses Argo CD's credentials",
        "Renew the cluster's credentials: `argocd cluster list`, then `argocd cluster add` again.",
    ),
    (
        r"access token has insufficient scopes|insufficient_scope",
        "the registry refuses repository {repository}, or it does not exist",
        "A registry answers so for a repository that does not exist too: check that spec.source.repoURL and chart "
        "together are its path{hub}, then the credentials (`argocd repo list`).",
    ),
    (
        r"NOAUTH|WRONGPASS",
        "Redis asks for a password that Argo CD does not send",
        "Compare the password in Secret argocd-redis with what the components read, and restart those that started "
        "before it changed.",
    ),
    (
        r"lookup (\S*redis\S*?)(?: on \S+)?: no such host",
        "Argo CD cannot resolve its Redis: there is no Service {g1}",
        "Compare the address of Redis (redis.server in argocd-cmd-params-cm) with the Services of Argo CD's namespace: "
        "an installation with high availability has argocd-redis-ha-haproxy in place of argocd-redis.",
    ),
    (
        r"authentication required|authorization failed|invalid (auth|credentials|username or password)|"
        r"permission denied \(publickey|ssh: handshake failed|could not read Username|Repository not found|"
        r"repository not (accessible|found)|403 Forbidden|401 Unauthorized|response status code 40[13]",
        "the repository refuses Argo CD",
        "Check the URL and the credentials of {of_url}: `argocd repo list`, then `argocd repo add` with the right "
        "ones.",
    ),
    (
        r"chart \S+ version \S+ not found|chart version .* not found|no version for constraint|constraint .* no match|"
        r"version .* not found in (index|repository)|chart .* not found in|manifest unknown|no chart version found",
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
        r"hit (\S{1,20}) timeout running",
        "a command ran into its time limit of {g1}{fetched}",
        "Check the network from argocd-repo-server to the host that the message names; a remote base takes "
        "`?timeout=`, or copy it into the repository.",
    ),
    (
        r"executing \S{1,300} at <(\S{1,300})>.*nil pointer evaluating",
        "Helm cannot render the chart: the value {g1} is missing",
        "Set what {g1} reads in Git, in the Application's value files or under spec.source.helm; check it by `helm "
        "template` with the same values.",
    ),
    (
        r"unmarshal(ing)? manifest|converting YAML to JSON|did not find expected|mapping values are not allowed|"
        r"yaml: (line|unmarshal|control)|error unmarshaling JSON|Object 'Kind' is missing|unmarshal|"
        r"error (parsing|decoding)",
        "a manifest cannot be parsed (it is not valid YAML or no Kubernetes object){in_file}",
        "Repair the file and line that the message names{in_file}.",
    ),
    (
        r"(?:open|stat|lstat) (.{1,300}?/)?([\w.@/-]{1,200}values[\w.-]*\.ya?ml): no such file",
        "the value file {g2} is not in the repository at this revision",
        "Correct the path in spec.source.helm.valueFiles (of `$ref/...` also the revision of that source), or set "
        "ignoreMissingValueFiles where it may be absent.",
    ),
    (
        r"no such file or directory|must be a directory|file does not exist|not a directory",
        "a file is not in {of_base} at this revision",
        "Correct the reference to the file that the message names, or the revision{pin}.",
    ),
    (
        r"timeout after|signal: killed",
        "generating the manifests takes too long or too much memory",
        "Raise its time limit (ARGOCD_EXEC_TIMEOUT of {component}) or its memory limit; look at the resources of "
        "{component}.",
    ),
    (
        r"repo-server\b.*(unavailable|refused|no such host)|code = Unavailable",
        "Argo CD's repo-server does not answer",
        "Look at the pods of argocd-repo-server and their logs.",
    ),
    (
        r"i/o timeout|connection refused|connection reset|no such host|no route to host|deadline exceeded|"
        r"TLS handshake|\bEOF$|network is unreachable",
        "{network}",
        "{network_step}",
    ),
)

# What failed, by the frames around a cause that is none of the above: tool, plugin or cluster.
_STAGES: tuple[tuple[str, str, str], ...] = (
    (
        r"kustomize|accumulating resources|accumulation err",
        "Kustomize cannot build the manifests",
        "Build it locally, `kustomize build` in the same path, and repair what it reports.",
    ),
    (
        r"plugin sidecar failed|config management plugin|could not find (a )?(plugin|cmp)|cmp-server|"
        r"manifests in cmp|plugin .* (not found|failed)",
        "the config management plugin fails",
        "Read the log of the plugin's sidecar in the pods of argocd-repo-server, and run its command in the same path.",
    ),
    (
        r"\bhelm (template|dependency|pull|registry|repo)\b|`helm\b|chart .* not found|execution error at|"
        r"failed parsing (--set|-f)|values don't meet the specifications|looks up no chart",
        "Helm cannot render the chart",
        "Render it locally with the same values, `helm template`, and repair what it reports.",
    ),
    (
        r"manifest generation",
        "the manifests cannot be generated",
        "Repair what the message names in Git.",
    ),
    (
        r"failed to get cluster info|failed to sync cluster|failed to load live state|error synchronizing cache state|"
        r"cluster .* unreachable|error getting cluster|failed to get (server|cluster) version|"
        r"failed to load initial state",
        "the destination cluster cannot be read",
        "Check the cluster: `argocd cluster list` shows the connection and its error.",
    ),
)


def _compiled(table: tuple[tuple[str, str, str], ...]) -> tuple[tuple[re.Pattern[str], str, str], ...]:
    return tuple(
        (re.compile(pattern.replace(".*", ".{0,300}"), re.IGNORECASE), name, step) for pattern, name, step in table
    )


_COMPILED_CAUSES, _COMPILED_STAGES = _compiled(_CAUSES), _compiled(_STAGES)


def comparison_cause(message: str) -> ComparisonCause | None:
    """The known cause in a condition's message, None where it has none."""
    error = parse(message)
    if failure := _HELM_FAIL.search(error.text[:_HELM_FAIL_WITHIN]):
        return _unrendered(failure[1], failure[2].partition(" Use --debug")[0])
    stage = _stage(error)
    for clause in _clauses(error):
        for pattern, name, step in _COMPILED_CAUSES:
            if match := pattern.search(clause):
                words = _words(error, match, stage)
                cause = ComparisonCause(name=name.format_map(words), step=step.format_map(words))
                return _stated(cause, error, stage)
    if stage:
        return _stated(stage, error, None)
    return None


def _named_step(step: str, statement: str) -> str:
    """The step with what to repair, where it only refers to the message."""
    return (
        f"{step.removesuffix('.')}: “{statement}”."
        if statement and step.endswith(("reports.", "names.", "Git."))
        else step
    )


def _clauses(error: ErrorMessage) -> Iterator[str]:
    """What is read for a cause: the innermost clause first, then the words around it, then the whole."""
    yield error.cause
    yield error.statement
    yield from error.others
    yield from (frame.text for frame in reversed(error.frames))
    yield error.text[:_HELM_FAIL_WITHIN]


def _stage(error: ErrorMessage) -> ComparisonCause | None:
    """The innermost known frame: what Argo CD was doing."""
    for text in (*(frame.text for frame in reversed(error.frames)), error.cause):
        for pattern, name, step in _COMPILED_STAGES:
            if pattern.search(text):
                return ComparisonCause(name=name, step=step)
    return None


def _stated(cause: ComparisonCause, error: ErrorMessage, stage: ComparisonCause | None) -> ComparisonCause:
    """The cause with the innermost clause of the message, as far as its name does not have it already."""
    statement = one_line(shorten(error.statement, _STATEMENT_LIMIT), _STATEMENT_LIMIT)
    name = cause.name
    if cause.name == CLUSTER_UNKNOWN:
        return cause
    if stage and stage.name.split()[0] not in name and stage.name.split()[0] in ("Kustomize", "Helm"):
        name = f"{stage.name}: {name}"
    if statement.lower() not in name.lower():
        name = f"{name}: {statement}"
    return ComparisonCause(name=name, step=_named_step(cause.step, statement))


def _words(error: ErrorMessage, match: re.Match[str], stage: ComparisonCause | None) -> dict[str, str]:
    """What name and step of a cause may name."""
    groups = {f"g{number}": one_line(text or "", 200) for number, text in enumerate(match.groups(), start=1)}
    file, url = error.detail("file"), error.detail("url")
    repository, bases = _repository_of(url), _BASE.findall(error.text[:_HELM_FAIL_WITHIN])
    service, namespace = _service(url)
    look = kubectl("get", "pods,endpointslices,services", namespace=namespace) if namespace else ""
    host = _HOST.search(error.text[:_HELM_FAIL_WITHIN])
    where = url or (f"the host {host[1] or host[2]}" if host else "")
    network, network_step = _network(match[0].lower(), stage, url=where, service=service, look=look)
    return _Words(
        groups
        | {
            "repository": "/".join(repository) or url or "it asks for",
            "hub": _on_docker_hub(url, repository),
            "of_url": _remote(error) or url or "the repository",
            "as_oci": _OCI if _WITHOUT_SCHEME.search(error.text) else "",
            "of_base": f"the remote base {one_line(bases[-1], 200)}" if bases else "the repository",
            "pin": f": pin the base {one_line(bases[-1], 200)} to one that has it, or use another base"
            if bases
            else "",
            "fetched": f" when it fetched the remote base {one_line(bases[-1], 200)}" if bases else "",
            "in_file": f" in {one_line(file, 120)}" if file else "",
            "of_webhook": f" in namespace {namespace} ({look})" if look else "",
            "component": "the plugin's sidecar" if _is_plugin(stage) else "argocd-repo-server",
            "network": network,
            "network_step": network_step,
        }
    )


# Argo CD names a repository by its address (util/helm/client.go); it has no scheme where an OCI registry is meant
# (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-oci).
_WITHOUT_SCHEME = re.compile(r"\bhelm repo add (?!\w+://)([\w.-]{1,200}\.[\w./:-]{1,200}) https?://\1")
_OCI = "; its address has no scheme, so it looks like an OCI registry that is registered without enableOCI"
_BASE = re.compile(r"accumulating resources from '([^' ]{1,300}\?ref=[^' ]{1,200})'")
_DOCKER_HUB = "docker.io"
_HUB_PARTS = 2


def _repository_of(url: str) -> list[str]:
    """The parts of the repository that a registry's token is asked for (`scope=repository:NAME:pull`,
    https://distribution.github.io/distribution/spec/auth/token/)."""
    scope = parse_qs(urlsplit(url).query).get("scope", [""])[0].split(":")
    return scope[1].split("/") if scope[0] == "repository" and len(scope) > 1 else []


def _remote(error: ErrorMessage) -> str:
    """The repository that git names: of a clone, or of a submodule."""
    match = _REMOTE.search(error.text[:_HELM_FAIL_WITHIN])
    return one_line(f"{match[1]} (submodule)" if "submodule" in match[0] else match[1], 200) if match else ""


# https://git-scm.com/docs/git-submodule; the message is in Git's builtin/submodule--helper.c
_REMOTE = re.compile(r"clone of '([^']{1,300})' into submodule path|clone of '([^']{1,300})'")


def _on_docker_hub(url: str, repository: list[str]) -> str:
    """Docker Hub has repositories of an account and a name (https://docs.docker.com/docker-hub/repos/)."""
    if _DOCKER_HUB not in url or len(repository) <= _HUB_PARTS:
        return ""
    account, chart = (one_line(part, 100) for part in repository[:_HUB_PARTS])
    return f" (Docker Hub's have two parts: repoURL registry-1.docker.io/{account} and chart {chart})"


def _network(words: str, stage: ComparisonCause | None, *, url: str, service: str, look: str) -> tuple[str, str]:
    """Name and step of a connection that fails: in the light of what Argo CD was doing."""
    late = "deadline" in words
    if look:
        return f"Service {service} cannot be reached", f"Look at Service {service} and its pods: {look}."
    if stage and "cluster" in stage.name:
        return "the destination cluster cannot be reached", stage.step
    if late and _is_plugin(stage):
        return (
            "the plugin ran into its time limit",
            "Raise the plugin's time limit (ARGOCD_EXEC_TIMEOUT of its sidecar) and the controller's "
            "(controller.repo.server.timeout.seconds), or make its generate command faster.",
        )
    if late and not url:
        return (
            "generating the manifests takes too long",
            "Look at argocd-repo-server's resources; raise its exec timeout (ARGOCD_EXEC_TIMEOUT) or its memory limit.",
        )
    return (
        "a network connection fails",
        f"Check the address, and the connection to {one_line(url, 200) or 'that host'} from Argo CD's namespace.",
    )


def _is_plugin(stage: ComparisonCause | None) -> bool:
    return stage is not None and "plugin" in stage.name


def _service(url: str) -> tuple[str, str]:
    """Name and namespace of the Service in a URL, "" for any other host."""
    match = re.match(r"https?://([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})\.svc\b", url)
    return (match[1], match[2]) if match else ("", "")


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


# Go's net: what it dialled, or looked up.
_HOST = re.compile(r"dial (?:tcp|udp) ([^\s:]{1,253}:\d{1,5})|lookup ([^\s:]{1,253})(?: on \S{1,60})?:")

# Helm's `required` and `fail` (pkg/engine/engine.go): the template with line and column, and the author's message.
_HELM_FAIL = re.compile(r"execution error at \(([^()]{1,300})\): (.{1,600})")
_HELM_FAIL_WITHIN = 16_000
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
