"""Which model answers: the configured one, else the first usable language model that the server lists.

Owns the reading of `/v1/models` in its old, new and plain forms, the choice, and how long it is kept.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import anyio

from agent.errors import (
    AssistantError,
    ContextTooLong,
    ModelNotFound,
    ProviderUnauthorized,
    ProviderUnreachable,
    ResponseFailed,
)
from agent.objects.manifest import objects_at, text_at
from agent.providers.llama_stack.connection import SHORT_REQUEST, ServerConnection
from agent.providers.llama_stack.failures import translated
from agent.providers.llama_stack.windows import Windows, listed_window, ollama_window

logger = logging.getLogger(__name__)

# More than the window of any model, and within the 32 bits that servers parse.
_TOO_MANY_TOKENS = 2_000_000_000

# Names in an error message; a server can list hundreds.
_MOST_NAMED = 10
# Plain servers do not mark embedding models, but their names contain one of these words.
_NO_LANGUAGE_MODEL = ("embed", "rerank", "whisper", "moderation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An entry of the list. `type` is `llm`, `embedding`, ... or "" where the server does not say; `provider` is the
    server's inference provider; `window` the tokens it can take, None where the server does not say."""

    id: str
    type: str = ""
    provider: str = ""
    window: int | None = None

    @property
    def is_language_model(self) -> bool:
        if self.type:
            return self.type == "llm"
        return not any(word in self.id.lower() for word in _NO_LANGUAGE_MODEL)


def listed_models(body: object) -> tuple[Model, ...]:
    """The models of a `/v1/models` answer: llama-stack since 0.3 and OGX, 0.2.x, or plain OpenAI."""
    entries = objects_at(body, "data") or objects_at(body)
    models = (
        Model(
            id=text_at(entry, "id") or text_at(entry, "identifier"),
            type=text_at(entry, "custom_metadata", "model_type") or text_at(entry, "model_type"),
            provider=text_at(entry, "custom_metadata", "provider_id") or text_at(entry, "provider_id"),
            window=listed_window(entry),
        )
        for entry in entries
    )
    return tuple(model for model in models if model.id)


def inference_providers(body: object) -> frozenset[str]:
    """The inference providers of a `/v1/providers` answer."""
    return frozenset(
        text_at(entry, "provider_id") for entry in objects_at(body, "data") if text_at(entry, "api") == "inference"
    )


def configured_model(wanted: str, models: Sequence[Model], providers: Iterable[str], *, server: str) -> str:
    """The id by which the server knows `wanted`: as it is, or without or with its provider where that is one only.

    A model that is not listed is taken at its word when its prefix is one of the server's `providers`: a backend that
    was down when the server started is missing from the list for minutes, yet its models answer.
    Raises ModelNotFound, listing what there is.
    """
    for model in models:
        if model.id == wanted:
            if model.type in ("", "llm"):
                return wanted
            raise ModelNotFound(f"LLAMASTACK_MODEL {wanted!r} is of type {model.type!r}, no language model")
    usable = [model.id for model in models if model.is_language_model]
    alike = [name for name in usable if name.endswith(f"/{wanted}") or wanted.endswith(f"/{name}")]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise ModelNotFound(f"LLAMASTACK_MODEL {wanted!r} can be any of {_named(alike)}: set one of them")
    if "/" in wanted and wanted.partition("/")[0] in providers:
        return wanted
    raise missing_model(wanted, models, server=server)


def discovered_model(models: Sequence[Model], *, avoided: Iterable[str] = (), server: str) -> str:
    """The first language model, those in `avoided` last. Raises ModelNotFound."""
    usable = [model.id for model in models if model.is_language_model]
    if not usable:
        listed = f"only {_named([model.id for model in models])}" if models else "none"
        raise ModelNotFound(
            f"The model server {server} lists no language model ({listed}). Start its model backend, or set "
            "LLAMASTACK_MODEL to provider/model."
        )
    avoid = frozenset(avoided)
    return next((name for name in usable if name not in avoid), usable[0])


def missing_model(wanted: str, models: Sequence[Model], *, server: str) -> ModelNotFound:
    """The error for a model that is not there; it lists those that are."""
    usable = [model.id for model in models if model.is_language_model]
    there = f"It lists {_named(usable)}." if usable else "It lists no language model: its model backend may be down."
    return ModelNotFound(f"The model {wanted!r} is not on the model server {server}. {there} Set LLAMASTACK_MODEL.")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(repr(name[:100]) for name in names[:_MOST_NAMED]) + more


