"""What the tests of Lightspeed share: a configured provider, a prompt, a turn."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from agent.context.context import Context
from agent.objects.target import Target
from agent.prompt.prompt import Prompt, compose
from agent.providers.events import ProviderEvent, SessionRequest, TurnStarted
from agent.providers.lightspeed.client import Lightspeed, LightspeedSession
from agent.request.caller import Caller
from agent.settings import Settings, load_settings
from tests.fakes.lightspeed import TOKEN

type Connect = Callable[..., Lightspeed]
"""Opens a provider for a fake, with settings; it is closed at the end of the test."""


def configured(url: str, **settings: Any) -> Settings:
    return load_settings({"lightspeed_url": url, "lightspeed_token": TOKEN, "provider_retries": 0} | settings)


def asking(question: str = "Why is it down?", context: Context | None = None, **more: Any) -> Prompt:
    return compose(question, context or Context(target=Target()), more.pop("findings", []), limit=400_000, **more)


async def turn(
    provider: Lightspeed, prompt: Prompt | None = None, *, session: str | None = None, user: str | None = None
) -> list[ProviderEvent]:
    async with provider.open(SessionRequest(session_id=session, caller=Caller.claimed(user))) as opened:
        return [event async for event in opened.stream(prompt or asking())]


def session_of(events: list[ProviderEvent]) -> str:
    started = events[0]
    assert isinstance(started, TurnStarted)
    assert started.session_id
    return started.session_id


def streaming(session: LightspeedSession) -> AsyncGenerator[ProviderEvent]:
    return session.stream(asking())
