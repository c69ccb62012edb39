"""An environment of its own for a server, because its packages clash with MLflow's.

Owns where it is kept, and its installation with uv, or with venv and pip where there is no uv.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from agent.cli.exit_codes import ExitCode
from agent.cli.llama_stack.failure import LlamaStackNotStarted

# Seconds. An installation may download 300 MB.
_INSTALLATION = 1_200


def environments_folder(variables: Mapping[str, str]) -> Path:
    """Where environments are kept: below XDG_CACHE_HOME, or `~/.cache`."""
    base = variables.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "argocd-assistant" / "servers"


def is_installed(requirements: str, environment: Path) -> bool:
    """Whether `environment` has exactly these packages, for this Python, and works where it is: its commands name the
    folder that they were installed in, and its Python is a link."""
    stamp = environment / "requirements.sha256"
    python = environment / "bin" / "python"
    return python.exists() and stamp.exists() and stamp.read_text() == _digest(requirements, environment)


def install(requirements: str, environment: Path, *, variables: Mapping[str, str]) -> None:
    """Makes `environment` with `requirements` (pip's format, complete), unless it is there.

    One process at a time does it. `variables` are the environment variables of the installer.
    Raises LlamaStackNotStarted with the installer's output.
    """
    environment.parent.mkdir(parents=True, exist_ok=True)
    with environment.with_name(f"{environment.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed(requirements, environment):
            return
        shutil.rmtree(environment, ignore_errors=True)
        listed = environment.with_name(f"{environment.name}.txt")
        listed.write_text(requirements)
        for command in installation(environment, listed, uv=find_uv(variables)):
            _run(command, variables)
        (environment / "requirements.sha256").write_text(_digest(requirements, environment))


def installation(environment: Path, listed: Path, *, uv: str | None) -> list[list[str]]:
    """The commands that install the packages `listed` in a file; `uv` is its path, None: venv and pip."""
    python = str(environment / "bin" / "python")
    packages = ["--quiet", "--no-deps", "--requirement", str(listed)]
    if uv:
        return [
            [uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
            [uv, "pip", "install", "--python", python, *packages],
        ]
    return [[sys.executable, "-m", "venv", str(environment)], [python, "-m", "pip", "install", *packages]]


def find_uv(variables: Mapping[str, str]) -> str | None:
    """`uv` of $UV, of the PATH, or beside this Python."""
    if named := variables.get("UV") or shutil.which("uv", path=variables.get("PATH")):
        return named
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else None


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            command,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_INSTALLATION,
            text=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(command, f"{type(error).__name__}: {error}") from error
    if done.returncode != 0:
        raise _failed(command, done.stdout.strip()[-3_000:])


def _failed(command: list[str], output: str) -> LlamaStackNotStarted:
    return LlamaStackNotStarted(
        f"the installation failed: {' '.join(command)}\n{output}\n"
        "Check the connection to the package index (UV_INDEX_URL, PIP_INDEX_URL, a proxy) and start again.",
        exit_code=ExitCode.NOT_ANSWERED,
    )


def _digest(requirements: str, environment: Path) -> str:
    return hashlib.sha256(f"{requirements}\0{sys.version}\0{environment.absolute()}".encode()).hexdigest()


def for_server(variables: Mapping[str, str], environment: Path) -> dict[str, str]:
    """The environment variables of a server: those of this process without the credentials of Argo CD."""
    kept = {name: value for name, value in variables.items() if not name.startswith(("ARGOCD_", "PYTHON", "VIRTUAL_"))}
    path = f"{environment / 'bin'}{os.pathsep}{variables.get('PATH', os.defpath)}"
    return kept | {"PATH": path, "PYTHONUNBUFFERED": "1"}
