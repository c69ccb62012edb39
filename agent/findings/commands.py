"""Commands as next steps spell them: quoted for a shell, in backticks. Runs none."""

import shlex

from agent.target import ResourceRef


def kubectl(*words: str, namespace: str = "") -> str:
    """A kubectl command line in backticks; `namespace` "" for what has none."""
    place = ["-n", namespace] if namespace else []
    return f"`{shlex.join(['kubectl', *place, *words])}`"


def argocd(*words: str) -> str:
    """An argocd command line in backticks."""
    return f"`{shlex.join(['argocd', *words])}`"


def describe(resource: ResourceRef | None) -> str:
    """The command that shows the resource with its events, "" without a resource."""
    if resource is None:
        return ""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return kubectl("describe", kind.lower(), resource.name, namespace=resource.namespace)


def qualified_name(resource: ResourceRef) -> str:
    """`namespace/name` as the argocd command line wants an Application, or the bare name."""
    return f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
