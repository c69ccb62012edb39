"""`python -m agent.cli`: the command line without the console script."""

from agent.cli import main

if __name__ == "__main__":
    main()
