"""The placeholders of secrets, and the memory of a session: which values were hidden by which placeholder.

Owns placeholders and replacement in texts; the detector and the structure decide what is a secret.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence

from agent.redaction.detector import find_secrets
from agent.redaction.known import KnownValues
from agent.redaction.spans import SecretSpan, merged
from agent.redaction.values import looks_random

_PASSES = 4
_AROUND_A_KEY = re.compile(r"-----[A-Z0-9 ]{1,64}-----|\\[nr]|\s")


class Hiding:
    """Hides secrets and remembers them. `key` turns a value into the digits of its placeholder."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._placeholders: dict[str, str] = {}
        self._known = KnownValues()

    def __len__(self) -> int:
        return len(self._placeholders)

    @property
    def learned(self) -> bool:
        """Whether any value is searched for."""
        return bool(self._known)

    def hide(self, value: str, what: str, *, plain: str, trusted: bool) -> str:
        """The placeholder of `value`, which is remembered. `plain` is it decoded."""
        self._learn(plain, trusted=trusted)
        if value != plain:
            self._known.learn_spelling(value, plain)
        return self._placeholder(plain, what)

    def name(self, name: str) -> None:
        """The name of an object: no secret, even where one is the same."""
        self._known.protect(name)

    def text(self, text: str) -> str:
        """`text` with the secrets hidden that its own words reveal; they are remembered."""
        return self.texts([text], "")[0] if find_secrets(text) else text

    def texts(self, pieces: Sequence[str], joint: str) -> list[str]:
        """The pieces of one text, read as `joint` joins them: a secret that spreads over several is hidden in each."""
        results = list(pieces)
        # What hides one secret may bare the next (`password: token: x`), so the result is read again.
        for _ in range(_PASSES):
            text = joint.join(results)
            spans = find_secrets(text)
            if not spans:
                break
            for span in spans:
                self._learn(span.plain or text[span.start : span.end], trusted=False)
            results = self._replaced(results, len(joint), text, spans)
        return results

    def known_text(self, text: str) -> str:
        """`text` with the secrets hidden that were found before."""
        spans = list(self._known.find(text))
        return self._replaced([text], 0, text, merged(spans, text))[0] if spans else text

    def known(self, pieces: Sequence[str], joint: str) -> list[str]:
        """The pieces of one text with the secrets hidden that were found before."""
        text = joint.join(pieces)
        spans = list(self._known.find(text))
        return self._replaced(pieces, len(joint), text, merged(spans, text)) if spans else list(pieces)

    def _learn(self, value: str, *, trusted: bool) -> None:
        plain = value.strip()
        if not any(sign in plain for sign in "\n {"):
            self._known.learn(plain, trusted=trusted)
            return
        if "\n" not in plain and "{" not in plain:
            self._known.learn(plain, trusted=trusted)  # a passphrase
        for line in plain.splitlines():
            if looks_random(line.strip()):
                self._known.learn(line.strip(), trusted=False)
        for span in find_secrets(plain):
            self._known.learn(span.plain or plain[span.start : span.end], trusted=False)

    def _placeholder(self, value: str, what: str) -> str:
        plain = _AROUND_A_KEY.sub("", value) if "PRIVATE KEY" in value or what == "private-key" else value.strip()
        known = self._placeholders.get(plain)
        if known is None:
            digest = hmac.new(self._key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
            known = self._placeholders[plain] = f"[REDACTED:{what}:{digest[:6]}]"
        return known

    def _replaced(self, pieces: Sequence[str], joint: int, text: str, spans: Sequence[SecretSpan]) -> list[str]:
        if not spans:
            return list(pieces)
        results: list[str] = []
        offset = first = 0
        for piece in pieces:
            end = offset + len(piece)
            while first < len(spans) and spans[first].end <= offset:
                first += 1
            results.append("".join(self._parts(text, offset, end, spans, first)))
            offset = end + joint
        return results

    def _parts(self, text: str, start: int, end: int, spans: Sequence[SecretSpan], first: int) -> Iterator[str]:
        at = start
        for index in range(first, len(spans)):
            span = spans[index]
            if span.start >= end:
                break
            yield text[at : max(at, span.start)]
            yield self._placeholder(span.plain or text[span.start : span.end], span.what)
            at = min(span.end, end)
        yield text[at:end]
