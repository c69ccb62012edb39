"""Commands in next steps: quoted for a shell, in backticks."""

import re
import shlex

from agent.objects.target import ResourceRef


def kubectl(*words: str, namespace: str = "") -> str:
    """A kubectl command line in backticks; `namespace` "" for what has none."""
    flags = ("-n", namespace) if namespace else ()
    return f"`{_joined('kubectl', *flags, *words)}`"


def argocd(*words: str) -> str:
    """An argocd command line in backticks."""
    return f"`{_joined('argocd', *words)}`"


# The characters that `shlex.quote` leaves unquoted, and the blanks between words.
_PLAIN = re.compile(r"[\w@%+=:,./ -]*", re.ASCII)


def _joined(*words: str) -> str:
    """`shlex.join`, faster in the usual case that no word needs quotes."""
    line = " ".join(words)
    is_plain = _PLAIN.fullmatch(line) and line.count(" ") == len(words) - 1 and all(words)
    return line if is_plain else shlex.join(words)


def describe(resource: ResourceRef | None) -> str:
    """The command that shows the resource with its events, "" without a resource."""
    if resource is None:
        return ""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return kubectl("describe", kind.lower(), resource.name, namespace=resource.namespace)


def qualified_name(resource: ResourceRef) -> str:
    """`namespace/name` as the argocd command line expects an Application, or the bare name."""
    return f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
