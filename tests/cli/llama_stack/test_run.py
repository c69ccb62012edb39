"""`argocd-assistant llama-stack` up to the start of the server: what is written, and what each failure asks for."""

import json
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.cli.exit_codes import ExitCode
from agent.cli.llama_stack.distributions import DISTRIBUTIONS, LLAMA_STACK, OGX
from agent.cli.llama_stack.environment import environments_folder, for_server, install, installation, is_installed
from agent.cli.llama_stack.failure import LlamaStackNotStarted
from tests.cli.conftest import Run
from tests.fakes.openai_backend import ScriptedBackend
from tests.fakes.server import closed_port, free_port, running


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("BACKEND_URL", "BACKEND_API_KEY", "LLAMA_STACK_DISTRIBUTION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def backend_url() -> Generator[str]:
    with running(ScriptedBackend(models=["m1", "llama3.2:latest"]).app) as url:
        yield f"{url}/v1"


def listing(body: Any) -> Starlette:
    """A server whose list of models is `body`."""

    async def models(_: Request) -> JSONResponse:
        return JSONResponse(body)

    return Starlette(routes=[Route("/v1/models", models)])


class TestWriteOnly:
    @pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=lambda each: each.title)
    def test_the_files_are_written_and_the_commands_printed(self, run: Run, tmp_path: Path, distribution: Any) -> None:
        done = run(
            "llama-stack", "--write-only", "--distribution", distribution.name, "--port", "9000", "--folder", "s"
        )

        assert done.exit_code == 0
        assert (tmp_path / "s" / f"{distribution.name}.yaml").read_text() == distribution.configuration
        assert (tmp_path / "s" / f"{distribution.name}.txt").read_text() == distribution.requirements
        last = done.stdout.splitlines()[-1]
        assert f"s/environment/bin/{' '.join(distribution.command)} s/{distribution.name}.yaml --port 9000" in last
        assert "BACKEND_URL=http://localhost:11434/v1" in last
        assert str(tmp_path / "s" / "data") in last

    def test_a_folder_that_is_a_file_is_refused(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "s").write_text("")

        done = run("llama-stack", "--write-only", "--folder", "s")

        assert (done.exit_code, "choose another with --folder" in done.stderr) == (ExitCode.WRONG_INPUT, True)


