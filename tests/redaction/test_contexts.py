"""A context is redacted as one: what one part gives away is hidden in all, behind the same placeholder."""

import re

import pytest

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, Gap, LogLine, ManagedResource, Revision, TreeNode
from agent.objects.target import ApplicationRef, ResourceRef, Target
from agent.redaction import Redactor
from tests.redaction.corpus import everything
from tests.redaction.corpus.making import b64, pod

SECRET = "hunter2Xq9"
PLACEHOLDER = re.compile(r"\[REDACTED:[a-z-]+:[0-9a-f]{6}\]")


def context_of(*, secret: str = SECRET, lines: tuple[str, ...] = (), message: str = "") -> Context:
    return Context(
        target=Target(
            application=ApplicationRef(name="shop", namespace="argocd"),
            resource=ResourceRef(kind="Pod", name="checkout", namespace="shop"),
        ),
        application={"kind": "Application", "metadata": {"name": "shop"}, "spec": {"project": "default"}},
        manifest=pod({"env": [{"name": "DB_PASSWORD", "value": secret}]}),
        children=({"kind": "Secret", "metadata": {"name": "db"}, "data": {"settings": b64(f"{secret}\n")}},),
        events=(Event(type="Warning", reason="Failed", message=message),),
        logs=(ContainerLog(container="api", lines=tuple(LogLine(text=line, timestamp="t") for line in lines)),),
        gaps=(Gap(part="logs", source="argocd", reason="forbidden", message=f"401 for https://app:{secret}@argocd/"),),
    )


def test_the_same_value_has_the_same_placeholder_wherever_and_however_it_is_written() -> None:
    redactor = Redactor(b"session")
    context = redactor.context(context_of(lines=(f"dial postgres://app:{SECRET}@db/x", f"got {b64(SECRET)}")))
    question = redactor.text(f"does {SECRET} fit?")
    found = set(PLACEHOLDER.findall(everything(context, question) + str(context.children) + str(context.gaps)))
    assert len(found) == 1
    assert redactor.hidden == 1


def test_a_value_that_a_secret_holds_is_hidden_in_logs_events_question_and_answer() -> None:
    redactor = Redactor(b"session")
    before = context_of(lines=(f"retry with {SECRET}, attempt 2",), message=f"exit status 1: {SECRET} refused")
    context = redactor.context(before)
    answer = redactor.text(f"The server refuses `{SECRET}`.")
    assert SECRET not in everything(context, answer)
    assert context.logs[0].lines[0].text.startswith("retry with [REDACTED:")
    assert answer.startswith("The server refuses `[REDACTED:")


def test_a_gap_of_what_is_not_configured_is_in_our_own_words_and_stays() -> None:
    ours = "Nothing is configured to read the logs of Pod shop/api from: set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN"
    gaps = (
        Gap(part="events", source="argocd", reason="forbidden", message=f"401 for https://app:{SECRET}@argocd/"),
        Gap(part="logs", source="kubernetes", reason="not_configured", message=ours),
        Gap(part="tree", source="argocd", reason="timeout", message=f"password={SECRET}"),
    )

    redacted = Redactor(b"session").context(Context(target=Target(), gaps=gaps)).gaps

    assert [gap.reason for gap in redacted] == ["forbidden", "not_configured", "timeout"]
    assert redacted[1].message == ours
    assert PLACEHOLDER.findall(redacted[0].message) == PLACEHOLDER.findall(redacted[2].message) != []
    assert SECRET not in str(redacted)


