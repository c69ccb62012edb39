"""`serve --model`: why a logged model cannot be loaded is said in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from agent.errors import SettingsError
from serve.logged_model import load_logged
from tests.fakes.server import closed_port

CODE = """
import os
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel
from agent.errors import SettingsError

class Echo(PythonModel):
    def predict(self, context, model_input: list[str]):
        return model_input

if "ADDRESS" in os.environ:
    raise SettingsError("ADDRESS: must be a valid address")
set_model(Echo())
"""


@pytest.fixture
def store(trace_store_path: Path) -> str:
    """The address of a store with the registered model `there`, which has no version."""
    uri = f"sqlite:///{trace_store_path}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    if not client.search_registered_models("name = 'there'"):
        client.create_registered_model("there")
    return uri


@pytest.fixture
def logged(tmp_path: Path, store: str) -> Path:
    """A logged model that is no assistant, and whose code refuses a setting."""
    code, path = tmp_path / "model.py", tmp_path / "logged"
    code.write_text(CODE)
    mlflow.pyfunc.save_model(path, python_model=str(code), pip_requirements=[])  # pyright: ignore[reportUnknownMemberType]
    return path


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("models:/nope@champion", "there is no such model in {}"),
        ("models:/nope/1", "there is no such model in {}"),
        ("models:/m-0123456789", "there is no such model in {}"),
        ("models:/there@champion", "the model has no such alias in {}"),
        ("models:/there/3", "the model has no such version in {}"),
        ("models:/there/latest", "the model has no version in {}"),
        ("runs:/0123/model", "there is no such run in {}"),
        ("/no/such/folder", "there is no model"),
        ("models:/", "must be an MLflow model URI, like models:/argocd-assistant@champion"),
        ("garbage:/x", "must be an MLflow model URI, like models:/argocd-assistant@champion"),
    ],
)
def test_what_is_not_there_is_named(store: str, model: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_logged(model)

    assert caught.value.public_message == f"--model {model}: {said.format(store)}"


def test_a_store_out_of_reach_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    port = closed_port()
    mlflow.set_tracking_uri(f"http://mlflow:hunter2@127.0.0.1:{port}")
    try:
        with pytest.raises(SettingsError) as caught:
            load_logged("models:/nope@champion")
    finally:
        mlflow.set_tracking_uri(store)

    assert caught.value.public_message.endswith(
        f": MLflow's store http://127.0.0.1:{port} cannot be reached: check MLFLOW_TRACKING_URI"
    )


def test_a_model_of_another_kind_is_refused(logged: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_logged(str(logged))

    assert caught.value.public_message == f"--model {logged}: is no Argo CD Assistant"


def test_a_setting_that_the_code_of_the_model_refuses_is_told(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADDRESS", "::")

    with pytest.raises(SettingsError) as caught:
        load_logged(str(logged))

    assert caught.value.public_message == f"--model {logged}: ADDRESS: must be a valid address"


def test_serve_ends_with_2_and_no_traceback(store: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serve", "--model", "models:/nope@champion"],
        env=os.environ | {"MLFLOW_TRACKING_URI": store},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: --model models:/nope@champion: there is no such model in {store}"
    assert "Traceback" not in done.stderr
