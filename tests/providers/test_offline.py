"""The offline provider: findings as an answer, streamed."""

from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from agent.context.context import Context
from agent.context.model import Gap, PartName
from agent.findings import analyze
from agent.objects.target import ApplicationRef, Target
from agent.prompt.markdown import code
from agent.prompt.prompt import Prompt, compose
from agent.providers.events import (
    ProviderEvent,
    ProviderInfo,
    SessionRequest,
    TextDelta,
    TurnCompleted,
    TurnStarted,
)
from agent.providers.offline import Offline, render_answer
from agent.providers.provider import Provider
from agent.request.caller import Caller
from tests.findings.cluster import condition, context, crash_loop, event, log, pod, resource, waiting

pytestmark = pytest.mark.anyio
BROKEN = pod(
    crash_loop(137, "OOMKilled"),
    name="api-0",
    spec={"resources": {"limits": {"memory": "256Mi"}}},
)
GAP = Gap(part="logs", source="argocd", reason="forbidden", message="Argo CD does not let this account read logs")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def prompt(known: Context) -> Prompt:
    return compose("Why?", known, analyze(known), limit=16_000)


async def turn(provider: Provider, known: Context, **request: Any) -> list[ProviderEvent]:
    async with provider.open(SessionRequest(**request)) as session:
        return [event async for event in session.stream(prompt(known))]


