"""Collecting the context of a question: every part from the sources that offer it, as much as possible at once.

Owns the state of the collection; `agent.context.parts` declares the parts, `collecting` reads the built-in ones.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.context.argocd.source import ArgoCDConnection
from agent.context.context import Context, Part
from agent.context.eager_tasks import EagerTaskGroup
from agent.context.fallback import NOTHING, each_once, first_available
from agent.context.kubernetes.source import KubernetesConnection
from agent.context.model import PartName, PartResult, TreeNode
from agent.context.parts import PARTS
from agent.context.resolve_target import as_application, completed
from agent.context.source import READS_AT_ONCE, Capability, Connection, Source
from agent.context.supplied import is_heavy, read_supplied, with_pasted
from agent.context.tree import ResourceTree
from agent.objects.manifest import Manifest
from agent.objects.target import Target
from agent.request.question import Question
from agent.settings import Settings


class Collector:
    """Collects contexts and keeps the connections between turns. Construction does no I/O.

    `argocd` is the connection to Argo CD, None if none is configured. `connections` are asked after it, in their
    order; by default that is the cluster of the settings. Raises SettingsError when ARGOCD_SERVER is no address.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        parts: Sequence[Part[Any]] = PARTS,
        connections: Sequence[Connection] | None = None,
    ) -> None:
        self._tail_lines = settings.log_lines
        self._parts = parts
        self.argocd = ArgoCDConnection(settings) if settings.argocd_server else None
        further = [KubernetesConnection(settings)] if connections is None else connections
        self._connections: list[Connection] = [*([self.argocd] if self.argocd else []), *further]

    async def collect(self, question: Question) -> Context:
        """Return the context of the question's target. What cannot be read is a gap of the context, never an error."""
        if is_heavy(question, self._parts):
            supplied = await asyncio.to_thread(read_supplied, question, self._parts)
        else:
            supplied = read_supplied(question, self._parts)
        collection = _Collection(question, supplied, self._parts, self._connections, tail_lines=self._tail_lines)
        return await collection.collect()

    async def aclose(self) -> None:
        """Close the connections. Reads under way are left to their timeouts."""
        for connection in self._connections:
            connection.close()


class _Collection:
    """The parts of one question, each a task that begins when it is first asked for (`agent.context.source`'s
    Collecting)."""

    def __init__(
        self,
        question: Question,
        supplied: Mapping[Part[Any], PartResult[Any]],
        parts: Sequence[Part[Any]],
        connections: Sequence[Connection],
        *,
        tail_lines: int,
    ) -> None:
        self.question = question
        self.slots = asyncio.Semaphore(READS_AT_ONCE)
        self.tail_lines = question.log_request.tail_lines or tail_lines
        self._supplied = {part.name: result for part, result in supplied.items()}
        self.target = question.target if "manifest" in self._supplied else as_application(question.target)
        self._parts = {part.name: part for part in parts}
        self.sources: Sequence[Source] = [source for source in (each.open(self) for each in connections) if source]
        self._tasks: EagerTaskGroup
        self._results: dict[PartName, asyncio.Future[PartResult[Any]]] = {}
        self._tree: ResourceTree | None = None

    async def collect(self) -> Context:
        async with EagerTaskGroup() as self._tasks:
            for name in self._parts:
                self._begin(name)
        results = {part: self._results[part.name].result() for part in self._parts.values()}
        further = frozenset(part.name for part in self._parts.values() if part.further)
        return Context(
            target=await self.completed_target(),
            parts={part: part.empty if result.value is None else result.value for part, result in results.items()},
            gaps=each_once((gap for result in results.values() for gap in result.gaps), further),
            origins={part.name: result.source for part, result in results.items() if result.source},
            read_at=(self.question.read_at or datetime.now(UTC)).isoformat(timespec="seconds"),
        )

    def offering(self, capability: Capability) -> list[Source]:
        return [source for source in self.sources if capability in source.readers]

    async def result(self, part: PartName) -> PartResult[Any]:
        return await self._begin(part)

    async def application(self) -> Manifest | None:
        return (await self._begin("application")).value

    async def manifest(self) -> Manifest | None:
        return (await self._begin("manifest")).value

    async def children(self) -> tuple[Manifest, ...]:
        return (await self._begin("children")).value or ()

    async def tree(self) -> ResourceTree | None:
        nodes: tuple[TreeNode, ...] | None = (await self._begin("tree")).value
        if nodes is not None and self._tree is None:
            self._tree = ResourceTree(nodes)
        return self._tree

    async def refused(self) -> bool:
        return (await self._begin("application")).refused or (await self._begin("manifest")).refused

    async def completed_target(self) -> Target:
        supplied = "manifest" in self._supplied
        return completed(self.target, await self.application(), await self.manifest(), supplied=supplied)

    def _begin(self, name: PartName) -> asyncio.Future[PartResult[Any]]:
        if name not in self._results:
            self._results[name] = self._supplied_result(name) or self._tasks.start(self._collected(self._parts[name]))
        return self._results[name]

    def _supplied_result(self, name: PartName) -> asyncio.Future[PartResult[Any]] | None:
        if name not in self._supplied:
            return None
        result: asyncio.Future[PartResult[Any]] = asyncio.get_running_loop().create_future()
        result.set_result(self._supplied[name])
        return result

    async def _collected(self, part: Part[Any]) -> PartResult[Any]:
        return with_pasted(part, await self._read(part), self.question)

    async def _read(self, part: Part[Any]) -> PartResult[Any]:
        if part.collect:
            return await part.collect(self, part)
        sources = self.offering(part.name)
        if not sources:
            return NOTHING
        return await first_available(
            sources, part.name, lambda source: source.readers[part.name](), refused=self.refused
        )
