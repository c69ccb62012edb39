"""Words of the field that an answer may use without having read them: kinds, tools and their commands.

Sources: `kubectl api-resources` of Kubernetes 1.34 with its short names, `kubectl --help`, `argocd app --help` and
`argocd --help` of Argo CD 3.5, `helm --help` of Helm 3.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CORE_KINDS = _words(
    "pod deployment replicaset statefulset daemonset job cronjob service endpoints endpointslice ingress ingressclass "
    "networkpolicy configmap secret serviceaccount role rolebinding clusterrole clusterrolebinding namespace node "
    "persistentvolume persistentvolumeclaim storageclass resourcequota limitrange horizontalpodautoscaler "
    "poddisruptionbudget priorityclass customresourcedefinition event lease validatingwebhookconfiguration "
    "mutatingwebhookconfiguration apiservice replicationcontroller volumeattachment runtimeclass "
    "application applicationset appproject rollout analysisrun experiment certificate certificaterequest issuer "
    "clusterissuer order challenge externalsecret secretstore clustersecretstore gateway httproute grpcroute "
    "virtualservice destinationrule kustomization helmrelease gitrepository scaledobject verticalpodautoscaler"
)
_SHORT = _words("po deploy rs sts ds svc ep ing netpol cm sa ns no pv pvc sc quota limits hpa pdb pc crd ev cj vpa app")
# The y of `networkpolicy` becomes ies; the s of `ingress` gets es.
_PLURALS = frozenset(
    f"{kind[:-1]}ies"
    if kind.endswith("y") and kind[-2] not in "aeiou"
    else f"{kind}es"
    if kind.endswith(("s", "ss"))
    else f"{kind}s"
    for kind in _CORE_KINDS
)

KINDS = _CORE_KINDS | _SHORT | _PLURALS
"""Kinds in lower case, with plurals and short names."""

_FIRST_PARTS = _words(
    "anti auto back build co cross custom end fail high in inter intra long low mid multi no non not off on out over "
    "per post pre re read roll rolling self semi shut side single start sub time two un under up well write zero"
)
_LAST_PARTS = _words(
    "affinity aware based creation driven free level like limit loop managed mismatch off only out owned "
    "pressure ready related safe scoped side specific style up update wide"
)


def is_compound(word: str) -> bool:
    """Whether a word with a dash is the language's, like `anti-affinity`, `rolling-update` or `not-ready`."""
    first, *_, last = word.split("-")
    return first in _FIRST_PARTS or last in _LAST_PARTS


TOOLS = _words("kubectl argocd helm kustomize kubeseal istioctl flux oc crictl docker podman nerdctl git")
"""The first word of a command."""

COMMANDS: dict[str, frozenset[str]] = {
    "kubectl": _words(
        "annotate api-resources api-versions apply attach auth autoscale certificate cluster-info completion config "
        "cordon cp create debug delete describe diff drain edit events exec explain expose get kustomize label logs "
        "options patch port-forward proxy replace rollout run scale set taint top uncordon version wait argo krew"
    ),
    "argocd": _words(
        "account admin app appset cert cluster completion configure context gpg login logout proj relogin repo "
        "repocreds version"
    ),
    "argocd app": _words(
        "actions add-source confirm-deletion create delete delete-resource diff edit get get-resource history list "
        "logs manifests patch patch-resource remove-source resources rollback set sync terminate-op unset wait"
    ),
    "kubectl rollout": _words("history pause restart resume status undo"),
    "kubectl set": _words("env image resources selector serviceaccount subject"),
    "kubectl top": _words("node nodes pod pods"),
    "kubectl auth": _words("can-i reconcile whoami"),
    "helm": _words(
        "completion create dependency env get help history install lint list package plugin pull push registry repo "
        "rollback search show status template test uninstall upgrade verify version"
    ),
}
"""The words that may follow the beginning of a command."""
