"""All secrets of a text.

Owns the order in which detectors run and which of them run on a text. Both come from the detectors' own declarations:
to add one, declare it in the `DETECTORS` of its module.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from agent.redaction import addresses, assignments, commands, documents, formats, pem, sentences, tables
from agent.redaction.encodings import encoded_texts
from agent.redaction.spans import Detector, SearchedText, SecretSpan, merged
from agent.redaction.spellings import unescape
from agent.redaction.wrapping import wrapped

_BY_FORM = (*formats.DETECTORS, *pem.DETECTORS)
"""They find nothing in a text without a word of 20 characters."""
_BY_NAME_OR_PLACE = (
    *documents.DETECTORS,
    *addresses.DETECTORS,
    *sentences.DETECTORS,
    *commands.DETECTORS,
    *tables.DETECTORS,
    *assignments.DETECTORS,
)
DETECTORS: Sequence[Detector] = (*_BY_FORM, *_BY_NAME_OR_PLACE)
"""Where two of them find the same span, the first one decides what kind of secret it is."""

_LONG_WORD = re.compile(r"\S{20}")
# Numbers, times, addresses and short words: nearly all strings of a manifest. A secret has a name before it, joined to
# it by a blank or a sign, or else the length of a key.
_ORDINARY = re.compile(r"[\d:.TZ+\-/]*|[A-Za-z\d_.\-/]{0,19}")

_LAYERS = 2
"""How often base64 is decoded: the base64 of a Secret whose data are base64. Each layer is shorter by a quarter."""

_SPELLINGS = 2
"""How often escapes are removed: JSON in a string of JSON, of which the inner one is escaped twice."""


class Gate:
    """Which of `detectors` run on a text, as `Detector.runs_on` decides for each.

    Most texts contain no sign but those of a single character, so that one pattern of all longer signs rules out the
    other detectors at once.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._signs = [(each, _shortest(each.signs)) for each in detectors]
        self._common = [each for each in detectors if min(map(len, each.signs), default=0) < 2]
        self._any = _any_of(sign for _, signs in self._signs for sign in signs if len(sign) > 1)

    def passing(self, lowered: str) -> Sequence[Detector]:
        """The detectors that run on a text with this lower case, in order."""
        if not self._any.search(lowered):
            return [each for each in self._common if each.runs_on(lowered)]
        contains = lowered.__contains__
        return [each for each, signs in self._signs if not signs or any(map(contains, signs))]


def _shortest(signs: Sequence[str]) -> Sequence[str]:
    """The signs without those that contain another one: `keytab` contains `key`."""
    return [sign for sign in signs if not any(other in sign for other in signs if other != sign)]


def _any_of(signs: Iterable[str]) -> re.Pattern[str]:
    """A pattern of any of the signs. Grouped by their first letters it is searched for seven times as fast."""
    groups: dict[str, list[str]] = {}
    for sign in sorted(set(signs)):
        groups.setdefault(sign[0], []).append(re.escape(sign[1:]))
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in groups.items()))


_gate = Gate(_BY_NAME_OR_PLACE)


def find_secrets(text: str, *, layers: int = _LAYERS, spellings: int = _SPELLINGS) -> list[SecretSpan]:
    """The secrets of `text`, in order and without overlap; takes linear time on any text.

    Base64 is decoded up to `layers` deep, and hidden whole where it holds a secret; escapes are removed `spellings`
    times.
    """
    if _ORDINARY.fullmatch(text):
        return []
    spans = _secrets(text, layers)
    if spellings and (plain := unescape(text)):
        spans += plain.original_spans(find_secrets(plain.text, layers=layers, spellings=spellings - 1))
    return [wrapped(span, text) for span in merged(spans, text)] if spans else spans


def _secrets(text: str, layers: int) -> list[SecretSpan]:
    searched = SearchedText.of(text)
    spans: list[SecretSpan] = []
    if _LONG_WORD.search(text):
        for detector in _BY_FORM:
            if detector.runs_on(searched.lowered):
                spans += detector.find(searched)
        spans += _encoded(text, layers) if layers else ()
    for detector in _gate.passing(searched.lowered):
        spans += detector.find(searched)
    return spans


def _encoded(text: str, layers: int) -> Iterator[SecretSpan]:
    for run in encoded_texts(text):
        if inner := find_secrets(run.plain, layers=layers - 1):
            yield run.hidden(inner[0])
