"""The inference server behind llama-stack: whether it can be reached, and which models it has.

It is asked before anything is installed or started: a server that finds none at its start lists no model for minutes.
"""

from typing import Any, cast

import httpx

from agent.cli.llama_stack.failure import LlamaStackNotStarted

_TIMEOUT = 10.0


def models_of(url: str, *, api_key: str | None) -> list[str]:
    """The names of the models at `url` (its base URL, ending in `/v1`).

    Raises LlamaStackNotStarted if it cannot be reached, refuses, or has none.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        response = httpx.get(f"{url.rstrip('/')}/models", headers=headers, timeout=_TIMEOUT)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise LlamaStackNotStarted(
            f"no inference server answers on {url} ({type(error).__name__}). Start it (`ollama serve`, `vllm serve`, "
            "`llama-server`), or give its address with --backend-url."
        ) from error
    if response.status_code in {401, 403}:
        raise LlamaStackNotStarted(f"{url} refuses the key ({response.status_code}): set BACKEND_API_KEY.")
    names = _names(response) if response.is_success else None
    if names is None:
        raise LlamaStackNotStarted(
            f"{url}/models answered {response.status_code} and no list of models: --backend-url is the base URL of an "
            "OpenAI-compatible server, which most often ends in /v1."
        )
    if not names:
        raise LlamaStackNotStarted(f"{url} has no model yet. For Ollama: `ollama pull llama3.2`.")
    return names


def _names(response: httpx.Response) -> list[str] | None:
    try:
        body: Any = response.json()
    except ValueError:
        return None
    listed = cast("dict[str, Any]", body).get("data") if isinstance(body, dict) else None
    if listed is None and isinstance(body, dict) and "data" in body:
        return []  # Ollama without a model sends null
    if not isinstance(listed, list):
        return None
    entries = cast("list[Any]", listed)
    return [str(cast("dict[str, Any]", each)["id"]) for each in entries if isinstance(each, dict) and "id" in each]


def require_model(model: str, models: list[str], url: str) -> str:
    """The name by which the server at `url` lists `model`. Raises LlamaStackNotStarted if it has none of that name."""
    for name in (model, f"{model}:latest"):  # Ollama's default tag
        if name in models:
            return name
    shown = ", ".join(models[:10])
    raise LlamaStackNotStarted(f"{url} has no model {model}. It has: {shown}. For Ollama: `ollama pull {model}`.")
