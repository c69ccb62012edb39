"""The server as a process of its own around a scripted assistant, for signals.

    python -m tests.serve.scripted_process GRACE_SECONDS [PORT]

Its turns say "first ", wait for a line on standard input, and say "last". It prints what happens to them.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from agent.settings import load_settings
from serve.app import create_app
from serve.run import run_app
from tests.serve.scripted import Gate, ScriptedAssistant, ScriptedTraceStore


class _Assistant(ScriptedAssistant):
    async def respond_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        try:
            async for event in super().respond_stream(body):
                yield event
        except (GeneratorExit, asyncio.CancelledError):
            print("turn cancelled", flush=True)
            raise


class _Store(ScriptedTraceStore):
    async def flush(self, *, within: float) -> bool:
        print("traces flushed", flush=True)
        return await super().flush(within=within)


def main() -> None:
    """The command line above."""
    gate = Gate()

    async def open_at_a_line() -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.readline()
        gate.open()

    class Listening(_Assistant):
        async def warm_up(self) -> None:
            self.listener = asyncio.create_task(open_at_a_line())

        async def aclose(self) -> None:
            self.listener.cancel()

    app = create_app(Listening("first ", gate, "last"), settings=load_settings(), trace_store=_Store())
    grace_seconds, port = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    run_app(app, host="127.0.0.1", port=port, grace_seconds=grace_seconds)


if __name__ == "__main__":
    main()
