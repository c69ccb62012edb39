"""Stands between a server and llama.cpp, and counts with llama.cpp's own tokenizer what passes.

Owns the account of each completion; changes nothing of a request or an answer.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.server import PATIENCE


@dataclass(kw_only=True)
class Completion:
    """One request for a completion: tokens of its prompt, the bound on its answer (None: none was sent), and its end.

    `answer` is the number of tokens generated, None where llama.cpp refused (`status`) or the stream was cut.
    """

    prompt: int
    bound: int | None
    status: int = 0
    answer: int | None = None
    finish_reason: str | None = None


@dataclass
class Counting:
    """`url` is llama.cpp's, without `/v1`. `app` is to be given to a server as its backend."""

    url: str
    completions: list[Completion] = field(default_factory=list[Completion])

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/v1/models", self._list_models),
            ]
        )

    async def _list_models(self, _: Request) -> Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.url}/v1/models")
        return Response(answer.content, answer.status_code, media_type="application/json")

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        client = httpx.AsyncClient(trust_env=False, timeout=PATIENCE)
        bound = body.get("max_completion_tokens") or body.get("max_tokens")
        account = Completion(prompt=await self._count(client, body["messages"]), bound=bound)
        self.completions.append(account)
        upstream = client.build_request("POST", f"{self.url}/v1/chat/completions", json=body)
        answer = await client.send(upstream, stream=True)
        account.status = answer.status_code

        async def passed_on() -> AsyncGenerator[str]:
            try:
                async for line in answer.aiter_lines():
                    _note(line, account)
                    yield f"{line}\n"
            finally:
                await answer.aclose()
                await client.aclose()

        return StreamingResponse(passed_on(), answer.status_code, media_type=answer.headers["content-type"])

    async def _count(self, client: httpx.AsyncClient, messages: list[dict[str, Any]]) -> int:
        """The tokens of the messages as llama.cpp puts them to the model."""
        templated = await client.post(f"{self.url}/apply-template", json={"messages": messages})
        text = templated.raise_for_status().json()["prompt"]
        tokens = await client.post(f"{self.url}/tokenize", json={"content": text, "parse_special": True})
        return len(tokens.raise_for_status().json()["tokens"])


def _note(line: str, account: Completion) -> None:
    if not (line := line.removeprefix("data: ")).startswith("{"):
        return
    chunk: dict[str, Any] = json.loads(line)
    for choice in chunk.get("choices", ()):
        account.finish_reason = choice.get("finish_reason") or account.finish_reason
    if timings := chunk.get("timings"):
        account.answer = timings["predicted_n"]
