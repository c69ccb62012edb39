"""Instructions from MLflow's prompt registry, on a real store; and what happens without it."""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import json
import threading
import uuid
from typing import Any

import mlflow
import mlflow.genai
import pytest
from mlflow.exceptions import MlflowException

from agent.mlflow import prompt_registry
from agent.mlflow.prompt_registry import PROMPT_ALIAS, RegisteredInstructions, register_built_in
from agent.mlflow.responses_agent import ArgoCDAssistant
from agent.prompt.instructions import BUILT_IN
from agent.settings import load_settings
from tests.conftest import TraceStore
from tests.fakes.server import PATIENCE


@pytest.fixture(autouse=True)
def name(traces: TraceStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """The prompt's name, one of this test's own: tests share the store."""
    name = f"instructions-{uuid.uuid4().hex}"
    monkeypatch.setattr(prompt_registry, "PROMPT_NAME", name)
    monkeypatch.setattr(prompt_registry, "_FIRST_READ_SECONDS", PATIENCE)
    return name


def uri(name: str) -> str:
    return f"prompts:/{name}@{PROMPT_ALIAS}"


def register(name: str, text: Any) -> str:
    """A team's version, and its URI."""
    version = mlflow.genai.register_prompt(name=name, template=text).version
    mlflow.genai.set_prompt_alias(name, PROMPT_ALIAS, version)
    return f"prompts:/{name}/{version}"


def aliased(name: str) -> Any:
    return mlflow.genai.load_prompt(uri(name), cache_ttl_seconds=0)


def test_the_built_in_text_is_registered_once_as_long_as_it_stays_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = register_built_in(), register_built_in()
    monkeypatch.setattr(prompt_registry, "BUILT_IN", BUILT_IN.__class__(text="Be brief.", version="built-in 2"))
    third = register_built_in()

    assert (first, second, third) == (f"prompts:/{name}/1", f"prompts:/{name}/1", f"prompts:/{name}/2")
    assert aliased(name).template == "Be brief."


def test_an_alias_that_a_team_has_set_stays_where_it_is(name: str) -> None:
    register_built_in()
    register(name, "Ours.")

    register_built_in()

    assert aliased(name).template == "Ours."


def test_a_registered_version_takes_the_place_of_the_built_in_text(name: str) -> None:
    version = register(name, "You are our own assistant.")

    read = asyncio.run(RegisteredInstructions(uri(name), team="Name the on-call team.").current())

    assert read.text == "You are our own assistant."
    assert read.version == version
    assert read.full_text.endswith("Name the on-call team.")
    assert read.note == ""


def test_of_a_chat_prompt_the_system_messages_are_taken(name: str) -> None:
    register(name, [{"role": "system", "content": "Be exact."}, {"role": "user", "content": "{{question}}"}])

    assert asyncio.run(RegisteredInstructions(uri(name)).current()).text == "Be exact."


def test_a_version_that_does_not_exist_is_told_and_the_built_in_text_used(caplog: pytest.LogCaptureFixture) -> None:
    read = asyncio.run(RegisteredInstructions("prompts:/nobody@production").current())

    assert (read.text, read.version) == (BUILT_IN.text, BUILT_IN.version)
    assert "prompts:/nobody@production does not exist" in read.note
    assert "prompts:/nobody@production" in caplog.text


def test_a_registry_that_is_down_leaves_the_version_that_was_read_before(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    register(name, "Ours.")
    asked = threading.Event()

    def down(_: str) -> None:
        asked.set()
        raise MlflowException("no connection to https://user:pass@registry")

    async def twice() -> list[str]:
        instructions = RegisteredInstructions(uri(name))
        before = await instructions.current()
        monkeypatch.setattr(prompt_registry, "_loaded", down)
        monkeypatch.setattr(instructions, "_until", 0.0)
        after = await instructions.current()
        await asyncio.to_thread(asked.wait, PATIENCE)
        return [before.text, after.text, (await instructions.current()).text]

    assert asyncio.run(twice()) == ["Ours."] * 3


def test_a_registry_that_was_never_up_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(_: str) -> None:
        raise MlflowException("no connection to https://user:pass@registry")

    monkeypatch.setattr(prompt_registry, "_loaded", down)

    read = asyncio.run(RegisteredInstructions(uri(name)).current())

    assert read.text == BUILT_IN.text
    assert "could not be read; the built-in text was used" in read.note
    assert "pass" not in caplog.text + read.note


def test_turns_do_not_wait_longer_than_a_moment_for_a_registry_that_hangs(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = asyncio.Event()
    monkeypatch.setattr(prompt_registry, "_FIRST_READ_SECONDS", 0.05)

    async def ask() -> str:
        loop = asyncio.get_running_loop()

        def hanging(_: str) -> None:
            asyncio.run_coroutine_threadsafe(hang.wait(), loop).result(PATIENCE)

        monkeypatch.setattr(prompt_registry, "_loaded", hanging)
        try:
            return (await RegisteredInstructions(uri(name)).current()).note
        finally:
            hang.set()

    assert "was not read in time; the built-in text was used" in asyncio.run(ask())


def test_the_answer_and_its_trace_name_the_version_that_was_used(name: str, traces: TraceStore) -> None:
    version = register(name, "You are our own assistant.")
    assistant = ArgoCDAssistant(
        load_settings({"instructions": uri(name), "team_instructions": "Name the on-call team."})
    )

    answer = assistant.predict({"input": [{"role": "user", "content": "Why?"}]})

    outputs = answer.custom_outputs or {}
    assert outputs["context"]["instructions"] == version
    [compose] = [span for span in traces.trace(outputs["trace_id"]).data.spans if span.name == "compose"]
    assert compose.outputs["instructions"] == version
    linked = traces.trace(outputs["trace_id"]).info.tags["mlflow.linkedPrompts"]
    assert json.loads(linked) == [{"name": name, "version": "1"}]
    for thread in threading.enumerate():  # MLflow links them in threads of its own
        if thread.name.startswith("link_prompts_from_exporter"):
            thread.join(PATIENCE)
    listed = mlflow.MlflowClient().search_traces(locations=[traces.experiment_id], filter_string=f"prompt = '{name}/1'")
    assert [trace.info.trace_id for trace in listed] == [outputs["trace_id"]]
