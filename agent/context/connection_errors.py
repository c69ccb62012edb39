"""Why a server could not be reached, derived from the error of any HTTP library. Owns the wording."""

import socket
from collections.abc import Iterator
from itertools import islice

# urllib3 and requests wrap an error of the system five times over.
_DEEPEST = 20


def why_unreachable(error: BaseException) -> str:
    """Return `connection refused`, `connection reset`, `name not found`, `no route to it` or `timed out`; "" for any
    other cause."""
    for each in islice(_causes(error), _DEEPEST):
        match each:
            case socket.gaierror():
                return "name not found"
            case ConnectionRefusedError():
                return "connection refused"
            case ConnectionResetError():
                return "connection reset"
            case TimeoutError():
                return "timed out"
            case OSError() if each.strerror in {"No route to host", "Network is unreachable"}:
                return "no route to it"
            case _:
                pass
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, outermost first."""
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        yield each
        made_of = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args[:2])
        waiting += [part for part in made_of if isinstance(part, BaseException)]
