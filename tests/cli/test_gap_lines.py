"""Gaps on the screen: short, and each cause once."""

from agent.cli.gap_lines import gap_lines
from agent.context.model import Gap, PartName

DOWN = "Argo CD at argocd.example.com could not be reached: check ARGOCD_SERVER"


def gap(part: PartName, message: str, reason: str = "unreachable") -> Gap:
    return Gap(part=part, source="argocd", reason=reason, message=message)


def test_parts_that_miss_for_one_cause_are_one_line() -> None:
    gaps = [gap("application", DOWN), gap("logs", "No Pod is known"), gap("sync_windows", DOWN), gap("logs", DOWN)]

    assert gap_lines(gaps, width=160) == [f"application, sync windows, logs: {DOWN}", "logs: No Pod is known"]


def test_without_a_source_the_parts_are_one_line_whatever_each_message_says() -> None:
    gaps = [gap("manifest", "set A or supply B", "not_configured"), gap("logs", "set A or C", "not_configured")]

    assert gap_lines(gaps, width=160) == [
        "manifest, logs: nothing is set up to read from (ARGOCD_SERVER and ARGOCD_AUTH_TOKEN, or KUBECONFIG)"
    ]


def test_a_line_fits_with_its_label() -> None:
    [line] = gap_lines([gap("events", "word\n" * 100)], width=80)

    assert len("not read: " + line) <= 80
    assert line.startswith("events: word word")
    assert line.endswith(" ...")


def test_many_causes_end_in_a_count() -> None:
    lines = gap_lines([gap("logs", f"Pod web-{number} has no log") for number in range(40)], width=80)

    assert len(lines) == 6
    assert lines[-1] == "35 more things; --json lists all"


def test_no_gap_is_no_line() -> None:
    assert gap_lines([], width=80) == []