class TestWhatIsMissing:
    """Nothing is installed before the model server is known to work."""

    def refused(self, run: Run, *options: str) -> str:
        done = run("llama-stack", "--port", str(free_port()), *options)
        assert done.exit_code == ExitCode.WRONG_INPUT
        assert not Path("cache").exists()
        return done.stderr

    def test_the_inference_server(self, run: Run) -> None:
        text = self.refused(run, "--backend-url", f"http://127.0.0.1:{closed_port()}/v1")

        assert "no inference server answers on" in text
        assert "ollama serve" in text

    def test_an_address_that_is_none(self, run: Run) -> None:
        assert "--backend-url" in self.refused(run, "--backend-url", "localhost:11434")

    def test_the_model(self, run: Run, backend_url: str) -> None:
        text = self.refused(run, "--backend-url", backend_url, "--model", "qwen3")

        assert "It has: m1, llama3.2:latest" in text
        assert "ollama pull qwen3" in text

    def test_the_key(self, run: Run) -> None:
        with running(ScriptedBackend(api_key="right").app) as url:
            assert "set BACKEND_API_KEY" in self.refused(run, "--backend-url", f"{url}/v1")

    @pytest.mark.parametrize("body", [{"data": []}, {"data": None}])
    def test_any_model(self, run: Run, body: Any) -> None:
        with running(listing(body)) as url:
            assert "has no model yet" in self.refused(run, "--backend-url", f"{url}/v1")

    @pytest.mark.parametrize("body", [[], {"models": []}, "text"])
    def test_the_list_of_models(self, run: Run, body: Any) -> None:
        with running(listing(body)) as url:
            assert "ends in /v1" in self.refused(run, "--backend-url", f"{url}/v1")

    def test_the_end_of_the_address(self, run: Run, backend_url: str) -> None:
        assert "answered 404" in self.refused(run, "--backend-url", backend_url.removesuffix("/v1"))

    def test_the_port(self, run: Run, backend_url: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            done = run("llama-stack", "--port", str(port), "--backend-url", backend_url)

        assert done.exit_code == ExitCode.WRONG_INPUT
        assert f"port {port} cannot be used" in done.stderr


def test_the_default_tag_of_ollama_may_be_left_out(
    run: Run, backend_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV", str(installer(tmp_path, "exit 7")))

    done = run("llama-stack", "--port", str(free_port()), "--backend-url", backend_url, "--model", "llama3.2")

    assert "has no model" not in done.stderr


# What `uv venv` makes, at its smallest.
ENVIRONMENT = 'mkdir -p "$5/bin" && touch "$5/bin/python"'


def installer(folder: Path, script: str) -> Path:
    """A program that takes the place of uv."""
    program = folder / "uv"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_a_failed_installation_shows_its_output_and_is_tried_again(
    run: Run, backend_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV", str(installer(tmp_path, "echo no route to the index; exit 7")))

    done = run("llama-stack", "--port", str(free_port()), "--backend-url", backend_url)

    assert done.exit_code == ExitCode.NOT_ANSWERED
    assert "no route to the index" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    environment = environments_folder({"XDG_CACHE_HOME": str(tmp_path / "cache")}) / LLAMA_STACK.title
    assert not is_installed(LLAMA_STACK.requirements, environment)


def test_a_server_that_ends_at_once_shows_its_last_lines(
    run: Run, backend_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = 'printf \'#!/bin/sh\\necho broken configuration; exit 3\\n\' >"$5/bin/llama"; chmod +x "$5/bin/llama"'
    script = f'[ "$1" = venv ] || exit 0\nmkdir -p "$5/bin"\n{server}'
    monkeypatch.setenv("UV", str(installer(tmp_path, script)))

    done = run("llama-stack", "--port", str(free_port()), "--backend-url", backend_url)

    assert done.exit_code == ExitCode.NOT_ANSWERED
    assert "Installing llama-stack-0.7.3" in done.stderr
    assert "broken configuration" in done.stderr


def test_an_installation_is_made_once_for_the_same_packages(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    variables = {"UV": str(installer(tmp_path, f'echo "$1" >>{calls}; [ "$1" != venv ] || {{ {ENVIRONMENT}; }}'))}
    environment = tmp_path / "environments" / "one"

    install("a==1\n", environment, variables=variables)
    install("a==1\n", environment, variables=variables)
    assert calls.read_text().split() == ["venv", "pip"]
    install("a==2\n", environment, variables=variables)
    assert calls.read_text().split() == ["venv", "pip"] * 2


def test_an_environment_that_was_moved_or_lost_its_python_is_made_anew(tmp_path: Path) -> None:
    variables = {"UV": str(installer(tmp_path, f'[ "$1" != venv ] || {{ {ENVIRONMENT}; }}'))}
    made, moved = tmp_path / "environments" / "one", tmp_path / "environments" / "two"

    install("a==1\n", made, variables=variables)
    assert is_installed("a==1\n", made)
    made.rename(moved)
    assert not is_installed("a==1\n", moved)
    install("a==1\n", moved, variables=variables)
    assert is_installed("a==1\n", moved)
    (moved / "bin" / "python").unlink()
    assert not is_installed("a==1\n", moved)


def test_an_installer_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LlamaStackNotStarted, match="nowhere"):
        install("a==1\n", tmp_path / "e" / "one", variables={"UV": "/nowhere/uv"})


def test_without_uv_the_packages_come_by_venv_and_pip(tmp_path: Path) -> None:
    make, fill = installation(tmp_path / "e", tmp_path / "list.txt", uv=None)

    assert make == [sys.executable, "-m", "venv", str(tmp_path / "e")]
    assert fill[:4] == [str(tmp_path / "e" / "bin" / "python"), "-m", "pip", "install"]


def test_the_server_gets_no_credentials_of_argo_cd(tmp_path: Path) -> None:
    variables = for_server({"ARGOCD_AUTH_TOKEN": "t", "PATH": "/bin", "HTTPS_PROXY": "p"}, tmp_path)

    assert json.dumps(variables, sort_keys=True) == json.dumps(
        {"HTTPS_PROXY": "p", "PATH": f"{tmp_path}/bin:/bin", "PYTHONUNBUFFERED": "1"}, sort_keys=True
    )


@pytest.mark.parametrize("distribution", [LLAMA_STACK, OGX])
def test_every_package_is_pinned(distribution: Any) -> None:
    lines = [line for line in distribution.requirements.splitlines() if line and not line.startswith("#")]

    assert f"{distribution.name}=={distribution.version}" in lines
    assert [line for line in lines if "==" not in line.partition(";")[0]] == []
