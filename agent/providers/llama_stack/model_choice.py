"""The model in use: asked for once in a while, and reconsidered when a turn fails by it. Owns that memory."""

import asyncio
import time

from agent.errors import (
    AssistantError,
    ModelNotFound,
    ProviderUnauthorized,
    ProviderUnreachable,
    ResponseFailed,
)
from agent.providers.llama_stack.connection import ServerConnection
from agent.providers.llama_stack.models import (
    Model,
    configured_model,
    discovered_model,
    inference_providers,
    listed_models,
    missing_model,
)

# Seconds for which the list of models is believed.
_BELIEVED = 60.0


class ModelChoice:
    """The model of the next turn, the same for all turns until the list is read again."""

    def __init__(self, connection: ServerConnection, configured: str | None) -> None:
        self._connection = connection
        self._configured = configured
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
            self._chosen, self._until = chosen, time.monotonic() + _BELIEVED
            return chosen

    def window_of(self, model: str) -> int | None:
        """The window of `model` in tokens as the list told, None where it does not or has not been read."""
        return next((listed.window for listed in self._models if listed.id == model), None)

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
        """A turn with `model` ended well."""
        self._avoided.discard(model)

    def failed(self, model: str, error: AssistantError) -> AssistantError:
        """The error of a turn with `model` that said nothing, to be raised; a missing model's lists what there is.

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
