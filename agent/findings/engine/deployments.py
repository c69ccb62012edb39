"""The deployments of an Application: Git's revision, the deployed ones, their authors, and the rollback."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest

from agent.context.context import Context
from agent.context.model import Revision
from agent.findings.engine.applications import Application
from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import one_line, quote_revision
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, integer_at, list_at, object_at, objects_at, text_at
from agent.objects.times import moment

# A deployment within this time before a resource became unhealthy is the first suspect.
SUSPECT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A deployment shortly before a resource became unhealthy: a sentence (after a blank), evidence, the rollback."""

    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    rollback_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    """The deployments of one Application: `newest` is Git's revision, `deployed` the one that was synced last; "" where
    they are not known."""

    context: Context
    application: Application

    @property
    def newest(self) -> str:
        return self._revisions[0]

    @property
    def deployed(self) -> str:
        return self._revisions[1]

    @property
    def _revisions(self) -> tuple[str, str]:
        """Git's revision and the deployed one; of several sources those of the first that moved, else of the first."""
        newest = _names(object_at(self.application.manifest, "status", "sync"))
        deployed = _names(self._history[-1] if self._history else {})
        pairs = list(zip_longest(newest, deployed, fillvalue=""))
        return next((pair for pair in pairs if pair[0] != pair[1]), (pairs or [("", "")])[0])

    @property
    def _history(self) -> list[Manifest]:
        return objects_at(self.application.manifest, "status", "history")

    @property
    def is_git_unchanged(self) -> bool:
        """Whether Git has not changed since the last successful sync, so that drift means a change in the cluster."""
        if not self.newest or self.newest != self.deployed:
            return False
        operation = ("status", "operationState")
        if self.application.text(*operation, "phase") != "Succeeded":
            return False
        revision, finished = self.revision(self.newest), moment(self.application.text(*operation, "finishedAt"))
        made = moment(revision.date) if revision else None
        return not (made and finished and made > finished)

    def revision(self, name: str) -> Revision | None:
        """The metadata of a revision, None where it was not read."""
        return next((each for each in self.context.revisions if name and each.revision == name), None)

    def describe(self, name: str) -> str:
        """`9f1c3d92b47e "Raise the limit" by Ada`, as far as it is known."""
        revision = self.revision(name)
        message = f' "{one_line(revision.message, 100)}"' if revision and revision.message else ""
        author = f" by {one_line(revision.author, 80)}" if revision and revision.author else ""
        return f"{name[:12]}{message}{author}"

    def quote(self, name: str) -> tuple[Evidence, ...]:
        """The message and the author of a revision, () where they are not known."""
        revision = self.revision(name)
        return quote_revision(revision) + quote_revision(revision, "author") if revision else ()

    def rollback_step(self, failed: str) -> str:
        """The command that goes back to the last deployment of another revision than `failed`, "" without one."""
        for entry in reversed(self._history):
            number = integer_at(entry, "id")
            if number is not None and text_at(entry, "revision") not in ("", failed):
                command = self.application.command_after("rollback", str(number))
                first = (
                    f"turn automated sync off ({self.application.command('set', '--sync-policy', 'none')}), then "
                    if self.application.is_automated
                    else ""
                )
                return f"To go back to revision {text_at(entry, 'revision')[:12]}: {first}{command}; or revert in Git."
        return ""

    def suspect_before(self, time: str) -> Suspect:
        """The last deployment, where it was within SUSPECT before `time` (RFC 3339); else an empty one."""
        index = len(self._history) - 1
        deployed, began = moment(text_at(self._history[-1:], 0, "deployedAt")), moment(time)
        if not deployed or not began or not timedelta() <= began - deployed <= SUSPECT:
            return Suspect()
        lag = minutes_text(began - deployed)
        return Suspect(
            text=f" This began {lag} after revision {self.describe(self.deployed)} was deployed.",
            evidence=self.application.quote("status", "history", index, "deployedAt") + self.quote(self.deployed),
            rollback_step=self.rollback_step(self.deployed),
        )


def _names(entry: Manifest) -> list[str]:
    """The revisions of a sync status or a deployment: one a source."""
    several = [name for name in list_at(entry, "revisions") if isinstance(name, str)]
    return several or [name for name in (text_at(entry, "revision"),) if name]
