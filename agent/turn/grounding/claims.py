"""What an answer claims: the quotations, resource names, numbers, paths and commands of a Markdown text.

Owns the reading of the text; whether a claim holds is `check`'s. What an answer proposes (a manifest to write, a value
to raise something to) is no claim about what is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from agent.turn.grounding.vocabulary import KINDS, TOOLS, is_compound

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

type ClaimKind = Literal["quotation", "resource", "number", "path", "command"]

MAX_CLAIMS = 300
"""Claims of one answer that are looked at."""
_READ = 200_000  # characters of an answer

_NAME = r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?"
# `Deployment/web`, `pod/web-1`, `Deployment shop/web`, `Deployment.apps/web`
_RESOURCE = re.compile(rf"([A-Za-z][A-Za-z]{{1,62}})(?:\.[a-z0-9.-]{{1,100}})?[/ ](?:{_NAME}/)?({_NAME})")
_KIND_BEFORE = re.compile(r"\b([A-Z][A-Za-z]{1,62})s? (?:named |called )?$")
# In prose only what no English word is (see `is_compound`): a name with a digit or a dash in it. Dates, addresses and
# versions are none.
_PROSE_RESOURCE = re.compile(rf"\b([A-Z][A-Za-z]{{1,62}})[ /](?={_NAME}\b)(?:{_NAME}/)?([a-z0-9.]*[-0-9][-a-z0-9.]*)\b")
_PATH = re.compile(
    # The first brackets are not given back: they can be read in two ways each, which would be tried 2**n times.
    r"\.?[A-Za-z][\w-]*+(?:\[(?:\d+|\*|\"[^\"]{1,253}\"|[\w=.\"'?@() -]{1,80})?\])*+"
    r"(?:\.[\w-]++(?:\[[^\]]{0,80}\])*+)++"
)
_NO_NAME = re.compile(r"v?\d[\d.-]*")
_PATH_ROOTS = frozenset({"metadata", "spec", "status", "data", "stringData", "operation"})
_NUMBER = re.compile(
    r"(?<![\w.:/-])(\d(?:[\d,]*\d)?(?:\.\d+)?)"
    r" ?(Ki|Mi|Gi|Ti|KiB|MiB|GiB|kB|KB|MB|GB|m|%|ms|s|h|min|minutes?|seconds?|hours?)?(?![\w:/-]|\.\d)"
)
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{3,400})[\"”]")
# The numbers of a sentence with one of these words are proposals.
_PROPOSAL = re.compile(
    r"\b(?:raise|raising|increase|increasing|set|setting|lower|reduce|change|try|use|add|configure|scale|should|could|"
    r"consider|e\.g\.|for example|such as|at least|recommend\w*|wait|within)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n")
_FENCES_OF_TEXT = frozenset({"", "text", "txt", "log", "logs", "console", "output"})
_FENCES_OF_COMMANDS = frozenset({"", "sh", "bash", "shell", "console", "zsh"})


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that an answer claims to exist. `name` is the name of a resource without its kind."""

    kind: ClaimKind
    text: str
    name: str = ""


# Without any of these there is no code, no quotation, no number and no name of a resource.
_CLAIM_SIGNS = re.compile(r"[`\"“\d]|[A-Z]\w+[ /][a-z0-9.]*-| {4}|\t")


def claims_in(answer: str) -> tuple[Claim, ...]:
    """Return the claims of a Markdown text in their order, each once; MAX_CLAIMS at most."""
    found: dict[Claim, None] = {}
    if not _CLAIM_SIGNS.search(answer, 0, _READ):  # much cheaper than to parse the Markdown
        return ()
    for claim in _claims(answer[:_READ]):
        found.setdefault(claim)
        if len(found) == MAX_CLAIMS:
            break
    return tuple(found)


def _claims(answer: str) -> Iterator[Claim]:
    for token in _parser().parse(answer):
        if token.type == "inline":
            yield from _inline(token.children or [])
        elif token.type in ("fence", "code_block"):
            yield from _fenced(token.content, token.info.strip().split(" ")[0].lower())


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def _fenced(content: str, language: str) -> Iterator[Claim]:
    for line in filter(None, map(str.strip, content.splitlines())):
        command = line.removeprefix("$ ")
        if command.split(" ")[0] in TOOLS:
            if language in _FENCES_OF_COMMANDS:
                yield Claim("command", command)
        elif language in _FENCES_OF_TEXT:
            yield Claim("quotation", line)


def _inline(children: "Sequence[Token]") -> Iterator[Claim]:
    before = ""
    prose: list[str] = []
    for child in children:
        if child.type == "code_inline":
            yield from _code(child.content.strip(), before)
            prose.append("\N{OBJECT REPLACEMENT CHARACTER}")
            before = ""
        elif child.type in ("text", "softbreak", "hardbreak"):
            before += child.content or "\n"
            prose.append(child.content or "\n")
    yield from _prose("".join(prose))


def _code(code: str, before: str) -> Iterator[Claim]:
    """The claim of a code span; `before` is the text in front of it: `the Deployment `web``."""
    if not code:
        return
    if code.split(" ")[0] in TOOLS:
        if " " in code:
            yield Claim("command", code)
        return
    kind = _KIND_BEFORE.search(before)
    if kind and kind[1].lower() in KINDS and re.fullmatch(rf"(?:{_NAME}/)?{_NAME}", code):
        yield Claim("resource", f"{kind[1]} {code}", code.rpartition("/")[2])
        return
    resource = _RESOURCE.fullmatch(code)
    if resource and resource[1].lower() in KINDS:
        yield Claim("resource", code, resource[2])
    elif _PATH.fullmatch(code) and re.split(r"[.\[]", code.lstrip("."), maxsplit=1)[0] in _PATH_ROOTS:
        yield Claim("path", code)
    elif _NUMBER.fullmatch(code):
        yield Claim("number", code)
    else:
        yield Claim("quotation", code)


def _prose(text: str) -> Iterator[Claim]:
    for match in _PROSE_RESOURCE.finditer(text):
        if match[1].lower() in KINDS and not (_NO_NAME.fullmatch(match[2]) or is_compound(match[2])):
            yield Claim("resource", match[0], match[2])
    for match in _QUOTED.finditer(text):
        yield Claim("quotation", match[1])
    for sentence in _SENTENCE_END.split(text):
        if not _PROPOSAL.search(sentence):
            yield from _numbers(sentence)


def _numbers(sentence: str) -> Iterator[Claim]:
    """Numbers of two digits and more, or with a unit; smaller ones are often the answer's own count."""
    for match in _NUMBER.finditer(sentence):
        digits = match[1].replace(",", "")
        if match[2] or len(digits.partition(".")[0]) > 1:
            yield Claim("number", match[0].strip())
