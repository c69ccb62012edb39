"""The command line: `argocd-assistant ask`, `findings`, `evaluate`, `serve`, `llama-stack`, `demo`,
`version`.

`commands` declares them, `files` reads what `ask` is given, `ask` runs the turn, `screen` shows it; `manifest_stream`
reads what `findings` is given, `findings` judges it, `findings_table` lists it. Each command imports what it needs when
it runs, so that `--help` is quick and `ask` needs no MLflow.
"""


def main() -> None:
    """The console script."""
    from agent.cli.commands import app

    app()
