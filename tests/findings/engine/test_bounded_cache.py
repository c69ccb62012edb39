"""A text is read once, and the cache stays within bounds."""

from agent.findings.engine.bounded_cache import MAX_ENTRIES, BoundedCache


class _Reader:
    def __init__(self) -> None:
        self.read: list[str] = []
        self.cache = BoundedCache(self, length=10, other="no text")

    def __call__(self, text: str) -> str:
        self.read.append(text)
        return text.upper()


def test_a_text_is_read_once() -> None:
    reader = _Reader()

    assert (reader.cache["phase"], reader.cache["phase"]) == ("PHASE", "PHASE")
    assert reader.read == ["phase"]


def test_a_long_text_is_judged_by_its_beginning_which_alone_is_remembered() -> None:
    reader = _Reader()

    assert reader.cache["x" * 1_000] == reader.cache["x" * 2_000] == "X" * 10
    assert [*reader.cache] == reader.read == ["x" * 10]


def test_what_is_no_text_is_something_other() -> None:
    reader = _Reader()

    assert {reader.cache[key] for key in (None, 7, True, 1.5, ("a",))} == {"no text"}
    assert reader.read == []


def test_no_more_is_remembered_than_is_good() -> None:
    reader = _Reader()

    for number in range(3 * MAX_ENTRIES):
        assert reader.cache[str(number)] == str(number)
        assert len(reader.cache) <= MAX_ENTRIES
