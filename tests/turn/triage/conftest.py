"""An Argo CD with a fleet of ten Applications, three of them in trouble."""

from collections.abc import Generator

import pytest

from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.turn.triage.fleet import fleet


@pytest.fixture
def argocd(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeArgoCD]:
    """Configured as ARGOCD_SERVER."""
    fake = fleet(10, resources=3)
    with fake.serving() as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        yield fake
