"""The ceiling, counted by a real byte-pair vocabulary: cl100k with tiktoken, which llama-stack 0.2 brings along."""

import json
import random
import subprocess
from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.context.context import Context
from agent.context.log_lines import distilled
from agent.context.model import ContainerLog, LogLine
from agent.findings import analyze
from agent.objects.target import Target
from agent.prompt.budget import MARGIN, plan
from agent.prompt.prompt import Prompt, compose
from agent.prompt.tokens import adversarial_margin, count_tokens
from tests.fakes.server import PATIENCE
from tests.integration.llama_stack_servers import OLD_LLAMA_STACK, installed
from tests.prompt.test_ceiling import ODD, WINDOWS, heavy_context

pytestmark = pytest.mark.integration

# litellm's wheel holds the table that tiktoken would download.
_COUNT = """
import json, os, sys
from importlib.util import find_spec
os.environ["TIKTOKEN_CACHE_DIR"] = os.path.join(find_spec("litellm").submodule_search_locations[0],
    "litellm_core_utils", "tokenizers")
import tiktoken
encoding = tiktoken.get_encoding("cl100k_base")
texts = json.load(sys.stdin)
print(json.dumps([len(encoding.encode(text, disallowed_special=())) for text in texts]))
"""


def counted(texts: Sequence[str]) -> list[int]:
    python = installed(OLD_LLAMA_STACK) / "bin" / "python"
    done = subprocess.run(
        [str(python), "-c", _COUNT],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return json.loads(done.stdout)


def test_no_prompt_passes_its_ceiling_by_a_real_vocabulary() -> None:
    context = heavy_context()
    context = replace(context, logs=tuple(map(distilled, context.logs)))
    found = analyze(context)
    limits = [plan(window=window, wanted=1_000_000, answer=2_000).context for window in WINDOWS]
    prompts = [compose("Why?", context, found, limit=limit) for limit in limits]

    tokens = counted([prompt.system_text for prompt in prompts])

    assert [real for real, limit in zip(tokens, limits, strict=True) if real > limit] == []
    # And of the room there is not too little used: what is below is the estimate's caution.
    assert min(real / prompt.tokens for real, prompt in zip(tokens, prompts, strict=True)) > 0.5


def test_random_letters_do_not_pass_the_ceiling_either() -> None:
    chance = random.Random(3)
    letters, vowels = "abcdefghijklmnopqrstuvwxyz", "aeiou"
    words = [
        ["".join(chance.choices(alphabet, k=9)) for _ in range(20_000)]
        for alphabet in (letters, vowels, letters.upper(), "".join(map(chr, range(0x3400, 0x9FFF))))
    ]
    syllables = ["".join(chance.choice(letters) + chance.choice(vowels) for _ in range(4)) for _ in range(20_000)]
    prompts: list[Prompt] = []
    limit = plan(window=8_192, wanted=1_000_000, answer=2_000).context
    for each in [*words, syllables]:
        lines = tuple(LogLine(text=" ".join(each[start : start + 12])) for start in range(0, len(each), 12))
        data = {"kind": "ConfigMap", "data": {f"k{n}": word for n, word in enumerate(each)}}
        context = Context(target=Target(), manifest=data, logs=(ContainerLog(container="api", lines=lines),))
        prompts.append(compose("Why?", context, [], limit=limit))

    tokens = counted([prompt.system_text for prompt in prompts])

    assert max(tokens) <= MARGIN * limit


def test_odd_texts_need_no_more_than_the_estimate_with_its_margin() -> None:
    texts = [text.encode("utf-8", "replace").decode() * 40 for text in ODD]

    tokens = counted(texts)

    most = [MARGIN * (count_tokens(text) + adversarial_margin(text)) for text in texts]
    assert [text[:20] for text, real, limit in zip(texts, tokens, most, strict=True) if real > limit] == []
