"""`ask --interactive`: questions one after the other."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.ask import AskOptions, ask_on
from agent.cli.conversation import PROMPT
from agent.cli.exit_codes import ExitCode
from tests.fakes.openai_backend import Failure, Gate, Reply, ScriptedBackend
from tests.fakes.server import running

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
"""


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What the user types: lines, then the end of the input."""

    def set_lines(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return set_lines


def options(tmp_path: Any, question: str = "Why?") -> AskOptions:
    (tmp_path / "pod.yaml").write_text(POD)
    return AskOptions(question=question, files=(str(tmp_path / "pod.yaml"),))


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    scripted = ScriptedBackend()
    with running(scripted.app, log_level="critical") as url:
        monkeypatch.setenv("LLAMASTACK_BASE_URL", url)
        monkeypatch.setenv("LLAMASTACK_MODEL", "m1")
        monkeypatch.setenv("ASSISTANT_KUBERNETES", "off")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        yield scripted


def test_each_line_is_a_question_that_knows_the_ones_before(
    backend: ScriptedBackend, typed: Callable[[str], None], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.answer(Reply(deltas=("The first.",)), Reply(deltas=("The second.",)))
    typed("\nAnd now?\nexit\nnever asked\n")

    assert ask_on(options(tmp_path)) == ExitCode.ANSWERED

    out = capsys.readouterr().out
    assert "The first." in out
    assert "The second." in out
    assert len(backend.requests) == 2
    assert backend.requests[1].texts("user") == ["Why?", "And now?"]
    assert backend.requests[1].texts("assistant") == ["The first."]


def test_a_question_that_fails_does_not_end_the_conversation(
    backend: ScriptedBackend, typed: Callable[[str], None], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.answer(Failure(status=401, message="bad key"), Reply(deltas=("It works.",)))
    typed("And now?\n")

    assert ask_on(options(tmp_path)) == ExitCode.ANSWERED

    printed = capsys.readouterr()
    assert "credentials" in printed.err
    assert "It works." in printed.out


def test_without_a_question_the_first_line_is_it(
    backend: ScriptedBackend, typed: Callable[[str], None], tmp_path: Any
) -> None:
    typed("Why does it restart?\n")

    ask_on(options(tmp_path, question=""))

    assert backend.requests[0].texts("user") == ["Why does it restart?"]


def test_an_answer_that_is_stopped_leaves_the_conversation(
    backend: ScriptedBackend, typed: Callable[[str], None], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = Gate()
    backend.answer(Reply(deltas=("It is ", "too long."), gate=gate, gate_after=1), Reply(deltas=("Short.",)))
    typed("And in short?\n")

    def interrupt() -> None:
        asyncio.run(backend.until(lambda backend: backend.open_streams == 1))
        os.kill(os.getpid(), signal.SIGINT)

    stopping = threading.Thread(target=interrupt)
    stopping.start()
    code = ask_on(options(tmp_path))
    stopping.join()
    gate.open()

    printed = capsys.readouterr()
    assert code == ExitCode.ANSWERED
    assert "The answer was stopped." in printed.err
    assert "Short." in printed.out


def test_ctrl_c_at_the_prompt_ends_the_conversation_at_once(tmp_path: Path) -> None:
    master, terminal = os.openpty()
    command = [sys.executable, "-m", "agent.cli", "ask", "-i"]
    environment = os.environ | {"ASSISTANT_KUBERNETES": "off", "XDG_STATE_HOME": str(tmp_path)}
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = b""
        while PROMPT.encode() not in shown:
            shown += os.read(master, 1_000)

        # A signal between the prompt and readline's wait for a key is seen with the next one only.
        while _state(process) not in {"S", None}:
            pass
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=60) == ExitCode.INTERRUPTED
        finally:
            process.kill()
    os.close(master)


def _state(process: subprocess.Popen[bytes]) -> str | None:
    """`S` for a process that waits, None where the system has no /proc."""
    stat = Path(f"/proc/{process.pid}/stat")
    return stat.read_text().rpartition(")")[2].split()[0] if stat.is_file() else None
