"""Notices are shown once a day."""

import logging
import os
from pathlib import Path

from agent.cli.notices import OnceADay


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("a", logging.WARNING, "f", 1, text, (), None)


def test_the_same_notice_passes_once_a_day(tmp_path: Path) -> None:
    file = tmp_path / "state" / "notices.json"

    assert OnceADay(file).filter(record("asked over chat completions"))
    assert not OnceADay(file).filter(record("asked over chat completions"))
    assert OnceADay(file).filter(record("another"))

    file.write_text('{"another": 1.0}')
    assert OnceADay(file).filter(record("another"))


def test_a_state_file_that_cannot_be_used_shows_the_notice(tmp_path: Path) -> None:
    broken = tmp_path / "notices.json"
    broken.write_text("no json")
    assert OnceADay(broken).filter(record("x"))
    assert OnceADay(Path(os.devnull) / "notices.json").filter(record("x"))
