"""Asking the llama-stack provider in tests: prompts, whole turns, providers that are closed at the end."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from agent.objects.target import Target
from agent.prompt.prompt import Prompt, Section
from agent.providers.events import (
    ProviderEvent,
    ProviderInfo,
    SessionRequest,
    SessionStarted,
    TextDelta,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.providers.llama_stack.provider import LlamaStack
from agent.request.caller import Caller
from agent.request.conversation import Message
from agent.settings import load_settings
from tests.fakes.server import PATIENCE

type Connect = Callable[..., LlamaStack]


@asynccontextmanager
async def providers(**defaults: Any) -> AsyncGenerator[Connect]:
    """Providers for a server by its URL and further settings, `defaults` below them; closed at the end of the block."""
    opened: list[LlamaStack] = []

    def connect(url: str, **settings: Any) -> LlamaStack:
        opened.append(
            LlamaStack(load_settings({"llamastack_base_url": url, "provider_retries": 0} | defaults | settings))
        )
        return opened[-1]

    try:
        yield connect
    finally:
        for provider in opened:
            await provider.aclose()


@dataclass(frozen=True, slots=True)
class Turn:
    """The events of a turn that ended well."""

    events: list[ProviderEvent]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def started(self) -> TurnStarted:
        first = self.events[0]
        assert isinstance(first, TurnStarted)
        return first

    @property
    def info(self) -> ProviderInfo:
        return self.started.provider

    @property
    def session_id(self) -> str:
        ids = [each.session_id for each in self.events if isinstance(each, TurnStarted | SessionStarted)]
        assert ids[-1]
        return ids[-1]

    @property
    def usage(self) -> Usage | None:
        last = self.events[-1]
        assert isinstance(last, TurnCompleted)
        return last.usage


def prompt(question: str, *, context: str = "", history: Sequence[Message] = (), fingerprint: str = "") -> Prompt:
    """A prompt with `context` as its logs, "" for none."""
    section = Section(name="logs", title="Log", text=context)
    return Prompt(
        instructions="You are Argo CD Assistant.",
        question=question,
        history=tuple(history),
        sections=(section,) if context else (),
        findings=(),
        gaps=(),
        target=Target(),
        fingerprint=fingerprint,
    )


async def ask(
    provider: LlamaStack,
    question: str,
    *,
    session: str | None = None,
    user: str | None = None,
    context: str = "",
    history: Sequence[Message] = (),
    fingerprint: str = "",
) -> Turn:
    """One whole turn. Raises what the provider raises."""
    async with provider.open(SessionRequest(session_id=session, caller=Caller.claimed(user))) as opened:
        asked = prompt(question, context=context, history=history, fingerprint=fingerprint)
        return Turn([event async for event in opened.stream(asked)])


@asynccontextmanager
async def begun(
    provider: LlamaStack, question: str, *, session: str | None = None, user: str | None = None
) -> AsyncGenerator[tuple[str, AsyncGenerator[ProviderEvent]]]:
    """A turn that has started: its session id and the events that follow. At the end of the block it is left."""
    async with (
        provider.open(SessionRequest(session_id=session, caller=Caller.claimed(user))) as opened,
        aclosing(opened.stream(prompt(question))) as events,
    ):
        first = await anext(events)
        assert isinstance(first, TurnStarted)
        yield first.session_id or "", events


async def request(method: str, url: str, body: object = None) -> Any:
    """The server itself asked, without the provider; the parsed answer, None for an empty one."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE) as client:
        response = (await client.request(method, url, json=body)).raise_for_status()
        return response.json() if response.content else None
