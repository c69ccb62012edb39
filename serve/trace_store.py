"""MLflow's store of traces as this server sees it: set up at the start, checked on demand, flushed at the end.

Owns no trace: `agent.mlflow.tracing` writes them.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from agent.errors import AssistantError
from serve.store_address import without_credentials

_logger = logging.getLogger(__name__)


class TraceStoreUnavailable(AssistantError):
    """The store does not answer; traces wait in memory and are lost when the process ends."""

    code = "trace_store_unavailable"
    http_status = 503


class TraceStore(Protocol):
    """Where the traces of this process go."""

    def configure(self) -> None:
        """Called once, before the first turn."""
        ...

    async def check(self) -> Mapping[str, Any]:
        """Facts about a store that answers, or about a process without one. Raises TraceStoreUnavailable."""
        ...

    async def flush(self, *, within: float) -> bool:
        """Writes out what is in memory, for at most `within` seconds. False when that was not enough."""
        ...


class MLflowTraceStore:
    """The store of MLFLOW_TRACKING_URI."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[None] | None = None

    def configure(self) -> None:
        from agent.mlflow import tracing

        tracing.configure()

    async def check(self) -> Mapping[str, Any]:
        import mlflow

        from agent.mlflow.store import missing_package

        if reason := missing_package():
            return {"store": None, "note": f"Traces are off: {reason}"}
        uri = mlflow.get_tracking_uri()
        # A thread cannot be interrupted: one that still waits for its answer is waited for, not doubled.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(_ask, uri))
        await asyncio.shield(self._asking)
        return {"store": without_credentials(uri)}

    async def flush(self, *, within: float) -> bool:
        from agent.mlflow import tracing

        return await asyncio.to_thread(tracing.flush, within)


def _ask(uri: str) -> None:
    """Send the store a small request. Raises TraceStoreUnavailable."""
    from mlflow import MlflowClient
    from mlflow.utils.credentials import (
        get_default_host_creds,  # pyright: ignore[reportUnknownVariableType]
    )
    from mlflow.utils.rest_utils import http_request  # pyright: ignore[reportUnknownVariableType]

    from agent.mlflow.store import store_errors

    place = without_credentials(uri)
    try:
        if urlsplit(uri).scheme in {"http", "https"}:
            # MlflowClient would try again for minutes.
            answer = http_request(get_default_host_creds(uri), "/health", "GET", max_retries=0, timeout=2)
            if answer is None or answer.status_code != 200:
                raise TraceStoreUnavailable(f"MLflow's server at {place} does not answer as one")
        else:
            MlflowClient(uri).search_experiments(max_results=1)  # pyright: ignore[reportUnknownMemberType]
    except store_errors() as error:
        # Their text may hold the address with its password.
        _logger.warning("MLflow's store %s does not answer: %s", place, type(error).__name__)
        raise TraceStoreUnavailable(f"MLflow's store {place} does not answer") from None