# Seconds for which the list of models is kept.
_KEPT = 60.0


class ModelChoice:
    """The model of the next turn, the same for all turns until the list is read again. `window` is the configured one,
    which a refusal of the server overrides."""

    def __init__(self, connection: ServerConnection, configured: str | None, *, window: int | None = None) -> None:
        self._connection = connection
        self._configured = configured
        self._window = window
        self._windows = Windows()
        self._probed: set[str] = set()
        self._is_plain = False
        self._models: tuple[Model, ...] = ()
        self._chosen: str | None = None
        self._until = 0.0
        self._avoided: set[str] = set()
        self._reading = asyncio.Lock()

    async def current(self) -> str:
        """The id of the model. Raises ModelNotFound and other ProviderErrors."""
        if self._chosen is not None and time.monotonic() <= self._until:
            return self._chosen
        async with self._reading:
            if self._chosen is not None and time.monotonic() <= self._until:
                return self._chosen
            self._models = listed_models(await self._connection.get("/v1/models"))
            chosen = await self._choose()
            if self._is_plain and self.window_of(chosen) is None:
                await self._ask_ollama(chosen)
            self._chosen, self._until = chosen, time.monotonic() + _KEPT
            return chosen

    def window_of(self, model: str) -> int | None:
        """The window of `model` in tokens: learned, configured, or as the list names it; None where it is unknown."""
        listed = next((listed.window for listed in self._models if listed.id == model), None)
        known, learned = self._window or listed, self._windows.of(model)
        return min(known, learned) if known and learned else known or learned

    def expect_plain(self) -> None:
        """The server is no llama-stack: it may be Ollama itself."""
        self._is_plain = True

    def learn_window(self, model: str, tokens: int) -> None:
        """Note that `model` takes no more than `tokens`."""
        self._windows.learn(model, tokens)

    async def probe_window(self, model: str) -> None:
        """Find out the window of `model` once, if it is unknown, by a request for more tokens than any model takes: the
        refusal of a vLLM names it. An answer is left at once.

        OGX needs that: it repeats a request that its backend refuses as too long without the user's message, and
        returns the answer to nothing as complete (builtin/responses/streaming.py, `drop_oldest_turn`).
        """
        if self.window_of(model) is not None or model in self._probed:
            return
        self._probed.add(model)
        body = {
            "model": model,
            "messages": [{"role": "user", "content": "."}],
            "max_tokens": _TOO_MANY_TOKENS,
            "stream": True,
        }
        try:
            with anyio.fail_after(SHORT_REQUEST), translated(self._connection.upstream_of(model)):
                response = await self._connection.post_for_stream("/v1/chat/completions", body)
                await response.aclose()
        except ContextTooLong as error:
            if error.window:
                self.learn_window(model, error.window)
        except (AssistantError, TimeoutError) as error:
            # What is wrong with the server, the turn itself reports.
            logger.info("the window of %s is not known: %s", model, type(error).__name__)

    async def _ask_ollama(self, model: str) -> None:
        """Ollama names the window of a model only where it lists those that are loaded."""
        try:
            loaded = await self._connection.get_if_there("/api/ps")
        except AssistantError:
            return
        if window := ollama_window(loaded, model):
            self.learn_window(model, window)

    async def _choose(self) -> str:
        server = self._connection.upstream.server
        wanted = self._configured
        if wanted is None:
            return discovered_model(self._models, avoided=self._avoided, server=server)
        try:
            return configured_model(wanted, self._models, (), server=server)
        except ModelNotFound:
            if "/" not in wanted:
                raise
        providers = inference_providers(await self._connection.get_if_there("/v1/providers"))
        return configured_model(wanted, self._models, providers, server=server)

    def worked(self, model: str) -> None:
        """Note that a turn with `model` ended well."""
        self._avoided.discard(model)

    def failed(self, model: str, error: AssistantError) -> AssistantError:
        """The error of a turn with `model` that produced no text, to be raised; a missing model's lists what there is.

        A discovered model that cannot answer gives way to the next one in the list from the next turn on: a list may
        start with the models of a provider that is dead.
        """
        if not isinstance(error, ModelNotFound | ProviderUnreachable | ProviderUnauthorized | ResponseFailed):
            return error
        self._chosen = None
        if self._configured is None:
            usable = {listed.id for listed in self._models if listed.is_language_model}
            self._avoided.add(model)
            if usable <= self._avoided:
                self._avoided = {model}
        if isinstance(error, ModelNotFound):
            return missing_model(model, self._models, server=self._connection.upstream.server)
        return error
