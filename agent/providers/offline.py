"""The offline provider: renders the findings as the answer. Asks no model, opens no connection, keeps no session.

Owns the wording and the form of that answer; what is wrong was found by `agent.findings`.
"""

import hashlib
import json
import os
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager

import anyio.lowlevel

from agent.context.model import Gap
from agent.findings.model import Evidence, Finding
from agent.prompt.markdown import code, fenced, prose
from agent.prompt.prompt import Prompt
from agent.providers.events import (
    ProviderEvent,
    ProviderInfo,
    SessionRequest,
    TextDelta,
    TurnCompleted,
    TurnStarted,
)
from agent.request.caller import Caller
from agent.request.conversation import Message

_INFO = ProviderInfo(name="offline", protocol="none")

# What is rendered in full; more findings are named, more evidence is counted.
_FINDINGS_IN_FULL = 4
_EVIDENCE_IN_FULL = 9

_NOT_CONFIGURED = (
    "Nothing is configured to read them from (set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN, or let it read the Kubernetes "
    "API by KUBECONFIG), and they were not supplied (by `-f`, `--events`, `--logs`, or in "
    "`custom_inputs`)"
)

NO_MODEL_WAS_ASKED = (
    "No model was asked: no inference server is configured, and this answer was put together from the findings of the "
    "built-in analyzers. Set `LLAMASTACK_BASE_URL` (llama-stack, OGX) or `LIGHTSPEED_URL` (OpenShift Lightspeed) to "
    "have a model answer."
)


class Offline:
    """A Provider that answers from the findings alone. `note` is that of `render_answer`."""

    def __init__(self, *, note: str = "") -> None:
        self._note = note

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["OfflineSession"]:
        """A session that keeps nothing: its id is the caller's own name for it, or None."""
        yield OfflineSession(request, note=self._note)

    async def check(self) -> ProviderInfo:
        """Always ready."""
        return _INFO

    async def aclose(self) -> None:
        """Nothing is open."""


class OfflineSession:
    """One turn's session. It belongs to whoever opens it: there is nothing in it that could be read by another."""

    model = ""
    window = 0
    history_tokens = 0
    previous_fingerprint = ""

    def __init__(self, request: SessionRequest, *, note: str) -> None:
        self._session_id = request.session_id or request.conversation_id
        self._redaction_key = _redaction_key(self._session_id, request.caller)
        self._note = note

    @property
    def redaction_key(self) -> bytes:
        """Derived from the session's name and its user, so that any replica gives a value the same placeholder. There
        is no store that could keep a secret: who knows both can test guesses against a placeholder. Random where the
        session has no name."""
        return self._redaction_key

    def learn_window(self, tokens: int) -> None:
        """Nothing: no model reads the prompt."""

    async def earlier(self) -> Sequence[Message]:
        """Nothing is kept."""
        return ()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """The rendered answer in pieces of a few words, each line by itself."""
        yield TurnStarted(provider=_INFO, session_id=self._session_id)
        for piece in _pieces(render_answer(prompt, note=self._note)):
            await anyio.lowlevel.checkpoint()
            yield TextDelta(piece)
        yield TurnCompleted()


def _redaction_key(session_id: str | None, caller: Caller) -> bytes:
    if session_id is None:
        return os.urandom(32)
    return hashlib.sha256(
        json.dumps(["argocd-assistant offline session", session_id, caller.subject]).encode()
    ).digest()


def _pieces(text: str, size: int = 48) -> Iterator[str]:
    """`text` cut between words into pieces of about `size` characters that end with each line."""
    piece = ""
    for word in re.findall(r"\S+\s*|\s+", text):
        piece += word
        if len(piece) >= size or piece.endswith("\n"):
            yield piece
            piece = ""
    if piece:
        yield piece


def render_answer(prompt: Prompt, *, note: str = "") -> str:
    """The findings as Markdown: the cause with its evidence and what to do, the other findings, what could not be
    read, and that no model was asked. `note` takes the place of that last statement."""
    fleet = next((section.text for section in prompt.sections if section.name == "fleet"), "")
    if fleet and not prompt.findings:
        blocks = [f"Nothing wrong was found with any Application: {prose(fleet.partition(chr(10))[0])}"]
    elif not prompt.target and not prompt.findings:
        blocks = _general_question()
    elif prompt.findings:
        blocks = _findings(prompt.findings)
    elif prompt.read:
        read = "; ".join(map(prose, prompt.read))
        blocks = [f"Nothing wrong was found with {_target(prompt)} in what could be read: {read}."]
    else:
        blocks = _nothing_read(prompt)
    if prompt.gaps:
        blocks.append("## What could not be read\n\n" + "\n".join(_gaps(prompt.gaps)))
        if prompt.hiding and not prompt.findings:
            blocks.append("So something may be wrong that is not seen here.")
    blocks.append(f"> {prose(note or NO_MODEL_WAS_ASKED)}")
    return "\n\n".join(blocks) + "\n"


