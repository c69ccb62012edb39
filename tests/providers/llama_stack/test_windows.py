"""The window that a model server's refusal names. The words are those of public bug reports; the numbers are theirs."""

import pytest

from agent.errors import ContextTooLong
from agent.providers.llama_stack.failures import kind_of_text
from agent.providers.llama_stack.windows import refused_window

REFUSALS = [
    (  # vllm-project/vllm issue 20409, ogx-ai/ogx issue 4534
        "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the "
        "messages, 10000 in the completion). Please reduce the length of the messages or completion.",
        16_384,
    ),
    (  # vllm-project/vllm issue 33418
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 8192 "
        "tokens and your request has 4734 input tokens (4096 > 8192 - 4734).",
        8_192,
    ),
    # vllm-project/vllm issue 4667: the prompt alone fills the window
    ("max_tokens must be at least 1, got -186.", None),
    # ggml-org/llama.cpp pull request 15780 and later
    ("the request exceeds the available context size. try increasing the context size n_ctx: 8192", 8_192),
    ("request (8708 tokens) exceeds the available context size (8192 tokens), try increasing it", 8_192),
    # antirez/ds4 pull request 150
    ("Prompt tokens (9000) exceeds context size (8192)", 8_192),
    # QwenLM/Qwen3 issue 1321 and sgl-project/sglang issue 4048 (SGLang)
    ("The input (61709 tokens) is longer than the model's context length (40960 tokens).", 40_960),
    ("Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens).", 59_862),
    (  # anomalyco/opencode pull request 25230 (SGLang)
        "Requested token count exceeds the model's maximum context length of 202752 tokens. You requested a total of "
        "202941 tokens: 170941 tokens from the input messages and 32000 tokens for the completion.",
        202_752,
    ),
    # huggingface/tgi-gaudi issue 146 (TGI)
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32512. Given: 32008 `inputs` tokens and "
        "512 `max_new_tokens`",
        32_512,
    ),
    # anthropics/claude-code issue 12186
    ("prompt is too long: 208310 tokens > 200000 maximum", 200_000),
    # ValueCell-ai/ClawX issue 658 (oMLX)
    ("Prompt too long: 41911 tokens exceeds max context window of 32768 tokens", 32_768),
    # Groq names no number
    ("Please reduce the length of the messages or completion.", None),
]


@pytest.mark.parametrize(("words", "window"), REFUSALS)
def test_a_refusal_for_length_is_recognised_and_its_window_read(words: str, window: int | None) -> None:
    assert kind_of_text(words) is ContextTooLong
    assert refused_window(words) == window


@pytest.mark.parametrize(
    "words",
    ["Rate limit reached: 6000 tokens per minute", "model 'x' not found", "max_tokens must be at least 1, got 0."],
)
def test_another_refusal_is_none_for_length(words: str) -> None:
    assert kind_of_text(words) is not ContextTooLong
