"""Turns over the Agents API of older servers (0.2.x, 0.3.x): agent, session, turn.

What a turn was given the server sends to the model again with every later turn of the session, and nothing of it can
be changed: a message's `context` never reaches the model, `documents` become part of the stored message, instructions
belong to the agent. So that the resource's context does not pile up, each turn runs in a session of its own whose one
message holds the context, the conversation so far and the question. The next turn takes the conversation from it,
without the context, and deletes it when it has its answer. The session id therefore changes with every answer: the
latest continues the conversation, on any replica.
"""

import json
import logging
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio

from agent.errors import ModelNotFound, ProviderError, SessionNotFound
from agent.objects.manifest import lookup, object_at, objects_at, text_at
from agent.prompt.compaction import compacted
from agent.prompt.prompt import Prompt
from agent.prompt.tokens import count_tokens
from agent.providers.events import ProviderEvent, ProviderInfo, SessionRequest, TurnCompleted, TurnStarted
from agent.providers.llama_stack.agents_turn import AgentsTurn, content_text
from agent.providers.llama_stack.connection import ServerConnection
from agent.providers.llama_stack.failures import LOST_SESSION, foreign_errors
from agent.providers.llama_stack.history import history_limit, notice, notice_to_user, notice_tokens, spoken
from agent.providers.llama_stack.models import ModelChoice
from agent.providers.llama_stack.ownership import Holds, Record, check_owner
from agent.request.caller import Caller
from agent.request.conversation import Message
from agent.request.sampling import Sampling
from agent.settings import Settings

logger = logging.getLogger(__name__)

