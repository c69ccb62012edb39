"""The command line in this process, and the files, Argo CD and cluster that it is given."""

import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from typer.testing import CliRunner, Result

from agent.cli.commands import app
from tests.context.manifests import DEPLOYMENT, POD, REPLICA_SET, application, event
from tests.fakes import argocd, kubernetes
from tests.fakes.lightspeed import TOKEN, FakeLightspeed, lightspeed
from tests.fakes.server import running

type Run = Callable[..., Result]
type Write = Callable[[str, Any], str]


@pytest.fixture
def run() -> Run:
    """Runs the command line with some arguments, and text on standard input."""

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        # Wide, so that no word of a message is broken.
        return CliRunner(env={"COLUMNS": "400"}).invoke(app, arguments, input=stdin)

    return invoke


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and gives its path: objects as YAML or JSON by the name, several as documents, text as it is."""

    def written(name: str, content: Any) -> str:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content)
        elif name.endswith(".json"):
            path.write_text(json.dumps(content))
        else:
            path.write_text(yaml.safe_dump_all(cast("list[Any]", content) if isinstance(content, list) else [content]))
        return str(path)

    return written


@pytest.fixture
def broken_pod(write: Write) -> str:
    """A file with a Pod that was killed for its memory."""
    return write("pod.yaml", POD)


@pytest.fixture(scope="module")
def lightspeed_server() -> Generator[FakeLightspeed]:
    with lightspeed(log_level="critical") as fake:
        yield fake


@pytest.fixture
def model(lightspeed_server: FakeLightspeed, monkeypatch: pytest.MonkeyPatch) -> FakeLightspeed:
    """A model that answers, through Lightspeed."""
    lightspeed_server.forget()
    monkeypatch.setenv("LIGHTSPEED_URL", lightspeed_server.url)
    monkeypatch.setenv("LIGHTSPEED_TOKEN", TOKEN)
    monkeypatch.setenv("ASSISTANT_PROVIDER_RETRIES", "0")
    return lightspeed_server


@pytest.fixture
def argocd_server(monkeypatch: pytest.MonkeyPatch) -> Generator[argocd.FakeArgoCD]:
    """Argo CD with the Application `shop`, whose Deployment is broken."""
    fake = argocd.FakeArgoCD()
    fake.add_application(application())
    fake.add_resource("shop", DEPLOYMENT, health="Degraded")
    fake.add_resource("shop", REPLICA_SET, parent=DEPLOYMENT)
    fake.add_resource("shop", POD, parent=REPLICA_SET, health="Degraded", restarts=7)
    fake.add_events("uid-shop", [event(application(), "OperationCompleted", "Sync failed")])
    with running(fake.app) as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", argocd.TOKEN)
        yield fake


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[kubernetes.FakeKubernetes]:
    """The cluster itself, by a kubeconfig."""
    fake = kubernetes.FakeKubernetes()
    fake.add(DEPLOYMENT, REPLICA_SET, POD)
    fake.add_log("web-5d9-x1", "api", ["allocating 512 MiB"], previous=True)
    with running(fake.app) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubernetes.write_kubeconfig(tmp_path / "kubeconfig", url)))
        monkeypatch.setenv("ASSISTANT_KUBERNETES", "auto")
        yield fake


def read_all(terminal: int) -> str:
    """What was written on the other side of a pty, until that is closed."""
    parts: list[bytes] = []
    try:
        while part := os.read(terminal, 65_536):
            parts.append(part)
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(terminal)
    return b"".join(parts).decode()
