"""The tables say what the results are, and what became of each scenario between two runs."""

from agent.mlflow.evaluation.results import Result
from agent.mlflow.evaluation.table import comparison_table, percent, score_table, set_table, wrong_list
from tests.mlflow.evaluation.test_results import result


def test_each_family_has_a_row_and_all_of_them_another() -> None:
    results = [result("pods-a"), result("pods-b", right=False), result("healthy-a", healthy=True)]

    assert score_table(results).splitlines()[2:] == [
        "| healthy | 1 | 100 % |  |  |  |  | 100 % | 1,000 | 0.25 |",
        "| pods | 2 | 50 % | 50 % |  |  |  |  | 1,000 | 0.25 |",
        "| **all** | 3 | 66 % | 50 % |  |  |  | 100 % | 1,000 | 0.25 |",
    ]


def test_sets_stand_side_by_side_and_are_never_added_up() -> None:
    sets = {
        "own": [result("pods-a"), result("pods-b")],
        "reports": [result("c"), result("d", right=False), result("e", right=False, silent=True)],
    }

    assert set_table(sets).splitlines()[2:] == [
        "| own | 2 | 100 % | 100 % |  | 0 | 0 |",
        "| reports | 3 | 33 % | 33 % |  | 1 | 1 |",
    ]


def test_wrong_answers_are_listed_with_the_reason() -> None:
    results = [result("pods-a"), result("pods-b", error="the provider is down"), result("pods-c", right=False)]
    second = result("pods-a", right=False, repetition=2)

    listed = wrong_list([*results, second]).splitlines()

    assert [line.split(":")[0] for line in listed] == ["- pods-b", "- pods-c", "- pods-a (2)"]
    assert "the provider is down" in listed[0]
    assert wrong_list([result("pods-a")]) == ""


def test_only_all_is_a_hundred_percent() -> None:
    assert [percent(share) for share in (1.0, 0.999, 0.95, 0.29, 0.0)] == ["100 %", "99 %", "95 %", "29 %", "0 %"]


def test_a_comparison_tells_what_was_broken_and_what_fixed() -> None:
    before = [result("pods-a"), result("pods-b", right=False), result("pods-c"), result("pods-d"), result("pods-e")]
    now: list[Result] = [result("pods-a", right=False), result("pods-b"), *map(result, ("pods-c", "pods-f", "pods-e"))]

    lines = comparison_table(before, now).splitlines()

    assert [line.split(" | ")[:4] for line in lines[2:-2]] == [
        ["| pods-a", "broken", "100 %", "0 %"],
        ["| pods-b", "fixed", "0 %", "100 %"],
        ["| pods-f", "new", "", "100 %"],
        ["| pods-d", "gone", "100 %", ""],
        ["| pods-c", "unchanged", "100 %", "100 %"],
        ["| pods-e", "unchanged", "100 %", "100 %"],
    ]
    assert "it \\| says so" in lines[2]
    assert lines[-1] == "1 fixed, 1 broken, 2 unchanged"
