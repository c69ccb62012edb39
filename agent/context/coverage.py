"""Which parts a context has, by name, and which of its gaps could hide a problem."""

from collections.abc import Iterator

from agent.context.context import Context
from agent.context.model import Gap
from agent.objects.manifest import objects_at, text_at
from agent.objects.pods import is_pod
from agent.objects.target import ResourceRef

# So many manifests are named; of more, the number is given.
_NAMED = 6


def parts_read(context: Context) -> tuple[str, ...]:
    """Return what was read of the target: manifests by kind and name, the rest by number. () for nothing."""
    return tuple(_read(context))


def blind_spots(context: Context) -> tuple[Gap, ...]:
    """Return the gaps that could hide a fault. Missing logs of Pods that are ready or succeeded are none of them."""
    pods = [each for each in context.manifests if is_pod(text_at(each, "kind"))]
    all_well = bool(pods) and all(
        text_at(pod, "status", "phase") == "Succeeded"
        or any(
            (text_at(each, "type"), text_at(each, "status")) == ("Ready", "True")
            for each in objects_at(pod, "status", "conditions")
        )
        for pod in pods
    )
    return tuple(gap for gap in context.gaps if not (all_well and gap.part == "logs"))


def _read(context: Context) -> Iterator[str]:
    if context.application is not None:
        yield str(context.target.application or "the Application")
    references = [ResourceRef.of(manifest) for manifest in context.manifests]
    names = list(dict.fromkeys(str(each) for each in references if each))
    yield from names[:_NAMED]
    if more := len(references) - len(names[:_NAMED]):
        yield _many(more, "further manifest")
    if context.tree:
        yield f"the resource tree ({len(context.tree):,} resources)"
    if context.managed:
        yield "the difference to Git"
    if context.events:
        yield _many(len(context.events), "event")
    if context.logs:
        yield f"the log of {', '.join(dict.fromkeys(log.container for log in context.logs))}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
