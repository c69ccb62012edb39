"""The fix for what an error message reports, derived from the form of its innermost clause and the things it names.

`fix_for` knows no kind and no controller: a refusal names an account, a right and an object; something that is not
found has a kind and a name; a request that fails has a host; an invalid value has a field. The message is taken apart
by `agent.objects.error_message`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line
from agent.objects.error_message import ErrorMessage, parse, shorten
from agent.objects.manifest import Manifest, object_at, text_at

_LIMIT = 160
_NAME = r"[\"'`]?(?P<{0}>[A-Za-z0-9](?:[\w.:/@*-]{{0,250}}[\w*])?)[\"'`]?"


class _Said(NamedTuple):
    """A message, the clause of it that a form matched, and the object that reports it."""

    error: ErrorMessage
    match: re.Match[str]
    manifest: Manifest

    def named(self, group: str) -> str:
        """What a group of the form matched, "" for nothing."""
        return one_line((self.match.groupdict().get(group) or "").strip("\"'` .,"), _LIMIT)


type _Step = Callable[[_Said], str]


# Characters of a message that the forms look at: some of them take the square of a long word's length.
_SEARCHED = 4_000


def fix_for(message: str, manifest: Manifest) -> str:
    """The step that mends what a message of this object ({} for none) reports, "" for a message of no known form."""
    error = parse(message)
    for text in dict.fromkeys(shorten(each, _SEARCHED) for each in (error.cause, error.statement, error.text)):
        for pattern, step in _FORMS:
            if match := pattern.search(text):
                return step(_Said(error, match, manifest))
    return ""


def step_for(message: str, manifest: Manifest) -> str:
    """Like `fix_for`; a message of no known form yields the step to read what the object's controller logged."""
    if not message.strip():
        return ""
    if fix := fix_for(message, manifest):
        return fix
    error = parse(message)
    clause = one_line(shorten(error.statement, _LIMIT), _LIMIT)
    kind, name = text_at(manifest, "kind"), text_at(manifest, "metadata", "name")
    group = text_at(manifest, "apiVersion").rpartition("/")[0]
    controller = f"the controller of {one_line(group, 80)}" if group else "its controller"
    own = one_line(f"{kind} {name}", 120)
    return f"Mend what it reports (“{clause}”); the log of {controller} has what led to it for {own}."


def _release(said: _Said) -> str:
    """The name of a Helm release: of the message, or of the object that reports it."""
    match = re.search(r"for release (?:[\w.-]{1,63}/)?([\w.-]{1,63})", said.error.text[:_SEARCHED])
    return match[1] if match else text_at(said.manifest, "metadata", "name") or "NAME"


def _denied(said: _Said) -> str:
    text = said.error.text
    account = _first(text, _ACCOUNTS)
    right = _first(text, _RIGHTS)
    thing = _first(text, _OBJECTS)
    if "assumerole" in right.lower():
        who = f" for {account}" if account else ""
        return (
            f"Correct the trust policy of the IAM role so that it allows {right}{who} (issuer, namespace and name of "
            "the ServiceAccount), and the role in the ServiceAccount's annotation or the store's settings."
        )
    return (
        f"Grant {account or 'the account that the controller uses'} the right {right or 'that the message names'}"
        f"{f' on {thing}' if thing else ''}, or give it another account that has it."
    )


# The account of a refusal, its right and its object, as AWS, Google Cloud, Azure and Kubernetes write them.
_ACCOUNTS = (
    r"[Uu]ser:? \"?([^\s\"]{3,200})",
    r"[Cc]lient '([^']{3,200})'",
    r"(system:serviceaccount:[\w.:-]{1,300})",
    r"(arn:aws[\w-]*:(?:iam|sts)::[^\s\"]{1,300})",
    r"([\w.-]{1,100}@[\w.-]{1,200}\.iam\.gserviceaccount\.com)",
)
_RIGHTS = (
    r"perform:? (?:action )?['\"]?([\w:*./-]{3,200}\w)",
    r"cannot (\w{2,30} (?:resource )?\"?[\w./]{1,100}\"?)",
    r"[Pp]ermission ['\"]?([\w]{1,60}\.[\w.]{1,150})",
    r"([\w]{1,60}(?:\.[\w]{1,60}){2,5}) (?:access|permission)",
)
_OBJECTS = (
    r"on (?:resource|scope):? ['\"]?([^\s'\",]{3,300})",
    r"in (?:API group \"[^\"]*\" in )?the (namespace \"[^\"]{1,260}\"|cluster scope)",
    r"secret[s]?[/ ]['\"]?([\w./-]{3,200})",
)


def _first(text: str, patterns: tuple[str, ...]) -> str:
    found = (match[1] for pattern in patterns if (match := re.search(pattern, text)))
    return one_line(next(found, "").rstrip(".,;"), _LIMIT)


