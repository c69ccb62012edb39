"""The command line: `argocd-assistant ask`, `serve`, `demo`, `version`.

`commands` declares them, `files` reads what `ask` is given, `ask` runs the turn, `screen` shows it. Each command
imports what it needs when it runs, so that `--help` is quick and `ask` needs no MLflow.
"""


def main() -> None:
    """The console script."""
    from agent.cli.commands import app

    app()
