"""What the fake APIs have in common: the requests they saw, failures to order, and answers held back."""

import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.fakes.server import PATIENCE, running


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    connection: tuple[str, int] | None = None

    def __str__(self) -> str:
        query = "&".join(f"{key}={value}" for key, value in sorted(self.query.items()))
        return f"{self.method} {self.path}?{query}"


@dataclass
class Recording:
    """Requests, in order of arrival, and what is to happen to those whose path ends as ordered."""

    requests: list[Seen] = field(default_factory=list[Seen])
    _failures: dict[str, Response] = field(default_factory=dict[str, Response])
    _held: dict[str, threading.Event] = field(default_factory=dict[str, threading.Event])
    _arrived: dict[str, threading.Event] = field(default_factory=dict[str, threading.Event])
    _under_way: int = 0
    most_at_once: int = 0

    def paths(self) -> list[str]:
        """The paths seen, in order of arrival."""
        return [seen.path for seen in self.requests]

    def seen(self, suffix: str) -> list[Seen]:
        """The requests whose path ends with `suffix`."""
        return [each for each in self.requests if each.path.endswith(suffix)]

    def fail(self, suffix: str, response: Response) -> None:
        """Answers `response` to every request whose path ends with `suffix`."""
        self._failures[suffix] = response

    def recover(self, suffix: str) -> None:
        """Answers as usual again."""
        del self._failures[suffix]

    def hold(self, suffix: str) -> threading.Event:
        """Holds back the answers to requests whose path ends with `suffix`, until the event returned is set."""
        self._arrived[suffix] = threading.Event()
        self._held[suffix] = threading.Event()
        return self._held[suffix]

    def wait_for(self, suffix: str) -> None:
        """Waits until a held request is there."""
        if not self._arrived[suffix].wait(PATIENCE):
            raise AssertionError(f"no request for {suffix}; seen: {self.paths()}")

    def release(self) -> None:
        """Lets every held answer go."""
        for event in self._held.values():
            event.set()

    async def answer(self, request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
        """Notes the request, then fails, holds or handles it."""
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return await self._answer(request, handle)
        finally:
            self._under_way -= 1

    async def _answer(self, request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
        path = request.scope["raw_path"].decode().partition("?")[0]
        client = request.client
        self.requests.append(
            Seen(
                method=request.method,
                path=path,
                query=dict(request.query_params),
                headers=dict(request.headers),
                connection=(client.host, client.port) if client else None,
            )
        )
        for suffix, event in self._held.items():
            if path.endswith(suffix):
                self._arrived[suffix].set()
                await anyio.to_thread.run_sync(event.wait, abandon_on_cancel=True)
        for suffix, response in self._failures.items():
            if path.endswith(suffix):
                return response
        return await handle(request)

    def app(self) -> Starlette:
        """The fake as an ASGI app."""
        raise NotImplementedError

    @contextmanager
    def serving(self, **options: object) -> Generator[str]:
        """The base URL while the block runs; what is held is let go at the end. `options` are uvicorn's."""
        with running(self.app(), **options) as url:
            try:
                yield url
            finally:
                self.release()


class Stage:
    """A running server on which one fake after the other plays: starting and stopping one takes 0.2 s."""

    def __init__(self) -> None:
        self.url = ""
        self._app: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None, "no fake is on the stage"
        await self._app(scope, receive, send)

    @contextmanager
    def playing(self, fake: Recording) -> Generator[str]:
        """The base URL at which `fake` answers while the block runs."""
        self._app = fake.app()
        try:
            yield self.url
        finally:
            fake.release()
            self._app = None


@contextmanager
def stage() -> Generator[Stage]:
    """A server for many fakes."""
    found = Stage()
    with running(found) as found.url:
        yield found
