"""The estimate of tokens is an upper one, and not too far up.

`tokens` of a sample in `data/token_samples.json` is what the most wasteful of eleven vocabularies needs for it (cl100k,
o200k, Llama 3, Llama 4, an older one of Claude, DeepSeek, Qwen, Mistral's Tekken and two of its SentencePiece models,
SmolLM2), counted with their tokenizers.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.prompt.tokens import adversarial_margin, count_tokens


@dataclass(frozen=True)
class Sample:
    name: str
    tokens: int
    text: str

    def __str__(self) -> str:
        return self.name


SAMPLES = [
    Sample(**sample)
    for sample in json.loads(Path(__file__).with_name("data").joinpath("token_samples.json").read_text())
]


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_no_vocabulary_needs_more_than_the_estimate(sample: Sample) -> None:
    assert count_tokens(sample.text) >= 0.95 * sample.tokens


LANGUAGE = ("prose", "German", "YAML", "JSON", "logs", "code", "Russian", "addresses")


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.name.endswith(LANGUAGE)], ids=str)
def test_text_of_a_language_has_next_to_no_surplus(sample: Sample) -> None:
    assert adversarial_margin(sample.text) <= 0.2 * sample.tokens


def test_words_that_are_none_have_one() -> None:
    chance = random.Random(1)
    for alphabet in ("abcdefghijklmnopqrstuvwxyz", "AEIOU", "".join(map(chr, range(0x4E00, 0x9000)))):
        text = " ".join("".join(chance.choices(alphabet, k=9)) for _ in range(200))

        assert adversarial_margin(text) > 0.3 * count_tokens(text)


def test_the_surplus_of_megabytes_is_taken_from_slices_of_them() -> None:
    chance = random.Random(1)
    text = " ".join("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(200))

    assert adversarial_margin(text * 500) == pytest.approx(500 * adversarial_margin(text), rel=0.1)


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if "YAML" in sample.name], ids=str)
def test_a_manifest_is_not_estimated_far_too_high(sample: Sample) -> None:
    assert count_tokens(sample.text) <= 1.6 * sample.tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        (" ", 0),
        ("\n", 1),
        ("kind: Pod", 3),
        ("    kind: Pod\n", 5),
        ("exit code 137", 6),
        ("é", 4),
        ("中", 2),
        ("中中", 4),
        ("🔥", 4),
        ("한", 3),
    ],
)
def test_the_rules_are_those_that_are_written_down(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


# What a prompt is made of, and anything else.
TEXT = st.text(st.sampled_from(" \t\n\"':,.-_={}[]/#*aebkxAEBKX0123456789é中한🔥\x00")) | st.text()


@given(TEXT, TEXT)
def test_more_text_never_counts_less(text: str, more: str) -> None:
    assert count_tokens(text + more) >= count_tokens(text) >= 0


@given(st.lists(TEXT))
def test_lines_together_cost_no_more_than_each_with_its_line_break(lines: list[str]) -> None:
    assert count_tokens("\n".join(lines)) <= sum(count_tokens(line) + 1 for line in lines)


def test_text_that_no_encoding_can_carry_is_counted() -> None:
    assert count_tokens("\ud800 broken") >= 2
