"""Commands that the container runtime cannot start, as its message names them.

Source of the wording: Go's os/exec (https://pkg.go.dev/os/exec#ErrNotFound), which runc and containerd use.
"""

import re
from dataclasses import dataclass

from agent.findings.engine.container import Container
from agent.findings.engine.evidence import one_line

_MESSAGE = re.compile(
    r"exec: \\?\"(?P<command>[^\"\\]{1,400})\\?\": (?:(?:\w+ )?[^\s:]{1,400}: )?(?P<why>"
    r"executable file not found in \$PATH|permission denied|no such file or directory|is a directory|"
    r"exec format error)|"
    r"(?:fork/exec|exec) (?P<path>/[^\s:\"]{1,400}): (?P<reason>permission denied|no such file or directory|"
    r"is a directory|exec format error)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnstartableCommand:
    """A command that cannot be started, and why."""

    command: str
    why: str

    def __str__(self) -> str:
        return f"{self.command}: {self.why}"

    def step(self, container: Container) -> str:
        """What to do about it."""
        image = one_line(container.spec_text("image"), 120)
        of = f"image {image}" if image else "the image"
        if self.why == "permission denied":
            return f"Make {self.command} executable (`chmod +x`) in {of}, or start it by its interpreter in command."
        if self.why == "exec format error":
            return (
                f"Use an image for the node's architecture, or give {self.command} of {of} an interpreter line (`#!`): "
                "the kernel cannot run it."
            )
        if self.why == "is a directory":
            return f"Name a program in command: {self.command} is a directory in {of}."
        return (
            f"In Git, correct command or args of container {container.name}, or use an image with {self.command}: "
            f"{of} does not have it (a script can also be there while its interpreter is not)."
        )


def unstartable_command(message: str) -> UnstartableCommand | None:
    """The command in a message of the container runtime, None where it names none."""
    match = _MESSAGE.search(message[:4_000])
    if match is None:
        return None
    command, why = match["command"] or match["path"], match["why"] or match["reason"]
    return UnstartableCommand(command=one_line(command, 120), why=why)
