"""Earlier messages within their share: as they are, or the last answer after a short form of the rest."""

from hypothesis import given
from hypothesis import strategies as st

from agent.prompt.history import candidates, fitted, history_tokens
from agent.request.conversation import Message


def conversation(turns: int, *, words: int = 40) -> list[Message]:
    messages: list[Message] = []
    for turn in range(turns):
        messages.append(Message("user", f"Question {turn}: why?"))
        messages.append(Message("assistant", f"Answer {turn}: " + "because " * words))
    return messages


def test_a_history_that_fits_is_kept_as_it_is() -> None:
    history = conversation(3)

    assert fitted(history, 10_000) == tuple(history)


def test_the_last_answer_stays_and_what_came_before_it_is_reported_in_short() -> None:
    history = conversation(20, words=200)

    kept = fitted(history, 2_000)

    assert [message.role for message in kept] == ["user", "assistant"]
    assert kept[1] == history[-1]
    assert "Question 0: why?" in kept[0].text
    assert "Question 19: why?" in kept[0].text
    assert history_tokens(kept) <= 2_000


def test_one_message_of_megabytes_is_shortened() -> None:
    kept = fitted([Message("user", "log line 17\n" * 500_000)], 1_000)

    assert "log line 17" in kept[0].text
    assert history_tokens(kept) <= 1_000


def test_only_the_newest_of_many_messages_are_looked_at() -> None:
    history = conversation(5_000)

    likely = candidates(history, 1_000)

    assert (likely[0], likely[-1]) == (history[0], history[-1])
    assert len(likely) < 400
    assert "left out" in fitted(likely, 1_000, missing=len(history) - len(likely))[0].text


@given(
    texts=st.lists(st.text(max_size=300) | st.text("ab \n", max_size=3_000), max_size=30),
    token_budget=st.integers(40, 3_000),
    missing=st.integers(0, 3),
)
def test_the_share_is_never_passed(texts: list[str], token_budget: int, missing: int) -> None:
    history = [Message("user" if index % 2 == 0 else "assistant", text) for index, text in enumerate(texts)]

    assert history_tokens(fitted(history, token_budget, missing=missing)) <= token_budget
