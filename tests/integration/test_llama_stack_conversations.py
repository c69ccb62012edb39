"""Whole conversations through the assistant, on the real llama-stack 0.7.3 and OGX 1.5.0: what reaches the model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from agent.prompt.tokens import count_tokens
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome
from agent.turn.parse import parse_question
from tests.fakes.openai_backend import Reply, ScriptedBackend
from tests.fakes.server import PATIENCE
from tests.providers.llama_stack.turns import request

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECRET = "hunter2-" + "planted-secret"
WINDOW = 8_192


@pytest.fixture
def server(responses_server: str) -> str:
    return responses_server


def pod(*, version: str, restarts: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "api-1",
            "namespace": "shop",
            "uid": "u1",
            "resourceVersion": version,
            "annotations": {"note": "the-only-context"},
        },
        "spec": {"containers": [{"name": "api", "image": "api:1", "env": [{"name": "DB_PASSWORD", "value": SECRET}]}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "api",
                    "restartCount": restarts,
                    "ready": False,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                }
            ],
        },
    }


def event(reason: str, at: str) -> dict[str, Any]:
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "api-1", "uid": "u1"}
    return {
        "type": "Warning",
        "reason": reason,
        "message": "back-off restarting",
        "involvedObject": about,
        "lastTimestamp": at,
        "metadata": {"name": f"{reason}.1", "namespace": "shop"},
    }


EARLY: dict[str, Any] = {
    "manifest": pod(version="10", restarts=7),
    "events": [event("BackOff", "2026-11-28T07:00:00Z")],
    "logs": {"api": "2026-11-28T07:00:00Z starting\n2026-11-28T07:00:01Z out of memory\n"},
}
LATE: dict[str, Any] = {
    "manifest": pod(version="12", restarts=8),
    "events": [event("Killing", "2026-11-28T07:05:00Z"), *EARLY["events"]],
    "logs": {"api": EARLY["logs"]["api"] + "2026-11-28T07:05:00Z starting\n2026-11-28T07:05:01Z out of memory\n"},
}


@asynccontextmanager
async def assistant(server: str, **settings: Any) -> AsyncGenerator[Assistant]:
    """An assistant as a new process would have it."""
    made = Assistant(
        load_settings(
            # With a configured window nothing is asked of a server but what a test asks.
            {"llamastack_base_url": server, "kubernetes": "off", "model_window": 48_000} | settings
        )
    )
    try:
        yield made
    finally:
        await made.aclose()


async def turn(assistant: Assistant, question: str, session: str | None = None, **custom_inputs: Any) -> Outcome:
    """One whole turn of ada's."""
    inputs = custom_inputs | ({"session_id": session} if session else {})
    body = {"input": question, "context": {"user_id": "ada"}, "custom_inputs": inputs}
    async with aclosing(assistant.turn(parse_question(body))) as events:
        async for event in events:
            if isinstance(event.value, Outcome):
                return event.value
    raise AssertionError("the turn had no outcome")


async def test_over_ten_turns_the_context_is_sent_once_and_only_changes_with_the_resource(
    server: str, backend: ScriptedBackend
) -> None:
    session = None
    for number in range(10):
        async with assistant(server) as process:  # each turn on a replica of its own
            answer = await turn(process, f"question {number}", session, **(EARLY if number < 5 else LATE))
            session = answer.session_id

    systems = [asked.texts("system") for asked in backend.requests]
    assert len(systems) == 10
    for number, asked in enumerate(backend.requests):
        assert asked.all_text.count("the-only-context") == 1
        assert asked.texts("user") == [f"question {earlier}" for earlier in range(number + 1)]
        assert SECRET not in asked.all_text
    assert "[REDACTED:" in systems[0][0]
    assert systems[1:5] == [systems[0]] * 4
    changed, unchanged = systems[5][0], systems[6][0]
    assert systems[7:] == [systems[6]] * 3
    assert changed.startswith(f"{unchanged}\n\n# What changed\n")
    note = changed.removeprefix(unchanged)
    assert "Since the previous turn: Pod api-1 (resourceVersion 10 -> 12) changed" in note
    assert "1 new event (newest: Killing of Pod shop/api-1)" in note
    assert "2 new log lines of container api" in note


