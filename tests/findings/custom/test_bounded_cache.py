"""What is said of a text is read once, and what is remembered stays within bounds."""

from agent.findings.custom.bounded_cache import MAX_ENTRIES, BoundedCache


class _Reader:
    def __init__(self) -> None:
        self.read: list[str] = []
        self.said = BoundedCache(self, length=10, other="no text")

    def __call__(self, text: str) -> str:
        self.read.append(text)
        return text.upper()


def test_a_text_is_read_once() -> None:
    reader = _Reader()

    assert (reader.said["phase"], reader.said["phase"]) == ("PHASE", "PHASE")
    assert reader.read == ["phase"]


def test_a_long_text_is_judged_by_its_beginning_which_alone_is_remembered() -> None:
    reader = _Reader()

    assert reader.said["x" * 1_000] == reader.said["x" * 2_000] == "X" * 10
    assert [*reader.said] == reader.read == ["x" * 10]


def test_what_is_no_text_is_something_other() -> None:
    reader = _Reader()

    assert {reader.said[key] for key in (None, 7, True, 1.5, ("a",))} == {"no text"}
    assert reader.read == []


def test_no_more_is_remembered_than_is_good() -> None:
    reader = _Reader()

    for number in range(3 * MAX_ENTRIES):
        assert reader.said[str(number)] == str(number)
        assert len(reader.said) <= MAX_ENTRIES
