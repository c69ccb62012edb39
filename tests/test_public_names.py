"""The names that others may build on, and what it costs to have them."""

import subprocess
import sys

import agent


def test_the_public_names_are_these() -> None:
    assert agent.__all__ == [
        "ArgoCDAssistant",
        "Assistant",
        "AssistantError",
        "PredictError",
        "ProviderError",
        "RequestError",
        "SessionError",
        "Settings",
        "SettingsError",
        "load_settings",
        "parse_question",
    ]
    for name in agent.__all__:
        assert getattr(agent, name).__name__ == name


def test_import_agent_loads_nothing_heavy() -> None:
    heavy = ("mlflow", "pydantic", "kubernetes", "llama_stack_client", "pandas", "openai", "requests", "detect_secrets")
    code = f"import sys, agent; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_asking_needs_no_mlflow_and_no_client_that_is_not_used() -> None:
    unused = ("mlflow", "kubernetes", "llama_stack_client", "pandas", "openai")
    code = (
        "import sys; from agent import Assistant, load_settings; Assistant(load_settings());"
        f"print([name for name in {unused!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)

    assert done.stdout.strip() == "[]"
