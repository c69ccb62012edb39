"""The tokens of a conversation of ten turns on a real llama-stack: ours, and with everything sent again.

Both ask the same questions about the same Pod and get the same answers; what reaches the model's backend is counted.
The other way is that of a client which puts the raw manifest, the raw events and the log into the message of every
turn, while the server keeps the history.
"""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from agent.prompt.tokens import count_tokens
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome
from agent.turn.parse import parse_question
from tests.benchmarks import crashing_pod
from tests.fakes.openai_backend import ChatRequest, Reply, ScriptedBackend
from tests.fakes.server import running
from tests.integration.llama_stack_servers import LLAMA_STACK, running_server

AIM = 0.10
RAW_TOKENS = 8_000
QUESTIONS = (
    "Why does this Pod restart again and again?",
    "Since when does it do that?",
    "Is the memory limit too low, or does the service leak?",
    "Which line of the log shows it?",
    "What does exit code 137 mean?",
    "What would you change in the Deployment?",
    "How do I check that it helped?",
    "Could the liveness probe be the cause instead?",
    "What do I tell the team that owns the service?",
    "Sum it up in three sentences.",
)
ANSWER = (
    "**The container `checkout` is killed because it needs more memory than its limit of `256Mi`.**\n\n"
    "Evidence:\n\n- `status.containerStatuses[0].lastState.terminated.reason`: `OOMKilled`, exit code `137`\n"
    "- log of container checkout: `java.lang.OutOfMemoryError: Java heap space`\n\n"
    "Raise the limit, for example to `512Mi`, and watch `kubectl top pod -n shop` for an hour."
)


def run(room: Path, console: Console) -> None:
    """Prints the table; `room` takes the server's data."""
    context = _context()
    backend = ScriptedBackend()
    backend.answer(Reply(deltas=ANSWER.splitlines(keepends=True), usage=None))
    data = room / "conversation"
    data.mkdir()
    with (
        running(backend.app, log_level="critical") as url,
        running_server(LLAMA_STACK, backend_url=f"{url}/v1", data=data) as server,
    ):
        everything = _counted(backend, lambda: _send_everything(server, context))
        ours = _counted(backend, lambda: asyncio.run(_ask_the_assistant(server, context)))
    table = Table("turn", "everything again", "ours", title="input tokens as they reached the model's backend")
    for number, (theirs, own) in enumerate(zip(everything, ours, strict=True), 1):
        table.add_row(str(number), f"{theirs:,}", f"{own:,}")
    ratio = sum(ours) / sum(everything)
    table.add_row("all", f"{sum(everything):,}", f"{sum(ours):,}")
    table.caption = f"raw context: {count_tokens(_raw(context)):,} tokens; ratio {ratio:.3f}, aim: at most {AIM}"
    console.print(table)


def _context() -> dict[str, Any]:
    """Manifest, events and as much of the log as makes RAW_TOKENS of them."""
    context = {"manifest": crashing_pod.manifest(), "events": crashing_pod.events()}
    lines = 10
    while count_tokens(_raw(context | {"logs": {"checkout": crashing_pod.log(lines)}})) < RAW_TOKENS:
        lines += 1
    return context | {"logs": {"checkout": crashing_pod.log(lines)}}


def _raw(context: dict[str, Any]) -> str:
    return "\n\n".join(
        [
            f"Live manifest:\n{json.dumps(context['manifest'])}",
            f"Events:\n{json.dumps(context['events'])}",
            *(f"Log of {name}:\n{text}" for name, text in context.get("logs", {}).items()),
        ]
    )


def _counted(backend: ScriptedBackend, converse: Any) -> list[int]:
    before = len(backend.requests)
    converse()
    return [_tokens(request) for request in backend.requests[before:]]


def _tokens(request: ChatRequest) -> int:
    return sum(map(count_tokens, request.texts()))


def _send_everything(server: str, context: dict[str, Any]) -> None:
    with httpx.Client(base_url=server, timeout=60, trust_env=False) as client:
        conversation = client.post("/v1/conversations", json={}).raise_for_status().json()["id"]
        for question in QUESTIONS:
            body = {
                "model": "backend/m1",
                "input": f"{_raw(context)}\n\n{question}",
                "instructions": "You are a helpful assistant for Argo CD.",
                "conversation": conversation,
            }
            client.post("/v1/responses", json=body).raise_for_status()


async def _ask_the_assistant(server: str, context: dict[str, Any]) -> None:
    """With the settings' defaults."""
    assistant = Assistant(load_settings({"llamastack_base_url": server, "kubernetes": "off"}))
    session: dict[str, Any] = {}
    for question in QUESTIONS:
        body = {"input": question, "custom_inputs": context | session}
        async with aclosing(assistant.turn(parse_question(body))) as events:
            async for event in events:
                if isinstance(event.value, Outcome):
                    session = {"session_id": event.value.session_id}
    await assistant.aclose()
