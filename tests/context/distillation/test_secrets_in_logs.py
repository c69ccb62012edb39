"""Secrets that spread over lines: what is kept of a log never bares a part that redaction would have hidden."""

import base64
from random import Random

import pytest

from agent.context.context import Context
from agent.context.logs import parse_text
from agent.objects.target import Target
from agent.prompt.rendering.logs import render_logs
from agent.redaction import Redactor
from tests.context.distillation.test_distillation import ordinary


def key_lines(seed: int) -> list[str]:
    body = base64.b64encode(Random(seed).randbytes(1_190)).decode()
    return [body[at : at + 64] for at in range(0, len(body), 64)]


def private_key(seed: int) -> list[str]:
    return ["-----BEGIN RSA PRIVATE KEY-----", *key_lines(seed), "-----END RSA PRIVATE KEY-----"]


def told(lines: list[str], *, tail_lines: int | None = None, limit: int = 4_000) -> str:
    """All that could leave: the kept lines and the rendered text, redacted."""
    logs = parse_text("\n".join(lines), container="api", tail_lines=tail_lines).logs
    context = Redactor(b"k").context(Context(target=Target(), logs=logs))
    texts = [line.text for log in context.logs for line in log.lines]
    return "\n".join([*texts, render_logs(context.logs, limit).text])


@pytest.mark.parametrize("place", [0, 40_000, 99_000, 100_000])
def test_a_key_in_ten_megabytes_leaves_no_trace_wherever_it_stands(place: int):
    lines = ordinary(100_000)
    lines[place:place] = private_key(place)
    text = told(lines)
    assert [line for line in key_lines(place) if line in text] == []


def test_keys_among_errors_leave_no_trace():
    lines = [
        line
        for n in range(60)
        for line in (
            *ordinary(200, start=n * 200),
            f"ERROR cannot use the key of tenant {n}:",
            *private_key(n),
            "ERROR bye",
        )
    ]
    text = told(lines)
    assert [line for n in range(60) for line in key_lines(n) if line in text] == []
    assert "cannot use the key of tenant" in text


def test_a_key_that_never_ends_leaves_no_trace():
    lines = [*ordinary(5_000), *private_key(7)[:-1]]
    text = told(lines)
    assert [line for line in key_lines(7) if line in text] == []


@pytest.mark.parametrize("tail_lines", [3, 10, 15, 19])
def test_a_tail_that_begins_within_a_key_leaves_no_trace(tail_lines: int):
    """The end of the key is missing as well, so that nothing in the tail tells what it is."""
    text = told([*ordinary(50), *private_key(3)[:-1]], tail_lines=tail_lines)
    assert [line for line in key_lines(3) if line in text] == []


def test_the_data_of_a_secret_leaves_no_trace_though_its_kind_stands_far_above():
    values = [base64.b64encode(Random(n).randbytes(9)).decode() for n in range(12)]
    manifest = [
        "apiVersion: v1",
        "kind: Secret",
        "metadata:",
        "  name: orders",
        "data:",
        *(f"  entry{chr(97 + n)}: {value}" for n, value in enumerate(values)),
    ]
    text = told([*ordinary(3_000), *manifest, *ordinary(3_000, start=3_000)])
    assert [value for value in values if value in text] == []


def test_a_value_below_its_name_leaves_no_trace():
    lines = [
        line for n in range(400) for line in (*ordinary(10, start=n), "- name: DB_PASSWORD", f"  value: hunter{n}two")
    ]
    text = told(lines)
    assert "two" not in text
