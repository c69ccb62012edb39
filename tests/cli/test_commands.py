"""The commands beside `ask`, and what no command loads before it needs it."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest

import agent.cli.demo.run
import serve.run
from agent.cli.exit_codes import ExitCode, FindingsExitCode
from agent.errors import SettingsError
from tests.cli.conftest import Run

HEAVY = ["mlflow", "kubernetes", "llama_stack_client", "openai", "pandas", "fastapi"]


def loaded_by(*arguments: str, exit_code: int = 0) -> set[str]:
    """The modules that a run of the command line has loaded at its end."""
    code = (
        "import json, sys, agent.cli\n"
        f"sys.argv = ['argocd-assistant', *{list(arguments)!r}]\n"
        "try:\n    agent.cli.main()\n"
        "except SystemExit as end:\n"
        f"    assert (end.code or 0) == {exit_code}, end\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_names_every_command_and_loads_none(run: Run) -> None:
    help_text = run("--help").stdout

    assert all(
        re.search(rf"^.{{0,2}} {name} ", help_text, re.MULTILINE)
        for name in ("ask", "findings", "evaluate", "serve", "demo", "version")
    )
    loaded = loaded_by("--help")
    assert not loaded & {*HEAVY, "httpx", "pydantic", "agent.turn.assistant", "agent.request.question"}


@pytest.mark.parametrize(
    ("typed", "completed"), [("argocd-assistant fin", "findings"), ("argocd-assistant ask --res", "--resource")]
)
def test_the_shell_completes_commands_and_options(typed: str, completed: str) -> None:
    # What the script of `--show-completion bash` runs at each Tab.
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "import sys, agent.cli; sys.argv = ['argocd-assistant']; agent.cli.main()"],
        env={**os.environ, **asked, "_ARGOCD_ASSISTANT_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [completed]


def test_asking_loads_nothing_that_it_does_not_use() -> None:
    loaded = loaded_by("ask", "--app", "argocd/web", "Why?", exit_code=4)

    assert "agent.turn.assistant" in loaded
    assert not loaded & set(HEAVY)


def test_the_help_of_ask_tells_every_exit_code(run: Run) -> None:
    help_text = run("ask", "--help").stdout

    assert all(re.search(rf"\b{code.value} \w", help_text) for code in ExitCode)


def test_the_help_of_findings_tells_every_exit_code(run: Run) -> None:
    help_text = run("findings", "--help").stdout

    assert all(re.search(rf"\b{code.value} \w", help_text) for code in FindingsExitCode)


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    assert "Usage:" in run().output


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("version").stdout == version("argocd-assistant") + "\n"
    assert run("--version").stdout == version("argocd-assistant") + "\n"


def test_the_help_of_triage_tells_its_own_exit_codes(run: Run) -> None:
    help_text = run("triage", "--help").stdout

    assert all(re.search(rf"\b{code.value} \w", help_text) for code in FindingsExitCode)
    assert "a file cannot be read" not in help_text


def test_what_help_says_is_shown_whole(run: Run) -> None:
    assert "argocd-assistant-evaluation" in run("evaluate", "--help").stdout
    assert "Unset: this code" in run("serve", "--help").stdout


def test_serve_runs_the_server_as_it_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []

    def note(**options: Any) -> None:
        calls.append(options)

    monkeypatch.setattr(serve.run, "run_server", note)

    assert run("serve").exit_code == 0
    assert run("serve", "--host", "0.0.0.0", "--port", "0", "--model", "models:/a@champion").exit_code == 0
    assert run("serve", "--workers", "2", "--access-log").exit_code == 0
    plain = {"host": "127.0.0.1", "port": 8080, "model": None, "workers": 1, "access_log": False}
    assert calls == [
        plain,
        plain | {"host": "0.0.0.0", "port": 0, "model": "models:/a@champion"},
        plain | {"workers": 2, "access_log": True},
    ]


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_serve_refuses_what_is_no_port(run: Run, port: str) -> None:
    assert run("serve", "--port", port).exit_code == 2


def test_serve_tells_a_wrong_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**options: Any) -> None:
        raise SettingsError("ARGOCD_SERVER: must be a valid address")

    monkeypatch.setattr(serve.run, "run_server", fail)

    result = run("serve")

    assert result.exit_code == 2
    assert result.stderr == "error: ARGOCD_SERVER: must be a valid address\n"


@pytest.mark.parametrize("code", [0, 1])
def test_the_demo_ends_as_it_went(run: Run, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(agent.cli.demo.run, "run_demo", lambda: code)

    assert run("demo").exit_code == code
