"""Namespaces that do not go."""

from agent.context.model import Event
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context

REMAINING = (
    "NamespaceContentRemaining",
    "SomeResourcesRemain",
    "Some resources are remaining: certificates.cert-manager.io has 2 resource instances, "
    "pods. has 1 resource instances",
)
FINALIZERS = (
    "NamespaceFinalizersRemaining",
    "SomeFinalizersRemain",
    "Some content in the namespace has finalizers remaining: cleanup.example.com/dns in 2 resource instances",
)
DISCOVERY = (
    "NamespaceDeletionDiscoveryFailure",
    "DiscoveryFailed",
    "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
    "metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1",
)


def namespace(
    *conditions: tuple[str, str, str], status: str = "True", deleted: str | None = "2026-11-20T07:00:00Z"
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "uid": "n", "deletionTimestamp": deleted},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {
            "phase": "Terminating",
            "conditions": [
                {"type": kind, "status": status, "reason": reason, "message": message}
                for kind, reason, message in conditions
            ],
        },
    }


def test_what_is_left_and_the_finalizer_that_holds_it_are_named_with_the_way_out() -> None:
    (finding,) = findings_of(context(namespace(REMAINING, FINALIZERS)))

    assert finding.title == (
        "Namespace shop cannot be deleted: certificates.cert-manager.io, pods are still in it, "
        "held by finalizer cleanup.example.com/dns"
    )
    assert finding.severity == "error"
    assert "`kubectl -n shop get certificates.cert-manager.io,pods -o yaml`" in finding.next_steps[0]
    assert "kubectl -n shop patch certificates.cert-manager.io NAME --type merge" in finding.next_steps[1]


def test_an_api_that_does_not_answer_is_named_with_its_api_service() -> None:
    (finding,) = findings_of(context(namespace(DISCOVERY)))

    assert finding.title == "Namespace shop cannot be deleted: API v1beta1.metrics.k8s.io does not answer"
    assert "`kubectl delete apiservice v1beta1.metrics.k8s.io`" in finding.next_steps[0]


def test_a_deletion_that_is_young_or_none_or_unhindered_is_nothing() -> None:
    event = Event(type="Normal", reason="Killing", message="Stopping", last_seen="2026-11-20T07:04:00Z")

    assert findings_of(context(namespace(REMAINING), events=(event,))) == ()
    assert findings_of(context(namespace(REMAINING, status="False"))) == ()
    assert findings_of(context(namespace(deleted=None))) == ()


def test_an_event_tells_how_long_it_lasts() -> None:
    event = Event(type="Normal", reason="Killing", message="Stopping", last_seen="2026-11-23T07:04:00Z")

    (finding,) = findings_of(context(namespace(REMAINING), events=(event,)))

    assert "3 days before the latest known time" in finding.explanation
