"""The logged model as MLflow's pages show it: names, descriptions, tags, and links to run, prompt and traces."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# MLflow's own signatures are typed in part only.

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

import mlflow
import pytest
from mlflow.artifacts import download_artifacts

from agent.mlflow.prompt_registry import PROMPT_NAME
from agent.mlflow.registration import INPUT_EXAMPLE, Registered, log_and_register


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Generator[Registered]:
    """The assistant, logged once to a store of its own."""
    folder: Path = tmp_path_factory.mktemp("registered")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_EXPERIMENT_NAME", f"experiment-{uuid.uuid4().hex}")
        try:
            yield log_and_register()
        finally:
            mlflow.set_tracking_uri(before)


def test_the_version_is_described_and_tagged(registered: Registered) -> None:
    client = mlflow.MlflowClient()

    logged = client.get_model_version(registered.name, registered.version)

    assert logged.tags == {"version": version("argocd-assistant"), "instructions": registered.instructions}
    assert f"argocd-assistant {version('argocd-assistant')}" in str(logged.description)
    assert f"mlflow models serve -m models:/{registered.name}/1 " in str(logged.description)
    assert "why an Argo CD Application" in str(client.get_registered_model(registered.name).description)
    assert "mlflow.note.content" in client.get_experiment(registered.experiment_id).tags


def test_run_model_and_instructions_are_linked(registered: Registered) -> None:
    [run] = mlflow.search_runs([registered.experiment_id], output_format="list")
    [model] = mlflow.search_logged_models([registered.experiment_id], output_format="list")

    assert run.info.run_name == f"Log argocd-assistant {version('argocd-assistant')}"
    assert run.info.status == "FINISHED"
    assert (model.name, model.source_run_id) == ("argocd-assistant", run.info.run_id)
    assert "why an Argo CD Application" in model.tags["mlflow.note.content"]
    prompt = [{"name": PROMPT_NAME, "version": "1"}]
    assert json.loads(run.data.tags["mlflow.linkedPrompts"]) == prompt
    assert json.loads(model.tags["mlflow.linkedPrompts"]) == prompt


def test_a_description_of_a_team_stays(registered: Registered) -> None:
    client = mlflow.MlflowClient()
    client.update_registered_model(registered.name, description="Ours.")

    again = log_and_register()

    assert again.version != registered.version
    assert client.get_registered_model(registered.name).description == "Ours."


def test_the_traces_of_a_logged_model_are_linked_to_it(registered: Registered, tmp_path: Path) -> None:
    # In a process of its own: loading the model puts its copy of the package in the place of the one under test.
    script = (
        "import json, sys, mlflow\n"
        "loaded = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "answer = loaded.predict(json.loads(sys.argv[2]))\n"
        "mlflow.flush_trace_async_logging()\n"
        "trace = mlflow.get_trace(answer['custom_outputs']['trace_id'])\n"
        "print(loaded.model_id, trace.info.trace_metadata['mlflow.modelId'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, f"models:/{registered.name}/1", json.dumps(INPUT_EXAMPLE)],
        cwd=tmp_path,
        env=os.environ | {"MLFLOW_TRACKING_URI": registered.tracking_uri},
        capture_output=True,
        text=True,
        check=True,
    )

    model_id, linked = done.stdout.split()
    assert model_id.startswith("m-")
    assert linked == model_id


def test_without_a_lock_the_requirements_hold_mlflow_in_full_and_unconditionally(
    monkeypatch: pytest.MonkeyPatch, registered: Registered
) -> None:
    monkeypatch.setenv("PATH", "")  # no uv: the requirements come from the metadata of the package

    model = log_and_register(name="without-lock")

    folder = Path(download_artifacts(f"models:/without-lock/{model.version}"))
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith("mlflow<") and ";" not in line]