def test_what_argocd_tells_beside_the_application_is_redacted_as_well() -> None:
    context = Redactor(b"session").context(
        Context(
            target=Target(),
            related=(pod({"env": [{"name": "DB_PASSWORD", "value": SECRET}]}),),
            tree=(
                TreeNode(
                    resource=ResourceRef(kind="Cluster", name="db"), message=f"dial postgres://app:{SECRET}@db: refused"
                ),
            ),
            managed=(
                ManagedResource(
                    resource=ResourceRef(kind="Secret", name="db"),
                    normalized_live={"kind": "Secret", "data": {"password": b64(SECRET)}},
                    predicted_live={"kind": "Secret", "stringData": {"password": SECRET}},
                ),
            ),
            revisions=(Revision(revision="9f1c", message=f"Set the password to {SECRET}"),),
        )
    )
    assert SECRET not in str(context)
    assert b64(SECRET) not in str(context)
    assert len(set(PLACEHOLDER.findall(str(context)))) == 1


def test_names_of_objects_stay_even_where_a_secret_is_the_same() -> None:
    redactor = Redactor(b"session")
    context = redactor.context(context_of(secret="checkout", lines=("checkout started", "pod checkout is ready")))
    assert context.target.resource == ResourceRef(kind="Pod", name="checkout", namespace="shop")
    assert [line.text for line in context.logs[0].lines] == ["checkout started", "pod checkout is ready"]
    assert context.manifest is not None
    assert context.manifest["spec"]["containers"][0]["env"][0]["value"].startswith("[REDACTED:password:")


@pytest.mark.parametrize("common", ["postgres", "password", "default", "true", "admin", "5432", "redis"])
def test_a_common_word_is_hidden_in_its_place_only(common: str) -> None:
    redactor = Redactor(b"session")
    context = redactor.context(context_of(secret=common, lines=(f"connected to {common} at db",)))
    assert context.logs[0].lines[0].text == f"connected to {common} at db"


def test_a_short_value_is_not_sought_within_longer_words() -> None:
    redactor = Redactor(b"session")
    context = redactor.context(context_of(secret="a1b2c3", lines=("digest 00a1b2c344", "tried a1b2c3 twice")))
    assert context.logs[0].lines[0].text == "digest 00a1b2c344"
    assert "a1b2c3" not in context.logs[0].lines[1].text


def test_lines_stay_lines_when_a_key_spreads_over_them() -> None:
    body = ["A" * 64, "b9" * 32]
    lines = ("-----BEGIN PRIVATE" + " KEY-----", *body, "-----END PRIVATE" + " KEY-----", "done")
    context = Redactor(b"session").context(context_of(lines=lines))
    texts = [line.text for line in context.logs[0].lines]
    assert texts[0] == lines[0]
    assert texts[3:] == list(lines[3:])
    assert texts[1] == texts[2]
    assert PLACEHOLDER.fullmatch(texts[1])
    assert all(line.timestamp == "t" for line in context.logs[0].lines)


def test_another_session_has_another_placeholder() -> None:
    first, second, again = (Redactor(key).text(f"password={SECRET}") for key in (b"one", b"two", b"one"))
    assert first != second
    assert first == again


def test_placeholders_do_not_tell_the_value_without_the_key() -> None:
    assert PLACEHOLDER.fullmatch(Redactor(b"session").text(f"password={SECRET}").removeprefix("password="))
    assert SECRET not in repr(Redactor(b"session"))


def test_a_context_without_secrets_comes_back_equal() -> None:
    context = Context(
        target=Target(),
        manifest=pod({"env": [{"name": "LOG_LEVEL", "value": "info"}]}),
        events=(Event(type="Warning", reason="BackOff", message="Back-off restarting failed container"),),
        logs=(ContainerLog(container="api", lines=(LogLine(text="started"), LogLine(text=""))),),
    )
    redactor = Redactor(b"session")
    assert redactor.context(context) == context
    assert redactor.hidden == 0


def test_nothing_changes_where_redaction_is_off() -> None:
    redactor = Redactor(b"session", enabled=False)
    context = context_of(lines=(f"password={SECRET}",))
    assert redactor.context(context) is context
    assert redactor.text(f"password={SECRET}") == f"password={SECRET}"
    assert redactor.value({"password": SECRET}) == {"password": SECRET}
    assert redactor.hidden == 0
