"""The whole server over a scripted provider in the process, traced to SQLite.

python -m tests.benchmarks.scripted_server PORT DELTAS PAUSE
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn

from agent.assistant import Assistant
from agent.providers.provider import SessionRequest
from agent.responses_agent import ArgoCDAssistant
from agent.settings import load_settings
from serve.app import create_app
from tests.fakes.provider import ScriptedProvider, ScriptedSession


class _Forgetful(ScriptedProvider):
    """Keeps no prompts and no requests, which would be the most of what a long benchmark keeps."""

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator[ScriptedSession]:
        self.prompts.clear()
        self.requests.clear()
        async with super().open(request) as session:
            yield session


class _Scripted(ArgoCDAssistant):
    def __init__(self, provider: ScriptedProvider) -> None:
        super().__init__(load_settings({"kubernetes": "off"}))
        self._provider = provider

    def new_assistant(self) -> Assistant:
        return Assistant(self.settings, provider=self._provider)


def main() -> None:
    """The command line above."""
    port, deltas, pause = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    agent = _Scripted(_Forgetful(["word "] * deltas, pause=pause))
    uvicorn.run(create_app(agent, settings=agent.settings), port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
