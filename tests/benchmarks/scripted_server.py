"""The whole server over a scripted provider in the process, traced to SQLite.

python -m tests.benchmarks.scripted_server PORT DELTAS PAUSE [WORKERS]
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from agent.mlflow.responses_agent import ArgoCDAssistant
from agent.providers.events import SessionRequest
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from serve.app import create_app
from serve.run import run_app, run_factory
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


def scripted_app(deltas: int, pause: float) -> FastAPI:
    """The app of a process."""
    agent = _Scripted(_Forgetful(["word "] * deltas, pause=pause))
    return create_app(agent, settings=agent.settings)


def main() -> None:
    """The command line above."""
    port, deltas, pause = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if workers == 1:
        run_app(scripted_app(deltas, pause), host="127.0.0.1", port=port)
    else:
        from tests.benchmarks import scripted_server  # by its name, under which a worker finds it again

        factory = partial(scripted_server.scripted_app, deltas, pause)
        run_factory(factory, host="127.0.0.1", port=port, workers=workers)


if __name__ == "__main__":
    main()
