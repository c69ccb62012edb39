"""The demo as a newcomer sees it, with the real MLflow store and the real server."""

import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agent.cli.demo.run import run_demo
from tests.conftest import TraceStore

pytestmark = pytest.mark.integration


def test_the_demo_names_both_causes_with_their_evidence_and_the_traces(tmp_path: Path) -> None:
    output = StringIO()

    code = run_demo(folder=tmp_path / "demo", console=Console(file=output, width=120))

    text = output.getvalue()
    assert code == 0, text
    oom, hook = text.split("An Application whose sync failed")
    for evidence in ("Container api is OOMKilled", "exit code 137", "256Mi"):
        assert evidence in oom
    for evidence in ("PreSync hook Job", "payments-migrate-0042", "Job has reached the specified backoff limit"):
        assert evidence in hook
    assert text.count("predict_stream > collect > analyze > compose > turn") == 2


def test_a_demo_that_cannot_go_on_says_why_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", "few")
    output = StringIO()

    code = run_demo(folder=tmp_path / "demo", console=Console(file=output, width=120))

    assert code == 1
    assert "ASSISTANT_CONTEXT_TOKENS" in output.getvalue()


def test_a_small_installation_names_the_package_that_the_demo_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traces: TraceStore
) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    output = StringIO()

    code = run_demo(folder=tmp_path / "demo", console=Console(file=output, width=60))

    assert code == 1
    assert "pip install 'argocd-assistant[mlflow]'" in output.getvalue()
