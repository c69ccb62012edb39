"""The values of the contract with a provider: what a session is opened with, and the events of a turn.

Tools run in two places. A tool of the model's server is called and answered within the turn: `ToolCall`, then
`ToolResult`. A tool of the caller is offered in `SessionRequest.tools`; a model that calls one makes the provider emit
`ToolCallRequested`, and the caller runs it. No provider sends tools or emits that event yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.request.caller import ANONYMOUS, Caller

type ProviderName = Literal["llama-stack", "lightspeed", "offline"]
type WireProtocol = Literal["responses", "agents", "chat-completions", "streaming-query", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInfo:
    """Who answers. `protocol` is the wire protocol, `model` "" where none is involved or named; `note` is what the
    reader should know (a fallback that was taken, and why)."""

    name: ProviderName
    protocol: WireProtocol
    model: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of the turn as the server counted them."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that the caller runs for the model. `parameters` is the JSON schema of its arguments, an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """First event of every turn: who answers, in which session (None: the provider keeps none, or none yet)."""

    provider: ProviderInfo
    session_id: str | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning; pieces that follow each other belong together."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model called a tool that its server runs. `arguments` is JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallRequested:
    """The model called a tool of `SessionRequest.tools`, which the caller has to run. `arguments` is JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """The result of the tool call `call_id`."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A document that the answer names."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """The turn that was just answered is the first of a session, or of another one than TurnStarted named. Comes after
    the answer's text, before TurnCompleted or an error. `note` says why the turn could not be kept, "" where it was."""

    session_id: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCompleted:
    """Last event of a turn that ended well. Every other end is an exception of `agent.errors`."""

    usage: Usage | None = None


type ProviderEvent = (
    TurnStarted
    | TextDelta
    | ReasoningDelta
    | ToolCall
    | ToolCallRequested
    | ToolResult
    | Citation
    | SessionStarted
    | TurnCompleted
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """Which session to open: `session_id` None starts one. `caller` owns it; anonymous callers own what anonymous ones
    started, and nothing else. `conversation_id` is the caller's own name for the conversation, `tools` are those that
    the model may ask the caller to run."""

    session_id: str | None = None
    caller: Caller = ANONYMOUS
    conversation_id: str | None = None
    tools: Sequence[Tool] = ()
