"""Containers that do not start: image, configuration, runtime.

Owns the waiting reasons of one container (Kubernetes' pkg/kubelet/kuberuntime and pkg/kubelet/images/types.go); faults
of the whole Pod are in `pods`.
"""

import re
from collections.abc import Callable

from agent.findings.engine.build import namespace_of
from agent.findings.engine.commands import kubectl
from agent.findings.engine.container import Container
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.references import Missing, how_to_supply, makers_of, missing_in, quote_reference
from agent.findings.engine.remedies import change
from agent.findings.model import Evidence, Finding
from agent.findings.workloads.commands_not_found import unstartable_command
from agent.findings.workloads.images import IMAGE_REASONS, pull_failure, registry_of
from agent.objects.manifest import text_at


def waiting_container(container: Container) -> Finding | None:
    """The finding of a container that does not start, None where it does, or waits for its Pod."""
    reason = text_at(container.status, "state", "waiting", "reason")
    if reason in IMAGE_REASONS:
        return _image(container, reason)
    if reason in ("CreateContainerConfigError", "CreateContainerError"):
        return _config(container, reason)
    if reason in ("", "ContainerCreating", "PodInitializing", "CrashLoopBackOff"):
        return None
    return _refused(container, reason)


def _image(container: Container, reason: str) -> Finding:
    image = container.spec_text("image") or text_at(container.status, "image")
    pulls = [e for e in container.events if e.reason == "Failed" and "pull image" in e.message]
    events = [e for e in pulls if image and image in e.message] or pulls
    message = text_at(container.status, "state", "waiting", "message")
    messages = [e.message for e in events] + [message]
    failure = pull_failure(reason, messages)
    evidence = (
        *(quoted for event in events[:1] for quoted in quote_event(event)),
        *container.quote("state", "waiting", "message"),
        *container.quote("state", "waiting", "reason"),
        *container.quote_spec("image"),
    )
    title = f"Image {one_line(image, 120)} of container {container.name} cannot be pulled"
    if failure is None:
        return container.finding(
            f"{title} ({reason})",
            "The container cannot start without its image. The context does not have the reason of the failure.",
            evidence,
            "Read the registry's answer in the events of the pod.",
            level="effect",
        )
    needs_login = bool(failure.anonymous)
    secrets = quote(container.pod, "spec", "imagePullSecrets") if needs_login else ()
    if needs_login and (absent := _absent_pull_secret(container)):
        return absent(title, evidence + secrets)
    # containerd requests an "anonymous token" without credentials, an "oauth token" with those of the node.
    has_login = secrets or any("oauth token" in text[:4_000] for text in messages)
    if needs_login and container.spec_path and not has_login:
        return _anonymous(container, f"{title}: {failure.anonymous}", evidence, image)
    return container.finding(f"{title}: {failure.name}", failure.meaning, evidence + secrets, failure.step)


def _anonymous(container: Container, title: str, evidence: tuple[Evidence, ...], image: str) -> Finding:
    """The registry requires a login, and the Pod has none (those of its ServiceAccount would be in its spec)."""
    create = kubectl(
        *("create", "secret", "docker-registry", _NEW_SECRET, f"--docker-server={registry_of(image)}"),
        *("--docker-username=USER", "--docker-password=PASSWORD"),
        namespace=namespace_of(container.pod),
    )
    template = container.template
    where = (
        f"{template[1].rpartition('.')[0]}.imagePullSecrets of {template[0].kind} {one_line(template[0].name, 80)}"
        if template
        else "spec.imagePullSecrets of the Pod"
    )
    return container.finding(
        title,
        "The kubelet pulled without a login: neither the pod template nor its ServiceAccount names a Secret for the "
        "registry. (Credentials of the node, from a credential provider, were not sufficient.)",
        evidence,
        f"Create a Secret with an account that may pull: {create}.",
        change(container.inventory, f"add `- name: {_NEW_SECRET}` to {where}"),
        f"Check the spelling of the image: {one_line(image, 120)}." if image else "",
    )


# https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
_NEW_SECRET = "regcred"  # noqa: S105


_NO_PULL_SECRET = re.compile(r"image pull secrets? \(([^),]{1,253})")


