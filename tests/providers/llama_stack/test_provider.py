"""What the provider finds out about a server, and what it does before it is asked."""

import asyncio
import logging
import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from agent.errors import (
    ModelNotFound,
    ProviderError,
    ProviderUnauthorized,
    ProviderUnreachable,
    SettingsError,
)
from agent.providers.llama_stack.provider import LlamaStack
from agent.providers.provider import Provider
from agent.settings import load_settings
from tests.fakes.openai_backend import Failure, Reply, ScriptedBackend
from tests.fakes.server import PATIENCE, closed_port, running
from tests.providers.llama_stack.turns import Connect, ask

pytestmark = pytest.mark.anyio


def offering(*paths: str, version: str = "") -> Starlette:
    """A server with these paths, POST only as on the real ones, a version and one model."""

    def models(request: Request) -> Response:
        return JSONResponse({"data": [{"id": "be/m1", "custom_metadata": {"model_type": "llm"}}]})

    def version_reply(request: Request) -> Response:
        return JSONResponse({"version": version})

    routes = [Route(path, models, methods=["POST"]) for path in paths]
    routes.append(Route("/v1/models", models))
    if version:
        routes.append(Route("/v1/version", version_reply))
    return Starlette(routes=routes)


RESPONSES = ("/v1/responses", "/v1/conversations")
AGENTS = ("/v1/agents/{agent_id}/session/{session_id}/turn",)
CHAT = ("/v1/chat/completions",)
OLD_CHAT = ("/v1/openai/v1/chat/completions",)


@pytest.mark.parametrize(
    ("paths", "version", "agent_id", "protocol", "note"),
    [
        ((*RESPONSES, *CHAT), "0.7.3", None, "responses", ""),
        ((*RESPONSES, *AGENTS, *CHAT), "0.3.5", None, "responses", ""),
        ((*RESPONSES, *CHAT), "1.5.0", "a1", "responses", "LLAMASTACK_AGENT_ID is ignored"),
        ((*AGENTS, *OLD_CHAT), "0.2.23", None, "agents", "no Conversations"),
        (OLD_CHAT, "0.2.23", None, "chat-completions", "keep no session"),
        (CHAT, "", None, "chat-completions", "keep no session"),
        (CHAT, "", "a1", "chat-completions", "LLAMASTACK_AGENT_ID is ignored"),
        (("/v1/responses", *CHAT), "", None, "chat-completions", "keep no session"),  # vLLM has one without the other
    ],
)
async def test_the_best_protocol_that_the_server_offers_is_chosen_and_reported(
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    paths: tuple[str, ...],
    version: str,
    agent_id: str | None,
    protocol: str,
    note: str,
) -> None:
    with running(offering(*paths, version=version)) as url, caplog.at_level(logging.INFO, "agent"):
        provider = connect(url, llamastack_agent_id=agent_id)
        info = await provider.check()
        await provider.check()

    assert (info.protocol, info.model) == (protocol, "be/m1")
    assert note in info.note
    assert bool(info.note) == bool(note)
    message = [record for record in caplog.records if "is asked over" in record.message]
    assert len(message) == 1
    assert protocol in message[0].message
    assert message[0].levelno == (logging.WARNING if note else logging.INFO)


async def test_a_server_that_is_down_is_unreachable_and_tried_a_few_times(connect: Connect) -> None:
    provider = connect(f"http://127.0.0.1:{closed_port()}/v1", provider_retries=2)
    for asking in (provider.check(), ask(provider, "hello")):
        with pytest.raises(ProviderUnreachable, match="no connection"):
            await asking


async def test_a_server_may_come_back_as_another_version(connect: Connect) -> None:
    """The provider is held for weeks; the server is upgraded meanwhile."""
    gone = upgraded = False
    old = offering(*AGENTS, version="0.2.23")
    new = offering(*RESPONSES, version="0.7.3")

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        app = PlainTextResponse("no healthy upstream", 503) if gone else new if upgraded else old
        await app(scope, receive, send)

    with running(either) as url:
        provider = connect(url)
        assert (await provider.check()).protocol == "agents"
        gone = True
        with pytest.raises(ProviderUnreachable):
            await ask(provider, "hello")
        gone, upgraded = False, True
        assert (await provider.check()).protocol == "responses"


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (PlainTextResponse("<html>Sign in</html>", media_type="text/html"), ProviderError, "not to a login page"),
        (RedirectResponse("/login"), ProviderError, "redirects elsewhere"),
        (PlainTextResponse("who are you?", 401), ProviderUnauthorized, "LLAMASTACK_API_KEY"),
        (PlainTextResponse("no healthy upstream", 503), ProviderUnreachable, "HTTP 503"),
        (PlainTextResponse("Not Found", 404), ProviderError, "LLAMASTACK_BASE_URL"),
    ],
)
async def test_an_address_that_leads_elsewhere_is_reported(
    connect: Connect, answer: Response, error: type[ProviderError], message: str
) -> None:
    with running(answer) as url, pytest.raises(error, match=message) as raised:
        await connect(url).check()
    assert type(raised.value) is error


