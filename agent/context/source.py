"""The contract between the collector and the sources that read a cluster, and how their blocking reads are run.

Owns the words both sides use and the threads; reads nothing itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from agent.context.cache import CacheView, Sized
from agent.context.model import Gap, PartName, PartResult, Reading, SourceName
from agent.context.tree import ResourceTree
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.objects.target import Target
from agent.request.question import Question

READS_AT_ONCE = 8
"""Reads of one turn that run side by side, of all its sources together."""

MAX_CHILDREN = 5
"""Children whose live manifests are read."""

MAX_RELATED = 12
"""Live manifests around a resource that are read from one source."""

MAX_BODY_BYTES = 20_000_000
"""Most that is read of one answer; a larger one is refused."""

MAX_LOG_BYTES = 10_000_000
"""Most that is read of one log; what follows is left out."""


type Capability = str
"""What a source can read. The turn asks for these, each with the arguments named; every reader returns a Reading and
raises SourceError when it has nothing to give. Manifests come as the API gave them.

    application, manifest       the target's Application; the live manifest of its resource
    tree                        the whole resource tree
    children                    the live manifests of the Pods below the resource, unhealthiest first; of an
                                Application, of its unhealthy Pods
    related(manifests)          the live manifests of what the target depends on or belongs to, which another source did
                                not give (None: no other could); of an Application, of its unhealthy resources
    managed                     what differs between Git and the cluster
    revisions                   the deployed revisions, newest first
    <name of another part>      that part, without arguments
    events(involved)            the raw events of each object; a `uid` may be ""
    log(choice)                 the tail of one container's log
"""


class TurnState(Protocol):
    """What the turn has collected by now, as a source sees it. The parts wait until they were read, whoever read them;
    None (children: none at all) when that could not be done. `slots` bounds the reads at once."""

    @property
    def target(self) -> Target: ...

    @property
    def question(self) -> Question: ...

    @property
    def slots(self) -> asyncio.Semaphore: ...

    async def application(self) -> Manifest | None: ...

    async def manifest(self) -> Manifest | None: ...

    async def tree(self) -> ResourceTree | None: ...

    async def children(self) -> tuple[Manifest, ...]: ...


class Collecting(TurnState, Protocol):
    """The turn as the collection of a part sees it. `tail_lines` are those of a log that are read."""

    @property
    def tail_lines(self) -> int: ...

    @property
    def sources(self) -> "Sequence[Source]": ...

    def offering(self, capability: Capability) -> "Sequence[Source]":
        """The sources that have a reader for `capability`, in the order in which they are asked."""
        ...

    async def result(self, part: PartName) -> PartResult[Any]:
        """Another part of this turn, once it was read."""
        ...

    async def refused(self) -> bool:
        """Whether Argo CD refused the Application or the resource that the question is about."""
        ...

    async def completed_target(self) -> Target:
        """The target with its blanks filled in from what was read."""
        ...


type Reader = Callable[..., Awaitable[Reading[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source, for one turn and its target: what it can read. What a reader needs of the other parts it asks of the
    turn (`TurnState`). `title` names it in messages."""

    name: SourceName
    title: str
    readers: Mapping[Capability, Reader]


class Connection(Protocol):
    """A way to one cluster API, kept between turns. Construction does no I/O."""

    def open(self, turn: TurnState) -> Source | None:
        """The source for a turn; None where it has nothing to do with the target or is not there."""
        ...

    def close(self) -> None:
        """Ends the connections; reads that are under way end on their own."""
        ...


class ReadThreads:
    """The threads in which one connection's blocking reads run. A turn that is cancelled leaves its read behind; the
    read's own timeouts end it."""

    def __init__(self, who: str, *, threads: int, seconds: float) -> None:
        self._who = who
        self._seconds = seconds
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=who.replace(" ", "-"))

    async def run[T](self, read: Callable[[], T]) -> T:
        """What `read` returns. Raises SourceError when it takes too long, the wait for a thread included."""
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._executor, read)
        except TimeoutError:
            raise SourceError(f"{self._who} did not answer within {self._seconds:g} s", code="timeout") from None

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


class TurnReads:
    """One turn's reads from one connection, a bounded number at once and each request once. When the connection proved
    out of reach it is not asked again in this turn."""

    def __init__(self, threads: ReadThreads, turn: TurnState, cache: CacheView) -> None:
        self._threads = threads
        self._slots = turn.slots
        self._cache = cache
        self._failure: SourceError | None = None
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    async def run[T](self, read: Callable[[], T], *, decisive: bool = True) -> T:
        """What `read` returns, or the failure the turn already met. A read that is often slow is not `decisive`: its
        timeout does not tell that the connection is out of reach."""
        async with self._slots:
            if self._failure:
                raise again(self._failure)
            try:
                return await self._threads.run(read)
            except SourceError as error:
                if error.code in {"unreachable", "unauthorized"} or (decisive and error.code == "timeout"):
                    self._failure = error
                raise

    async def once[T](
        self, request: Hashable, read: Callable[[], Sized[T]], *, immutable: bool = False, decisive: bool = True
    ) -> T:
        """What `read` returns for `request`: read once in the turn, whoever asks, and not at all while it is cached."""
        asked: asyncio.Task[T] | None = self._asked.get(request)
        if asked is None:
            reading = self._cached(request, read, immutable=immutable, decisive=decisive)
            asked = self._asked[request] = asyncio.create_task(reading)
        return await asked

    async def _cached[T](
        self, request: Hashable, read: Callable[[], Sized[T]], *, immutable: bool, decisive: bool
    ) -> T:
        if kept := self._cache.get(request):
            return kept.value
        answer = await self.run(read, decisive=decisive)
        self._cache.put(request, answer, immutable=immutable)
        return answer.value


def again(error: SourceError) -> SourceError:
    """The same error to be raised once more."""
    return SourceError(error.public_message, code=error.code, refused=error.refused)


def gap(part: PartName, source: SourceName, error: SourceError) -> Gap:
    """The gap that an error leaves."""
    return Gap(part=part, source=source, reason=error.code, message=error.public_message)


async def read_each[K, V](
    keys: Iterable[K], read: Callable[[K], Awaitable[V]], *, part: PartName, source: SourceName
) -> Reading[tuple[V, ...]]:
    """Reads all of `keys` at once. Those that fail become gaps; raises SourceError where every one failed, a refusal
    before any other."""
    values, failures = await _read_all(keys, read)
    if failures and not values:
        raise next((error for error in failures if error.refused), failures[0])
    return Reading(value=values, gaps=tuple(gap(part, source, error) for error in failures))


async def read_some[K, V](
    keys: Iterable[K], read: Callable[[K], Awaitable[V]], *, part: PartName, source: SourceName
) -> Reading[tuple[V, ...]]:
    """Reads all of `keys` at once. Those that fail become gaps, even when it is every one."""
    values, failures = await _read_all(keys, read)
    return Reading(value=values, gaps=tuple(gap(part, source, error) for error in failures))


async def _read_all[K, V](
    keys: Iterable[K], read: Callable[[K], Awaitable[V]]
) -> tuple[tuple[V, ...], list[SourceError]]:
    """What was read, and the failures, each said once."""

    async def attempt(key: K) -> V | SourceError:
        try:
            return await read(key)
        except SourceError as error:
            return error

    results = await asyncio.gather(*map(attempt, keys))
    failures = {error.public_message: error for error in results if isinstance(error, SourceError)}
    return tuple(result for result in results if not isinstance(result, SourceError)), list(failures.values())
