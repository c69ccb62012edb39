"""Which certificates of an Argo CD server are accepted, and what is said of the others."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.context.asking import ARGOCD_TOKEN, SHOP, collect, gaps, messages
from tests.context.manifests import application
from tests.fakes.argocd import FakeArgoCD
from tests.fakes.certificates import Certificate, self_signed
from tests.fakes.server import closed_port


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return self_signed(tmp_path)


@pytest.fixture
def server(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Generator[FakeArgoCD]:
    fake = FakeArgoCD()
    fake.add_application(application())
    with fake.serving(ssl_certfile=str(certificate.path), ssl_keyfile=str(certificate.key_path)) as url:
        monkeypatch.setenv("ARGOCD_SERVER", url.removeprefix("https://"))
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", ARGOCD_TOKEN)
        yield fake


def test_a_certificate_of_the_ca_bundle_is_trusted(
    server: FakeArgoCD, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ARGOCD_CA_BUNDLE", str(certificate.path))
    assert collect(application=SHOP).gaps == ()


def test_an_untrusted_certificate_is_a_gap_that_says_what_to_set(server: FakeArgoCD):
    context = collect(application=SHOP)
    assert gaps(context)[0] == ("application", "argocd", "unreachable")
    assert "is not trusted: set ARGOCD_CA_BUNDLE" in messages(context)
    assert server.requests == []


def test_the_environment_of_requests_does_not_decide_whom_to_trust(
    server: FakeArgoCD, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    assert gaps(collect(application=SHOP))[0] == ("application", "argocd", "unreachable")


def test_any_certificate_is_accepted_where_that_is_asked_for(server: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARGOCD_INSECURE", "true")
    assert collect(application=SHOP).gaps == ()


def test_a_ca_bundle_that_is_not_there_is_named(server: FakeArgoCD, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("ARGOCD_CA_BUNDLE", str(tmp_path / "absent.pem"))
    context = collect(application=SHOP)
    assert gaps(context)[0] == ("application", "argocd", "unavailable")
    assert "check ARGOCD_CA_BUNDLE" in messages(context)


def test_a_ca_bundle_that_holds_no_certificate_is_named(
    server: FakeArgoCD, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "empty.pem").write_text("no certificate")
    monkeypatch.setenv("ARGOCD_CA_BUNDLE", str(tmp_path / "empty.pem"))
    context = collect(application=SHOP)
    assert gaps(context)[0] == ("application", "argocd", "unavailable")
    assert "ARGOCD_CA_BUNDLE holds no certificate" in messages(context)


def test_a_server_without_tls_is_asked_by_its_scheme(
    argocd: FakeArgoCD, argocd_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ARGOCD_SERVER", argocd_url.removeprefix("http://"))
    context = collect(application=SHOP)
    assert gaps(context)[0] == ("application", "argocd", "unreachable")
    assert "check ARGOCD_SERVER (http:// or https://)" in messages(context)


def test_a_server_that_is_away_is_said_to_be(monkeypatch: pytest.MonkeyPatch):
    port = closed_port()
    monkeypatch.setenv("ARGOCD_SERVER", f"http://127.0.0.1:{port}")
    context = collect(application=SHOP)
    assert gaps(context) == [("application", "argocd", "unreachable"), ("events", "argocd", "unreachable")]
    assert f"Argo CD at 127.0.0.1:{port} could not be reached (connection refused)" in messages(context)


def test_a_certificate_for_another_name_asks_for_no_ca_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    other = self_signed(tmp_path, host="argocd.example.com", address="192.0.2.1")
    monkeypatch.setenv("ARGOCD_CA_BUNDLE", str(other.path))
    with FakeArgoCD().serving(ssl_certfile=str(other.path), ssl_keyfile=str(other.key_path)) as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        context = collect(application=SHOP)

    assert gaps(context)[0] == ("application", "argocd", "unreachable")
    assert "is for another name: set ARGOCD_SERVER to a name in it" in messages(context)
    assert "ARGOCD_CA_BUNDLE" not in messages(context)
