"""`ask --interactive`: questions one after the other about the same thing, in one session.

Owns the loop: a line is a question, an empty one is passed over, `exit` or the end of the input ends it; Ctrl-C stops
the answer under way, and at the prompt the conversation.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from agent.cli.exit_codes import ExitCode
from agent.cli.screen import Screen
from agent.errors import AssistantError
from agent.settings import Settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome
from agent.turn.parse import parse_question

PROMPT = "> "
_ENDS = frozenset(("exit", "quit"))

type AnswerOnScreen = Callable[[Assistant, Any, Screen], Any]


async def converse(
    assistant: Assistant,
    body: dict[str, Any],
    settings: Settings,
    *,
    screen: Callable[[], Screen],
    answer: AnswerOnScreen,
) -> ExitCode:
    """Answer the question of `body`, if it has one, then those that are typed. The context of `body` goes along with
    each; a session carries the conversation, or its messages where the server keeps none."""
    code = ExitCode.ANSWERED
    messages: list[dict[str, str]] = []
    session: str | None = body["custom_inputs"].get("session_id")
    text: str | None = str(body["input"])
    while True:
        if not text:
            text = await asyncio.to_thread(_read_line)
            if text is None or text.lower() in _ENDS:
                return code
            continue
        asked = [{"role": "user", "content": text}]
        inputs = body["custom_inputs"] | ({"session_id": session} if session else {})
        request = {"input": asked if session else [*messages, *asked], "custom_inputs": inputs}
        code, outcome = await _answered(assistant, request, settings, screen, answer)
        if outcome:
            session = outcome.session_id if outcome.provider.protocol != "none" else None
            messages += [*asked, {"role": "assistant", "content": outcome.text}]
        text = ""


async def _answered(
    assistant: Assistant,
    request: dict[str, Any],
    settings: Settings,
    screen: Callable[[], Screen],
    answer: AnswerOnScreen,
) -> tuple[ExitCode, Outcome | None]:
    """The answer to one question; a failure is shown, and the conversation goes on."""
    with screen() as shown:
        try:
            question = parse_question(request, tail_lines_max=settings.log_tail_lines_max)
            task = asyncio.ensure_future(answer(assistant, question, shown))
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGINT, task.cancel)
            try:
                return await task
            finally:
                loop.remove_signal_handler(signal.SIGINT)
        except AssistantError as error:
            shown.failed(error.code, error.public_message)
            return ExitCode.NOT_ANSWERED, None
        except asyncio.CancelledError:
            shown.failed("interrupted", "The answer was stopped.")
            return ExitCode.INTERRUPTED, None


def _read_line() -> str | None:
    """The next line, None at the end of the input."""
    with suppress(ImportError):
        import_module("readline")  # gives `input` a history and cursor keys
    try:
        return input(PROMPT if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None
