"""The last words of a hook: the fatal lines and errors in the logs of its pods, else the end of the logs."""

from collections.abc import Iterator

from agent.context.context import Context
from agent.context.model import ContainerLog
from agent.findings.engine.evidence import quote_log
from agent.findings.engine.inventory import Inventory, controller_of
from agent.findings.engine.logs import error_lines, fatal_lines
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, text_at

_LINES = 2
_LOGS = 2


def last_words(inventory: Inventory, entry: Manifest) -> tuple[Evidence, ...]:
    """The last significant log lines of a hook (an entry of a sync result) that is a Job or a Pod.

    A log without the name of its Pod is the hook's where the context has no other Pods.
    """
    pods = set(_pods(inventory, entry))
    if pods and pods >= {text_at(pod, "metadata", "name") for pod in inventory.of(("", "Pod"))}:
        pods.add("")
    logs = [log for log in inventory.context.logs if log.pod in pods][:_LOGS]
    return tuple(quoted for log in logs for quoted in _end(inventory.context, log))


def _pods(inventory: Inventory, entry: Manifest) -> Iterator[str]:
    kind, namespace, name = (text_at(entry, key) for key in ("kind", "namespace", "name"))
    if kind == "Pod":
        yield name
    for pod in inventory.of(("", "Pod")):
        owner = controller_of(pod)
        if owner and (owner.kind, owner.namespace, owner.name) == (kind, namespace, name):
            yield text_at(pod, "metadata", "name")


def _end(context: Context, log: ContainerLog) -> tuple[Evidence, ...]:
    faults = {*fatal_lines(log, _LINES), *error_lines(log, _LINES)}
    lines = [line for line in log.lines if line in faults] if faults else []
    lines = lines or [line for line in log.lines[-50:] if line.text.strip()][-_LINES:]
    return tuple(quoted for line in lines[-2 * _LINES :] for quoted in quote_log(context, log, line))
