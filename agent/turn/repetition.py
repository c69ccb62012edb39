"""Whether an answer has begun to repeat the same words over and over, as small models do until their limit."""

_KEPT = 4_000
"""Characters of the end of an answer that are looked at."""

_EVERY = 200
"""Characters between two looks: a look costs some microseconds, a token none."""

_LONGEST_PERIOD = 480
_LEAST_REPEATED = 800
# An answer may quote a log whose lines are all the same, or the frames of a recursion.
_LEAST_REPEATED_LINES = 1_600
_LEAST_TIMES = 8
_PROBE = 40


class RepetitionWatch:
    """Watches the text of one answer."""

    def __init__(self) -> None:
        self._end = ""
        self._new: list[str] = []
        self._unseen = 0

    def repeats(self, text: str) -> bool:
        """Take the next piece of the answer; return whether its end is one text repeated at least eight times, over at
        least 800 characters, 1,600 if it is of whole lines."""
        self._new.append(text)
        self._unseen += len(text)
        if self._unseen < _EVERY:
            return False
        self._end = (self._end + "".join(self._new))[-_KEPT:]
        self._new.clear()
        self._unseen = 0
        return is_repetition(self._end)


def is_repetition(text: str) -> bool:
    """Whether `text` ends in repetitions of one part of at most 480 characters. Lines of blanks, of a table's rule or
    of one character are none: they are a drawing."""
    period = _period(text)
    if period is None:
        return False
    least = _LEAST_REPEATED_LINES if "\n" in text[-period:] else _LEAST_REPEATED
    length = max(least, period * _LEAST_TIMES)
    if len(text) < length:
        return False
    end = text[-length:]
    return end[period:] == end[:-period] and any(char.isalnum() for char in end[:period])


def _period(text: str) -> int | None:
    """How far before the end its last characters were before, None for nowhere near."""
    probe = text[-_PROBE:]
    before = text.rfind(probe, max(len(text) - _PROBE - _LONGEST_PERIOD, 0), len(text) - 1)
    return None if before < 0 else len(text) - _PROBE - before
