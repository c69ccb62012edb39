"""What the parts of a request may take of a window, and what is learned from the usage that servers report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ContextTooLong, RequestError
from agent.prompt.budget import FRAMING, MARGIN, Calibration, plan

windows = st.integers(4_000, 1_000_000)
factors = st.sampled_from([0.5, 0.75, 1.0, 1.25, 1.5])


@given(window=windows, wanted=st.integers(1_000, 1_000_000), factor=factors, data=st.data())
def test_all_parts_together_and_the_answer_never_pass_the_window(
    window: int, wanted: int, factor: float, data: st.DataObject
) -> None:
    most = plan(window=window, wanted=wanted, answer=2_000, factor=factor)
    question = data.draw(st.integers(0, most.question))
    history = data.draw(st.integers(0, most.history))

    budget = plan(window=window, wanted=wanted, answer=2_000, question=question, history=history, factor=factor)

    request = budget.context + question + history + FRAMING
    assert request <= budget.ceiling
    assert budget.ceiling * factor * MARGIN <= window - min(2_000, window // 4)
    assert budget.context * factor <= wanted


def test_a_window_of_4k_keeps_more_than_half_of_the_request_for_the_context() -> None:
    budget = plan(window=4_096, wanted=16_000, answer=2_000, question=100)

    assert budget.context > budget.ceiling / 2
    assert budget.ceiling == int(3_072 / MARGIN)


def test_another_question_of_about_the_same_length_leaves_the_context_its_room() -> None:
    rooms = {plan(window=8_192, wanted=16_000, answer=2_000, question=tokens).context for tokens in range(10, 90, 7)}

    assert len(rooms) == 1


def test_a_session_that_grows_takes_room_from_the_context_in_four_steps() -> None:
    rooms = [plan(window=8_192, wanted=16_000, answer=2_000, history=tokens).context for tokens in range(0, 1_400, 20)]

    assert rooms == sorted(rooms, reverse=True)
    assert len(set(rooms)) == 4


def test_a_first_turn_and_a_short_second_one_have_the_same_room() -> None:
    first, second = (plan(window=8_192, wanted=16_000, answer=2_000, history=tokens).context for tokens in (0, 350))

    assert first == second


def test_a_new_session_gives_the_context_nine_tenths_of_the_request() -> None:
    budget = plan(window=8_192, wanted=16_000, answer=2_000, question=40)

    assert budget.context > 0.87 * budget.ceiling


def test_a_question_above_its_share_is_refused_and_reported_where_logs_belong() -> None:
    with pytest.raises(RequestError, match="takes about 300,000 tokens, at most 7,") as caught:
        plan(window=32_000, wanted=16_000, answer=2_000, question=300_000)

    assert caught.value.field == "input"
    assert "custom_inputs" in caught.value.public_message


def test_a_session_that_has_outgrown_the_window_is_reported_as_such() -> None:
    with pytest.raises(ContextTooLong, match="The session has grown to about 7,500 tokens"):
        plan(window=8_192, wanted=16_000, answer=2_000, history=7_500)


def test_a_window_too_small_for_anything_names_the_setting() -> None:
    with pytest.raises(ContextTooLong, match="ASSISTANT_MODEL_WINDOW"):
        plan(window=900, wanted=16_000, answer=2_000)


def test_an_unknown_window_gives_the_context_what_is_wanted() -> None:
    budget = plan(window=None, wanted=16_000, answer=2_000, history=90_000)

    assert (budget.window, budget.context) == (None, 16_000)


def learned(*ratios: float) -> float:
    calibration = Calibration()
    for ratio in ratios:
        calibration.learn("m", estimated=10_000, reported=int(10_000 * ratio))
    return calibration.factor("m")


def test_a_model_that_nobody_reported_on_is_taken_at_the_estimate() -> None:
    assert Calibration().factor("unknown") == 1.0


def test_an_estimate_that_was_too_low_is_repaired_at_once() -> None:
    assert learned(1.22) == pytest.approx(1.25)


def test_an_estimate_that_is_too_high_is_lowered_when_all_reports_agree() -> None:
    assert learned(*[0.72] * 3) == 1.0
    assert learned(*[0.72] * 8) == pytest.approx(0.80)
    assert learned(*[0.72] * 7, 0.8) == pytest.approx(0.9)


def test_a_prompt_of_other_content_stays_below_what_was_learned_of_some() -> None:
    assert learned(*[0.68] * 8) * MARGIN >= 0.75
    assert learned(*[0.95] * 8) == 1.0


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**7)), max_size=30))
def test_whatever_is_reported_the_factor_stays_within_its_bounds(reports: list[tuple[int, int]]) -> None:
    calibration = Calibration()
    for estimated, reported in reports:
        calibration.learn("m", estimated=estimated, reported=reported)

    assert 0.5 <= calibration.factor("m") <= 1.5


def test_usage_that_counts_only_a_part_of_the_request_teaches_nothing() -> None:
    assert learned(*[0.1] * 20) == 1.0


def test_models_do_not_learn_from_each_other() -> None:
    calibration = Calibration()
    calibration.learn("a", estimated=1_000, reported=1_400)

    assert (calibration.factor("a"), calibration.factor("b")) == (pytest.approx(1.4), 1.0)
