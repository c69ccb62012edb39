"""A file `agent.py` of the user's own that hides the package: it is named, instead of an error about a module."""

import sys
from importlib.util import find_spec


def check_package() -> None:
    """End the process with what to do if `agent` is another file than this package."""
    spec = find_spec("agent")
    if spec is not None and spec.submodule_search_locations is None:
        sys.stderr.write(
            f"error: {spec.origin} hides the package `agent` of Argo CD Assistant: rename it, or start Python in "
            "another folder (`python -P` leaves the working folder out)\n"
        )
        sys.exit(2)