def text_of(events: list[ProviderEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_the_answer_is_the_rendered_findings_in_pieces() -> None:
    events = await turn(Offline(), context(BROKEN))

    assert events[0] == TurnStarted(provider=ProviderInfo(name="offline", protocol="none"), session_id=None)
    assert events[-1] == TurnCompleted(usage=None)
    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert len(deltas) > 10
    assert all(0 < len(delta.text) < 400 for delta in deltas)
    assert text_of(events) == render_answer(prompt(context(BROKEN)))


def test_the_answer_reads_cause_evidence_steps_and_who_was_asked() -> None:
    assert render_answer(prompt(context(BROKEN, gaps=(GAP,)))) == snapshot("""\
## Most likely cause: Container api is OOMKilled (exit code 137) at its memory limit of 256Mi

The process needed more memory than the limit of 256Mi, so the kernel killed it.

Resource: Pod shop/api-0

**Evidence**

- `OOMKilled` (`status.containerStatuses[0].lastState.terminated.reason` of the live manifest)
- `137` (`status.containerStatuses[0].lastState.terminated.exitCode` of the live manifest)
- `256Mi` (`spec.containers[0].resources.limits.memory` of the live manifest)
- `CrashLoopBackOff` (`status.containerStatuses[0].state.waiting.reason` of the live manifest)
- `7` (`status.containerStatuses[0].restartCount` of the live manifest)

**What to do next**

1. Set resources.limits.memory of container api to 512Mi.
2. If the usage keeps growing it is a leak: measure it by `kubectl -n shop top pod api-0 --containers` over time, and limit the program's own heap or caches below the limit.
3. `kubectl -n shop describe pod api-0` shows it with its events.

## What could not be read

- logs from argocd: Argo CD does not let this account read logs (forbidden)

> No model was asked: no inference server is configured, and this answer was put together from the findings of the built-in analyzers. Set `LLAMASTACK_BASE_URL` (llama-stack, OGX) or `LIGHTSPEED_URL` (OpenShift Lightspeed) to have a model answer.
""")  # noqa: E501 (Markdown paragraphs are one line)


def test_a_provider_that_could_not_be_reached_takes_the_place_of_the_last_statement() -> None:
    answer = render_answer(
        prompt(context(BROKEN)), note="The model could not be reached: no connection to llama-stack."
    )

    assert answer.endswith("> The model could not be reached: no connection to llama-stack.\n")
    assert "No model was asked" not in answer


async def test_the_note_of_the_provider_is_in_its_answer() -> None:
    events = await turn(Offline(note="The model could not be reached."), context(BROKEN))

    assert text_of(events).endswith("> The model could not be reached.\n")


def test_nothing_wrong_says_what_was_read_and_what_was_not() -> None:
    well = resource("v1", "ConfigMap", data={"a": "b"})

    answer = render_answer(prompt(context(well, events=(event(well, "Synced", "ok", kind="Normal"),), gaps=(GAP,))))

    assert answer.startswith(
        "Nothing wrong was found with ConfigMap shop/api in what could be read: ConfigMap shop/api; 1 event."
    )
    assert "- logs from argocd: Argo CD does not let this account read logs (forbidden)" in answer
    assert "something may be wrong that is not seen here" in answer


def test_what_was_read_is_named_and_a_missing_log_of_a_ready_pod_hides_nothing() -> None:
    ready = {"conditions": [condition("Ready", "True")], "phase": "Running"}
    well = resource("v1", "Pod", "ok-0", status=ready)
    known = context(well, resource("apps/v1", "Deployment", "other"), gaps=(GAP,))

    answer = render_answer(prompt(known))

    assert "with Pod shop/ok-0 in what could be read: Pod shop/ok-0; Deployment shop/other." in answer
    assert "What could not be read" in answer
    assert "something may be wrong" not in answer
    assert "something may be wrong" in render_answer(prompt(replace(known, gaps=(replace(GAP, part="events"),))))


def test_parts_that_miss_for_one_cause_are_one_line() -> None:
    def missing(part: PartName, message: str, reason: str) -> Gap:
        return Gap(part=part, source="argocd", reason=reason, message=message)

    down = "Argo CD at argocd.example.com could not be reached"
    gaps = (
        missing("application", down, "unreachable"),
        missing("manifest", "set A or supply B", "not_configured"),
        missing("logs", "set A or supply C", "not_configured"),
        missing("events", down, "unreachable"),
    )

    lines = [line for line in render_answer(prompt(context(BROKEN, gaps=gaps))).splitlines() if " from argocd" in line]

    assert lines == [
        f"- application, events from argocd: {down} (unreachable)",
        "- manifest, logs from argocd: Nothing is configured to read them from (set ARGOCD_SERVER and "
        "ARGOCD_AUTH_TOKEN, or let it read the Kubernetes API by KUBECONFIG), and they were not supplied "
        "(by `-f`, `--events`, `--logs`, or in `custom_inputs`) (not_configured)",
    ]


def test_a_target_of_which_nothing_is_known_says_what_to_configure_or_supply() -> None:
    target = Target(application=ApplicationRef(name="guestbook", namespace="argocd"))

    answer = render_answer(prompt(Context(target=target, gaps=(GAP,))))

    assert answer.startswith("Nothing is known of Application argocd/guestbook")
    for name in (
        "ARGOCD_SERVER",
        "ARGOCD_AUTH_TOKEN",
        "ASSISTANT_KUBERNETES",
        "application_manifest",
        "manifest",
        "logs",
    ):
        assert code(name) in answer


def test_a_general_question_is_not_answered_and_says_why() -> None:
    answer = render_answer(prompt(Context(target=Target())))

    assert answer.startswith("This is a general question, and no model is configured that could answer it.")
    assert "`LLAMASTACK_BASE_URL`" in answer


def test_information_alone_is_not_called_broken() -> None:
    suspended = resource("batch/v1", "CronJob", spec={"suspend": True}, status={})

    assert render_answer(prompt(context(suspended))).startswith("## Nothing is broken; worth knowing: CronJob api is")


def test_many_findings_are_named_and_the_first_told_in_full() -> None:
    crowd = [resource("example.com/v1", "Widget", f"w{i}", status={"phase": "Failed"}) for i in range(9)]

    answer = render_answer(prompt(context(None, *crowd)))

    assert answer.count("**Evidence**") == 4
    assert "- Widget w8 has phase Failed (error)" in answer


def test_each_quotation_says_where_it_was_read() -> None:
    owner = ("ReplicaSet", "api-6c9d8f7b5d")
    pods = [pod(crash_loop(1, message="line one\nline two"), name=f"api-6c9d8f7b5d-{i}", owner=owner) for i in range(5)]
    backoff = event(pods[0], "BackOff", "Back-off restarting failed container api in pod api_shop(1)")

    answer = render_answer(prompt(context(None, *pods, events=(backoff,), logs=(log("panic: no"),))))

    assert "- `panic: no` (log of container `api` at `2026-11-20T07:41:00Z`)" in answer
    assert f"- `{backoff.message}` (event `BackOff`, Pod shop/api-6c9d8f7b5d-0)" in answer
    assert (
        "- `status.containerStatuses[0].lastState.terminated.message` of the live manifest, Pod "
        "shop/api-6c9d8f7b5d-0:\n\n  ```text\n  line one\n  line two\n  ```\n"
    ) in answer
    assert "- and 1 more" in answer


def test_text_of_the_cluster_stays_text() -> None:
    evil = "x` ![i](http://evil.example/p.png) <img src=x onerror=y> [l](javascript:alert(1))\n```\n# Ignore\n\x1b[2J"
    broken = pod(crash_loop(1, evil, message=evil) | {"name": evil})
    widget = resource(
        "example.com/v1", evil, evil, status={"conditions": [condition(evil, "False", evil + "Error", evil)]}
    )
    held = pod(waiting(evil, evil), name=evil)
    known = context(
        broken, widget, held, events=(event(broken, evil, evil),), logs=(log(f"panic: {evil}"),), gaps=(GAP,)
    )

    answer = render_answer(prompt(known), note=evil)
    tokens = MarkdownIt("commonmark").parse(answer)

    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_block"}
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert not any(heading.startswith("Ignore") for heading in headings)
    assert "\x1b" not in answer


async def test_a_session_is_the_caller_s_own_name_for_it() -> None:
    async def session_id(**request: Any) -> str | None:
        started = (await turn(Offline(), context(BROKEN), **request))[0]
        assert isinstance(started, TurnStarted)
        return started.session_id

    assert await session_id(session_id="s-1", conversation_id="c-1") == "s-1"
    assert await session_id(conversation_id="c-1") == "c-1"
    assert await session_id() is None


async def test_the_redaction_key_lasts_for_a_session_and_its_user_only() -> None:
    async def key(**request: Any) -> bytes:
        async with Offline().open(SessionRequest(**request)) as session:
            return session.redaction_key

    named = await key(session_id="s-1", caller=Caller.claimed("ada"))
    assert named == await key(session_id="s-1", caller=Caller.claimed("ada"))
    assert named != await key(session_id="s-1", caller=Caller.claimed("bob"))
    assert named != await key(session_id="s-2", caller=Caller.claimed("ada"))
    assert await key() != await key()
    assert len(named) == len(await key()) == 32


async def test_the_provider_is_always_ready() -> None:
    provider = Offline()

    assert await provider.check() == ProviderInfo(name="offline", protocol="none")
    await provider.aclose()
