"""OpenAI-compatible servers with a window, each in its own way: vLLM, llama.cpp and Ollama.

Their words are those of the servers' code: vLLM's entrypoints/openai/serving_engine.py, llama.cpp's
tools/server/server-context.cpp, Ollama's server/prompt.go and runner, which cut without a word.
"""

from typing import Any, Literal

from tests.fakes.openai_backend import Answer, ChatRequest, Failure, Reply, ScriptedBackend

type Kind = Literal["vllm", "llama.cpp", "ollama"]

ANSWER = Reply(deltas=("The container is OOMKilled. ", "Raise its memory limit."))


class WindowedBackend(ScriptedBackend):
    """A server of `kind` whose model takes `window` tokens. Four characters are a token; `refused` counts refusals."""

    def __init__(self, kind: Kind, *, window: int) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.window = window
        self.refused = 0

    def _next(self, request: ChatRequest) -> Answer:
        super()._next(request)
        tokens = self.tokens_of(request)
        asked = request.body.get("max_tokens") or request.body.get("max_completion_tokens")
        match self.kind:
            case "vllm":
                if tokens + (asked or 1) > self.window:
                    return self._refuse_as_vllm(tokens, asked)
            case "llama.cpp":
                if tokens >= self.window:
                    return self._refuse_as_llama_cpp(tokens)
            case "ollama":
                tokens = min(tokens, self.window)
        return Reply(deltas=ANSWER.deltas, usage=(tokens, 12))

    @staticmethod
    def tokens_of(request: ChatRequest) -> int:
        return sum(len(text) // 4 + 8 for text in request.texts())

    def _refuse_as_vllm(self, tokens: int, asked: Any) -> Failure:
        self.refused += 1
        if asked:
            message = (
                f"'max_tokens' or 'max_completion_tokens' is too large: {asked}. This model's maximum context length "
                f"is {self.window} tokens and your request has {tokens} input tokens "
                f"({asked} > {self.window} - {tokens})."
            )
        else:
            message = (
                f"This model's maximum context length is {self.window} tokens. However, your request has {tokens} "
                "input tokens. Please reduce the length of the input messages."
            )
        return Failure(status=400, message=message, type="BadRequestError")

    def _refuse_as_llama_cpp(self, tokens: int) -> Failure:
        self.refused += 1
        return Failure(
            status=400,
            message=f"request ({tokens} tokens) exceeds the available context size ({self.window} tokens), "
            "try increasing it",
            type="exceed_context_size_error",
            fields={"n_prompt_tokens": tokens, "n_ctx": self.window},
        )
