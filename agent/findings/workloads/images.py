"""Why an image could not be pulled, from the messages of the kubelet, the container runtime and the registry.

Sources: Kubernetes' pkg/kubelet/images/types.go (waiting reasons), containerd's remotes/docker, and the error codes of
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFailure:
    """A known cause. `name` completes "Image x cannot be pulled: ..."; `step` is what to do first.

    `anonymous` is the name where the Pod has no imagePullSecrets, "" where a login does not matter.
    """

    name: str
    meaning: str
    step: str
    anonymous: str = ""


_READ_LIMIT = 4_000

# In order of precedence: Docker Hub answers "pull access denied ... repository does not exist or may require
# authorization" for both, and a proxy's 403 page may mention timeouts.
_KNOWN: tuple[tuple[str, PullFailure], ...] = (
    (
        r"toomanyrequests|too many requests|rate.?limit|\b429\b",
        PullFailure(
            name="the registry's rate limit is reached",
            meaning="The registry refuses further pulls from this address or account for now.",
            step="Pull with an account (imagePullSecrets), through a mirror or from your own registry; the "
            "kubelet keeps retrying.",
        ),
    ),
    (
        r"does not exist or may require|repository does not exist",
        PullFailure(
            name="the repository does not exist, or is private",
            meaning="The registry gives the same answer for a missing repository and for one that requires a login.",
            anonymous="the repository does not exist, or is private, and no imagePullSecrets is set",
            step="Check the spelling of the repository; if it is private, name its credentials in imagePullSecrets of "
            "the pod or its ServiceAccount.",
        ),
    ),
    (
        r"unauthorized|authentication required|authorization failed|no basic auth|access denied|\bdenied\b|"
        r"insufficient_scope|forbidden|\b40[13]\b",
        PullFailure(
            name="the registry refuses the credentials",
            meaning="The registry requires a login, or the account may not pull this repository.",
            anonymous="the registry requires credentials, and no imagePullSecrets is set",
            step="Check that imagePullSecrets names a Secret of type kubernetes.io/dockerconfigjson in this namespace, "
            "for this registry, with an account that may pull.",
        ),
    ),
    (
        r"no match(ing manifest)? for (platform|linux|windows)|exec format error",
        PullFailure(
            name="there is no image for the node's architecture",
            meaning="The tag exists, but not for the operating system and architecture of the node.",
            step="Build the image for that platform, or keep the pod on nodes of its platform (nodeSelector "
            "kubernetes.io/arch).",
        ),
    ),
    (
        r"manifest unknown|name unknown|not found|\b404\b|no such image|tag .* does not exist",
        PullFailure(
            name="the image or its tag does not exist",
            meaning="The registry answers that it has no such image, tag or digest.",
            step="Correct the tag in Git, or push the image; check whether the build that pushes it succeeded.",
        ),
    ),
    (
        r"x509|certificate|tls:|http: server gave HTTP response to HTTPS client",
        PullFailure(
            name="the node does not trust the registry's TLS certificate",
            meaning="The TLS handshake with the registry fails, before any image is requested.",
            step="Make the node's container runtime trust the registry's CA, or correct the registry's certificate.",
        ),
    ),
    (
        r"no such host|server misbehaving|i/o timeout|connection (refused|reset)|dial tcp|network is unreachable|"
        r"no route to host|timed? ?out|deadline exceeded|\bEOF\b|\b50[0234]\b",
        PullFailure(
            name="the node cannot reach the registry",
            meaning="The connection to the registry fails: name resolution, network, proxy, or the registry is down.",
            step="From that node, check DNS, proxy and firewall towards the registry, and the registry's own status.",
        ),
    ),
    (
        r"no space left on device",
        PullFailure(
            name="the node's disk is full",
            meaning="The image does not fit on the node.",
            step="Free the node's image disk or move the pod to another node.",
        ),
    ),
)

_REASONS: dict[str, PullFailure] = {
    "ErrImageNeverPull": PullFailure(
        name="its pull policy is Never and the node does not have it",
        meaning="With imagePullPolicy Never only an image that is already on the node is used.",
        step="Load the image onto the node, or set imagePullPolicy to IfNotPresent.",
    ),
    "InvalidImageName": PullFailure(
        name="its name is not valid",
        meaning="The reference cannot be parsed as registry/repository:tag, so nothing was pulled.",
        step="Correct the image in Git (no scheme such as https://, lower-case repository, one tag).",
    ),
    "SignatureValidationFailed": PullFailure(
        name="its signature is not valid",
        meaning="The runtime's policy requires a signature that the image does not have.",
        step="Sign the image, or use one that is signed by a key the policy trusts.",
    ),
}

IMAGE_REASONS = frozenset(
    {
        "ImagePullBackOff",
        "ErrImagePull",
        "ImageInspectError",
        "RegistryUnavailable",
        *_REASONS,
    }
)
"""Waiting reasons of a container without its image."""


def pull_failure(reason: str, messages: list[str]) -> PullFailure | None:
    """The cause in the waiting reason or one of the messages, None without a known one."""
    if failure := _REASONS.get(reason):
        return failure
    for message in messages:
        text = message[:_READ_LIMIT]
        for pattern, failure in _KNOWN:
            if re.search(pattern, text, re.IGNORECASE):
                return failure
    return None


def registry_of(image: str) -> str:
    """The registry of an image reference as its Secret names it: the first part, where that is a host."""
    host, slash, _ = image.partition("/")
    is_host = slash and ("." in host or ":" in host or host == "localhost")
    return host if is_host and host != "docker.io" else "https://index.docker.io/v1/"
