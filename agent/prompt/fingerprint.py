"""Reports what changed since the previous turn, by comparing the context with a fingerprint of the previous one.

A session stores only the fingerprint between turns. It contains versions, times, counts and hashes, and one text: the
title of the first finding. The context and the findings must already be redacted.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import blake2s
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, LogLine
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ResourceRef

MAX_FINGERPRINT = 400
"""Maximum length of a fingerprint in characters. llama-stack and OGX store it as one metadata value of a conversation,
which may have 512 characters in OpenAI's Conversations API; the rest is a reserve for JSON escapes.
Source: `metadata` in https://platform.openai.com/docs/api-reference/conversations/create"""
MAX_NOTE = 900
"""Maximum length of the note on changes, in characters."""

_MANIFESTS, _LOGS, _FINDINGS = 9, 6, 10
# How many changes of a kind the note lists by name; the others are counted.
_NAMED = 4
_LONGEST_NAME = 100
_STATES = ("health", "sync", "operation", "revision", "resource health")


# The keys of the fields in the JSON text, short to fit into MAX_FINGERPRINT.
_KEYS = {
    "target": "t",
    "manifests": "m",
    "manifest_count": "k",
    "states": "s",
    "newest_event": "e",
    "event_count": "n",
    "logs": "l",
    "findings": "f",
    "finding_count": "i",
    "first_finding": "c",
    "token_budget": "b",
}


