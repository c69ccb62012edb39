"""Objects that wait for another party: an address from a load balancer or an ingress controller."""

from collections.abc import Iterator
from datetime import timedelta

from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import Inventory
from agent.findings.observations.observation import PATIENCE, Observation
from agent.objects.manifest import Manifest, list_at, object_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

_KINDS = (("", "Service"), ("networking.k8s.io", "Ingress"))


def waiting_objects(inventory: Inventory) -> Iterator[Observation]:
    """An observation for each Service of type LoadBalancer and each Ingress that has no address: Argo CD calls them
    Progressing (gitops-engine/pkg/health/health_service.go, health_ingress.go)."""
    for manifest in inventory.of(*_KINDS):
        resource = ResourceRef.of(manifest)
        if resource and _wants_address(manifest) and not list_at(manifest, "status", "loadBalancer", "ingress"):
            yield _without_address(inventory, manifest, resource)


def _wants_address(manifest: Manifest) -> bool:
    if "status" not in manifest or text_at(manifest, "metadata", "deletionTimestamp"):
        return False
    return text_at(manifest, "kind") == "Ingress" or text_at(manifest, "spec", "type") == "LoadBalancer"


def _without_address(inventory: Inventory, manifest: Manifest, resource: ResourceRef) -> Observation:
    created = moment(text_at(manifest, "metadata", "creationTimestamp"))
    age = inventory.now - created if created and inventory.now else timedelta()
    lasting = age > PATIENCE
    how_long = f" for {minutes_text(age)}" if age > timedelta(minutes=1) else " yet"
    if resource.kind == "Ingress":
        name = text_at(manifest, "spec", "ingressClassName") or text_at(
            object_at(manifest, "metadata", "annotations"), "kubernetes.io/ingress.class"
        )
        giver = f"the ingress controller of class {one_line(name, 80)}" if name else "an ingress controller"
        evidence = quote(manifest, "spec", "ingressClassName")
        step = (
            f"See whether {giver} runs and watches this class and namespace, and read its log for this Ingress."
            if name
            else "Set spec.ingressClassName, unless the cluster has a default IngressClass."
        )
    else:
        name = text_at(manifest, "spec", "loadBalancerClass")
        giver = f"the load balancer controller of class {one_line(name, 80)}" if name else "a load balancer controller"
        evidence = quote(manifest, "spec", "type")
        step = (
            "See whether the cluster has a load balancer controller (a cloud provider's, MetalLB) and read its log and "
            "the events for this Service."
        )
    return Observation(
        resource=resource,
        title=f"{resource.kind} {one_line(resource.name, 80)} has had no address{how_long}: {giver} has given it none",
        explanation="Its status has no load balancer address, so nothing outside reaches it through this object. "
        + ("It should have one by now." if lasting else "This is normal while the address is being made."),
        evidence=evidence or quote(manifest, "metadata", "creationTimestamp"),
        severity="warning" if lasting else "info",
        step=step,
        follows=True,
    )
