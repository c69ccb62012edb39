"""Where in Git a change belongs: the source of the Application, named in the step that changes something there.

Owns the wording of a source: repository, path and revision, Helm's value files, Kustomize's file. Argo CD does not tell
which file holds a resource, nor which of several sources. Runs over all findings at the end.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agent.findings.engine.applications import APPLICATION, Application, applications_of, first_application
from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, list_at, lookup, object_at, objects_at, text_at

# Sources and value files that are named.
_NAMED = 3
_LIMIT = 200

_IN_GIT = re.compile(r"(?<!longer )(?<!is )(?<!are )\b[Ii]n Git\b(?! \()")
_FIELD = re.compile(r"\bspec\.source\.(?=\w)")
# Argo CD counts from 1 (controller/state.go).
_OF_SOURCE = re.compile(r"for source (\d{1,3}) of \d")
# Fields of a source that change its manifests, in the Application itself.
_IN_APPLICATION = {
    "helm": ("parameters", "values", "valuesObject", "fileParameters"),
    "kustomize": ("images", "patches", "replicas", "namePrefix", "nameSuffix", "commonLabels", "components"),
}


def with_git_places(inventory: Inventory, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings; the first step of each that changes something in Git, or a field of a source, names the
    place."""
    return tuple(_placed(inventory, finding) for finding in found)


def _placed(inventory: Inventory, finding: Finding) -> Finding:
    application = _application_of(inventory, finding)
    if application is None:
        return finding
    match = next(filter(None, (_OF_SOURCE.search(evidence.text) for evidence in finding.evidence)), None)
    number = int(match[1]) - 1 if match else None
    place = place_of(application.manifest, number)
    if not place:
        return finding
    steps = [_FIELD.sub(_field(application.manifest, number), step) for step in finding.next_steps]
    for position, step in enumerate(steps):
        if match := _IN_GIT.search(step):
            steps[position] = f"{step[: match.end()]} ({place}){step[match.end() :]}"
            break
        if "spec.source" in step:
            steps[position] = f"{step} The source is {place}."
            break
    return replace(finding, next_steps=tuple(steps))


def _application_of(inventory: Inventory, finding: Finding) -> Application | None:
    """The Application whose source has what the finding is about: itself, or else the target's."""
    resource = finding.resource
    if resource and (resource.group, resource.kind) == APPLICATION:
        own = (each for each in applications_of(inventory) if each.reference == resource)
        if found := next(own, None):
            return found
    return first_application(inventory)


def place_of(application: Manifest, number: int | None = None) -> str:
    """Return the place in Git of an Application's manifests, "" where it names none. `number` is the source among
    several, None for any."""
    dry = object_at(application, "spec", "sourceHydrator", "drySource")
    if source := dry or (object_at(application, "spec", "source") if not _several(application) else {}):
        return _place(source, text_at(application, "status", "sourceType"), "spec.source", ())
    sources = _several(application)
    kinds = [kind if isinstance(kind, str) else "" for kind in list_at(application, "status", "sourceTypes")]
    kinds += [""] * len(sources)
    places = [
        f"spec.sources[{index}]: {place}"
        for index, source in enumerate(sources)
        if number in (None, index) and (place := _place(source, kinds[index], f"spec.sources[{index}]", sources))
    ]
    more = f" or {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return "; or ".join(places[:_NAMED]) + more


def _several(application: Manifest) -> list[Manifest]:
    return objects_at(application, "spec", "sources")


def _field(application: Manifest, number: int | None) -> str:
    """How the fields of the source are called: an Application with `sources` has no `source`."""
    if not _several(application):
        return "spec.source."
    return f"spec.sources[{'' if number is None else number}]."


def _place(source: Manifest, kind: str, field: str, sources: Sequence[Manifest]) -> str:
    """One source, "" for one without manifests of its own (values for another source)."""
    chart, path = text_at(source, "chart"), posixpath.normpath(text_at(source, "path") or ".")
    if not text_at(source, "repoURL") or (text_at(source, "ref") and not chart and not text_at(source, "path")):
        return ""
    is_helm = kind == "Helm" or bool(chart or object_at(source, "helm"))
    is_kustomize = kind == "Kustomize" or bool(object_at(source, "kustomize"))
    if chart:
        place = f"chart {one_line(f'{chart} {_revision(source)}', 120)} of {_repository(source)}"
    elif is_kustomize:
        place = f"`{one_line(posixpath.join(path, 'kustomization.yaml'), 120)}` in {_at(source)}"
    elif path == ".":
        place = _at(source)
    else:
        place = f"`{one_line(path, 120)}` in {_at(source)}"
    values = list(_values(source, path, sources, is_default=is_helm and not chart))
    values += _inline(source, field)
    return place + (f", with {' and '.join(values)}" if values else "")


def _values(source: Manifest, path: str, sources: Sequence[Manifest], *, is_default: bool) -> Iterator[str]:
    """Helm's value files, each in its repository."""
    files = [each for each in list_at(source, "helm", "valueFiles") if isinstance(each, str)]
    for file in files[:_NAMED]:
        reference, _, below = file.removeprefix("$").partition("/")
        other = _named(reference, sources) if file.startswith("$") else None
        if other is not None:
            yield f"values in `{one_line(below, _LIMIT)}` of {_at(other)}"
        else:
            yield f"values in `{one_line(file if '://' in file else posixpath.join(path, file), _LIMIT)}`"
    if not files and is_default:
        yield f"values in `{one_line(posixpath.join(path, 'values.yaml'), _LIMIT)}`"


def _named(reference: str, sources: Iterable[Manifest]) -> Manifest | None:
    return next((each for each in sources if text_at(each, "ref") == reference), None)


def _inline(source: Manifest, field: str) -> Iterator[str]:
    """What the Application itself sets of the manifests."""
    for tool, keys in _IN_APPLICATION.items():
        given = [key for key in keys if lookup(source, tool, key)]
        if given:
            yield f"{' and '.join(f'{field}.{tool}.{key}' for key in given[:_NAMED])} of the Application"


def _at(source: Manifest) -> str:
    return f"{_repository(source)} at {one_line(_revision(source), 80)}"


def _repository(source: Manifest) -> str:
    return one_line(text_at(source, "repoURL"), _LIMIT)


def _revision(source: Manifest) -> str:
    return text_at(source, "targetRevision") or "HEAD"
