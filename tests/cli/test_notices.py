"""Notices are shown once a day."""

import logging
import os
from pathlib import Path

import pytest

from agent.cli.notices import OnceADay
from tests.cli.conftest import Run
from tests.fakes.openai_backend import ScriptedBackend
from tests.fakes.server import running


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


def test_ask_shows_the_notice_of_the_protocol_once_and_no_note_of_it(
    run: Run, broken_pod: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LLAMASTACK_MODEL", "m1")
    notice = "chat completions keep no session"
    with running(ScriptedBackend().app, log_level="critical") as url:
        monkeypatch.setenv("LLAMASTACK_BASE_URL", url)

        outputs = [run("ask", "-f", broken_pod, "Why?") for _ in range(2)]

    assert [each.exit_code for each in outputs] == [0, 0]
    assert [notice in each.stderr for each in outputs] == [False, False]
    assert sum(notice in logged.getMessage() for logged in caplog.records) == 1
