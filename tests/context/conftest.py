"""The two APIs with a broken Deployment in them, and the settings that lead there."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.context.manifests import DEPLOYMENT, POD, REPLICA_SET, application, event
from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.fakes.kubernetes import FakeKubernetes, write_kubeconfig
from tests.fakes.recording import Stage, stage

LAST_WORDS = ["cache is growing", "allocating 512 MiB"]


@pytest.fixture(scope="session")
def argocd_stage() -> Generator[Stage]:
    with stage() as found:
        yield found


@pytest.fixture(scope="session")
def kubernetes_stage() -> Generator[Stage]:
    with stage() as found:
        yield found


@pytest.fixture
def argocd(argocd_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Generator[FakeArgoCD]:
    """Argo CD with the Application `shop`, configured as ARGOCD_SERVER."""
    fake = FakeArgoCD()
    fake.add_application(application())
    fake.add_resource("shop", DEPLOYMENT, health="Degraded")
    fake.add_resource("shop", REPLICA_SET, parent=DEPLOYMENT)
    fake.add_resource("shop", POD, parent=REPLICA_SET, health="Degraded", restarts=7)
    fake.add_events("uid-shop", [event(application(), "OperationCompleted", "Sync failed")])
    fake.add_events("uid-web", None)
    fake.add_events("uid-web-5d9-x1", [event(POD, "BackOff", "Back-off restarting failed container")])
    fake.add_log("web-5d9-x1", "api", LAST_WORDS, previous=True)
    with argocd_stage.playing(fake) as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        yield fake


@pytest.fixture
def kubernetes(kubernetes_stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[FakeKubernetes]:
    """The cluster itself, configured by a kubeconfig."""
    fake = FakeKubernetes()
    fake.add(application(), DEPLOYMENT, REPLICA_SET, POD)
    fake.add(event(application(), "OperationCompleted", "Sync failed"))
    fake.add(event(POD, "BackOff", "Back-off restarting failed container"))
    fake.add_log("web-5d9-x1", "api", LAST_WORDS, previous=True)
    with kubernetes_stage.playing(fake) as url:
        monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "kubeconfig", url)))
        monkeypatch.setenv("ASSISTANT_KUBERNETES", "auto")
        yield fake


@pytest.fixture
def kubernetes_url(kubernetes_stage: Stage) -> str:
    """Where the fake cluster is."""
    return kubernetes_stage.url


@pytest.fixture
def argocd_url(argocd_stage: Stage) -> str:
    """Where the fake Argo CD is."""
    return argocd_stage.url
