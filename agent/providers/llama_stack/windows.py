"""The window of a model in tokens: as a list of models names it, as a refusal names it, as a server is probed for it.

Owns how servers word a window. Sources are the servers' own code and API references.
"""

import re
from collections import OrderedDict

from agent.objects.manifest import Manifest, list_at, object_at, text_at

# How servers name a model's window in an entry of `/v1/models`, as their API references document it: vLLM and SGLang;
# OpenRouter, Together and llama-stack's own metadata; Groq; Mistral; LM Studio; LiteLLM and Anthropic; llama.cpp.
# `max_tokens` is not among them: it is the longest answer as often as the window, and llama.cpp's `n_ctx_train` is what
# the model could take, not what was loaded.
_KEYS = (
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
    "loaded_context_length",
    "max_input_tokens",
    "n_ctx",
)
# Where else in an entry these keys are: llama-stack since 0.3 and OGX, 0.2.x, OpenRouter, LiteLLM, llama.cpp.
_METADATA = ("custom_metadata", "metadata", "top_provider", "model_info", "meta")


def listed_window(entry: Manifest) -> int | None:
    """The smallest of the windows that an entry names: what is loaded may be less than what the model could take."""
    places = (entry, *(object_at(entry, key) for key in _METADATA))
    named = (_positive(place.get(key)) for place in places for key in _KEYS)
    return min((tokens for tokens in named if tokens), default=None)


def _positive(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


_NUMBER = r"(\d[\d,_]{2,10})"

# What a refusal says of the window, the first match counts.
_REFUSALS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # llama.cpp, tools/server/server.cpp: {"code":400,"type":"exceed_context_size_error","n_ctx":8192}
        rf"\"?n_ctx\"?\s*[:=]\s*{_NUMBER}",
        # llama.cpp: "the request exceeds the available context size (8192 tokens), try increasing it"
        rf"available context size \({_NUMBER} tokens\)",
        # OpenAI and vLLM (entrypoints/openai/serving_engine.py): "This model's maximum context length is 8192 tokens"
        rf"maximum (?:context|model|sequence) length(?: is| of)?:? {_NUMBER}",
        # TGI (router/src/validation.rs): "`inputs` tokens + `max_new_tokens` must be <= 4096"
        rf"must be <=? {_NUMBER}",
        # SGLang (srt/managers/tokenizer_manager.py): "longer than the model's context length (8192 tokens)"
        rf"context (?:length|window|size)(?: of)?(?: is)? ?\(?{_NUMBER}",
        # Anthropic, which LiteLLM passes on: "prompt is too long: 208310 tokens > 200000 maximum"
        rf"tokens > {_NUMBER} maximum",
        # SGLang: "Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens)"
        rf"maximum allowed length \({_NUMBER} tokens\)",
        # vLLM: "max_model_len of 8192"; LiteLLM and Together pass such texts on
        rf"max_model_len[^0-9]{{1,12}}{_NUMBER}",
        # Mistral: "Prompt contains 9000 tokens ..., too large for model with 8192 maximum context length"
        rf"{_NUMBER} (?:maximum )?(?:context length|tokens? context)",
        # Groq, Fireworks: "exceeds the limit of 8192 tokens", "limit 8192"
        rf"limit(?: of| is|:)? {_NUMBER} tokens",
    )
)
_LEAST, _MOST = 512, 100_000_000


def refused_window(text: str) -> int | None:
    """The window that a server's refusal names, None where it names none."""
    for pattern in _REFUSALS:
        if match := pattern.search(text):
            tokens = int(re.sub(r"[,_]", "", match[1]))
            if _LEAST <= tokens <= _MOST:
                return tokens
    return None


def ollama_window(loaded: object, model: str) -> int | None:
    """The window with which Ollama has loaded a model, by its `/api/ps`
    (https://github.com/ollama/ollama/blob/main/docs/api.md#list-running-models)."""
    for entry in list_at(loaded, "models"):
        if text_at(entry, "name") == model or text_at(entry, "model") == model:
            return _positive(object_at(entry).get("context_length"))
    return None


class Windows:
    """What was learned of models' windows. Held by one process and forgotten with it."""

    _MOST_MODELS = 100

    def __init__(self) -> None:
        self._learned: OrderedDict[str, int] = OrderedDict()

    def of(self, model: str) -> int | None:
        """The learned window, None for none."""
        return self._learned.get(model)

    def learn(self, model: str, tokens: int) -> None:
        """Note that `model` takes no more than `tokens`."""
        self._learned[model] = min(tokens, self._learned.get(model, tokens))
        self._learned.move_to_end(model)
        if len(self._learned) > self._MOST_MODELS:
            self._learned.popitem(last=False)