class _State(BaseModel):
    """The fields of a fingerprint."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_KEYS.__getitem__, validate_by_name=True, validate_by_alias=True
    )

    target: str = ""
    manifests: dict[str, str] = Field(default_factory=dict[str, str])
    manifest_count: int = 0
    states: list[str] = Field(default_factory=list[str])
    newest_event: str = ""
    event_count: int = 0
    logs: dict[str, str] = Field(default_factory=dict[str, str])
    findings: list[str] = Field(default_factory=list[str])
    finding_count: int = 0
    first_finding: str = ""
    token_budget: int = 0

    @classmethod
    def of(cls, context: Context, findings: Sequence[Finding], token_budget: int) -> Self:
        watched = _watched(context)
        return cls(
            target=_hash(str(context.target)),
            manifests={_key(manifest): _version(manifest) for manifest in watched[:_MANIFESTS]},
            manifest_count=len(watched),
            states=_states(context),
            newest_event=_newest(context.events),
            event_count=sum(event.count for event in context.events),
            logs={_log_key(log): _mark(log.lines[-1]) for log in context.logs[:_LOGS] if log.lines},
            findings=[_finding_key(finding) for finding in findings[:_FINDINGS]],
            finding_count=len(findings),
            first_finding=_plain(findings[0].title) if findings else "",
            token_budget=token_budget,
        )

    @property
    def text(self) -> str:
        fields = self.model_dump(by_alias=True, exclude_defaults=True)
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def fingerprint(context: Context, findings: Sequence[Finding], *, token_budget: int = 0) -> str:
    """Return the fingerprint of `context` and `findings`, "" if it cannot be shortened to MAX_FINGERPRINT characters.

    `token_budget` is the budget of the context in this turn. Equal states have equal fingerprints.
    """
    state = _State.of(context, findings, token_budget)
    text = state.text
    while len(text) > MAX_FINGERPRINT and (state.manifests or state.logs or state.findings):
        state = _smaller(state)
        text = state.text
    return text if len(text) <= MAX_FINGERPRINT else ""


def _smaller(state: _State) -> _State:
    """Return a shorter state: with a shorter title first, then without the last entry of the longest field."""
    manifests, logs, findings = len(state.manifests) * 15, len(state.logs) * 14, len(state.findings) * 7
    if len(state.first_finding) > 40:
        return state.model_copy(update={"first_finding": state.first_finding[:40]})
    if manifests and manifests >= max(logs, findings):
        return state.model_copy(update={"manifests": dict([*state.manifests.items()][:-1])})
    if logs and logs >= findings:
        return state.model_copy(update={"logs": dict([*state.logs.items()][:-1])})
    return state.model_copy(update={"findings": state.findings[:-1]})


def stable_budget(token_budget: int, previous_fingerprint: str) -> int:
    """Return the token budget of the context for this turn.

    It is the budget of the previous turn if that is between half of `token_budget` and all of it. With the same budget
    an unchanged context is truncated at the same places, so that the prompt stays the same byte by byte.
    """
    if not previous_fingerprint:
        return token_budget
    try:
        before = _State.model_validate_json(previous_fingerprint).token_budget
    except ValidationError:
        return token_budget
    return before if token_budget // 2 <= before <= token_budget else token_budget


def changes_since(previous_fingerprint: str, context: Context, findings: Sequence[Finding]) -> str:
    """Describe what changed since the turn with `previous_fingerprint`, in one line of at most MAX_NOTE characters.

    Returns "" for no change, for the first turn, and for a fingerprint that this version cannot read.
    """
    if not previous_fingerprint:
        return ""
    try:
        before = _State.model_validate_json(previous_fingerprint)
    except ValidationError:
        return ""
    if before.target != _hash(str(context.target)):
        return f"Since the previous turn the question is about another target: now {_plain(str(context.target))}."
    changes = [*_changes(before, context, findings)]
    note = f"Since the previous turn: {'; '.join(changes)}." if changes else ""
    return note if len(note) <= MAX_NOTE else f"{note[: MAX_NOTE - 4]} ..."


def _changes(before: _State, context: Context, findings: Sequence[Finding]) -> Iterator[str]:
    for name, old, new in zip(_STATES, before.states, _states(context), strict=False):
        if old != new:
            yield f"{name} {old or 'none'} -> {new or 'none'}"
    yield from _manifest_changes(before, context)
    yield from _event_changes(before, context.events)
    for log in context.logs:
        yield from _log_changes(before.logs.get(_log_key(log)), log)
    yield from _finding_changes(before, findings)


def _manifest_changes(before: _State, context: Context) -> Iterator[str]:
    now = {_key(manifest): manifest for manifest in _watched(context)}
    changed, added = list[str](), list[str]()
    for key, manifest in now.items():
        old, new = before.manifests.get(key), _version(manifest)
        if old is None:
            added.append(_name(manifest))
        elif old != new:
            versions = f" (resourceVersion {old} -> {new})" if old.isdecimal() and new.isdecimal() else ""
            changed.append(f"{_name(manifest)}{versions}")
    yield from _listed(changed, "changed")
    if (
        len(before.manifests) == before.manifest_count
    ):  # otherwise an object may be missing because the fingerprint was shortened
        yield from _listed(added, "is new")
    if gone := len(before.manifests.keys() - now.keys()) * (not context.gaps):
        yield f"{gone} {_plural(gone, 'object')} of the previous turn {'is' if gone == 1 else 'are'} gone"


def _event_changes(before: _State, events: Sequence[Event]) -> Iterator[str]:
    newer = [event for event in events if event.last_seen > before.newest_event]
    if not newer and not before.newest_event and sum(event.count for event in events) > before.event_count:
        newer = list(events[:1])
    if newer:
        newest = max(newer, key=lambda event: event.last_seen)
        about = f" of {newest.involved}" if newest.involved else ""
        yield f"{len(newer)} new {_plural(len(newer), 'event')} (newest: {_plain(f'{newest.reason}{about}')})"


def _log_changes(old: str | None, log: ContainerLog) -> Iterator[str]:
    if old is None or not log.lines:
        return
    container = f"container {_plain(log.container)}" + (f" of Pod {_plain(log.pod)}" if log.pod else "")
    # In a distilled log, repeated lines are folded into the first one, and the previous last line may be left out.
    is_whole = all(line.repeats == 1 and not line.left_out_before for line in log.lines)
    new = 0
    for line in reversed(log.lines):
        if _mark(line) == old:
            if new:
                yield f"{'' if is_whole else 'at least '}{new} new log {_plural(new, 'line')} of {container}"
            return
        new += line.repeats + line.left_out_before
    count = f"at least {new} " if is_whole else ""
    yield f"{count}new log {_plural(new, 'line')} of {container}"


def _finding_changes(before: _State, findings: Sequence[Finding]) -> Iterator[str]:
    now = {_finding_key(finding): finding for finding in findings}
    resolved = [key for key in before.findings if key not in now]
    if resolved and resolved[0] == before.findings[0] and before.first_finding:
        resolved = resolved[1:]
        yield f"finding resolved: {before.first_finding}"
    if resolved:
        yield f"{len(resolved)} {_plural(len(resolved), 'finding')} of the previous turn resolved"
    if len(before.findings) == before.finding_count:
        new = [_plain(finding.title) for key, finding in now.items() if key not in before.findings]
        yield from (f"new finding: {title}" for title in new[:_NAMED])
        if len(new) > _NAMED:
            yield f"{len(new) - _NAMED} more new findings"


def _listed(names: Sequence[str], what: str) -> Iterator[str]:
    yield from (f"{name} {what}" for name in names[:_NAMED])
    if len(names) > _NAMED:
        yield f"{len(names) - _NAMED} more objects {what.replace('is', 'are')}"


def _watched(context: Context) -> tuple[Manifest, ...]:
    return ((context.application,) if context.application else ()) + context.manifests


def _states(context: Context) -> list[str]:
    """The states that _STATES names, in that order."""
    status = ("status",)
    operation = [text_at(context.application, *status, "operationState", at) for at in ("phase", "finishedAt")]
    resource = context.target.resource
    health = next((node.health for node in context.tree if resource and _is_same(node.resource, resource)), "")
    return [
        _short(text_at(context.application, *status, "health", "status")),
        _short(text_at(context.application, *status, "sync", "status")),
        " at ".join(map(_short, filter(None, operation))),
        text_at(context.application, *status, "sync", "revision")[:8],
        _short(health),
    ]


def _is_same(one: ResourceRef, other: ResourceRef) -> bool:
    return (one.kind, one.namespace, one.name) == (other.kind, other.namespace, other.name)


def _newest(events: Sequence[Event]) -> str:
    return _short(max((event.last_seen for event in events), default=""))


def _name(manifest: Manifest) -> str:
    kind = text_at(manifest, "kind") or "Application"
    return _plain(f"{kind} {text_at(manifest, 'metadata', 'name')}")


def _key(manifest: Manifest) -> str:
    namespace, name = (text_at(manifest, "metadata", part) for part in ("namespace", "name"))
    return _hash("\0".join((text_at(manifest, "apiVersion"), text_at(manifest, "kind"), namespace, name)))


def _version(manifest: Manifest) -> str:
    """The resourceVersion, or a hash of the manifest if it has none."""
    version = text_at(manifest, "metadata", "resourceVersion")
    if version.isdecimal() and len(version) <= 12:
        return version
    return _hash(version or json.dumps(manifest, default=str, skipkeys=True))


def _log_key(log: ContainerLog) -> str:
    return _hash("\0".join((log.pod, log.container, str(log.previous))))


def _mark(line: LogLine) -> str:
    return _hash(f"{line.timestamp}\0{line.text}", size=4)


def _finding_key(finding: Finding) -> str:
    """A hash of title and resource, without numbers: the count of restarts changes while the fault stays."""
    return _hash(re.sub(r"\d+", "#", finding.title) + str(finding.resource))


def _hash(text: str, *, size: int = 3) -> str:
    digest = blake2s(text.encode("utf-8", "replace"), digest_size=size).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _plain(text: str) -> str:
    """`text` as one line of at most _LONGEST_NAME characters, without characters that UTF-8 cannot encode."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 4]} ..."


def _short(text: str) -> str:
    return _plain(text)[:30]


def _plural(count: int, what: str) -> str:
    return what if count == 1 else f"{what}s"
