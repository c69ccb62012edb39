"""`ask --interactive`: questions one after the other."""

import asyncio
import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from agent.cli import conversation
from agent.cli.ask import AskOptions, ask_on
from agent.cli.exit_codes import ExitCode
from tests.fakes.openai_backend import Failure, Reply, ScriptedBackend
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


def test_an_answer_that_is_stopped_leaves_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Shown:
        def __enter__(self) -> "Shown":
            return self

        def __exit__(self, *_: object) -> None: ...

        def failed(self, code: str, message: str) -> None:
            shown.append(code)

    async def stopped(*_: object) -> Any:
        raise asyncio.CancelledError

    lines = iter(["again?", None])
    monkeypatch.setattr(conversation, "_read_line", lambda: next(lines))
    body: dict[str, Any] = {"input": "Why?", "custom_inputs": {}}
    settings: Any = type("Settings", (), {"log_tail_lines_max": 250})()

    code = asyncio.run(conversation.converse(None, body, settings, screen=Shown, answer=stopped))  # pyright: ignore[reportArgumentType]

    assert code == ExitCode.INTERRUPTED
    assert shown == ["interrupted", "interrupted"]