def _gaps(gaps: tuple[Gap, ...]) -> Iterator[str]:
    """A line for each thing that went wrong, with the parts that are missing for it."""
    alone = sum(gap.reason == "not_configured" for gap in gaps) == 1
    parts: dict[tuple[str, str, str], dict[str, None]] = {}
    for gap in gaps:
        why = gap.message if alone or gap.reason != "not_configured" else _NOT_CONFIGURED
        parts.setdefault((gap.source, why, gap.reason), {})[gap.part] = None
    for (source, why, reason), names in parts.items():
        yield f"- {', '.join(names)} from {source}: {prose(why)} ({prose(reason)})"


def findings_in_full(findings: Sequence[Finding]) -> str:
    """Findings (at least one) as Markdown: the cause with its evidence and what to do, then the others."""
    return "\n\n".join(_findings(findings))


def _findings(findings: Sequence[Finding]) -> list[str]:
    first, others = findings[0], findings[1:]
    if first.severity == "info":
        heading = "Nothing is broken; worth knowing"
    else:
        heading = "Most likely cause" if first.level in ("cause", "effect") else "What is wrong"
    blocks = [f"## {heading}: {prose(first.title)}", *_details(first)]
    if others:
        blocks.append("## Also found")
        for finding in others[: _FINDINGS_IN_FULL - 1]:
            blocks += [f"### {prose(finding.title)} ({finding.severity})", *_details(finding)]
    rest = others[_FINDINGS_IN_FULL - 1 :]
    if rest:
        blocks.append("\n".join(f"- {prose(finding.title)} ({finding.severity})" for finding in rest))
    return blocks


def _details(finding: Finding) -> list[str]:
    blocks = [prose(finding.explanation)]
    if finding.resource:
        blocks.append(f"Resource: {prose(str(finding.resource))}")
    if finding.evidence:
        shown = finding.evidence[:_EVIDENCE_IN_FULL]
        lines = [_quoted(evidence, finding) for evidence in shown]
        if more := len(finding.evidence) - len(shown):
            lines.append(f"- and {more} more")
        blocks.append("**Evidence**\n\n" + "\n".join(lines))
    if finding.next_steps:
        steps = [f"{number}. {prose(step)}" for number, step in enumerate(finding.next_steps, 1)]
        blocks.append("**What to do next**\n\n" + "\n".join(steps))
    return blocks


def _quoted(evidence: Evidence, finding: Finding) -> str:
    """A quotation as a list item: what was read, then where."""
    match evidence.source:
        case "application" | "manifest":
            place = f"{code(evidence.path)} of the live manifest"
        case "tree":
            place = f"{code(evidence.path)} in the resource tree"
        case "diff":
            place = f"{code(evidence.path)} of the difference to Git"
        case "revision":
            place = f"revision {code(evidence.path)}"
        case "event":
            place = f"event {code(evidence.path)}"
        case "log":
            container, _, time = evidence.path.partition(" ")
            place = f"log of container {code(container)}" + (f" at {code(time)}" if time else "")
        case source:
            place = f"{source.replace('_', ' ')}, {code(evidence.path)}"
    if evidence.resource and evidence.resource != finding.resource:
        place += f", {prose(str(evidence.resource))}"
    text = evidence.text.strip("\n")
    if "\n" in text:
        return f"- {place}:\n\n{fenced(text, indent='  ')}\n"
    return f"- {code(text)} ({place})"


def _target(prompt: Prompt) -> str:
    return prose(str(prompt.target)) if prompt.target else "it"


def _nothing_read(prompt: Prompt) -> list[str]:
    return [
        f"Nothing is known of {_target(prompt)}, so nothing can be said about it.",
        "Either let the assistant read it:\n\n"
        "- set `ARGOCD_SERVER` and `ARGOCD_AUTH_TOKEN` to read through Argo CD;\n"
        "- give it a kubeconfig or a service account (`ASSISTANT_KUBERNETES`) to read from the cluster;\n\n"
        "or supply it with the question: on the command line `-f FILE` (manifests, its pods as well), `--events FILE` "
        "and `--logs FILE`; in a request's `custom_inputs` `application_manifest`, `manifest`, `children` (its pods), "
        "`events` and `logs`.",
    ]


def _general_question() -> list[str]:
    return [
        "This is a general question, and no model is configured that could answer it.",
        "Without a model the assistant can tell what is wrong with a resource, from its manifest, events and logs: "
        "name an `application` or a `resource` in a request's `custom_inputs`, or supply its `manifest`. On the "
        "command line:\n\n"
        "```sh\n"
        'argocd-assistant ask --app argocd/guestbook "Why is it degraded?"\n'
        'argocd-assistant ask -f deployment.yaml --events events.json "Why does it not start?"\n'
        "```",
    ]
