"""Deny rules of an AppProject: where one refuses what an Application asks for, an entry that permits it does not help.

Owns the evaluation of `!` patterns and deny lists, as in Argo CD's pkg/apis/application/v1alpha1/app_project_types.go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.findings.engine.commands import argocd
from agent.findings.engine.evidence import one_line, quote
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, list_at, objects_at, text_at

# A longer pattern, or one with more wildcards, is not evaluated.
_PATTERN_LIMIT, _WILDCARDS = 300, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a project was asked to permit: one of a repository, a destination, a kind, the namespace of Applications."""

    repository: str = ""
    server: str = ""
    namespace: str = ""
    kind: tuple[str, str] | None = None
    is_namespaced: bool = False
    application_namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """The rule that denies it: the step that changes it, and its quotation."""

    step: str
    evidence: tuple[Evidence, ...]


def denied(project: Manifest, wanted: Wanted) -> Denial | None:
    """Return the deny rule of the project that `wanted` meets, None where none does."""
    for path, text, command in _rules(project, wanted):
        name = text_at(project, "metadata", "name")
        field = f"spec.{path[1]}[{path[2]}]"
        return Denial(
            step=f"AppProject {one_line(name, 80)} denies it by `{field}` (`{one_line(text, 160)}`), and an entry that "
            f"permits it does not help: remove or narrow that rule: {command}.",
            evidence=quote(project, *path),
        )
    return None


type _Rule = tuple[tuple[str, str, int], str, str]
"""The path of a rule, its text, and the command that changes it."""


def _rules(project: Manifest, wanted: Wanted) -> Iterator[_Rule]:
    name = text_at(project, "metadata", "name")
    if wanted.repository:
        for index, pattern in _negated(project, "sourceRepos"):
            if _matches(_repository(pattern[1:]), _repository(wanted.repository), separator="/"):
                yield ("spec", "sourceRepos", index), pattern, argocd("proj", "remove-source", name, pattern)
    if wanted.application_namespace:
        for index, pattern in _negated(project, "sourceNamespaces"):
            if _matches(pattern[1:], wanted.application_namespace):
                yield ("spec", "sourceNamespaces", index), pattern, argocd("proj", "edit", name)
    if wanted.namespace:
        for index, entry in enumerate(objects_at(project, "spec", "destinations")):
            if _denies(entry, wanted):
                server = text_at(entry, "server") or text_at(entry, "name")
                words = (server, text_at(entry, "namespace"))
                command = argocd("proj", "remove-destination", name, *words)
                yield ("spec", "destinations", index), " ".join(words), command
    if wanted.kind:
        yield from _kinds(project, wanted.kind, "namespace" if wanted.is_namespaced else "cluster")


def _kinds(project: Manifest, kind: tuple[str, str], scope: str) -> Iterator[_Rule]:
    name, field = text_at(project, "metadata", "name"), f"{scope}ResourceBlacklist"
    for index, entry in enumerate(objects_at(project, "spec", field)):
        listed = text_at(entry, "group"), text_at(entry, "kind")
        if _matches(listed[0], kind[0]) and _matches(listed[1], kind[1]):
            # The command that permits a kind takes the same entry off the deny list; it cannot narrow a pattern.
            permit = argocd("proj", f"allow-{scope}-resource", name, *kind)
            command = permit if listed == kind else argocd("proj", "edit", name)
            yield ("spec", field, index), f"{listed[0] or 'core'}/{listed[1]}", command


def _negated(project: Manifest, field: str) -> Iterator[tuple[int, str]]:
    for index, pattern in enumerate(list_at(project, "spec", field)):
        if isinstance(pattern, str) and pattern.startswith("!"):
            yield index, pattern


def _denies(entry: Manifest, wanted: Wanted) -> bool:
    """Whether a destination with a `!` pattern denies the one wanted."""
    namespace, servers = text_at(entry, "namespace"), (text_at(entry, "server"), text_at(entry, "name"))
    negated = [pattern[1:] for pattern in servers if pattern.startswith("!")]
    if any(_matches(pattern, wanted.server) for pattern in negated):
        return _matches(namespace, wanted.namespace)
    on_server = any(_matches(pattern, wanted.server) for pattern in servers if pattern and not pattern.startswith("!"))
    return namespace.startswith("!") and on_server and _matches(namespace[1:], wanted.namespace)


def _repository(url: str) -> str:
    return url.lower().removesuffix("/").removesuffix(".git")


def _matches(pattern: str, value: str, *, separator: str = "") -> bool:
    """Whether a glob of Argo CD matches: `*` stays between separators, `**` does not."""
    if len(pattern) > _PATTERN_LIMIT or pattern.count("*") > _WILDCARDS:
        return False
    one = f"[^{separator}]" if separator else "."
    forms = {"**": ".*", "*": f"{one}*", "?": one}
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    return re.fullmatch("".join(forms.get(part) or re.escape(part) for part in parts), value, re.DOTALL) is not None
