"""What to do about drift: sync, change Git, or let Argo CD ignore it, with the exact command or YAML."""

from collections.abc import Iterator

from agent.findings.drift.ignore_rules import ignore_differences
from agent.findings.drift.managers import is_argocd
from agent.findings.drift.model import Drift
from agent.findings.drift.wording import value_text
from agent.findings.engine.applications import Application
from agent.findings.engine.commands import argocd
from agent.objects.target import ResourceRef

# https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#respect-ignore-difference-configs
_RESPECT = (
    "with the sync option `RespectIgnoreDifferences=true` a sync keeps it too, without that option a sync overwrites it"
)


def remedies(application: Application | None, drift: Drift) -> Iterator[str]:
    """The next steps for a drifted resource, most useful first."""
    match drift.differences[0].category:
        case "missing":
            yield f"Create it: {_sync(application, drift.resource)}."
        case "prune":
            sync = _sync(application, drift.resource, "--prune")
            yield f"To delete it: {sync}, or set spec.syncPolicy.automated.prune."
            yield "To keep it without Git: remove Argo CD's tracking annotation (or label) from it."
        case "change":
            yield from _for_changes(application, drift)
        case _:
            pass
    yield from _for_noise(drift)
    if drift.differences[0].path:
        yield f"See the whole difference: {_command(application, 'diff')}."


def _for_changes(application: Application | None, drift: Drift) -> Iterator[str]:
    yield f"If Git is right: {_sync(application, drift.resource)}."
    first = next((d for d in drift.of("change") if d.live_path is not None and not d.hidden), None)
    if first and not is_argocd(first.owner):
        yield f"If the cluster is right: write `{first.path}: {value_text(first.live)}` in Git, then sync."


def _for_noise(drift: Drift) -> Iterator[str]:
    mutated, defaulted = drift.of("mutated"), drift.of("defaulted", "ignorable")
    replicas = next((d for d in mutated if d.steps == ("spec", "replicas")), None)
    if replicas:
        yield "Remove `spec.replicas` from the manifest in Git, so that the autoscaler alone sets it."
    others = mutated or (defaulted if drift.is_noise else ())
    if not others:
        return
    if any(d.is_same_value for d in others):
        values = [f"`{d.path}: {value_text(d.live)}`" for d in others if d.is_same_value]
        yield f"Write the value in Git as the API server writes it: {'; '.join(values[:3])}."
    dropped = [d.path for d in others if d.live_path is None and d.git_path is not None and not d.hidden]
    if dropped and not mutated:
        paths = ", ".join(f"`{path}`" for path in dropped[:4])
        yield f"Remove {paths} from Git: no sync settles it, as the cluster does not keep the value."
    elif not mutated:
        yield "It does no harm; to resolve it, write the values in Git as the cluster has them."
    entry = ignore_differences(drift, others)
    yield f"Let Argo CD ignore it, under `spec` of the Application: `{entry}` ({_RESPECT})."


def _sync(application: Application | None, resource: ResourceRef, *options: str) -> str:
    name = f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
    return _command(application, "sync", "--resource", f"{resource.group}:{resource.kind}:{name}", *options)


def _command(application: Application | None, *words: str) -> str:
    return application.command(*words) if application else argocd("app", *words, "NAME")