def _absent_pull_secret(container: Container) -> Callable[[str, tuple[Evidence, ...]], Finding] | None:
    """What makes the finding that the registry's Secret is missing, None unless the kubelet cannot read it."""
    event = next((e for e in container.events if e.reason == "FailedToRetrieveImagePullSecret"), None)
    match = _NO_PULL_SECRET.search(event.message) if event else None
    if event is None or match is None:
        return None
    missing, namespace = Missing(kind="Secret", name=match[1]), namespace_of(container.pod)
    return lambda title, evidence: container.finding(
        f"{title}: its pull Secret {one_line(match[1], 80)} does not exist",
        "The registry requires a login, and the Secret that imagePullSecrets names is not in the namespace.",
        quote_event(event) + evidence,
        *how_to_supply(container.inventory, namespace, missing)[:2],
        cause=missing.cause(namespace),
        blames=makers_of(container.inventory, namespace, missing),
    )


def _config(container: Container, reason: str) -> Finding:
    message = text_at(container.status, "state", "waiting", "message")
    missing = missing_in(message)
    evidence = container.quote("state", "waiting", "message") + container.quote("state", "waiting", "reason")
    if missing is None:
        return _refused(container, reason)
    kind, name = missing.kind, one_line(missing.name)
    namespace = namespace_of(container.pod)
    return container.finding(
        f"{kind} {name} that container {container.name} needs has no key {one_line(missing.key)}"
        if missing.key
        else f"{kind} {name} that container {container.name} needs does not exist",
        "The kubelet cannot prepare the container's environment or files, so it does not start it.",
        evidence + quote_reference(container.pod, missing),
        *how_to_supply(container.inventory, namespace, missing),
        cause=missing.cause(namespace),
        blames=makers_of(container.inventory, namespace, missing),
    )


_REFUSED = {
    "CreateContainerConfigError": "The kubelet cannot prepare the container's configuration.",
    "CreateContainerError": "The container runtime refused to create the container.",
    "RunContainerError": "The container was created, and the container runtime could not start it.",
    "PreCreateHookError": "A hook of the container runtime failed before the container was created.",
    "PreStartHookError": "A hook of the container runtime failed before the container was started.",
    "PostStartHookError": "The container's postStart hook failed, so the kubelet killed it.",
}


# Kubernetes' pkg/kubelet/kuberuntime/security_context.go: verifyRunAsNonRoot
_USER_NAME = re.compile(r"runAsNonRoot and image has non-numeric user \(([^)]{1,100})\)")
_ROOT = re.compile(r"runAsNonRoot and image will run as root|runAsUser breaks non-root policy")


def _user_step(container: Container, message: str) -> str:
    """The step for a container that has to run as another user than root, "" for any other message."""
    if match := _USER_NAME.search(message):
        name = one_line(match[1], 60)
        changed = container.change("securityContext.runAsUser", f"the numeric id of the image's user {name}")
        return f"{changed} With runAsNonRoot the kubelet accepts numbers only; `id {name}` in the image shows it."
    if _ROOT.search(message):
        changed = container.change("securityContext.runAsUser", "an id other than 0 that the image can run as")
        return f"{changed} Or use an image whose user is not root; runAsNonRoot does not allow user 0."
    return ""


def _refused(container: Container, reason: str) -> Finding:
    events = [e for e in container.events if e.reason in ("Failed", "FailedPostStartHook") and "pull" not in e.message]
    messages = [text_at(container.status, "state", "waiting", "message"), *(event.message for event in events[:1])]
    users = (step for message in messages if (step := _user_step(container, message)))
    unstartable = next((found for message in messages if (found := unstartable_command(message))), None)
    step = next(users, "") or (unstartable.step(container) if unstartable else "")
    step = step or "Correct what the message names in the pod template."
    return container.finding(
        f"{container.title} cannot start ({one_line(reason, 60)})",
        _REFUSED.get(reason, "The kubelet does not start the container."),
        container.quote("state", "waiting", "message")
        + container.quote("state", "waiting", "reason")
        + tuple(quoted for event in events[:1] for quoted in quote_event(event))
        + (container.quote_spec("lifecycle", "postStart") if reason == "PostStartHookError" else ())
        + (container.quote_spec("command") if unstartable else ()),
        step,
    )
