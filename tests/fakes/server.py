"""Runs an ASGI app as a real HTTP server on a free port of this machine, in a thread of its own."""

import random
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

PATIENCE = 180.0
"""Seconds a test waits for what must happen before it fails: long enough for the busiest machine."""

_closed: list[socket.socket] = []


class _Server(uvicorn.Server):
    """Says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


@contextmanager
def running(app: Any, **options: Any) -> Generator[str]:
    """The base URL of `app` while the block runs. `options` are uvicorn's (`ssl_certfile`, ...)."""
    options = {"log_level": "warning", "lifespan": "off", "timeout_graceful_shutdown": 1} | options
    server = _Server(uvicorn.Config(app, **options))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        if not server.accepting.wait(PATIENCE):
            raise RuntimeError("the fake server did not start")
        scheme = "https" if options.get("ssl_certfile") else "http"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def closed_port() -> int:
    """A port on which nothing listens, nor will while the tests run: it stays bound."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    _closed.append(bound)
    return bound.getsockname()[1]


def free_port() -> int:
    """A port for a server that has to be given one.

    It is taken from below those that systems hand out of their own accord, so that no other test gets it meanwhile.
    """
    for port in random.SystemRandom().sample(range(10_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port was found")
