"""Why a llama-stack server cannot be started."""

from agent.cli.exit_codes import ExitCode


class LlamaStackNotStarted(Exception):
    """The text names what failed and what to do next; `exit_code` is that of the command."""

    def __init__(self, text: str, *, exit_code: ExitCode = ExitCode.WRONG_INPUT) -> None:
        super().__init__(text)
        self.exit_code = exit_code
