"""`python -m agent.cli`: the command line without the console script."""

from agent.cli.commands import app

if __name__ == "__main__":
    app()
