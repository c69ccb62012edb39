"""The broken targets that ship with the package, as request bodies that can be posted as they are.

Owns the loading of `scenarios/*.json`; each file is the body of one request, with all the context it needs.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoScenario:
    """A target with the question about it. `name` is the file's, `body` the request body for `/invocations`."""

    name: str
    title: str
    body: dict[str, Any]

    @property
    def question(self) -> str:
        """The question the body asks."""
        return self.body["input"][-1]["content"]


_TITLES = {
    "oom-killed": "A Deployment whose pods are OOMKilled",
    "failed-presync-hook": "An Application whose sync failed",
}


def load_scenarios() -> tuple[DemoScenario, ...]:
    """The shipped scenarios, always in the same order. Each call gives bodies of its own."""
    folder = files("agent.cli.demo") / "scenarios"
    return tuple(
        DemoScenario(name=name, title=title, body=json.loads((folder / f"{name}.json").read_text("utf-8")))
        for name, title in _TITLES.items()
    )
