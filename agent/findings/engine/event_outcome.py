"""Whether a later event reports the success of what an earlier one reports as failed."""

import re
from functools import lru_cache

from agent.context.context import Context
from agent.context.model import Event
from agent.findings.engine.evidence import one_line
from agent.objects.target import ResourceRef
from agent.objects.times import moment


def later_success(context: Context, event: Event, about: ResourceRef | None) -> str:
    """The reason of a later event that reports the success of the same thing, "" without one."""
    failed, core = moment(event.last_seen), _core(event.reason)
    for other in context.events:
        if other.type == "Warning" or not _is_same(other.involved or about, about) or other.reason == event.reason:
            continue
        then = moment(other.last_seen)
        if (
            failed
            and then
            and then >= failed
            and (_core(other.reason) & core or _ENDS.get(event.reason) == other.reason)
        ):
            return one_line(other.reason, 60)
    return ""


def _is_same(one: ResourceRef | None, other: ResourceRef | None) -> bool:
    """Whether two references are to one object; those of events often have neither API group nor uid."""
    if one is None or other is None:
        return one is other
    same_uid = not one.uid or not other.uid or one.uid == other.uid
    return same_uid and (one.kind, one.namespace, one.name) == (other.kind, other.namespace, other.name)


# Reasons whose success has another word (Kubernetes' pkg/kubelet/events/event.go and the controllers').
_ENDS = {
    "FailedScheduling": "Scheduled",
    "FailedMount": "Started",
    "FailedAttachVolume": "Started",
    "FailedCreatePodSandBox": "Started",
    "NodeNotReady": "NodeReady",
    "ProvisioningFailed": "ProvisioningSucceeded",
}
_OUTCOMES = frozenset(
    {
        *("failed", "failure", "fail", "error", "errors", "success", "successful", "succeeded", "successfully"),
        *("ensured", "ensuring", "completed", "created"),
    }
)


@lru_cache(maxsize=1_024)
def _core(reason: str) -> frozenset[str]:
    """The words of a reason but for its outcome: of `SyncLoadBalancerFailed` and `EnsuredLoadBalancer` the balancer."""
    words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", reason)}
    return frozenset(word.removesuffix("d") for word in words - _OUTCOMES)
