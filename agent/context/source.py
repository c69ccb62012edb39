"""The contract between the collector and the sources that read a cluster, and how their blocking reads are run.

Owns the types of that contract and the threads.
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
"""Concurrent reads of one turn, all sources together."""

MAX_CHILDREN = 5
"""Children whose live manifests are read."""

MAX_RELATED = 12
"""Live manifests around a resource that are read from one source."""

MAX_BODY_BYTES = 20_000_000
"""The largest answer that is read; a larger one is an error."""

MAX_LOG_BYTES = 10_000_000
"""The most that is read of one log; the rest is left out."""


type Capability = str
"""What a source can read. These are the names, each with the arguments of its reader; a reader returns a Reading and
raises SourceError if it has no value. Manifests are returned as the API gave them.

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
    """The turn as a source sees it. Each coroutine waits until its part was read, by whichever source, and returns None
    (`children`: an empty tuple) if it could not be. `slots` bounds concurrent reads."""

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
    """The turn as the collection of a part sees it. `tail_lines`: how many lines of a log are read."""

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
        """Return whether Argo CD refused the Application or the resource that the question is about."""
        ...

    async def completed_target(self) -> Target:
        """Return the target, its missing fields filled from what was read."""
        ...


type Reader = Callable[..., Awaitable[Reading[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source for one turn and its target. Readers get the other parts that they need from the turn (`TurnState`).
    `title` names the source in messages."""

    name: SourceName
    title: str
    readers: Mapping[Capability, Reader]


class Connection(Protocol):
    """A way to one cluster API, kept between turns. Construction does no I/O."""

    def open(self, turn: TurnState) -> Source | None:
        """Return the source for a turn, None if it does not apply to the target or is not configured."""
        ...

    def close(self) -> None:
        """Close the connections; reads under way end on their own."""
        ...


class ReadThreads:
    """The threads in which one connection's blocking reads run. The read of a cancelled turn goes on until its own
    timeouts end it."""

    def __init__(self, who: str, *, threads: int, seconds: float) -> None:
        self._who = who
        self._seconds = seconds
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=who.replace(" ", "-"))

    async def run[T](self, read: Callable[[], T]) -> T:
        """Return what `read` returns. Raises SourceError if it takes too long, the wait for a thread included."""
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._executor, read)
        except TimeoutError:
            raise SourceError(f"{self._who} did not answer within {self._seconds:g} s", code="timeout") from None

    def close(self) -> None:
        """Cancel the reads that wait for a thread; those under way go on."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class TurnReads:
    """One turn's reads from one connection: a bounded number at once, each request once. After a failure of the whole
    connection nothing more is read from it in this turn."""

    def __init__(self, threads: ReadThreads, turn: TurnState, cache: CacheView) -> None:
        self._threads = threads
        self._slots = turn.slots
        self._cache = cache
        self._failure: SourceError | None = None
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def run[T](self, read: Callable[[], T], *, decisive: bool = True) -> T:
        """Return what `read` returns. Raises its SourceError, or the one by which the connection failed before. The
        timeout of a read that is often slow (not `decisive`) is no failure of the connection."""
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
        """Return what `read` returns for `request`, from the cache or read once in the turn. Raises like `run`."""
        task: asyncio.Task[T] | None = self._tasks.get(request)
        if task is None:
            reading = self._cached(request, read, immutable=immutable, decisive=decisive)
            task = self._tasks[request] = asyncio.create_task(reading)
        return await task

    async def _cached[T](
        self, request: Hashable, read: Callable[[], Sized[T]], *, immutable: bool, decisive: bool
    ) -> T:
        if kept := self._cache.get(request):
            return kept.value
        answer = await self.run(read, decisive=decisive)
        self._cache.put(request, answer, immutable=immutable)
        return answer.value


def again(error: SourceError) -> SourceError:
    """Return a copy of the error, to be raised once more."""
    return SourceError(error.public_message, code=error.code, refused=error.refused)


def gap(part: PartName, source: SourceName, error: SourceError) -> Gap:
    """Return the gap for an error of a source."""
    return Gap(part=part, source=source, reason=error.code, message=error.public_message)


async def read_each[K, V](
    keys: Iterable[K], read: Callable[[K], Awaitable[V]], *, part: PartName, source: SourceName
) -> Reading[tuple[V, ...]]:
    """Return what `read` returns for each key, read concurrently. Failures become gaps; raises SourceError if every key
    failed, a refusal before any other."""
    values, failures = await _read_all(keys, read)
    if failures and not values:
        raise next((error for error in failures if error.refused), failures[0])
    return Reading(value=values, gaps=tuple(gap(part, source, error) for error in failures))


async def read_some[K, V](
    keys: Iterable[K], read: Callable[[K], Awaitable[V]], *, part: PartName, source: SourceName
) -> Reading[tuple[V, ...]]:
    """Return what `read` returns for each key, read concurrently. Failures become gaps, even if every key failed."""
    values, failures = await _read_all(keys, read)
    return Reading(value=values, gaps=tuple(gap(part, source, error) for error in failures))


async def _read_all[K, V](
    keys: Iterable[K], read: Callable[[K], Awaitable[V]]
) -> tuple[tuple[V, ...], list[SourceError]]:
    """What was read, and the failures with distinct messages."""

    async def attempt(key: K) -> V | SourceError:
        try:
            return await read(key)
        except SourceError as error:
            return error

    results = await asyncio.gather(*map(attempt, keys))
    failures = {error.public_message: error for error in results if isinstance(error, SourceError)}
    return tuple(result for result in results if not isinstance(result, SourceError)), list(failures.values())
