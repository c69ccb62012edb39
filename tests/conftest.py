"""What every test gets: an environment without this machine's own settings."""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import os
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import cast

import mlflow
import pytest
from hypothesis import HealthCheck, Phase, settings
from mlflow.entities import Trace

from agent.mlflow import tracing

# Read at MLflow's leisure, so not undone with a test. Traces are written at once: waiting for the background writer
# costs seconds a test. The tests of real server processes leave it on.
_MLFLOW = {"MLFLOW_MODEL_CATALOG_URI": "", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
os.environ |= _MLFLOW

# `make test` generates the same examples on every run and reports the first that fails as it was generated; `make fuzz`
# generates others on every run and shrinks what fails. No property is a matter of speed in either.
settings.register_profile(
    "tests",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "fuzz",
    database=None,
    deadline=None,
    max_examples=500,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))
# The time (seconds of the epoch) after which no further property is explored.
_FUZZ_UNTIL = float(os.environ.get("FUZZ_UNTIL", "inf"))

_OURS = ("ASSISTANT_", "LLAMASTACK_", "LIGHTSPEED_", "ARGOCD_", "KUBE", "MLFLOW_", "OGX_", "LLAMA_STACK_")


def pytest_configure(config: pytest.Config) -> None:
    # Hypothesis suspects a strategy when another thread (a server of another test) draws a random number meanwhile.
    config.addinivalue_line("filterwarnings", "ignore:Do not use the `random` module inside strategies")


def pytest_runtest_setup() -> None:
    if time.time() > _FUZZ_UNTIL:
        pytest.skip("the time of this exploration is over")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No configuration, no kubeconfig, no proxy: a test sets what it needs."""
    for name in list(os.environ):
        if (name.startswith(_OURS) and name not in _MLFLOW) or name.lower() in {
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "no_proxy",
        }:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))
    monkeypatch.setenv("ASSISTANT_KUBERNETES", "off")


class TraceStore:
    """A real SQLite store of MLflow, and the experiment of one test in it."""

    def __init__(self, path: Path, experiment_id: str) -> None:
        self.path = path
        self.experiment_id = experiment_id

    def trace(self, trace_id: str) -> Trace:
        """The trace as it was stored."""
        tracing.written()
        found = mlflow.get_trace(trace_id)
        assert found is not None, f"trace {trace_id} was not stored"
        return found

    def all(self) -> list[Trace]:
        """Every trace of this test."""
        tracing.written()
        return cast("list[Trace]", mlflow.search_traces(locations=[self.experiment_id], return_type="list"))

    def everything(self) -> str:
        """Every value of every table of the store as one text, to look for what must not be there."""
        tracing.written()
        with closing(sqlite3.connect(self.path)) as connection:
            tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
            return "\n".join(repr(row) for table in tables for row in connection.execute(f'select * from "{table}"'))


@pytest.fixture(scope="session")
def trace_store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store; making its tables takes seconds, so the tests of a process share it."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.set_tracking_uri(f"sqlite:///{path}")
    mlflow.search_experiments()
    return path


@pytest.fixture
def traces(trace_store_path: Path, tmp_path: Path) -> TraceStore:
    """Traces of this test go to an experiment of its own."""
    mlflow.set_tracking_uri(f"sqlite:///{trace_store_path}")
    experiment_id = mlflow.create_experiment(uuid.uuid4().hex, artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment(experiment_id=experiment_id)
    return TraceStore(trace_store_path, experiment_id)
