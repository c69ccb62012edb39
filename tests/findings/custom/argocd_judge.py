"""Judges the reading of a status against Argo CD's health checks: what is found of Degraded, said of Healthy, and in
whose words.

`cases/argocd_development.yaml` and `cases/argocd_held_out.yaml` hold the cases, each a status with the health that Argo
CD gives it (argoproj/argo-cd, `resource_customizations`).
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import yaml

from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context
from tests.findings.custom.test_cases import FOLDER, manifest_of

# Words that carry no content of a message.
_EMPTY = frozenset(
    word
    for line in (
        "a an the of to is are was were be been in on at for and or not with by from as it its this that",
        "has have had will no",
    )
    for word in line.split()
)
# The part of the content words of Argo CD's message that makes it told.
_TOLD = 0.8


class HealthCase(NamedTuple):
    """A manifest, the health that Argo CD gives it, and its message."""

    name: str
    manifest: Manifest
    health: str
    message: str


class Judgement(NamedTuple):
    """What is wrong with the findings of a case, "" for nothing; and whether Argo CD's message is in them."""

    fault: str
    is_told: bool


class Figures(NamedTuple):
    """The shares over a set of cases, and what is wrong with each case."""

    found: float
    false_alarms: float
    errors_under_way: int
    told: float
    faults: tuple[str, ...]


def load_health(*names: str) -> list[HealthCase]:
    """The cases of files in the folder `cases`."""
    return [
        HealthCase(f"{name}:{number}-{case['kind']}", manifest_of(case), case["health"], case.get("says", ""))
        for name in names
        for number, case in enumerate(yaml.safe_load((FOLDER / name).read_text()))
    ]


def judge(health: str, message: str, findings: Iterable[Finding]) -> Judgement:
    """Compares the findings about one manifest with its health."""
    found = tuple(findings)
    severities = {each.severity for each in found} - {"info"}
    match health:
        case "Degraded":
            fault = "" if severities else "not found"
        case "Healthy":
            fault = "found" if severities else ""
        case "Progressing" | "Suspended":
            fault = "an error" if "error" in severities else ""
        case _:
            fault = ""
    words = content_words(message)
    told = content_words(" ".join(f"{each.title} {each.explanation}" for each in found))
    return Judgement(fault, len(words & told) >= _TOLD * len(words))


def content_words(text: str) -> set[str]:
    """The words of a text that carry its content."""
    return {word for word in re.findall(r"[a-z0-9]{2,}", text.lower()) if word not in _EMPTY}


def figures(cases: Iterable[HealthCase]) -> Figures:
    """Judges every case alone."""
    count: Counter[str] = Counter()
    faults: list[str] = []
    for case in cases:
        judgement = judge(case.health, case.message, findings_of(context(case.manifest)))
        count[case.health] += 1
        count[f"{case.health}: {judgement.fault}"] += 1
        count["told"] += case.health == "Degraded" and judgement.is_told
        if judgement.fault or not judgement.is_told:
            faults.append(f"{case.name} {case.health}: {judgement.fault or 'another message'}")
    return Figures(
        found=1 - count["Degraded: not found"] / count["Degraded"],
        false_alarms=count["Healthy: found"] / count["Healthy"],
        errors_under_way=count["Progressing: an error"] + count["Suspended: an error"],
        told=count["told"] / count["Degraded"],
        faults=tuple(faults),
    )
