"""The library in a script of a user's own: no warning, errors that help, connections closed at the end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent import ArgoCDAssistant, PredictError
from tests.fakes.openai_backend import ScriptedBackend
from tests.fakes.server import running

ASK = """
from agent import ArgoCDAssistant
assistant = ArgoCDAssistant.from_environment()
print(assistant.predict({"input": "What is a PDB?"}).output[0].content[0]["text"])
for event in assistant.predict_stream({"input": "What is a PDB?"}):
    pass
"""
ASK_IN_A_BLOCK = """
from agent import ArgoCDAssistant
with ArgoCDAssistant.from_environment() as assistant:
    print(assistant.predict({"input": "What is a PDB?"}).output[0].content[0]["text"])
print(assistant.predict({"input": "And now?"}).output[0].content[0]["text"])
"""


@pytest.mark.parametrize("script", [ASK, ASK_IN_A_BLOCK])
def test_a_script_ends_without_a_warning_though_warnings_are_errors(script: str, tmp_path: Path) -> None:
    backend = ScriptedBackend()
    with running(backend.app, log_level="critical") as url:
        environment = {
            **os.environ,
            "LLAMASTACK_BASE_URL": url,
            "LLAMASTACK_MODEL": "m1",
            "ASSISTANT_KUBERNETES": "off",
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        }
        (tmp_path / "script.py").write_text(script)
        done = subprocess.run(
            [sys.executable, "-W", "error", "script.py"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert "The pod is OOMKilled." in done.stdout
    assert "Unclosed" not in done.stderr
    assert "Warning" not in done.stderr
    assert "never awaited" not in done.stderr


@pytest.mark.parametrize(
    ("request_", "words"), [("why", "request: must be an object"), ({}, "input: is missing"), ([], "must be an object")]
)
def test_what_is_no_request_is_refused_with_an_example(request_: object, words: str) -> None:
    assistant = ArgoCDAssistant.from_environment({"provider": "offline", "kubernetes": "off"})

    with pytest.raises(PredictError, match=words) as caught:
        assistant.predict(request_)  # pyright: ignore[reportArgumentType]

    assert '"role": "user"' in str(caught.value)


def test_the_packages_are_typed() -> None:
    import agent
    import serve

    assert all((Path(str(package.__file__)).parent / "py.typed").is_file() for package in (agent, serve))


@pytest.mark.parametrize(("named", "used"), [({}, "argocd-assistant"), ({"MLFLOW_EXPERIMENT_NAME": "mine"}, "mine")])
def test_a_server_traces_into_an_experiment_of_the_assistant(
    named: dict[str, str], used: str, trace_store_path: Path, tmp_path: Path
) -> None:
    code = (
        "import mlflow; from agent.mlflow import tracing; tracing.configure();"
        "[experiment] = [each for each in mlflow.search_experiments() if each.name == %r];"
        "print(mlflow.tracking.fluent._get_experiment_id() == experiment.experiment_id)"
    )
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{trace_store_path}"}
    done = subprocess.run(
        [sys.executable, "-c", code % used],
        cwd=tmp_path,
        env=os.environ | store | named,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "True\n", done.stderr
