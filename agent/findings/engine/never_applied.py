"""Manifests that no cluster has stored yet: what tells them, and a rule of the API server that one breaks.

Owns the form of such a finding. What a cluster has stored has passed these rules, so that they are read for manifests
without uid and status alone.
"""

from dataclasses import dataclass

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.evidence import quote
from agent.findings.model import Finding
from agent.objects.manifest import Manifest

type Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong at `path` of a manifest, and the step that mends it. `refused`: the API server does not store it;
    else it is stored and can never work. `also` is quoted with it."""

    what: str
    step: str
    path: Path
    refused: bool = True
    also: tuple[Path, ...] = ()

    def finding(self, manifest: Manifest) -> Finding:
        """The fault as a finding about the object."""
        paths = (self.path, *self.also)
        quoted = tuple(evidence for path in paths for evidence in quote(manifest, *path))
        return object_finding(
            manifest,
            f"{named(manifest)} {'would be refused' if self.refused else 'could never work'}: {self.what}",
            "The manifest has no uid and no status, so no cluster has it yet"
            + ("; the API server checks this before it stores an object." if self.refused else "."),
            quoted or quote(manifest, "metadata", "name"),
            self.step,
        )
