"""Windows of models that nobody was told of: found, or learned from a refusal, directly and behind real servers."""

import random
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from agent.errors import ContextTooLong
from agent.providers.events import TextDelta
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome
from agent.turn.parse import parse_question
from tests.fakes.openai_backend import ChatRequest
from tests.fakes.server import running
from tests.fakes.windowed_backend import ANSWER, Kind, WindowedBackend
from tests.integration.llama_stack_servers import LLAMA_STACK, OGX, running_server

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

PATHS = ("direct", "llama-stack", "ogx")
KINDS: tuple[Kind, ...] = ("vllm", "llama.cpp", "ollama")


@dataclass(frozen=True, slots=True)
class Served:
    """A backend, and the addresses under which it is reached: itself, through llama-stack, through OGX."""

    backend: WindowedBackend
    urls: dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    backend = WindowedBackend("vllm", window=8_192)
    with ExitStack() as servers:
        url = servers.enter_context(running(backend.app, log_level="critical"))
        urls = {"direct": url}
        for name, kind in (("llama-stack", LLAMA_STACK), ("ogx", OGX)):
            data = tmp_path_factory.mktemp(name)
            urls[name] = servers.enter_context(running_server(kind, backend_url=f"{url}/v1", data=data))
        yield Served(backend, urls)


def body(question: str = "Why does the container restart?", *, session_id: str | None = None) -> dict[str, Any]:
    """A question with far more context than any of the windows here takes."""
    chance = random.Random(7)
    words = ["".join(chance.choices("aeiourtnsl", k=7)) for _ in range(3_000)]
    lines = "\n".join(
        f"2026-11-30T10:{n // 60 % 60:02}:{n % 60:02}Z ERROR {' '.join(chance.choices(words, k=12))} failed"
        for n in range(4_000)
    )
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "image": "example.com/web:1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "web",
                    "ready": False,
                    "restartCount": 7,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                }
            ],
        },
    }
    inputs: dict[str, Any] = {"manifest": manifest, "logs": {"web": lines}}
    return {"input": question, "custom_inputs": inputs | ({"session_id": session_id} if session_id else {})}


@asynccontextmanager
async def assistant(served: Served, path: str, **settings: Any) -> AsyncGenerator[Assistant]:
    model = "m1" if path == "direct" else "backend/m1"
    values = {"llamastack_base_url": served.urls[path], "llamastack_model": model, "kubernetes": "off"} | settings
    made = Assistant(load_settings(values))
    try:
        yield made
    finally:
        await made.aclose()


async def ask(assistant: Assistant, request: dict[str, Any]) -> tuple[str, Outcome]:
    text, outcome = "", None
    async for event in assistant.turn(parse_question(request)):
        match event.value:
            case TextDelta(piece):
                text += piece
            case Outcome():
                outcome = event.value
            case _:
                pass
    assert outcome is not None
    return text, outcome


def asked(served: Served) -> list[tuple[int, int]]:
    """Tokens of each request that was for an answer, and the most tokens of the answer."""
    requests = [each for each in served.backend.requests if each.roles != ["user"]]
    return [(served.backend.tokens_of(each), _bound(each)) for each in requests]


def _bound(request: ChatRequest) -> int:
    return request.body.get("max_tokens") or request.body["max_completion_tokens"]


def prepared(served: Served, kind: Kind, window: int) -> Served:
    served.backend.reset()
    served.backend.kind, served.backend.window, served.backend.refused = kind, window, 0
    return served


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_window_nobody_named_is_learned_and_the_next_turn_fits(served: Served, path: str, kind: Kind) -> None:
    window = 4_096 if kind == "vllm" else 2_048
    prepared(served, kind, window)
    async with assistant(served, path) as made:
        first, outcome = await ask(made, body())
        refused = served.backend.refused
        session_id = None if path == "direct" else outcome.session_id
        again, second = await ask(made, body("And what do I do?", session_id=session_id))

    assert "".join(ANSWER.deltas) in first
    assert "".join(ANSWER.deltas) in again
    assert served.backend.refused == refused  # nothing is refused once the window is known
    tokens, bound = asked(served)[-1]
    assert tokens + bound <= window
    assert second.report.plan.budget.window == window
    if kind == "ollama":
        assert "read only 2,04" in outcome.provider.note
    elif refused and not (path == "ogx" and kind == "vllm"):
        assert "ASSISTANT_MODEL_WINDOW" in outcome.provider.note


@pytest.mark.parametrize("path", PATHS)
async def test_ogx_and_the_others_never_lose_the_question(served: Served, path: str) -> None:
    prepared(served, "vllm", 4_096)
    async with assistant(served, path) as made:
        await ask(made, body("Which container was it?"))

    answered = [each for each in served.backend.requests if each.roles != ["user"]]
    assert all("Which container was it?" in each.texts("user")[-1] for each in answered if each.texts("user"))
    assert all(each.texts("user") for each in answered)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS)
async def test_with_the_window_told_nothing_is_refused(served: Served, path: str, kind: Kind) -> None:
    prepared(served, kind, 8_192)
    async with assistant(served, path, model_window=8_192) as made:
        await ask(made, body())

    assert served.backend.refused == 0
    [(tokens, bound)] = asked(served)
    assert tokens + bound <= 8_192


async def test_a_window_that_is_too_small_for_anything_is_named(served: Served) -> None:
    prepared(served, "vllm", 1_024)
    async with assistant(served, "direct") as made:
        with pytest.raises(ContextTooLong):
            await ask(made, body())
