"""When the assistant takes over `/invocations` of MLflow's scoring server, and when it leaves it alone.

What it then does is tested on the real server, in `integration/test_mlflow_serving.py`.
"""

import sys
import types

import pytest
from mlflow.pyfunc import scoring_server

from agent.mlflow.responses_agent import ArgoCDAssistant
from agent.mlflow.serving import serve_streams
from agent.settings import load_settings
from tests.conftest import TraceStore

DECORATOR = "_async_catch_mlflow_exception"


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch, traces: TraceStore) -> None:
    """As if MLflow's scoring server were loading its model."""
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc.scoring_server.app", types.ModuleType("app"))


def test_outside_of_the_scoring_server_nothing_is_replaced() -> None:
    before = getattr(scoring_server, DECORATOR)

    assert not serve_streams(ArgoCDAssistant(load_settings()))
    assert getattr(scoring_server, DECORATOR) is before


@pytest.mark.usefixtures("loading")
def test_the_decorator_is_replaced_for_one_route_only(monkeypatch: pytest.MonkeyPatch) -> None:
    before = getattr(scoring_server, DECORATOR)
    monkeypatch.setattr(scoring_server, DECORATOR, before)  # put back whatever happens

    assert serve_streams(ArgoCDAssistant(load_settings()))
    replaced = getattr(scoring_server, DECORATOR)

    async def route(request: object) -> None: ...

    replaced(route)
    assert replaced is not before
    assert getattr(scoring_server, DECORATOR) is before


@pytest.mark.usefixtures("loading")
def test_an_mlflow_without_that_decorator_serves_plainly_and_is_told_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(scoring_server, DECORATOR)

    assert not serve_streams(ArgoCDAssistant(load_settings()))
    assert "argocd-assistant serve" in caplog.text
