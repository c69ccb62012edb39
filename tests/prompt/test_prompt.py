"""The prompt: what is in it, in which order, and that it stays below its ceiling."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, Gap, LogLine
from agent.findings.model import Evidence, Finding
from agent.objects.target import ResourceRef, Target
from agent.prompt.prompt import compose
from agent.prompt.tokens import count_tokens
from agent.request.question import Message

POD = ResourceRef(kind="Pod", version="v1", namespace="shop", name="api-1")
OOM = Finding(
    title="Container api was OOMKilled (exit code 137)",
    severity="error",
    explanation="It used more memory than its limit allows.",
    evidence=(Evidence(source="manifest", path="status.containerStatuses[0]", text="OOMKilled", resource=POD),),
    resource=POD,
    next_steps=("Raise the limit.",),
)


def context(**parts: Any) -> Context:
    return Context(target=Target(resource=POD), **parts)


def full_context(*, lines: int = 10) -> Context:
    return context(
        application={"kind": "Application", "metadata": {"name": "checkout"}, "status": {"sync": {"status": "Synced"}}},
        manifest={"kind": "Pod", "metadata": {"name": "api-1"}, "spec": {"x": "y"}, "status": {"phase": "Failed"}},
        children=({"kind": "Pod", "metadata": {"name": "child"}},),
        events=tuple(Event(type="Warning", reason="BackOff", message=f"restarting {n}") for n in range(lines)),
        logs=(ContainerLog(container="api", lines=tuple(LogLine(text=f"line {n} of the log") for n in range(lines))),),
        gaps=(Gap(part="logs", source="argocd", reason="forbidden", message="not allowed"),),
    )


def test_sections_come_in_order_of_priority() -> None:
    prompt = compose("Why?", full_context(), [OOM], limit=8_000)

    names = [section.name for section in prompt.sections]
    assert names == [
        "findings",
        "gaps",
        "operation",
        "status",
        "events",
        "logs",
        "spec",
        "application",
        "children",
    ]
    assert [section.left_out for section in prompt.sections] == [""] * 9


def test_the_model_reads_findings_with_evidence_and_where_it_was_read() -> None:
    text = compose("Why?", full_context(), [OOM], limit=8_000).system_text

    assert "evidence (manifest status.containerStatuses[0]): OOMKilled" in text
    assert "logs from argocd: not allowed (forbidden)" in text
    assert text.index("status:\n  phase: Failed") < text.index("spec:\n  x: y")


def test_the_same_context_gives_the_same_bytes() -> None:
    first, second = (compose("Why?", full_context(), [OOM], limit=8_000).system_text for _ in range(2))

    assert first == second


def test_no_line_of_a_log_can_close_its_fence() -> None:
    harmless = compose("Why?", full_context(), [], limit=8_000)
    copied = harmless.system_text.splitlines()
    hostile = context(logs=(ContainerLog(container="api", lines=tuple(LogLine(text=line) for line in copied)),))

    text = compose("Why?", hostile, [], limit=8_000).system_text

    fences = [line for line in text.splitlines() if line.startswith("----- DATA")]
    assert len([line for line in fences if line not in copied]) == 2


def test_what_is_cut_is_reported_to_model_and_caller() -> None:
    prompt = compose("Why?", full_context(lines=5_000), [OOM], limit=4_000)

    logs = next(section for section in prompt.sections if section.name == "logs")
    assert "line 4999 of the log" in logs.text
    assert "line 0 of the log\n" not in logs.text
    assert "repeated lines of container" in logs.left_out
    assert f"(Left out: {logs.left_out})" in prompt.system_text


def test_a_general_question_has_instructions_only() -> None:
    prompt = compose("What is a sync wave?", Context(target=Target()), [], limit=4_000)

    assert prompt.sections == ()
    assert prompt.system_text == prompt.instructions


def test_history_is_kept_for_providers_without_a_session() -> None:
    history = [Message("user", "first"), Message("assistant", "answer")]

    assert compose("Why?", context(), [], history=history, limit=4_000).history == tuple(history)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=20), inner, max_size=8),
    max_leaves=60,
)


@settings(max_examples=40)
@given(manifest=st.dictionaries(st.text(max_size=20), json_values, max_size=10), limit=st.integers(1_000, 9_000))
def test_the_ceiling_is_never_passed_whatever_the_manifest(manifest: dict[str, Any], limit: int) -> None:
    prompt = compose("Why?", context(manifest=manifest, children=(manifest, manifest)), [OOM], limit=limit)

    assert count_tokens(prompt.system_text) <= limit


@pytest.mark.parametrize("limit", [1_000, 4_000, 16_000])
@pytest.mark.parametrize("line", ["x" * 100_000, "a1b2" * 20_000, "错误" * 10_000, "error at /srv/app.py:12"])
def test_the_ceiling_is_never_passed_by_long_lines(line: str, limit: int) -> None:
    noisy = context(
        manifest={"kind": "ConfigMap", "data": {"big": line}},
        events=tuple(Event(type="Warning", reason="R", message=line) for _ in range(50)),
        logs=(ContainerLog(container="api", lines=tuple(LogLine(text=line) for _ in range(50))),),
    )

    assert count_tokens(compose("Why?", noisy, [OOM], limit=limit).system_text) <= limit


def test_half_a_surrogate_pair_reaches_no_provider() -> None:
    odd = "\ud800"
    broken = context(
        manifest={"kind": "Pod", odd: odd, "n": 10**30},
        events=(Event(type="Warning", reason=odd, message=odd),),
        logs=(ContainerLog(container="api", lines=(LogLine(text=odd),)),),
    )

    prompt = compose(f"Why {odd}?", broken, [OOM], history=[Message("user", odd)], limit=4_000)

    assert (prompt.system_text + prompt.question + prompt.history[0].text).encode()


@pytest.mark.parametrize("limit", [2_000, 4_000, 8_000, 200_000])
def test_the_tokens_of_a_prompt_are_no_fewer_than_its_text_takes_and_hardly_more(limit: int) -> None:
    first = compose("Why?", full_context(), [OOM], limit=limit)
    changed = compose("And now?", full_context(), [], previous_fingerprint=first.fingerprint, limit=limit)

    for prompt in (first, changed):
        counted = count_tokens(prompt.system_text) + count_tokens(prompt.question)
        assert counted <= prompt.tokens <= counted + 8 * len(prompt.sections) + 10


def test_what_changed_is_at_the_very_end_and_leaves_the_rest_as_it_was() -> None:
    first = compose("Why?", full_context(), [OOM], limit=8_000)
    same = compose("And now?", full_context(), [OOM], previous_fingerprint=first.fingerprint, limit=8_000)
    healed = compose("And now?", full_context(), [], previous_fingerprint=first.fingerprint, limit=8_000)

    assert first.changes == same.changes == ""
    assert same.system_text == first.system_text
    assert healed.changes == f"Since the previous turn: finding resolved: {OOM.title}."
    before, _, end = healed.system_text.partition("\n\n# What changed\n")
    assert before == compose("Why?", full_context(), [], limit=8_000).system_text
    fence, changes, closing = end.splitlines()
    assert (changes, closing) == (healed.changes, f"{fence} END")
    assert healed.tokens >= count_tokens(healed.system_text)
