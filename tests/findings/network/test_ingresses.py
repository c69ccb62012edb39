"""Ingresses that point at what is not there."""

from typing import Any

from agent.context.model import ManagedResource
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.cluster import NAMESPACE, context, event, node, resource


def ingress(service: str = "api", port: Manifest | None = None, **spec: Any) -> Manifest:
    backend = {"service": {"name": service, "port": {"number": 80} if port is None else port}}
    rule = {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return resource("networking.k8s.io/v1", "Ingress", spec={"ingressClassName": "nginx", "rules": [rule]} | spec)


SERVICE = resource("v1", "Service", spec={"ports": [{"name": "http", "port": 80}]})


def test_a_backend_that_the_tree_does_not_hold_is_told_with_what_may_have_been_meant() -> None:
    (finding,) = findings_of(context(ingress("apii"), tree=(node("Service"), node("Deployment", group="apps"))))

    assert finding.title == "Ingress api sends to Service apii, which does not exist"
    assert "There is api." in finding.explanation
    assert finding.evidence[0].path == "spec.rules[0].http.paths[0].backend.service.name"


def test_a_backend_that_argo_cd_or_an_event_calls_missing_is_told() -> None:
    reference = ResourceRef(version="v1", kind="Service", namespace=NAMESPACE, name="api")
    missing = ManagedResource(resource=reference, target={"kind": "Service"})
    web = ingress("web")
    failed = event(web, "BackendNotFound", 'Service "shop/web" not found')

    assert findings_of(context(ingress(), managed=(missing,)))[0].title.endswith("Service api, which does not exist")
    assert findings_of(context(web, events=(failed,)))[0].evidence[-1].text == 'Service "shop/web" not found'


def test_a_port_that_the_service_does_not_have_is_told_with_those_it_has() -> None:
    (by_number,) = findings_of(context(ingress(port={"number": 8080}), related=(SERVICE,)))
    (by_name,) = findings_of(context(ingress(port={"name": "web"}), related=(SERVICE,)))

    assert by_number.title == "Ingress api sends to Service api at port 8080, which it does not have (it has 80 http)"
    assert "at port web" in by_name.title


def test_an_ingress_that_is_asked_about_tells_that_what_it_leads_to_is_scaled_to_zero() -> None:
    labels = {"app": "api"}
    service = resource("v1", "Service", spec={"ports": [{"port": 80}], "selector": labels})
    template = {"metadata": {"labels": labels}}
    down = resource(
        "apps/v1", "Deployment", spec={"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    )
    empty = resource("v1", "Endpoints")

    (finding,) = findings_of(context(ingress(), related=(service, empty, down)))

    assert finding.title == (
        "Ingress api sends to Service api, which has no endpoints: Deployment api is scaled to zero"
    )
    assert [each.text for each in finding.evidence] == ["api", "0"]
    assert findings_of(context(service, related=(ingress(), empty, down))) == ()


def test_a_tls_secret_that_an_event_calls_missing_is_told() -> None:
    secure = ingress(tls=[{"hosts": ["shop.example.com"], "secretName": "shop-tls"}])
    failed = event(secure, "BadConfig", 'secret "shop/shop-tls" not found')

    (finding,) = findings_of(context(secure, related=(SERVICE,), events=(failed,)))

    assert finding.title == "Ingress api: TLS Secret shop-tls does not exist"


def test_a_class_that_is_none_of_the_cluster_s_is_told() -> None:
    internal = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx-internal"}}

    (finding,) = findings_of(context(ingress(), related=(SERVICE, internal)))

    assert finding.title == "Ingress api: IngressClass nginx does not exist"
    assert "nginx-internal" in finding.explanation


def test_an_ingress_whose_backend_is_there_or_unknown_yields_nothing() -> None:
    assert findings_of(context(ingress(), related=(SERVICE,))) == ()
    assert findings_of(context(ingress(port={"name": "http"}), related=(SERVICE,))) == ()
    assert findings_of(context(ingress(tls=[{"secretName": "shop-tls"}]))) == ()
    assert findings_of(context(ingress(), tree=(node("Service"),))) == ()
