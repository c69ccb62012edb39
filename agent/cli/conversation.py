"""`ask --interactive`: questions one after the other about the same thing, in one session.

Owns the loop: a line is a question, an empty one is passed over, `exit` or the end of the input ends it; Ctrl-C stops
the answer under way, and at the prompt the conversation. The loop is synchronous and no event loop runs while it waits
for a line, so that Ctrl-C there reaches `input` and no thread is left that still reads.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from agent.cli.exit_codes import ExitCode
from agent.cli.screen import Screen
from agent.errors import AssistantError
from agent.turn.events import Outcome

PROMPT = "> "
_ENDS = frozenset(("exit", "quit"))

type AnswerOnScreen = Callable[[dict[str, Any], Screen], tuple[ExitCode, Outcome | None]]
"""Answers a request on a screen. Raises AssistantError, and KeyboardInterrupt once the turn has ended."""


def converse(body: dict[str, Any], answer: AnswerOnScreen, *, screen: Callable[[], Screen]) -> ExitCode:
    """Answer the question of `body`, if it has one, then those that are typed. The context of `body` goes along with
    each; a session carries the conversation, or its messages where the server keeps none. Returns the exit code of the
    last answer."""
    code = ExitCode.ANSWERED
    messages: list[dict[str, str]] = []
    session: str | None = body["custom_inputs"].get("session_id")
    text: str = body["input"]
    while True:
        if text:
            asked = [{"role": "user", "content": text}]
            inputs = body["custom_inputs"] | ({"session_id": session} if session else {})
            request = {"input": asked if session else [*messages, *asked], "custom_inputs": inputs}
            code, outcome = _answered(request, answer, screen)
            if outcome:
                session = outcome.session_id if outcome.provider.protocol != "none" else None
                messages += [*asked, {"role": "assistant", "content": outcome.text}]
        try:
            line = _read_line()
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            return ExitCode.INTERRUPTED
        if line is None or line.lower() in _ENDS:
            return code
        text = line


def _answered(
    request: dict[str, Any], answer: AnswerOnScreen, screen: Callable[[], Screen]
) -> tuple[ExitCode, Outcome | None]:
    """The answer to one question; a failure is shown, and the conversation goes on."""
    with screen() as shown:
        try:
            return answer(request, shown)
        except AssistantError as error:
            shown.failed(error.code, error.public_message)
            return ExitCode.NOT_ANSWERED, None
        except KeyboardInterrupt:
            shown.failed("interrupted", "The answer was stopped.")
            return ExitCode.INTERRUPTED, None


def _read_line() -> str | None:
    """The next line, None at the end of the input. Raises KeyboardInterrupt."""
    with suppress(ImportError):
        import_module("readline")  # gives `input` a history and cursor keys
    try:
        return input(PROMPT if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None
