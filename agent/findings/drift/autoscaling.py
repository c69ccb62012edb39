"""Which workloads an autoscaler scales or resizes, as the context's autoscalers say."""

from collections.abc import Iterator

from agent.context.context import Context
from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ResourceRef

type _Workload = tuple[str, str, str]
"""Kind, namespace and name."""


class Autoscalers:
    """The autoscalers of a context by the workload they target: HPA, KEDA's ScaledObject, VPA."""

    def __init__(self, context: Context) -> None:
        self._scalers: dict[_Workload, str] = {}
        self._resizers: dict[_Workload, str] = {}
        for manifest in _manifests(context):
            match text_at(manifest, "kind"):
                case "HorizontalPodAutoscaler" | "ScaledObject":
                    self._scalers[_target(manifest, "scaleTargetRef")] = _named(manifest)
                case "VerticalPodAutoscaler" if text_at(manifest, "spec", "updatePolicy", "updateMode") != "Off":
                    self._resizers[_target(manifest, "targetRef")] = _named(manifest)
                case _:
                    pass
        # The tree names autoscalers without saying what they target: by convention they are called as it is.
        self._named_so = {
            (node.resource.namespace, node.resource.name): f"HorizontalPodAutoscaler {node.resource.name}"
            for node in context.tree
            if node.resource.kind == "HorizontalPodAutoscaler"
        }

    def of(self, resource: ResourceRef) -> str:
        """The autoscaler that sets the replicas of the workload, by kind and name; "" for none."""
        by_name = self._named_so.get((resource.namespace, resource.name)) or self._named_so.get(
            (resource.namespace, f"{resource.name}-hpa")
        )
        return self._scalers.get(_key(resource)) or by_name or ""

    def resizer_of(self, resource: ResourceRef) -> str:
        """The VerticalPodAutoscaler that sets its requests, "" for none."""
        return self._resizers.get(_key(resource), "")


def _manifests(context: Context) -> Iterator[Manifest]:
    yield from context.manifests
    for managed in context.managed:
        state = managed.live or managed.normalized_live or managed.target
        if state is not None:
            yield state


def _target(manifest: Manifest, reference: str) -> _Workload:
    kind = text_at(manifest, "spec", reference, "kind") or "Deployment"  # KEDA's default
    return kind, text_at(manifest, "metadata", "namespace"), text_at(manifest, "spec", reference, "name")


def _named(manifest: Manifest) -> str:
    return f"{text_at(manifest, 'kind')} {text_at(manifest, 'metadata', 'name')}"


def _key(resource: ResourceRef) -> _Workload:
    return resource.kind, resource.namespace, resource.name