async def test_what_an_earlier_turn_established_is_no_invention_of_a_later_one(
    server: str, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.turn.answer_check._EARLIER_SECONDS", PATIENCE)
    backend.answer(
        Reply(deltas=["`Pod/api-old-1` ended with exit code 139."]),
        Reply(deltas=["`Pod/api-old-1` did with 139, ", "`Deployment/ghost-api` made it so, in `payments`."]),
        Reply(deltas=["`Pod/api-1` ended with exit code 137."]),
    )
    async with assistant(server) as process:
        first = await turn(process, "Is payments the namespace?", **EARLY)
        second = await turn(process, "Which one was it?", first.session_id, **EARLY)
        third = await turn(process, "And now?", second.session_id, **EARLY)

    assert first.grounding.invented == ("Pod/api-old-1",)
    assert second.grounding.invented == ("Deployment/ghost-api",)
    assert [claim.text for claim in second.grounding.earlier] == ["Pod/api-old-1", "139"]
    assert "`Pod/api-old-1`. Check that it is still there" in second.text
    assert (third.grounding.unsupported, third.grounding.earlier) == ((), ())


async def test_sixty_turns_in_a_window_of_8k_stay_below_the_ceiling_and_know_what_the_first_established(
    server: str, backend: ScriptedBackend
) -> None:
    backend.answer(
        Reply(deltas=["## Root cause\n\nThe limit `64Mi` of container api is too low.\n\n", "It says so. " * 20]),
        *(
            Reply(
                deltas=[
                    f"Answer {n} about `thing-{n}`.\n\n",
                    " ".join(f"{n * 61 + m} words on it." for m in range(10 + 7 * n % 60)),
                ]
            )
            for n in range(1, 60)
        ),
    )
    sessions: list[str] = []
    async with assistant(server, model_window=WINDOW) as process:
        for number in range(60):
            answer = await turn(process, f"question {number} of the user", sessions[-1] if sessions else None, **EARLY)
            sessions.append(answer.session_id or "")
    async with assistant(server, model_window=WINDOW) as process:
        answer = await turn(process, "and with the oldest id?", sessions[0], **EARLY)
        again = await turn(process, "and with it again?", sessions[0], **EARLY)

    assert len(backend.requests) == 62
    for asked in backend.requests:
        assert count_tokens(asked.all_text) <= answer.report.plan.budget.ceiling < WINDOW * 3 // 4
        assert asked.all_text.count("the-only-context") == 1
    assert len(set(sessions)) > 3
    assert again.session_id == answer.session_id
    assert "The limit `64Mi` of container api is too low" in backend.requests[-1].all_text
    assert "question 59 of the user" in backend.requests[-1].all_text
    contexts = {asked.texts("system")[0] for asked in backend.requests}
    assert len(contexts) == 1


async def test_a_deleted_session_recovers(server: str, backend: ScriptedBackend) -> None:
    async with assistant(server) as process:
        session = (await turn(process, "Why?", **EARLY)).session_id
        await request("DELETE", f"{server}/v1/conversations/{session}")
        answer = await turn(process, "And now?", session, **EARLY)
        after = await turn(process, "Really?", answer.session_id, **EARLY)

    assert answer.session_id != session
    assert "no longer on the model server and its earlier turns are lost" in answer.provider.note
    assert (after.session_id, after.provider.note) == (answer.session_id, "")
    assert backend.requests[-1].texts("user") == ["And now?", "Really?"]
    assert [asked.all_text.count("the-only-context") for asked in backend.requests] == [1, 1, 1]
