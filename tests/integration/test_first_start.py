"""The README's first start with a model, executed as written where nothing but the wheel is installed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from agent.cli.exit_codes import ExitCode
from agent.cli.llama_stack.distributions import DISTRIBUTIONS, DistributionName
from agent.cli.llama_stack.environment import find_uv, install
from tests.docs.pages import README, ROOT, code_blocks
from tests.fakes.openai_backend import Reply, ScriptedBackend
from tests.fakes.server import PATIENCE, free_port
from tests.integration.llama_stack_servers import LLAMA_STACK, OGX, installed
from tests.integration.processes import poll, server_process

pytestmark = pytest.mark.integration

# As in `llama_stack_servers`: HOME is a test's own later, and uv's packages are below it.
_INSTALLER = dict(os.environ)
_CACHE = ROOT / ".cache"
_MODEL = "m1"  # the scripted backend's


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _uv("build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path) -> Path:
    """The `bin` of an environment with the wheel and what it depends on; the packages are installed once."""
    locked = _uv(
        "export", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes", "--quiet", "--directory", str(ROOT)
    )
    environment = _CACHE / "wheel"
    install(locked, environment, variables=_INSTALLER)
    python = str(environment / "bin" / "python")
    _uv("pip", "install", "--quiet", "--no-deps", "--reinstall", "--python", python, str(wheel))
    return environment / "bin"


def _uv(*arguments: str) -> str:
    uv = find_uv(_INSTALLER)
    command = [uv, *arguments] if uv else [sys.executable, "-m", "uv", *arguments]
    done = subprocess.run(command, env=_INSTALLER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def first_start() -> str:
    (block,) = [block for block in code_blocks(README, "console") if "argocd-assistant llama-stack" in block]
    return block


@contextmanager
def ending_what_it_started(folder: Path, port: int) -> Generator[None]:
    try:
        yield
    finally:
        noted = folder / ".llama-stack" / "server.pid"
        if noted.exists():
            os.killpg(int(noted.read_text()), signal.SIGTERM)
            poll(lambda: None if _answers(port) else True, what="the server's end")


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v1/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("name", [*DISTRIBUTIONS])
def test_the_first_start_of_the_readme_ends_in_an_answer(
    name: DistributionName, bare: Path, backend: ScriptedBackend, backend_url: str, tmp_path: Path
) -> None:
    installed({LLAMA_STACK.name: LLAMA_STACK, OGX.name: OGX}[DISTRIBUTIONS[name].title])
    backend.answer(Reply(deltas=("The image ", "cannot be pulled.")))
    programs = tmp_path / "programs"
    programs.mkdir()
    ollama = programs / "ollama"
    calls = tmp_path / "calls.txt"
    ollama.write_text(f'#!/bin/sh\necho "$OLLAMA_CONTEXT_LENGTH $ASSISTANT_MODEL_WINDOW $*" >>{calls}\n')
    ollama.chmod(0o755)
    port = free_port()
    variables = {
        "PATH": os.pathsep.join([str(programs), str(bare), os.defpath]),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(_CACHE),
        "BACKEND_URL": backend_url,
        "LLAMA_STACK_DISTRIBUTION": name,
        "MODEL": _MODEL,
        "PORT": str(port),
    }
    bash = shutil.which("bash")
    assert bash

    with ending_what_it_started(tmp_path, port):
        done = subprocess.run(
            [bash, "-eu", "-c", first_start()],
            env=variables,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert "The image cannot be pulled." in done.stdout
        assert f"Starting {DISTRIBUTIONS[name].title} in front of {backend_url}" in done.stderr
        assert "Installing" not in done.stderr
    (asked,) = backend.requests
    assert (asked.model, "What does ImagePullBackOff mean?" in asked.all_text) == (_MODEL, True)
    assert set(calls.read_text().splitlines()) == {"8192 8192 serve", "8192 8192 list", f"8192 8192 pull {_MODEL}"}


def test_a_server_in_the_foreground_ends_with_the_command(
    backend: ScriptedBackend, backend_url: str, tmp_path: Path
) -> None:
    installed(LLAMA_STACK)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "agent.cli", "llama-stack", "--port", str(port), "--backend-url", backend_url]
    variables = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(_CACHE)}

    with server_process(command, url=url, health="/v1/health", cwd=tmp_path, env=variables) as server:
        poll(lambda: "To stop it: Ctrl-C" in server.output or None, what="the settings to export")
        assert f"LLAMASTACK_BASE_URL={url} LLAMASTACK_MODEL=backend/{_MODEL}" in server.output
        assert server.terminate() == ExitCode.INTERRUPTED

    assert not _answers(port)


def test_the_port_the_model_and_no_more_are_variables_of_the_block() -> None:
    assert set(re.findall(r"\$\{(\w+):-", first_start())) == {"MODEL", "PORT"}


def test_the_python_example_of_the_readme_runs_in_an_empty_folder_without_a_warning(bare: Path, tmp_path: Path) -> None:
    [example] = [block for block in code_blocks(README, "python") if "ArgoCDAssistant" in block]
    (tmp_path / "example.py").write_text(example)

    done = subprocess.run(
        [bare / "python", "-W", "error", "example.py"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "ASSISTANT_KUBERNETES": "off"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stderr
    assert "error Image registry.example.com/web:2.0 of container web cannot be pulled" in done.stdout
    assert "Warning" not in done.stderr
    assert "Unclosed" not in done.stderr


def test_the_wheel_has_the_configuration_of_each_server(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {f"serve/llama-stack/{name}.{end}" for name in DISTRIBUTIONS for end in ("yaml", "txt")} <= names
