"""A cache from texts to what they mean: the words of controllers are few, and every object repeats them."""

from collections.abc import Callable

# Most texts in one cache: the statuses of all known controllers hardly use more words.
MAX_ENTRIES = 4_096


class BoundedCache[Result](dict[object, Result]):
    """The result of `read` for a text (`cache[text]`), which is read up to its first `length` characters.

    It is a dictionary, as looking up a cached key costs no call. A key that is no text (YAML allows any) has the result
    `other`. At MAX_ENTRIES the cache is cleared.
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
