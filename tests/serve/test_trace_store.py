"""MLflow's store as the server sees it."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import mlflow
import pytest
from fastapi import FastAPI, Response

from serve.trace_store import MLflowTraceStore, TraceStoreUnavailable
from tests.fakes.server import PATIENCE, closed_port, running


@pytest.fixture(autouse=True)
def own_tracking_uri() -> Generator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


def server_with_health(status: int) -> FastAPI:
    app = FastAPI()

    @app.get("/health")
    def health() -> Response:
        return Response("OK", status_code=status)

    return app


def test_a_local_store_is_there(trace_store_path: Path) -> None:
    uri = f"sqlite:///{trace_store_path}"
    mlflow.set_tracking_uri(uri)

    assert asyncio.run(MLflowTraceStore().check()) == {"store": uri}


def test_a_tracking_server_is_there() -> None:
    with running(server_with_health(200)) as url:
        mlflow.set_tracking_uri(url)
        assert asyncio.run(MLflowTraceStore().check()) == {"store": url}


def test_a_server_that_is_no_tracking_server_is_told() -> None:
    with running(server_with_health(404)) as url:
        mlflow.set_tracking_uri(url)
        with pytest.raises(TraceStoreUnavailable, match=f"MLflow's server at {url} does not answer as one"):
            asyncio.run(MLflowTraceStore().check())


def test_a_server_that_is_down_is_told_without_its_password(caplog: pytest.LogCaptureFixture) -> None:
    port = closed_port()
    mlflow.set_tracking_uri(f"http://admin:planted-secret@127.0.0.1:{port}")

    with pytest.raises(TraceStoreUnavailable) as caught:
        asyncio.run(MLflowTraceStore().check())

    assert caught.value.public_message == f"MLflow's store http://127.0.0.1:{port} does not answer"
    assert "planted-secret" not in caplog.text


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database at all, only text")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")

    with pytest.raises(TraceStoreUnavailable, match="does not answer"):
        asyncio.run(MLflowTraceStore().check())


def test_what_is_in_memory_is_flushed(trace_store_path: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{trace_store_path}")

    assert asyncio.run(MLflowTraceStore().flush(within=PATIENCE))
