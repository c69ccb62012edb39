"""A script of a user's own, and an evaluation, on real servers: both end without a warning, all connections closed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.openai_backend import Reply, ScriptedBackend
from tests.fakes.server import PATIENCE

pytestmark = pytest.mark.integration

SCRIPT = """
from agent import ArgoCDAssistant

assistant = ArgoCDAssistant.from_environment()
print(assistant.predict({"input": "What is a PDB?"}).output[0].content[0]["text"])
for event in assistant.predict_stream({"input": "What is a PDB?"}):
    if event.type == "response.output_text.delta":
        print(event.delta, end="")
"""
# Of Python's development mode: https://docs.python.org/3/library/devmode.html
COMPLAINTS = ("Unclosed", "ResourceWarning", "never awaited", "never retrieved", "Traceback")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-W", "error", "script.py"),
        ("-m", "agent.cli", "evaluate", "--only", "oom"),  # MLflow's evaluation uses what pandas is to change
    ],
    ids=["script", "evaluate"],
)
def test_it_ends_with_all_connections_closed(
    responses_server: str, arguments: tuple[str, ...], backend: ScriptedBackend, tmp_path: Path
) -> None:
    backend.answer(Reply(deltas=("It limits ", "disruptions.")))
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {
        **os.environ,
        "LLAMASTACK_BASE_URL": responses_server,
        "ASSISTANT_KUBERNETES": "off",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
    }

    done = subprocess.run(
        [sys.executable, "-X", "dev", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stderr
    assert [complaint for complaint in COMPLAINTS if complaint in done.stderr] == []
    assert backend.requests
    assert "script.py" not in arguments or done.stdout.count("It limits disruptions.") == 2
