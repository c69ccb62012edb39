"""`findings`: what is wrong with the manifests of files, without a network. Owns how manifests are judged together."""

import os
import secrets
import sys
from collections.abc import Iterator, Sequence

from agent.cli.exit_codes import FindingsExitCode
from agent.cli.files import is_application, is_event
from agent.cli.findings_table import Blocks, FindingsPrinter, JsonLines, Lines
from agent.cli.manifest_stream import Batch, batches, check_files
from agent.context.clean import cleaned, cleaned_application
from agent.context.context import Context
from agent.context.events import merge_events
from agent.errors import AssistantError
from agent.findings import analyze
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, was_applied
from agent.objects.target import ResourceRef, Target
from agent.redaction import Redactor
from agent.settings import load_settings

type _Identity = tuple[str, str, str, str]


def findings(files: Sequence[str], *, as_json: bool) -> FindingsExitCode:
    """Prints the findings of every manifest, in order; returns the exit code."""
    printer: FindingsPrinter = JsonLines() if as_json else Blocks() if sys.stdout.isatty() else Lines()
    worst = FindingsExitCode.NO_ERROR
    try:
        redactor = _Redaction()
        check_files(files)
        with printer:
            for name in files:
                for batch in batches(name):
                    judged = zip(_judged(batch, redactor), batch.manifests, strict=True)
                    for (label, found), manifest in judged:
                        printer.add(label, found, is_event=is_event(manifest), is_live=was_applied(manifest))
                        if any(finding.severity == "error" for finding in found):
                            worst = FindingsExitCode.ERROR
    except AssistantError as error:
        printer.failed(error.public_message)
        return FindingsExitCode.WRONG_INPUT
    except BrokenPipeError:  # the reader of the pipe has gone: say no more, not even at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FindingsExitCode.INTERRUPTED
    except KeyboardInterrupt:
        printer.failed("Interrupted.")
        return FindingsExitCode.INTERRUPTED
    return worst


class _Redaction:
    """One key for the run, so that the same secret has the same placeholder; what was learned goes with its batch."""

    def __init__(self) -> None:
        self._enabled = load_settings().redaction
        self._key = secrets.token_bytes(32)

    def context(self, context: Context) -> Context:
        return Redactor(self._key, enabled=self._enabled).context(context)


def _judged(batch: Batch, redaction: _Redaction) -> Iterator[tuple[str, Sequence[Finding]]]:
    """Each manifest's id with its findings. Manifests are read together; one that is there twice, by itself."""
    together: dict[_Identity, int] = {}
    alone: list[int] = []
    for place, manifest in enumerate(batch.manifests):
        identity = _identity(ResourceRef.of(_completed(manifest)))
        if identity is None or together.setdefault(identity, place) != place:
            alone.append(place)
    by_place: dict[int, list[Finding]] = {}
    if together:
        first = next(iter(together.values()))
        context = redaction.context(_context([batch.manifests[place] for place in together.values()]))
        for finding in analyze(context):
            by_place.setdefault(_place(finding, together, first), []).append(finding)
    for place in alone:
        by_place[place] = [*analyze(redaction.context(_context([batch.manifests[place]])))]
    for place, label in enumerate(batch.ids):
        yield label, by_place.get(place, ())


def _place(finding: Finding, together: dict[_Identity, int], first: int) -> int:
    """Which manifest a finding belongs to: the one it is about, else the first that it quotes."""
    references = (finding.resource, *(evidence.resource for evidence in finding.evidence))
    places = (together.get(identity) for each in references if (identity := _identity(each)))
    return next((place for place in places if place is not None), first)


def _identity(reference: ResourceRef | None) -> _Identity | None:
    return (reference.group, reference.kind, reference.namespace, reference.name) if reference else None


def _completed(manifest: Manifest) -> Manifest:
    return cleaned_application(manifest) if is_application(manifest) else cleaned(manifest)


def _context(manifests: Sequence[Manifest]) -> Context:
    """The manifests as one context: about the Application where there is one, else about the only manifest."""
    events = [each for each in manifests if is_event(each)]
    objects = [_completed(each) for each in manifests if not is_event(each)]
    application = next((each for each in objects if is_application(each)), None)
    resources = [each for each in objects if each is not application]
    only = resources[0] if len(resources) == 1 and application is None else None
    return Context(
        target=Target(resource=None, application=None).model_copy(
            update={"resource": ResourceRef.of(only) if only else None}
        ),
        application=application,
        manifest=only,
        children=() if only else tuple(resources),
        events=merge_events(events),
    )
