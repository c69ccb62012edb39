"""The servers that ship: for each its configuration, its pinned packages and its command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files


class DistributionName(StrEnum):
    """llama-stack was renamed OGX; both are in use."""

    LLAMA_STACK = "llama-stack"
    OGX = "ogx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """`command` is what the environment's `bin` offers, before the configuration; `options` follow it."""

    name: DistributionName
    version: str
    command: tuple[str, ...]
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def title(self) -> str:
        """Name and version, as the environment's folder is called: `ogx-1.5.0`."""
        return f"{self.name}-{self.version}"

    @property
    def configuration(self) -> str:
        """The run configuration, YAML."""
        return _shipped(f"{self.name}.yaml")

    @property
    def requirements(self) -> str:
        """The pinned packages, as pip reads them."""
        return _shipped(f"{self.name}.txt")


def _shipped(name: str) -> str:
    # The folder's name is no name of a package, so it is read below its parent.
    return (files("serve") / "llama-stack" / name).read_text("utf-8")


LLAMA_STACK = Distribution(
    name=DistributionName.LLAMA_STACK,
    version="0.7.3",
    command=("llama", "stack", "run"),
    environment={"LLAMA_STACK_LOG_FORMAT": "json"},  # the default format blocks the server for seconds on each error
)
OGX = Distribution(
    name=DistributionName.OGX,
    version="1.5.0",
    command=("ogx", "run"),
    options=("--insecure",),  # it refuses to listen without TLS otherwise, even on this machine alone
    environment={"OGX_LOG_FORMAT": "json"},
)
DISTRIBUTIONS = {each.name: each for each in (LLAMA_STACK, OGX)}
