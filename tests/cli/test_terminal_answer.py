"""An answer that grows on a terminal smaller than it is."""

import io
import re

from rich.console import Console
from rich.segment import Segment

from agent.cli.terminal_answer import TerminalAnswer

ANSWER = "## Most likely cause\n\nIts `limit` is too low.\n\n```\nkubectl get pod\n```\n\n" + "".join(
    f"- point {number}\n" for number in range(100)
)


def terminal(height: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=80, height=height)


def test_while_it_grows_it_is_never_taller_than_the_screen() -> None:
    console = terminal(24)
    answer = TerminalAnswer(console)
    drawn: list[list[Segment]] = []
    for line in ANSWER.splitlines(keepends=True):
        answer.add(line)
        drawn = console.render_lines(answer)
        assert len(drawn) < 24
    answer.end()

    assert "".join(segment.text for segment in drawn[-1]).strip() == "• point 99"


def test_at_its_end_it_stands_there_once_and_whole() -> None:
    console = terminal(24)
    answer = TerminalAnswer(console)
    answer.add(ANSWER)
    answer.end()
    shown = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    # What comes after the last erased line is what stays.
    stays = shown.rpartition("\x1b[2K")[2]

    assert stays.count("Most likely cause") == 1
    assert [stays.count(f"point {number} ") for number in range(100)] == [1] * 100


def test_code_has_no_ground_of_its_own() -> None:
    console = terminal(200)
    answer = TerminalAnswer(console)
    answer.add(ANSWER)
    answer.end()
    shown = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""

    styles = {part for codes in re.findall(r"\x1b\[([\d;]*)m", shown) for part in codes.split(";")}
    assert "1" in styles, "code stands out"
    assert not styles & {"40", "48", *map(str, range(41, 48)), *map(str, range(100, 108))}
