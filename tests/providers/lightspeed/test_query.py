"""What of a prompt reaches Lightspeed, within its limits."""

import random
from typing import Any

import pytest
import yaml

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, Gap, LogLine
from agent.errors import (
    RequestError,
)
from agent.findings.model import Evidence, Finding
from agent.objects.target import ResourceRef, Target
from agent.providers.events import TurnStarted
from agent.providers.lightspeed.query import compose_query
from agent.request.question import Message
from tests.fakes.lightspeed import FakeLightspeed
from tests.providers.lightspeed.asking import Connect, asking, session_of, turn

pytestmark = pytest.mark.anyio

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api-1", "namespace": "shop"}}
DEPLOYMENT: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}}
APPLICATION: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop"},
}
FINDING = Finding(
    title="Container api is OOMKilled (exit code 137)",
    severity="error",
    explanation="It needs more memory than its limit.",
    evidence=(Evidence(source="manifest", path="status.phase", text="OOMKilled"),),
    resource=ResourceRef(kind="Pod", name="api-1"),
)


async def test_the_context_travels_as_attachments_that_lightspeed_accepts(
    fake: FakeLightspeed, connect: Connect
) -> None:
    context = Context(
        target=Target(resource=ResourceRef(kind="Deployment", name="api")),
        application=APPLICATION,
        manifest=DEPLOYMENT,
        children=(POD,),
        events=(Event(type="Warning", reason="BackOff", message="restarting failed container"),),
        logs=(ContainerLog(container="api", lines=(LogLine(text="allocating"),)),),
        gaps=(Gap(part="logs", source="argocd", reason="forbidden", message="may not read logs"),),
    )

    await turn(connect(fake), asking("Why?", context, findings=[FINDING]))

    body = fake.bodies[0]
    assert body["query"] == "Why?"
    assert body["media_type"] == "application/json"
    sent = [(a["attachment_type"], a["content_type"]) for a in body["attachments"]]
    assert sent == [
        ("configuration", "text/plain"),
        ("error message", "text/plain"),
        ("error message", "text/plain"),
        ("event", "text/plain"),
        ("log", "text/plain"),
        ("api object", "application/yaml"),
        ("api object", "application/yaml"),
        ("api object", "application/yaml"),
    ]
    texts = [a["content"] for a in body["attachments"]]
    assert "You are Argo CD Assistant" in texts[0]
    assert FINDING.title in texts[1]
    assert "may not read logs" in texts[2]
    assert [yaml.safe_load(texts[i])["kind"] for i in (5, 6, 7)] == ["Deployment", "Application", "Pod"]
    assert "restarting failed container" in texts[3]
    assert "allocating" in texts[4]
    for text in texts[1:]:
        assert text.count("----- DATA") == 2


async def test_attachments_are_sent_anew_in_every_turn_of_a_session(fake: FakeLightspeed, connect: Connect) -> None:
    provider = connect(fake)
    prompt = asking(context=Context(target=Target(), manifest=POD))

    session = session_of(await turn(provider, prompt))
    await turn(provider, prompt, session=session)

    assert fake.bodies[0]["attachments"] == fake.bodies[1]["attachments"]


def test_more_pods_than_attachments_share_the_last_one() -> None:
    pods = tuple({**POD, "metadata": {"name": f"api-{n}"}} for n in range(30))

    query = compose_query(asking(context=Context(target=Target(), children=pods)), conversation_id=None)

    attachments = query.body["attachments"]
    assert len(attachments) == 10
    assert yaml.safe_load(attachments[1]["content"])["metadata"]["name"] == "api-0"
    rest = list(yaml.safe_load_all(attachments[9]["content"]))
    assert [pod["metadata"]["name"] for pod in rest] == [f"api-{n}" for n in range(8, 30)]
    assert query.left_out == ""


async def test_what_does_not_fit_an_attachment_is_cut_visibly_and_reported(
    fake: FakeLightspeed, connect: Connect
) -> None:
    chance = random.Random(7)
    words = ["connection", "database", "migration", "checkout", "payment", "inventory", "session", "replica"]
    lines = tuple(LogLine(text=" ".join(chance.choices(words, k=60))) for _ in range(2_000))
    environment = [{"name": f"V{n}", "value": "x" * 900} for n in range(200)]
    context = Context(
        target=Target(),
        manifest={**POD, "spec": {"containers": [{"name": "api", "env": environment}]}},
        logs=(ContainerLog(container="proxy", lines=lines), ContainerLog(container="api", lines=lines)),
    )

    started = (await turn(connect(fake), asking(context=context)))[0]

    _, log, manifest = [a["content"] for a in fake.bodies[0]["attachments"]]
    assert lines[-1].text in log
    assert lines[1_000].text not in log
    assert "kind: Pod" in manifest
    assert "V199" not in manifest
    for text in (log, manifest):
        assert len(text) <= 100_000
        assert "characters did not fit here" in text
    assert isinstance(started, TurnStarted)
    assert "characters of the Container logs" in started.provider.note
    assert "characters of the Live manifest" in started.provider.note


async def test_a_question_over_the_limit_goes_on_in_an_attachment(fake: FakeLightspeed, connect: Connect) -> None:
    question = "Why? " + "x" * 40_000 + " the end"

    await turn(connect(fake), asking(question))

    body = fake.bodies[0]
    head, note = body["query"].split("\n\n[The question goes on")
    assert note == " in the first attachment.]"
    assert head + body["attachments"][0]["content"] == question


async def test_a_question_too_long_for_that_too_names_the_limit(fake: FakeLightspeed, connect: Connect) -> None:
    with pytest.raises(RequestError, match=r"input: the question has 140,000 characters") as caught:
        await turn(connect(fake), asking("x" * 140_000))

    assert caught.value.field == "input"
    assert fake.bodies == []


async def test_earlier_messages_are_folded_into_the_query_of_a_new_conversation_only(
    fake: FakeLightspeed, connect: Connect
) -> None:
    provider = connect(fake)
    prompt = asking("And now?", history=[Message("user", "Why is it down?"), Message("assistant", "OOMKilled.")])

    session = session_of(await turn(provider, prompt))
    await turn(provider, prompt, session=session)

    assert fake.bodies[0]["query"] == (
        "And now?\n\n--- Earlier in this conversation, oldest first, for reference ---\n"
        "user: Why is it down?\nassistant: OOMKilled.\n"
        "--- End of the earlier conversation; answer the question above it ---"
    )
    assert fake.bodies[1]["query"] == "And now?"


def test_of_a_long_history_the_latest_messages_are_kept() -> None:
    history = [Message("user", f"message {n} " + "x" * 3_000) for n in range(20)]

    query = compose_query(asking("Q" * 31_000, history=history), conversation_id=None).body["query"]
    roomy = compose_query(asking("And now?", history=history), conversation_id=None).body["query"]

    assert len(query) <= 32_000
    assert len(roomy) < 9_000
    assert "message 19" in roomy
    assert "message 0 " not in roomy
    assert "(17 older messages left out)" in roomy
    assert "more characters)" in roomy