_SESSION_ID = re.compile(r"([A-Za-z0-9_.~-]{1,100}):([A-Za-z0-9_-]{1,100})")
_ASKED, _ANSWERED = (spoken(Message(role, "")) for role in ("user", "assistant"))
_NO_CONTEXT = "There is no context for this question."
# Seconds for deleting the session before this one; it stays when that fails, to no harm.
_DELETING = 2.0
# Turns in a row without an answer that are looked behind for the conversation.
_MOST_UNANSWERED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The conversation so far: `lines` of a transcript, and the session `session_id` that holds them ("" for none);
    `lost` is the id of a session that the server no longer has."""

    record: Record
    lines: tuple[str, ...] = ()
    session_id: str = ""
    lost: str = ""

    def within(self, limit: int) -> "Past":
        """The same, shortened where it takes more than `limit` tokens."""
        if _tokens(self.lines) <= limit:
            return self
        return replace(self, lines=(compacted([_message(line) for line in self.lines], limit // 2),))


class Agents:
    """The protocol of one server. `agent_id` is the configured agent, None: agents are made as needed."""

    def __init__(
        self,
        connection: ServerConnection,
        models: ModelChoice,
        holds: Holds,
        settings: Settings,
        *,
        agent_id: str | None,
        note: str,
    ) -> None:
        self.connection = connection
        self.models = models
        self.agent_id = agent_id
        self._settings = settings
        self._holds = holds
        self._note = note
        self._created: dict[tuple[str, str, Sampling], str] = {}
        self._model_of_agent = ""

    def info(self, model: str, *, note: str = "") -> ProviderInfo:
        """Who answers; `note` is added to the note on the server."""
        notes = "; ".join(filter(None, (self._note, note)))
        return ProviderInfo(name="llama-stack", protocol="agents", model=model, note=notes)

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["AgentsSession"]:
        """Take the conversation of a session, or start one. Only turns of this process keep each other out.

        Raises SessionNotFound for an id of another form, SessionForbidden, SessionBusy and ProviderError.
        """
        model = await self.model()
        with ExitStack() as held:
            if request.session_id is None:
                past = Past(record=Record.new(request.caller))
            else:
                held.enter_context(self._holds.hold(request.session_id))
                past = await self._past_of(request.session_id, request.caller)
                past = past.within(history_limit(self.models.window_of(model)))
            session = AgentsSession(self, held, self._holds, past, model)
            try:
                yield session
            finally:
                await session.release()

    async def model(self) -> str:
        """The model of the configured agent, else the chosen one.

        Raises ModelNotFound for an unknown agent, and other ProviderErrors.
        """
        if self.agent_id is None:
            return await self.models.current()
        if not self._model_of_agent:
            try:
                agent = await self.connection.get(f"/v1/agents/{self.agent_id}")
            except SessionNotFound:
                raise ModelNotFound(
                    f"The agent {self.agent_id!r} of LLAMASTACK_AGENT_ID is not on the model server "
                    f"{self.connection.upstream.server}: set an existing one, or none to have one made."
                ) from None
            self._model_of_agent = text_at(agent, "agent_config", "model") or "agent's own"
        return self._model_of_agent

    async def new_session(self, model: str, instructions: str, name: str, sampling: Sampling) -> str:
        """A session, as `agent:session`, of the configured agent or one made for model, instructions and sampling: the
        API takes these of an agent alone."""
        if self.agent_id:
            return await self._start(self.agent_id, name)
        made = (model, instructions, sampling)
        if agent_id := self._created.get(made):
            try:
                return await self._start(agent_id, name)
            except SessionNotFound:
                pass  # the server lost the agent
        agent_id = self._created[made] = await self._create_agent(model, instructions, sampling)
        return await self._start(agent_id, name)

    async def _start(self, agent_id: str, name: str) -> str:
        answer = await self.connection.post(f"/v1/agents/{agent_id}/session", {"session_name": name})
        return f"{agent_id}:{text_at(answer, 'session_id')}"

    async def _create_agent(self, model: str, instructions: str, sampling: Sampling) -> str:
        config = {
            "name": "argocd-assistant",
            "model": model,
            "instructions": instructions,
            "enable_session_persistence": True,
            "sampling_params": _sampling_params(sampling),
        }
        return text_at(await self.connection.post("/v1/agents", {"agent_config": config}), "agent_id")

    async def _past_of(self, session_id: str, caller: Caller) -> Past:
        path_of(session_id)  # an id of another form is no lost session
        try:
            return await self._past(session_id, caller)
        except SessionNotFound:
            return Past(record=Record.new(caller), lost=session_id)

    async def _past(self, session_id: str, caller: Caller) -> Past:
        current = session_id
        for _ in range(_MOST_UNANSWERED):
            session = await self.connection.get(path_of(current))
            name = _parsed(text_at(session, "session_name"))
            record = check_owner(Record.of(name), caller)
            if turns := objects_at(session, "turns"):
                return Past(record=record, lines=_lines(turns[-1]), session_id=current)
            current = text_at(name, "after")
            if not current:
                return Past(record=record)
        raise SessionNotFound(LOST_SESSION)


class AgentsSession:
    """A conversation in the hands of one turn."""

    def __init__(self, protocol: Agents, held: ExitStack, holds: Holds, past: Past, model: str) -> None:
        self._protocol = protocol
        self._held = held
        self._holds = holds
        self._past = past
        self._model = model
        self._answered = False

    @property
    def redaction_key(self) -> bytes:
        return self._past.record.key

    @property
    def model(self) -> str:
        return self._model

    @property
    def window(self) -> int | None:
        return self._protocol.models.window_of(self._model)

    def learn_window(self, tokens: int) -> None:
        self._protocol.models.learn_window(self._model, tokens)

    @property
    def history_tokens(self) -> int:
        return _tokens(self._past.lines) + (notice_tokens() if self._past.lost else 0)

    @property
    def previous_fingerprint(self) -> str:
        return self._past.record.previous_fingerprint

    async def earlier(self) -> Sequence[Message]:
        """The messages before the question. A shortened text holds both sides."""
        return [
            Message("user" if line.startswith(_ASKED) else "assistant", _message(line).text)
            for line in (self._past.lines if self._past.session_id else ())
        ]

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """One turn, as described in `Session.stream`."""
        protocol = self._protocol
        record = replace(self._past.record, previous_fingerprint=prompt.fingerprint)
        name = json.dumps(record.metadata | {"after": self._past.session_id})
        session_id = await protocol.new_session(self._model, prompt.instructions, name, prompt.sampling)
        self._held.enter_context(self._holds.hold(session_id))
        note = notice_to_user(self._past.lost, rebuilt=bool(prompt.history)) if self._past.lost else ""
        yield TurnStarted(provider=protocol.info(self._model, note=note), session_id=session_id)
        turn = AgentsTurn(protocol.connection.upstream_of(self._model))
        try:
            async with aclosing(self._turn(turn, prompt, session_id)) as events:
                async for event in events:
                    self._answered = self._answered or isinstance(event, TurnCompleted)
                    yield event
        except ProviderError as error:
            if turn.text_sent or protocol.agent_id:
                raise
            raise protocol.models.failed(self._model, error) from None
        protocol.models.worked(self._model)

    async def _turn(self, turn: AgentsTurn, prompt: Prompt, session_id: str) -> AsyncGenerator[ProviderEvent]:
        connection = self._protocol.connection
        message = {"role": "user", "content": [{"type": "text", "text": text} for text in self._texts(prompt)]}
        body = {"messages": [message], "stream": True}
        async with connection.answer(
            lambda: connection.post_for_stream(f"{path_of(session_id)}/turn", body),
            connection.upstream_of(self._model),
        ) as received:
            async for chunk in received:
                for event in turn.read(chunk):
                    yield event
                    if isinstance(event, TurnCompleted):
                        return
        raise turn.cut()

    def _texts(self, prompt: Prompt) -> list[str]:
        """Context, conversation, question. A configured agent has other instructions, so it is given ours too."""
        context = prompt.system_text
        if self._protocol.agent_id is None:
            context = context.removeprefix(prompt.instructions).strip() or _NO_CONTEXT
        if self._past.lost:
            context = f"{context}\n\n{notice(rebuilt=bool(prompt.history))}"
        lines = self._past.lines if self._past.session_id else map(spoken, prompt.history)
        return [context, *lines, spoken(Message("user", prompt.question))]

    async def release(self) -> None:
        """Deletes the session whose conversation went on in this one."""
        if not self._answered or not self._past.session_id:
            return
        with anyio.move_on_after(_DELETING, shield=True):
            try:
                await self._protocol.connection.delete(path_of(self._past.session_id))
            except foreign_errors() as error:
                logger.warning("session %s is left behind: %s", self._past.session_id, type(error).__name__)


def _sampling_params(sampling: Sampling) -> dict[str, Any]:
    """The agent's SamplingParams (https://llama-stack.readthedocs.io/en/v0.2.23/references/api_reference/)."""
    params: dict[str, Any] = {"max_tokens": sampling.max_output_tokens} if sampling.max_output_tokens else {}
    if sampling.temperature or sampling.top_p is not None:
        params["strategy"] = {
            "type": "top_p",
            "temperature": sampling.temperature or 1.0,
            "top_p": 1.0 if sampling.top_p is None else sampling.top_p,
        }
    elif sampling.temperature == 0:
        params["strategy"] = {"type": "greedy"}
    return params


def path_of(session_id: str) -> str:
    """The path of `agent:session`. Raises SessionNotFound for an id of another form."""
    found = _SESSION_ID.fullmatch(session_id)
    if found is None:
        raise SessionNotFound(LOST_SESSION)
    return f"/v1/agents/{found[1]}/session/{found[2]}"


def _parsed(name: str) -> dict[str, object]:
    """What this assistant wrote into a session's name, nothing for any other name."""
    try:
        parsed: object = json.loads(name)
    except (ValueError, RecursionError):
        return {}
    return object_at(parsed)


def _lines(turn: object) -> tuple[str, ...]:
    """The conversation after a turn: its message without the context, and its answer."""
    texts = [text_at(item, "text") for item in objects_at(turn, "input_messages", 0, "content")]
    answer = Message("assistant", content_text(lookup(turn, "output_message", "content")))
    return (*texts[1:], spoken(answer))


def _tokens(lines: Sequence[str]) -> int:
    return sum(count_tokens(line) + 1 for line in lines)


def _message(line: str) -> Message:
    """A line of the transcript as a message."""
    if line.startswith(_ANSWERED):
        return Message("assistant", line.removeprefix(_ANSWERED))
    return Message("user", line.removeprefix(_ASKED))
