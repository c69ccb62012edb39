"""Which model is chosen from what a server lists."""

from typing import Any

import pytest

from agent.errors import ModelNotFound
from agent.providers.llama_stack.models import (
    Model,
    configured_model,
    discovered_model,
    inference_providers,
    listed_models,
)

SERVER = "http://models.example"


def llm(name: str, provider: str = "be") -> Model:
    return Model(id=name, type="llm", provider=provider)


def listed(name: str, kind: str) -> dict[str, Any]:
    return {"id": name, "custom_metadata": {"model_type": kind, "provider_id": "be"}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": [listed("be/m1", "llm")]}, llm("be/m1")),
        ({"data": [{"identifier": "be/m1", "model_type": "llm", "provider_id": "be"}]}, llm("be/m1")),
        ({"object": "list", "data": [{"id": "m1", "object": "model"}]}, Model(id="m1")),
        ([{"id": "m1"}], Model(id="m1")),
    ],
    ids=["llama-stack since 0.3 and OGX", "llama-stack 0.2", "plain OpenAI", "bare list"],
)
def test_every_form_of_the_list_is_read(body: object, expected: Model) -> None:
    assert listed_models(body) == (expected,)


@pytest.mark.parametrize("body", [None, {}, {"data": None}, {"data": [None, 5, {"id": None}, {}]}, "models", 3])
def test_a_list_of_nothing_usable_is_empty(body: object) -> None:
    assert listed_models(body) == ()


@pytest.mark.parametrize(
    ("entry", "window"),
    [
        ({"max_model_len": 8_192}, 8_192),
        ({"custom_metadata": {"model_type": "llm", "context_length": 131_072}}, 131_072),
        ({"metadata": {"context_length": "4096"}}, 4_096),
        ({"context_window": 32_768, "max_completion_tokens": 4_096}, 32_768),
        ({"max_context_length": 131_072, "loaded_context_length": 4_096}, 4_096),
        ({"context_length": 200_000, "top_provider": {"context_length": 128_000}}, 128_000),
        ({"max_tokens": 4_096}, None),
        ({"context_length": True, "context_window": -1, "max_model_len": "many", "metadata": []}, None),
    ],
)
def test_the_window_is_read_however_the_server_names_it(entry: dict[str, Any], window: int | None) -> None:
    [model] = listed_models({"data": [{"id": "m1"} | entry]})

    assert model.window == window


def test_the_first_language_model_is_found() -> None:
    models = listed_models({"data": [listed("be/emb", "embedding"), listed("be/m1", "llm"), listed("be/m2", "llm")]})
    assert discovered_model(models, server=SERVER) == "be/m1"


def test_a_plain_servers_embedding_model_is_no_language_model() -> None:
    models = listed_models({"data": [{"id": "nomic-embed-text"}, {"id": "bge-reranker"}, {"id": "llama3"}]})
    assert discovered_model(models, server=SERVER) == "llama3"


def test_an_avoided_model_comes_last() -> None:
    models = [llm("dead/m"), llm("be/m1")]
    assert discovered_model(models, avoided={"dead/m"}, server=SERVER) == "be/m1"
    assert discovered_model(models, avoided={"dead/m", "be/m1"}, server=SERVER) == "dead/m"


@pytest.mark.parametrize(
    ("models", "message"),
    [((), r"\(none\)"), ((Model(id="be/emb", type="embedding"),), r"\(only 'be/emb'\)")],
)
def test_no_language_model_is_reported(models: tuple[Model, ...], message: str) -> None:
    with pytest.raises(ModelNotFound, match=message):
        discovered_model(models, server=SERVER)


@pytest.mark.parametrize(
    ("wanted", "models", "expected"),
    [
        ("be/m1", [llm("be/m1"), llm("be/m1-large")], "be/m1"),
        ("m1", [llm("be/m1"), llm("be/m1-large")], "be/m1"),
        ("meta/llama", [llm("vllm/meta/llama")], "vllm/meta/llama"),
        ("vllm/meta/llama", [Model(id="meta/llama")], "meta/llama"),
    ],
)
def test_a_model_is_known_with_and_without_its_provider(wanted: str, models: list[Model], expected: str) -> None:
    assert configured_model(wanted, models, (), server=SERVER) == expected


def test_an_ambiguous_name_is_reported_with_what_it_can_be() -> None:
    with pytest.raises(ModelNotFound, match="'a/m1', 'b/m1'"):
        configured_model("m1", [llm("a/m1"), llm("b/m1")], (), server=SERVER)


def test_a_model_of_a_known_provider_is_taken_at_its_word() -> None:
    """Its backend was down when the server started, so it is missing from the list for minutes."""
    assert configured_model("be/m1", [], {"be"}, server=SERVER) == "be/m1"
    with pytest.raises(ModelNotFound):
        configured_model("nowhere/m1", [], {"be"}, server=SERVER)


def test_an_embedding_model_is_refused() -> None:
    with pytest.raises(ModelNotFound, match="of type 'embedding'"):
        configured_model("be/emb", [Model(id="be/emb", type="embedding")], (), server=SERVER)


def test_a_missing_model_is_reported_with_some_of_what_there_is() -> None:
    models = [llm(f"be/m{number}") for number in range(200)]
    with pytest.raises(ModelNotFound, match=r"'be/m0', .*'be/m9' and 190 more") as raised:
        configured_model("gpt-5", models, (), server=SERVER)
    assert len(raised.value.public_message) < 500


def test_the_inference_providers_are_distinguished_from_others() -> None:
    body = {"data": [{"api": "inference", "provider_id": "be"}, {"api": "files", "provider_id": "f"}, {}]}
    assert inference_providers(body) == {"be"}
