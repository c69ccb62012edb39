"""A fake of OpenShift Lightspeed: `POST /v1/streaming_query` and `GET /readiness` as the real service answers them.

It refuses what the real one refuses (unknown keys, limits, half a provider/model pair, a conversation of another
token's user) and says what it is told to say. Owns no assertion.
"""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tests.fakes.server import running

type WireEvent = tuple[str, dict[str, Any]]
type Ending = Literal["end", "silence", "break", "hold"]
"""`end`: with the end event; `silence`: without it; `break`: the connection breaks; `hold`: nothing more comes."""

TOKEN = "sha256~lightspeed-token"


class _Attachment(BaseModel):
    model_config = ConfigDict(extra="forbid")

    attachment_type: Literal["alert", "api object", "configuration", "error message", "event", "log", "stack trace"]
    content_type: Literal["text/plain", "application/json", "application/yaml", "application/xml"]
    content: Annotated[str, Field(max_length=100_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=32_000)]
    conversation_id: uuid.UUID | None = None
    provider: str | None = None
    model: str | None = None
    attachments: Annotated[list[_Attachment], Field(max_length=10)] = []
    media_type: Literal["text/plain", "application/json"] = "text/plain"

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.provider) != bool(self.model):
            raise ValueError("LLM provider and model must be specified together")
        return self


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the service answers once. `body` is the raw body of a status that is not 200."""

    status: int = 200
    body: Any = None
    events: Sequence[WireEvent] = ()
    ending: Ending = "end"
    end: dict[str, Any] = field(default_factory=dict[str, Any])
    start: bool = True


def tokens(*texts: str) -> list[WireEvent]:
    """A token event for each text."""
    return [("token", {"id": index, "token": text}) for index, text in enumerate(texts)]


class FakeLightspeed:
    """The service and what was asked of it. `users` maps a token to its user."""

    def __init__(self) -> None:
        self.url = ""
        self.app = self._build()
        self.forget()

    def forget(self) -> None:
        """As new: nothing asked, nothing told to say."""
        self.users = {TOKEN: "assistant"}
        self.models = {("openai", "gpt-4o")}
        self.may_choose_model = True
        self.ready = True
        self.replies: list[Reply] = []
        self.bodies: list[dict[str, Any]] = []
        self.conversations: dict[str, str] = {}
        self.client_gone = threading.Event()

    def say(self, *replies: Reply) -> None:
        """Answers the next requests so; after them every request gets the answer `All is well.`"""
        self.replies += replies

    def _build(self) -> FastAPI:
        app = FastAPI()

        async def streaming_query(body: _Body, authorization: Annotated[str, Header()] = "") -> Response:
            return self._answer(body, self._user(authorization))

        async def readiness() -> Response:
            if self.ready:
                return JSONResponse({"ready": True, "reason": "service is ready"})
            detail = {"response": "Service is not ready", "cause": "LLM is not ready"}
            return JSONResponse({"detail": detail}, status_code=503)

        app.post("/v1/streaming_query")(streaming_query)
        app.get("/readiness")(readiness)
        return app

    def _user(self, authorization: str) -> str:
        if not authorization.startswith("Bearer "):
            raise HTTPException(401, "Unauthorized: No auth header found")
        user = self.users.get(authorization.removeprefix("Bearer "))
        if user is None:
            raise HTTPException(403, "Forbidden: Unable to review token")
        return user

    def _answer(self, body: _Body, user: str) -> Response:
        self.bodies.append(body.model_dump(mode="json", exclude_unset=True))
        if body.provider and not self.may_choose_model:
            raise HTTPException(403, {"response": "User does not have permission to choose the model"})
        if body.provider and (body.provider, body.model) not in self.models:
            cause = f"Provider '{body.provider}' is not a valid provider. Valid providers are: openai"
            raise HTTPException(422, {"response": "Unable to process this request", "cause": cause})
        reply = self.replies.pop(0) if self.replies else Reply(events=tokens("All ", "is ", "well."))
        if reply.status != 200:
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            return Response(content, status_code=reply.status, headers={"Location": "/elsewhere"})
        stream = self._stream(reply, self._conversation(body.conversation_id, user))
        return StreamingResponse(stream, media_type=body.media_type)

    def _conversation(self, asked: uuid.UUID | None, user: str) -> str:
        if asked is None:
            conversation = str(uuid.uuid4())
            self.conversations[conversation] = user
        elif self.conversations.get(conversation := str(asked)) != user:
            raise HTTPException(404, {"response": "Conversation not found", "cause": f"no {conversation}"})
        return conversation

    async def _stream(self, reply: Reply, conversation: str) -> AsyncGenerator[str]:
        if reply.start:
            yield _line("start", {"conversation_id": conversation})
        for name, data in reply.events:
            yield _line(name, data)
        match reply.ending:
            case "end":
                yield _line("end", _END | reply.end, available_quotas={"UserQuotaLimiter": 998_911})
            case "silence":
                pass
            case "break":
                raise ConnectionAbortedError("the fake breaks the connection, as it was told to")
            case "hold":
                try:
                    await asyncio.Future[None]()
                finally:
                    self.client_gone.set()


_END: dict[str, Any] = {
    "referenced_documents": [],
    "truncated": False,
    "input_tokens": 120,
    "output_tokens": 7,
    "reasoning_tokens": 2,
}


def _line(name: str, data: dict[str, Any], **more: Any) -> str:
    return f"data: {json.dumps({'event': name, 'data': data} | more)}\n\n"


@contextmanager
def lightspeed(**options: Any) -> Generator[FakeLightspeed]:
    """A running fake; `options` are uvicorn's."""
    fake = FakeLightspeed()
    with running(fake.app, **options) as fake.url:
        yield fake