def _absent(said: _Said) -> str:
    kind, name = said.named("kind"), said.named("name")
    own = one_line(f"{text_at(said.manifest, 'kind')} {text_at(said.manifest, 'metadata', 'name')}".strip(), 120)
    where = f" that {own} names" if own else ""
    look = kubectl("get", kind.partition("/")[0].lower(), namespace=text_at(said.manifest, "metadata", "namespace"))
    return f"Create {kind} {name}, or correct the reference to it{where}; {look} lists those that exist."


def _unready(said: _Said) -> str:
    kind, name = said.named("kind"), said.named("name")
    field = said.named("field")
    if field:
        kind, name = _referred(said.manifest, field)
    if not name:
        return f"See why {kind or 'the object that it refers to'} is not ready: this waits for it."
    namespace = "" if kind.startswith("Cluster") else text_at(said.manifest, "metadata", "namespace")
    shown = kubectl("describe", kind.lower() or "all", name, namespace=namespace)
    return f"Look at {kind or 'the referenced object'} {name} first, which this waits for: {shown}."


def _referred(manifest: Manifest, field: str) -> tuple[str, str]:
    """Kind and name of what a field is resolved from: `PolicyARN` from `policyArnRef`."""
    last = field.rpartition(".")[2]
    wanted = f"{last}ref".lower()
    for part in (object_at(manifest, "spec", "forProvider"), object_at(manifest, "spec")):
        for key in part:
            if key.lower() == wanted and (name := text_at(part, key, "name")):
                return re.sub(r"(?:ARN|Arn|ID|Id|Name|Ref)$", "", last), one_line(name, 120)
    return "", ""


def _unreachable(said: _Said) -> str:
    text = said.error.text
    url = _first(text, (r"([a-z][a-z0-9+]{1,10}://[^\s\"'<>`)]{1,300})",))
    address = _first(text, (r"(?:dial|read|write) (?:tcp|udp) (?:[\d.:]+->)?([\w.\[\]:-]{3,200}?)(?:: |$)",))
    host = url or address or "the address that the message names"
    if re.search(r"no such host|NXDOMAIN|name or service not known", text, re.IGNORECASE):
        return f"Correct the host name of {host}, or its DNS record: the name does not resolve."
    if re.search(r"x509|certificate|tls: ", text):
        return f"Give {host} a certificate for this name, or give the caller the CA that signed it."
    if "refused" in text:
        at = f" ({address})" if address and url else ""
        return (
            f"Start or expose what serves {host}{at}: nothing listens there. Check its DNS record, Service, ingress "
            "and port."
        )
    return (
        f"Let the caller reach {host}: check what serves it, its port, and the NetworkPolicies and firewalls between."
    )


def _name_server(said: _Said) -> str:
    return (
        f"Let name server {said.named('server')} answer for this zone, or use others (cert-manager: "
        "`--dns01-recursive-nameservers` with `--dns01-recursive-nameservers-only`)."
    )


def _invalid(said: _Said) -> str:
    field = said.named("field")
    clause = one_line(shorten(said.error.statement.removeprefix(f"{field}: "), _LIMIT), _LIMIT)
    return f"In Git, correct {field or 'the value that the message names'}: {clause}."


def _unknown_kind(said: _Said) -> str:
    return f"Install the CustomResourceDefinition of {said.named('kind')}, or correct apiVersion and kind."


def _existing(said: _Said) -> str:
    name = said.named("name")
    return f"Import or adopt the existing {name or 'object'}, or give this one another name: one is there already."


def _exhausted(said: _Said) -> str:
    return f"Raise the limit that the message names, or remove what uses it: {one_line(said.error.statement, _LIMIT)}."


def _unauthenticated(said: _Said) -> str:
    url = said.error.detail("url")
    whose = f" for {one_line(url, _LIMIT)}" if url else ""
    return f"Correct the credentials{whose} in the Secret that this object refers to."


def _repeated(said: _Said) -> str:
    return f"In Git, make the names unique: {one_line(said.error.statement, _LIMIT)}."


def _form(pattern: str, step: _Step) -> tuple[re.Pattern[str], _Step]:
    return re.compile(pattern), step


_KIND = r"(?P<kind>[A-Za-z][\w./-]{2,200})"
_SAID_NAME = _NAME.format("name")

