"""A real Argo CD 3.5.1, recorded: 42 Applications, most of them broken on purpose (their names say how).

Owns the recording (`recorded/applications.jsonl.gz`, a line for each request with its answer) and the server that gives
it again. Addresses were replaced by neutral ones, nothing else. What was not recorded is answered as Argo CD would and
is in `unrecorded`, so that a test can name it.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from tests.fakes.argocd import TOKEN, answered_error, listed
from tests.fakes.recording import Recording

RECORDED_AT = "2026-11-30T23:03:20+00:00"
"""When the last answer was recorded."""

LIST = "/api/v1/applications"

# What a request may have more or less of for the same answer: Argo CD ignores the first, the others are applied below.
_FREE = frozenset({"follow", "container", "tailLines", "sinceSeconds", "fields"})


@dataclass(frozen=True)
class Exchange:
    """A request with its answer: JSON, or text where it was none (a log has a JSON object a line)."""

    app: str
    request: str
    status: int
    content_type: str
    answer: Any

    @property
    def path(self) -> str:
        return urlsplit(self.request).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.request).query, keep_blank_values=True))

    @property
    def is_log(self) -> bool:
        return self.path.endswith("/logs")

    @property
    def body(self) -> bytes:
        if isinstance(self.answer, str):
            return self.answer.encode()
        return json.dumps(self.answer, separators=(",", ":")).encode() + (b"\n" if self.is_log else b"")


@cache
def exchanges() -> tuple[Exchange, ...]:
    """All that was recorded, in its order."""
    with gzip.open(Path(__file__).parent / "recorded" / "applications.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(Exchange(**json.loads(line)) for line in lines)


@cache
def applications() -> Mapping[str, Manifest]:
    """The recorded Applications by name, as the list gives them with all fields. Of the one whose project does not
    exist only the list tells: its fields of the list."""
    listed_as = {text_at(item, "metadata", "name"): item for item in objects_at(exchanges()[0].answer, "items")}
    read = {each.app: each.answer for each in exchanges() if each.path == f"{LIST}/{each.app}" and each.status == 200}
    return {name: read.get(name, item) for name, item in listed_as.items()}


class RecordedArgoCD(Recording):
    """Answers as recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.unrecorded: list[str] = []
        self._answers = {_key(each.path, each.query): each for each in exchanges() if each.app not in {"*", "-"}}

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._endpoint)])

    async def _endpoint(self, request: Request) -> Response:
        return await self.answer(request, self._recorded)

    async def _recorded(self, request: Request) -> Response:
        path, query = request.url.path, dict(request.query_params)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return answered_error(401, 16, "invalid session: token signature is invalid")
        if path == LIST:
            return JSONResponse(listed(list(applications().values()), query.get("fields", "")))
        if found := self._answers.get(_key(path, query)):
            answer = _kept(found, query)
            return Response(answer, status_code=found.status, media_type=found.content_type)
        if path.startswith("/api/v1/projects/"):
            self.unrecorded.append(path)
            return answered_error(403, 7, "permission denied")
        if not path.startswith(f"{LIST}/"):
            return Response("404 page not found\n", status_code=404, media_type="text/plain; charset=utf-8")
        name, _, below = path.removeprefix(f"{LIST}/").partition("/")
        return self._answered(name, below, query, _scope(path, query))

    def _answered(self, name: str, below: str, query: dict[str, str], scope: str) -> Response:
        """What Argo CD answers to a request that was not recorded."""
        application = applications().get(name)
        if not query.get("project"):
            return answered_error(403, 7, "permission denied")
        if application is None or query.get("appNamespace") != text_at(application, "metadata", "namespace"):
            return answered_error(404, 5, f'applications.argoproj.io "{name}" not found')
        if query["project"] != text_at(application, "spec", "project"):
            return answered_error(403, 7, "permission denied")
        whole = self._answers.get(
            _key(f"{LIST}/{name}/{below}", {key: query[key] for key in ("appNamespace", "project")})
        )
        if below == "managed-resources" and whole is not None:
            return Response(_kept(whole, query), status_code=whole.status, media_type="application/json")
        if below == "resource" and (live := self._live(name, query)):
            return JSONResponse({"manifest": live})
        self.unrecorded.append(scope)
        if below.startswith("revisions/"):
            return JSONResponse(
                {"author": "dev <dev@example.com>", "date": "2026-11-30T22:41:00Z", "message": "Add it"}
            )
        if below == "events":
            return JSONResponse({"metadata": {"resourceVersion": "8467"}, "items": None})
        what = f"{query.get('kind')} {query.get('group')} {query.get('resourceName')}"
        return answered_error(400, 3, f"{what} not found as part of application {name}")

    def _live(self, name: str, query: dict[str, str]) -> str:
        """The live manifest of a resource, as the answer about the differences has it."""
        scope = {key: query[key] for key in ("appNamespace", "project")}
        managed = self._answers[_key(f"{LIST}/{name}/managed-resources", scope)].answer
        wanted = tuple(query.get(key, "") for key in ("group", "kind", "namespace", "resourceName"))
        for item in objects_at(managed, "items"):
            if tuple(text_at(item, key) for key in ("group", "kind", "namespace", "name")) == wanted:
                live = text_at(item, "liveState")
                return "" if live == "null" else live
        return ""


def _key(path: str, query: Mapping[str, str]) -> tuple[str, frozenset[tuple[str, str]]]:
    return path, frozenset((key, value) for key, value in query.items() if key not in _FREE)


def _kept(found: Exchange, query: Mapping[str, str]) -> bytes:
    """The body of an answer: of the differences those of the resource asked for, with the fields asked for; of a log
    as many lines as asked for."""
    if found.status == 200 and found.is_log:
        *lines, last = found.body.splitlines(keepends=True)
        return b"".join((*lines[-int(query.get("tailLines", 1_000)) :], last))
    if found.status == 200 and found.path.endswith("/managed-resources"):
        wanted = {key: query[key] for key in ("namespace", "name", "group", "kind") if query.get(key)}
        fields = {each.removeprefix("items.") for each in query.get("fields", "").split(",") if each}
        items = [
            {key: value for key, value in item.items() if not fields or key in fields}
            for item in objects_at(object_at(found.answer), "items")
            if wanted.items() <= item.items()
        ]
        return json.dumps({"items": items} if items else {}).encode()
    return found.body


def _scope(path: str, query: Mapping[str, str]) -> str:
    names = [query[key] for key in ("kind", "resourceName", "podName") if query.get(key)]
    return " ".join((path.removeprefix(f"{LIST}/"), *names))
