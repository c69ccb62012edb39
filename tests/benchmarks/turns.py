"""A turn through `/invocations` against the same llama-stack server asked directly, at a model's pace.

Ours starts a session, the peer has none: it is one request for a response, with the same instructions and question.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.parse import parse_question
from tests.benchmarks.load import Stream
from tests.benchmarks.processes import first_p50, free_port, server, streams
from tests.benchmarks.streams import BODY
from tests.fakes.provider import ScriptedProvider
from tests.integration.llama_stack_servers import LLAMA_STACK, running_server

TOKENS = 200
ROUNDS = {1: 7, 16: 9}
AIM = 1.10


def run(room: Path, console: Console) -> None:
    """Prints the table; `room` takes stores and logs."""
    columns = ("streams", "figure", "direct", "ours", "times", "added")
    table = Table(*columns, title="a turn against llama-stack asked directly")
    backend_port, port = free_port(), free_port()
    data = room / "llama-stack"
    data.mkdir()
    paced = ["-m", "tests.benchmarks.paced_backend", str(backend_port), str(TOKENS)]
    with (
        server(*paced, port=backend_port, health="/v1/models", log=room / "backend.log"),
        running_server(LLAMA_STACK, backend_url=f"http://127.0.0.1:{backend_port}/v1", data=data) as llama_stack,
        server(
            "-m",
            "serve",
            "--port",
            str(port),
            port=port,
            health="/health",
            log=room / "serve.log",
            env={
                "LLAMASTACK_BASE_URL": llama_stack,
                "LLAMASTACK_MODEL": "backend/m1",
                "ASSISTANT_KUBERNETES": "off",
                "MLFLOW_TRACKING_URI": f"sqlite:///{room / 'turns.db'}",
            },
        ),
    ):
        ours = f"http://127.0.0.1:{port}/invocations"
        direct = f"{llama_stack}/v1/responses"
        same = _direct_body()
        # Connections, model list, tables of the store.
        streams(direct, same, 1)
        streams(ours, BODY, 2)
        for count, rounds in ROUNDS.items():
            # In turns, so that whatever else the machine does weighs on both.
            asked = [(streams(direct, same, count), streams(ours, BODY, count)) for _ in range(rounds)]
            _require_whole(asked, count)
            for figure, measure in (("first token", first_p50), ("total", _total_p50)):
                theirs, own = (median(measure(each[way]) for each in asked) for way in (0, 1))
                table.add_row(
                    str(count),
                    figure,
                    f"{theirs * 1e3:.0f} ms",
                    f"{own * 1e3:.0f} ms",
                    f"{own / theirs:.3f}",
                    f"{(own - theirs) * 1e3:+.1f} ms",
                )
    table.caption = f"backend: 150 ms to the first token, 10 ms a token, {TOKENS} tokens; aim: at most {AIM} times"
    console.print(table)


def _total_p50(results: list[Stream]) -> float:
    return median(result.total for result in results)


def _require_whole(asked: list[tuple[list[Stream], ...]], count: int) -> None:
    for ways in asked:
        for results in ways:
            broken = [result for result in results if not result.whole or result.deltas != TOKENS]
            if broken:
                raise RuntimeError(f"{len(broken)} of {count} streams were not whole: {broken[0]}")


def _direct_body() -> Mapping[str, Any]:
    """The request that the assistant makes, asked without it: the same instructions and question."""
    provider = ScriptedProvider()

    async def compose() -> None:
        assistant = Assistant(load_settings({"kubernetes": "off"}), provider=provider)
        async for _ in assistant.turn(parse_question(BODY)):
            pass
        await assistant.aclose()

    asyncio.run(compose())
    prompt = provider.prompts[0]
    return {"model": "backend/m1", "input": prompt.question, "instructions": prompt.system_text, "stream": True}
