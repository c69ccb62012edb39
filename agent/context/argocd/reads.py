"""One Application's reads in one turn: every request names it fully, is made once, and is cached where it may be.

Owns the parameters that all requests share and the parsing of a live manifest; `source` and `application` decide which
requests are needed.
"""

import json
from collections.abc import Callable

from agent.context.argocd.api import ArgoCDAPI, ArgoCDRequest
from agent.context.cache import Sized
from agent.context.clean import without_secret_values
from agent.context.source import TurnReads, TurnState, again
from agent.errors import SourceError
from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.target import ApplicationRef, ResourceRef


class ApplicationReads:
    """The reads of one Application. Every request names `appNamespace` and `project`, from the target or else from the
    Application. Every coroutine raises SourceError."""

    def __init__(self, api: ArgoCDAPI, reads: TurnReads, turn: TurnState, application: ApplicationRef) -> None:
        self.api = api
        self.turn = turn
        self._reads = reads
        self._named = application
        self._application_failure: SourceError | None = None

    async def application(self) -> Manifest:
        """Return the Application, read anew in every turn."""
        request = _request(self._named, what=str(self._named))
        try:
            return await self._reads.run(lambda: manifest_of(self.api.read_json(request).value))
        except SourceError as error:
            self._application_failure = error
            raise

    async def listed(self, refusal: SourceError) -> Manifest:
        """Return the Application as the list has it, which tells of one whose project does not exist too. Raises
        `refusal` where the list does not have it."""
        params = {"name": self._named.name} | ({"appNamespace": self._named.namespace} if self._named.namespace else {})
        request = ArgoCDRequest(path=(), params=params, what=str(self._named), right="applications, get")
        try:
            answer = await self._reads.run(lambda: self.api.read_json(request).value)
        except SourceError:
            raise refusal from None
        for item in objects_at(answer, "items"):
            metadata = object_at(item, "metadata")
            if text_at(metadata, "name") == self._named.name and self._named.namespace in ("", metadata["namespace"]):
                return item
        raise refusal

    async def project(self, name: str) -> Manifest:
        """Return an AppProject."""
        request = ArgoCDRequest(
            path=(name,), params={}, what=f"project {name}", right="projects, get", collection="projects"
        )
        kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject"}
        return await self.once(request, lambda answer: kind | manifest_of(answer), decisive=False)

    async def request(
        self, *path: str, what: str, params: dict[str, str] | None = None, right: str = "applications, get"
    ) -> ArgoCDRequest:
        """Return a request below the Application. Raises SourceError if its namespace or project cannot be read."""
        return _request(await self.scope(), *path, what=what, params=params, right=right)

    async def run[T](self, read: Callable[[], T], *, decisive: bool = True) -> T:
        """Return what `read` returns, uncached."""
        return await self._reads.run(read, decisive=decisive)

    async def once[T](
        self,
        request: ArgoCDRequest,
        parse: Callable[[object], T],
        *,
        immutable: bool = False,
        decisive: bool = True,
    ) -> T:
        """Return the parsed answer, read once in the turn and cached."""

        def read() -> Sized[T]:
            answer = self.api.read_json(request)
            return Sized(parse(answer.value), answer.size)

        return await self._reads.once(request.key, read, immutable=immutable, decisive=decisive)

    async def once_sized[T](self, request: ArgoCDRequest, read: Callable[[], Sized[T]], *, decisive: bool = True) -> T:
        """Like `once` for an answer that `read` parses as it arrives."""
        return await self._reads.once(request.key, read, decisive=decisive)

    async def live(self, resource: ResourceRef) -> Manifest:
        """Return the live manifest of a resource, which is named as in the resource tree."""
        params = {
            "namespace": resource.namespace,
            "resourceName": resource.name,
            "version": resource.version,
            "group": resource.group,
            "kind": resource.kind,
        }
        request = await self.request("resource", params=params, what=f"the live manifest of {resource}")
        return await self.once(request, _live_manifest)

    async def scope(self) -> ApplicationRef:
        """Return the Application with its namespace and project."""
        if self._named.namespace and self._named.project:
            return self._named
        application = await self.turn.application()
        if self._application_failure:
            raise again(self._application_failure)
        return self._named.model_copy(
            update={
                "namespace": self._named.namespace or text_at(application, "metadata", "namespace"),
                "project": self._named.project or text_at(application, "spec", "project"),
            }
        )


def manifest_of(answer: object) -> Manifest:
    """Return the answer as a manifest. Raises SourceError if it is none."""
    manifest = object_at(answer)
    if not object_at(manifest, "metadata"):
        raise SourceError("Argo CD answered no manifest where one was expected", code="invalid")
    return manifest


def _live_manifest(answer: object) -> Manifest:
    """The manifest in `{"manifest": "<JSON as a string>"}`; the string is `null` for a resource that is gone."""
    text = text_at(answer, "manifest")
    if text in {"", "null"}:
        raise SourceError("Argo CD has the resource in its tree, but it is not in the cluster", code="not_found")
    try:
        return without_secret_values(manifest_of(json.loads(text)))
    except (ValueError, RecursionError):
        raise SourceError("Argo CD answered a manifest that is no JSON", code="invalid") from None


def _request(
    scope: ApplicationRef,
    *path: str,
    what: str,
    params: dict[str, str] | None = None,
    right: str = "applications, get",
) -> ArgoCDRequest:
    params = (params or {}) | {"appNamespace": scope.namespace, "project": scope.project}
    return ArgoCDRequest(path=(scope.name, *path), params=params, what=what, right=right)
