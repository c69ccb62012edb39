"""Replicas that a status counts: fewer ready than wanted, where nothing else says how the object stands."""

from agent.findings.status.situation import Situation
from agent.manifest import Manifest, integer_at, object_at

_READY = ("readyReplicas", "availableReplicas", "updatedReadyReplicas", "updatedAvailableReplicas")


def short_of(manifest: Manifest, situation: Situation) -> tuple[str, int, int] | None:
    """The field that counts too few, its number, and how many are wanted.

    Only where the controller has seen the newest spec, and says of itself neither that it is well nor under way.
    """
    status = object_at(manifest, "status")
    if situation.well or situation.coming or situation.halted or situation.states:
        return None
    seen, newest = integer_at(status, "observedGeneration"), integer_at(manifest, "metadata", "generation")
    wanted = integer_at(manifest, "spec", "replicas")
    wanted = integer_at(status, "replicas") if wanted is None else wanted
    if seen is None or seen != newest or not wanted:
        return None
    for field in _READY:
        ready = integer_at(status, field)
        if ready is not None and ready < wanted:
            return field, ready, wanted
    return None
