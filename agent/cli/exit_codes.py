"""The exit codes of the commands, as the epilogs of their help list them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How `ask` ended; `evaluate` and `serve` use the same codes."""

    ANSWERED = 0
    NOT_ANSWERED = 1
    WRONG_INPUT = 2
    WITHOUT_MODEL = 3
    NOTHING_READ = 4
    INTERRUPTED = 130


class FindingsExitCode(IntEnum):
    """How `findings` or `triage` ended."""

    NO_ERROR = 0
    ERROR = 1
    WRONG_INPUT = 2
    INTERRUPTED = 130
