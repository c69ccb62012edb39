"""The check: which claims of an answer are supported. Owns what supports each kind of claim."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from agent.context.context import Context
from agent.prompt.markdown import code
from agent.request.conversation import Message
from agent.turn.grounding.claims import Claim, claims_in
from agent.turn.grounding.inventory import GroundingInventory
from agent.turn.grounding.topic import Topic, addresses
from agent.turn.grounding.vocabulary import COMMANDS, KINDS

_NAMED_BY = frozenset({"-n", "--namespace", "-c", "--container", "--app-namespace", "--project"})
_NAMED = 5
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_PLACEHOLDER = re.compile(r"<[^>]*>|\$\{?\w+\}?|\{\{.*\}\}|[A-Z][A-Z0-9_-]*|\.\.\.")


type GroundingStatus = Literal["checked", "nothing_checked", "off_topic"]
"""checked: claims were looked up; nothing_checked: there were none, or no model answered; off_topic: the answer names
nothing of the findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """The checked claims of an answer. `invented` are the resources that nothing that was read names.

    `earlier` are the claims that only earlier answers of the conversation support, made from what was read then.
    `unchecked` are those that may be supported by earlier turns, which are kept and could not be read. `stale`: the
    context of this answer is not empty, so that what only earlier answers name may be gone. `addresses_findings`:
    whether the answer is about the findings, None where it need not be.
    """

    checked: int = 0
    unsupported: tuple[Claim, ...] = ()
    earlier: tuple[Claim, ...] = ()
    unchecked: tuple[Claim, ...] = ()
    stale: bool = False
    addresses_findings: bool | None = None

    @property
    def status(self) -> GroundingStatus:
        """What the check came to."""
        if self.addresses_findings is False:
            return "off_topic"
        return "nothing_checked" if self.share is None else "checked"

    @property
    def supported(self) -> int:
        """How many claims are supported."""
        return self.checked - len(self.unsupported) - len(self.unchecked)

    @property
    def share(self) -> float | None:
        """The share of supported claims among those that could be checked, None where there are none, and for an answer
        about something else: that its claims are true makes it no better."""
        decided = self.checked - len(self.unchecked)
        if self.addresses_findings is False:
            return None
        return self.supported / decided if decided else None

    @property
    def invented(self) -> tuple[str, ...]:
        """The unsupported claims that name a resource."""
        return _resources(self.unsupported)

    @property
    def warning(self) -> str:
        """What the reader must know, as the end of a Markdown answer; "" where every resource that is named exists."""
        notes = (
            ("Not in what was read:", self.invented, "Check that it exists before you act on it."),
            (
                "Not in what was read now:",
                _resources(self.unchecked),
                "The earlier turns of this conversation could not be looked at. Check that it exists before you act "
                "on it.",
            ),
            (
                "From earlier in this conversation, not in what was read now:",
                _resources(self.earlier) if self.stale else (),
                "Check that it is still there before you act on it.",
            ),
        )
        return "".join(f"\n\n> **{what}** {_listed(names)}. {hint}\n" for what, names, hint in notes if names)

    def as_json(self) -> dict[str, Any]:
        """The form in `custom_outputs`."""
        return {
            "status": self.status,
            "addresses_findings": self.addresses_findings,
            "checked": self.checked,
            "supported": self.supported,
            "share": None if self.share is None else round(self.share, 3),
            "unsupported": _as_json(self.unsupported),
            "earlier": _as_json(self.earlier),
            "unchecked": _as_json(self.unchecked),
            "invented_resources": list(self.invented),
        }


def _resources(claims: Iterable[Claim]) -> tuple[str, ...]:
    return tuple(claim.text for claim in claims if claim.kind == "resource")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(code(name) for name in names[:_NAMED]) + more


def _as_json(claims: Iterable[Claim]) -> list[dict[str, str]]:
    return [{"kind": claim.kind, "text": claim.text} for claim in claims]


def ground(
    answer: str,
    *,
    given: Iterable[str],
    context: Context,
    earlier: Sequence[Message] | None = (),
    topic: Topic | None = None,
) -> Grounding:
    """Return which claims of `answer` are supported by what the model was `given` (instructions, context, question),
    by all of `context`, or by the `earlier` messages of the conversation (None: there are some that cannot be read).
    Messages of the user count as given. With a `topic`, whether the answer is about it as well.
    """
    about = addresses(answer, topic) if topic else None
    claims = claims_in(answer)
    if not claims:
        return Grounding(addresses_findings=about)
    inventory = GroundingInventory((*given, *(each.text for each in earlier or () if each.role == "user")), context)
    missing = [claim for claim in claims if not _holds(claim, inventory)]
    if earlier is None:
        return Grounding(checked=len(claims), unchecked=tuple(missing), addresses_findings=about)
    with_answers = inventory.adding(each.text for each in earlier if each.role == "assistant")
    answered = [claim for claim in missing if earlier and _holds(claim, with_answers)]
    return Grounding(
        checked=len(claims),
        unsupported=tuple(claim for claim in missing if claim not in answered),
        earlier=tuple(answered),
        stale=not context.is_empty,
        addresses_findings=about,
    )


def _holds(claim: Claim, inventory: GroundingInventory) -> bool:
    match claim.kind:
        case "quotation":
            return inventory.says(claim.text)
        case "resource":
            return inventory.names(claim.name)
        case "number":
            return inventory.counts(claim.text)
        case "path":
            return inventory.has_path(claim.text)
        case "command":
            return inventory.says(claim.text) or _is_known_command(claim.text, inventory)
        case _:
            assert_never(claim.kind)


def _is_known_command(command: str, inventory: GroundingInventory) -> bool:
    """Whether the tool has such a command, and the names in it were read."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # an open quotation mark
        words = command.split()
    pipe = next((place for place, word in enumerate(words) if word in ("|", "&&", ";", ">")), len(words))
    tool, *rest = words[:pipe]
    verbs = [word for word in _positional(rest)]
    if tool in COMMANDS and (not verbs or verbs[0] not in COMMANDS[tool]):
        return False
    group = f"{tool} {verbs[0]}" if verbs else tool
    taken = 1
    if group in COMMANDS:
        if len(verbs) < 2 or verbs[1] not in COMMANDS[group]:
            return False
        taken = 2
    return all(_is_known_word(word, inventory) for word in (*verbs[taken:], *_flag_names(rest)))


def _positional(words: list[str]) -> Iterator[str]:
    """The words that are neither flags nor values of flags; `_flag_names` has the names among those values."""
    skip = False
    for word in words:
        if word == "--":  # what follows runs in the container
            return
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _NAMED_BY or word in _WITH_VALUE
        else:
            yield word


_WITH_VALUE = frozenset(
    {"-o", "--output", "-l", "--selector", "-p", "--patch", "--type", "-f", "--filename", "--tail", "--since"}
)


def _flag_names(words: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag in _NAMED_BY:
            if equals:
                yield value
            elif place + 1 < len(words):
                yield words[place + 1]


def _is_known_word(word: str, inventory: GroundingInventory) -> bool:
    if _PLACEHOLDER.fullmatch(word) or word.endswith((".yaml", ".yml", ".json")) or "=" in word or word[:1] in "{[":
        return True
    if word.lower() in KINDS or word.partition(".")[0].lower() in KINDS:
        return True
    kind, slash, name = word.partition("/")
    if slash:
        return all(_is_known_word(part, inventory) for part in (kind, name) if part)
    return not _NAME.fullmatch(word) or inventory.names(word)
