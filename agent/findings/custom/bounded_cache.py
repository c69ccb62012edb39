"""Remembering what is said of a text: controllers use few words, and each comes again with every object."""

from collections.abc import Callable

# The texts that are remembered of a vocabulary: there are hardly more words in the statuses of all known controllers.
MAX_ENTRIES = 4_096


class BoundedCache[Result](dict[object, Result]):
    """What `read` says of a text, by the text (`remembered[text]`), read by its first `length` characters. It is a
    dictionary as a known key costs nothing there, while a cached function is called for it.

    `other` is said of what is no text (YAML allows any key). When MOST texts are known it begins anew.
    """

    def __init__(self, read: Callable[[str], Result], *, length: int, other: Result) -> None:
        super().__init__()
        self._read = read
        self._length = length
        self._other = other

    def __missing__(self, key: object) -> Result:
        if not isinstance(key, str):
            return self._other
        if len(key) > self._length:
            return self[key[: self._length]]
        result = self._read(key)
        if len(self) >= MAX_ENTRIES:
            self.clear()
        self[key] = result
        return result
