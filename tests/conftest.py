"""What every test gets: an environment without this machine's own settings."""

import os

import pytest

_OURS = ("ASSISTANT_", "LLAMASTACK_", "LIGHTSPEED_", "ARGOCD_", "KUBE", "MLFLOW_", "OGX_", "LLAMA_STACK_")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No configuration, no kubeconfig, no proxy: a test sets what it needs."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))
    monkeypatch.setenv("ASSISTANT_KUBERNETES", "off")
