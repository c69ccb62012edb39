"""NetworkPolicies that select nothing."""

from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context, pod, resource, running


def policy(selector: Manifest) -> Manifest:
    return resource("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": selector, "policyTypes": ["Ingress"]})


def test_a_policy_that_selects_no_known_pod_is_information() -> None:
    (finding,) = findings_of(context(policy({"matchLabels": {"app": "web"}}), related=(pod(running()),)))

    assert finding.title == "NetworkPolicy api selects none of the 1 known pods of its namespace"
    assert finding.severity == "info"


def test_a_policy_that_selects_by_expressions_everything_or_the_unknown_yields_nothing() -> None:
    expression = {"key": "app", "operator": "In", "values": ["api", "web"]}

    assert findings_of(context(policy({"matchExpressions": [expression]}), related=(pod(running()),))) == ()
    assert findings_of(context(policy({}), related=(pod(running()),))) == ()
    assert findings_of(context(policy({"matchLabels": {"app": "web"}}))) == ()