# In order of precedence. `User "x" cannot get ...`: k8s.io/apiserver; `is not authorized to perform`: AWS;
# `field: Invalid value`: k8s.io/apimachinery field.Error; `rcode was expected`: cert-manager pkg/issuer/acme/dns/util.
_FORMS: tuple[tuple[re.Pattern[str], _Step], ...] = (
    # k8s.io/kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go
    _form(
        r"endpoints for service/(?P<service>[\w.-]{1,63}) in \"(?P<namespace>[\w.-]{1,63})\" have no addresses",
        lambda said: (
            f"Start the pods of Service {said.named('service')} in namespace {said.named('namespace')} (is its "
            "Deployment "
            f"scaled to zero?), or delete APIService {text_at(said.manifest, 'metadata', 'name')} if it is gone for "
            "good: " + kubectl("get", "endpointslices,pods", namespace=said.named("namespace")) + "."
        ),
    ),
    # https://gateway-api.sigs.k8s.io/guides/multiple-ns/
    _form(
        r"(?i)NotAllowedByListeners|not allowed (?:to attach|by).{0,120}(?:namespace|listener|route)",
        lambda _: (
            "In Git, let a listener of the Gateway take routes of this namespace (allowedRoutes.namespaces: from: "
            "All, or a "
            "selector), or move the route to a namespace that it takes."
        ),
    ),
    # helm.sh/helm/v3/pkg/action/upgrade.go: ErrPending
    _form(
        r"another operation \(install/upgrade/rollback\) is in progress",
        lambda said: (
            "The release is locked by an operation that did not end (its controller was restarted, or a client was "
            "stopped): "
            "`helm history` shows its revision as pending. Roll back to the last one that was deployed (`helm "
            "rollback`), or "
            f"delete the Secret of the pending revision, sh.helm.release.v1.{_release(said)}.vN; then let it be "
            "reconciled."
        ),
    ),
    # https://pkg.go.dev/net: a host name with an empty part, as of a setting that is not filled in
    _form(
        r"lookup (?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\.\.[\w.-]{1,200})",
        lambda said: (
            f"The host name {said.named('host')} has an empty part: set what fills it in, such as the region "
            "(spec.forProvider.region, AWS_REGION), in the object or its template in Git."
        ),
    ),
    # k8s.io/kubernetes/pkg/registry/core/pod/rest/eviction.go
    _form(
        r"[Cc]annot evict pod as it would violate the pod's disruption budget",
        lambda _: (
            "Find the PodDisruptionBudget whose ALLOWED DISRUPTIONS is 0 (`kubectl get pdb --all-namespaces`): run "
            "more "
            "replicas than its minAvailable (with one replica it blocks every eviction), lower minAvailable, or "
            "delete the "
            "Pod where the interruption is acceptable."
        ),
    ),
    # https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/
    _form(
        r"unable to (?:discover|resolve) at least one subnet",
        lambda _: (
            "Tag the subnets for discovery (kubernetes.io/role/elb, internal ones kubernetes.io/role/internal-elb), or "
            "name them in Git by the annotation alb.ingress.kubernetes.io/subnets."
        ),
    ),
    # nfs-utils, utils/mount/error.c
    _form(
        r"access denied by server while mounting (?P<server>[^\s:]{1,200}):(?P<path>\S{1,200})",
        lambda said: (
            f"Let the NFS server {said.named('server')} export {said.named('path')} to the address of the node "
            "(/etc/exports, `exportfs -v`), with an NFS version that both have."
        ),
    ),
    _form(r"nameservers \[(?P<server>[^\]\s,]{3,80})[^\]]{0,200}\],? rcode was expected", _name_server),
    _form(
        r"(?i)not authorized to perform|is forbidden: User|access ?denied|permission '?[\w.]+'? denied"
        r"|permission_?denied|authorizationfailed|does not have (?:[\w.]+ )?(?:permission|authorization|access)"
        r"|insufficient permissions|not have the required permission",
        _denied,
    ),
    _form(r"no matches for kind \"(?P<kind>[^\"]{1,200})\"", _unknown_kind),
    _form(rf"{_KIND} {_SAID_NAME} (?:was |is )?(?:not found|does not exist|doesn't exist)", _absent),
    _form(rf"(?:no|find|get|locate) {_KIND} (?:named |with name )?[\"'](?P<name>[^\"']{{1,260}})[\"']$", _absent),
    _form(
        r"(?P<field>(?:mg\.)?[A-Za-z]\w{0,60}(?:\.\w{1,80}){1,20}): referenced field was empty"
        rf"|{_KIND} [\"'](?P<name>[^\"']{{1,260}})[\"'] (?:is )?not (?:yet )?(?:be )?ready",
        _unready,
    ),
    _form(
        r"connection refused|no such host|i/o timeout|connection reset|x509: |tls: |no route to host"
        r"|context deadline exceeded|Client\.Timeout|: EOF$|NXDOMAIN",
        _unreachable,
    ),
    _form(
        r"(?i)authentication (?:required|failed)|\b401\b|unauthorized|invalid (?:credentials|username|password)",
        _unauthenticated,
    ),
    _form(r"(?i)quota ?exceeded|limit ?exceeded|exceeded quota|too many \w+|maximum number of", _exhausted),
    _form(r"(?i)(?:same name|duplicate (?:name|entry|key))", _repeated),
    _form(rf"(?:{_SAID_NAME} )?already exists", _existing),
    _form(
        r"(?P<field>[A-Za-z]\w{0,60}(?:\[[^\]]{0,100}\])*(?:\.[\w-]{1,80}(?:\[[^\]]{0,100}\])*){0,20}): "
        r"(?:Invalid value|Required value|Unsupported value|Forbidden|Too )",
        _invalid,
    ),
    _form(
        r"(?:option|field|value|parameter|key) [\"'](?P<field>[^\"']{1,200})[\"'] (?:should|must|is|has)\b", _invalid
    ),
    _form(
        r"(?i)(?:invalid|unsupported|malformed|unknown) (?:value|parameter|option|field|configuration|argument)",
        _invalid,
    ),
)