async def test_a_discovered_model_that_cannot_answer_gives_way_to_the_next(
    backend: ScriptedBackend, backend_url: str, connect: Connect
) -> None:
    provider = connect(backend_url)
    backend.answer(Failure(status=500, message="dead"), Reply())
    with pytest.raises(ProviderError):
        await ask(provider, "hello")

    assert (await ask(provider, "hello")).info.model == "m2"


async def test_a_configured_model_never_gives_way(backend: ScriptedBackend, backend_url: str, connect: Connect) -> None:
    provider = connect(backend_url, llamastack_model="m2")
    backend.answer(Failure(status=500, message="dead"), Reply())
    with pytest.raises(ProviderError):
        await ask(provider, "hello")

    assert (await ask(provider, "hello")).info.model == "m2"


async def test_a_model_that_is_gone_is_looked_for_anew(
    backend: ScriptedBackend, backend_url: str, connect: Connect
) -> None:
    provider = connect(backend_url, llamastack_model="m1")
    await ask(provider, "hello")
    models, backend.models = backend.models, ("m3",)
    try:
        with pytest.raises(ModelNotFound):
            await ask(provider, "hello")
        with pytest.raises(ModelNotFound, match="It lists 'm3'"):
            await ask(provider, "hello")
    finally:
        backend.models = models


async def test_it_can_be_used_again_after_it_was_closed(backend_url: str, connect: Connect) -> None:
    provider = connect(backend_url)
    await provider.aclose()
    await ask(provider, "hello")
    await provider.aclose()
    assert (await ask(provider, "hello")).text == Reply().text


def test_it_fulfils_the_contract_and_does_nothing_before_it_is_asked() -> None:
    provider: Provider = LlamaStack(load_settings({"llamastack_base_url": f"http://127.0.0.1:{closed_port()}"}))
    asyncio.run(provider.aclose())


@pytest.mark.parametrize("url", [None, "http://", "http://host:port"])
def test_an_address_that_is_none_is_reported(url: str | None) -> None:
    with pytest.raises(SettingsError, match="LLAMASTACK_BASE_URL"):
        LlamaStack(load_settings({"llamastack_base_url": url} if url else {}))


@pytest.mark.parametrize("key", ["clé", "two words", "line\nbreak"])
async def test_a_key_that_is_none_is_reported_without_showing_it(backend_url: str, connect: Connect, key: str) -> None:
    with pytest.raises(ProviderUnauthorized, match="LLAMASTACK_API_KEY") as raised:
        await connect(backend_url, llamastack_api_key=key).check()
    assert key not in raised.value.public_message


async def test_certificates_that_cannot_be_read_are_reported(connect: Connect) -> None:
    with pytest.raises(SettingsError, match=r"LLAMASTACK_CA_BUNDLE: '/nowhere\.pem'"):
        await connect("https://127.0.0.1:1", llamastack_ca_bundle="/nowhere.pem").check()


def test_the_client_is_loaded_late_and_leaves_logging_alone() -> None:
    """Importing llama_stack_client takes a second and calls logging.basicConfig."""
    script = """
import asyncio, logging, sys
from agent.providers.llama_stack.provider import LlamaStack
from agent.providers.llama_stack.connection import ServerConnection
from agent.settings import load_settings
settings = load_settings({"llamastack_base_url": "http://127.0.0.1:1"})
LlamaStack(settings)
assert "llama_stack_client" not in sys.modules, "loaded too early"
asyncio.run(ServerConnection(settings).client())
assert "llama_stack_client" in sys.modules
assert not logging.getLogger().handlers and logging.getLogger().level == logging.WARNING, "logging was configured"
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=PATIENCE)
