"""Reads the manifests, events and logs that `ask` is given, from files or standard input.

Raises RequestError naming the option; what is in the manifests is checked by `agent.request.question`.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml

from agent.errors import RequestError
from agent.objects.manifest import Manifest, list_at, lookup, object_at, objects_at, text_at
from agent.request.pasted.encoding import decoded
from agent.request.pasted.reading import read_pasted

# Of a log only the end can matter; this holds more lines than may be asked for.
_LOG_BYTES = 16_000_000
# The paths of a Pod's spec: in a Pod, in a workload's template, in a CronJob's.
_POD_SPECS = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
)


@dataclass(slots=True)
class Manifests:
    """The objects of the files by what they are to the question, in their order. `events` None: none were given."""

    application: Manifest | None = None
    resources: list[Manifest] = field(default_factory=list[Manifest])
    events: list[Manifest] | None = None

    def add(self, found: Manifest) -> None:
        if is_event(found):
            self.events = [*(self.events or ()), found]
        elif is_application(found) and self.application is None:
            self.application = found
        else:
            self.resources.append(found)


def read_manifests(files: Sequence[str], events: Sequence[str]) -> Manifests:
    """The objects of `-f` and `--events`."""
    read = Manifests()
    for name in files:
        for found in _objects(name, option="-f"):
            read.add(found)
    for name in events:
        found = _objects(name, option="--events")
        if strange := next((each for each in found if not is_event(each)), None):
            raise RequestError.at(f"--events {name}", f"{_named(strange)} is no event")
        read.events = [*(read.events or ()), *found]
    return read


def read_logs(logs: Sequence[str], *, container: str | None, pods: Sequence[Manifest]) -> dict[str, str]:
    """The log texts of `--logs` by container."""
    texts: dict[str, str] = {}
    for given in logs:
        named, equals, path = given.partition("=")
        if not equals or Path(given).is_file():
            named, path = "", given
        option = f"--logs {given}"
        if name := named or container:
            _check_container(name, pods, option=option)
        name = name or _only_container(pods, option=option) or Path(path).stem or "log"
        if name in texts:
            raise RequestError.at(option, f"there is a log of container {name!r} already")
        texts[name] = _tail(path, option="--logs")
    return texts


def _check_container(name: str, manifests: Sequence[Manifest], *, option: str) -> None:
    """Raises RequestError where the manifests name containers and this is none of them."""
    there = sorted(
        {
            text_at(container, "name")
            for manifest in manifests
            for path in _POD_SPECS
            for kind in ("containers", "initContainers", "ephemeralContainers")
            for container in objects_at(manifest, *path, kind)
        }
        - {""}
    )
    if not there or name in there:
        return
    wrong = f"there is no container {name!r} in the manifests; there are: {', '.join(there)}"
    if not any(text_at(manifest, "kind") == "Pod" for manifest in manifests):
        wrong += " (one that is injected into the Pod is in the Pod's manifest only: give that with -f, too)"
    raise RequestError.at(option, wrong)


def _only_container(pods: Sequence[Manifest], *, option: str) -> str:
    """The container of Pods that have one; "" where no Pod is known."""
    names = {
        text_at(each, "name") for pod in pods for path in _POD_SPECS for each in objects_at(pod, *path, "containers")
    }
    if len(names) > 1:
        raise RequestError.at(option, f"say of which container: CONTAINER=FILE with one of {', '.join(sorted(names))}")
    return names.pop() if names else ""


def _objects(name: str, *, option: str) -> list[Manifest]:
    return objects_in(_read(name, option), where=f"{option} {name}")


def objects_in(raw: bytes, *, where: str) -> list[Manifest]:
    """The Kubernetes objects of a file's content (JSON, YAML, several documents); lists are the objects they hold.

    Raises RequestError that begins with `where` and names the line.
    """
    try:
        text = decoded(raw)
    except UnicodeDecodeError as error:
        raise RequestError.at(where, f"invalid UTF-8 at byte {error.start}") from None
    pasted = read_pasted(text, datetime.now(UTC)) if _PRINTED.match(text) else None
    if pasted and (found := [*pasted.resources, *pasted.events, *([pasted.application] if pasted.application else [])]):
        return found
    documents = list(_documents(text, where))
    found = [each for document in documents for each in _unpacked(document)]
    if not documents or not all(isinstance(each, dict) for each in found):
        raise RequestError.at(where, _STRANGE if documents else _EMPTY)
    if not all(_is_manifest(each) for each in cast("list[Manifest]", found)):
        raise RequestError.at(where, _WITHOUT_KIND)
    return cast("list[Manifest]", found)


# The output of kubectl or argocd for people, which is no manifest: the first line with text begins like one.
_PRINTED = re.compile(r"\s*(?:Name:\s|[A-Z][A-Z -]*[A-Z](?:\s{2,}|\t)[A-Z])")

_STRANGE = "holds something that is no Kubernetes object"
_WITHOUT_KIND = (
    "holds an object without `kind`, which is no manifest; of a chart's values or a kustomization give what it "
    "renders: `helm template`, `kubectl kustomize`"
)
_EMPTY = "is empty; manifests were expected, as `kubectl get ... -o yaml` prints them"


def _is_manifest(found: Manifest) -> bool:
    return bool(text_at(found, "kind")) or is_event(found) or is_application(found)


def _unpacked(document: object) -> Iterator[object]:
    if isinstance(document, list):
        for each in cast("list[object]", document):
            yield from _unpacked(each)
    elif _is_list(document):
        # The items of a typed list do not repeat its kind.
        kind = text_at(document, "kind").removesuffix("List")
        for item in list_at(document, "items"):
            yield {"kind": kind} | cast("Manifest", item) if kind and isinstance(item, dict) else item
    else:
        yield document


def _is_list(document: object) -> bool:
    kind = text_at(document, "kind")
    return "items" in object_at(document) and (kind.endswith("List") or not kind)


def _documents(text: str, where: str) -> Iterator[object]:
    not_json = ""
    if text.lstrip()[:1] in {"{", "["}:
        try:
            yield from _json_documents(text)
        except json.JSONDecodeError as error:
            not_json = f"invalid JSON at line {error.lineno} column {error.colno}"  # unless it is a flow of YAML
        except (ValueError, RecursionError):
            raise RequestError.at(where, "is nested too deeply, or holds a number of too many digits") from None
        else:
            return
    try:
        yield from (document for document in yaml.load_all(text, _LOADER) if document is not None)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        place = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise RequestError.at(where, not_json or f"invalid YAML{place}") from None
    except (ValueError, RecursionError):
        raise RequestError.at(where, "is nested too deeply, or holds a value that YAML cannot read") from None


def _json_documents(text: str) -> list[object]:
    """The documents of a text that is JSON from its first to its last character, one after the other."""
    documents: list[object] = []
    decoder = json.JSONDecoder()
    place = len(text) - len(text.lstrip())
    while place < len(text):
        document, end = decoder.raw_decode(text, place)
        documents.append(document)
        place = _BLANK.match(text, end).end()  # pyright: ignore[reportOptionalMemberAccess] - it matches the empty text
    return documents


_BLANK = re.compile(r"\s*")

# Ten times as fast as the pure one, and absent from some source builds of PyYAML. Of its types only those are kept that
# a manifest has: times and binary data stay the text that they are there.
_LOADER: type[Any] = type("_ManifestLoader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
for _tag in ("timestamp", "binary"):
    _LOADER.add_constructor(f"tag:yaml.org,2002:{_tag}", _LOADER.construct_yaml_str)


def is_event(manifest: Manifest) -> bool:
    """Whether the object is an event of either API; items of a list may lack their kind."""
    group = text_at(manifest, "apiVersion").partition("/")[0]
    if text_at(manifest, "kind") == "Event":
        return group in {"", "v1", "events.k8s.io"}
    return not text_at(manifest, "kind") and bool(lookup(manifest, "involvedObject") or lookup(manifest, "regarding"))


def is_application(manifest: Manifest) -> bool:
    """Whether the object is an Argo CD Application, whose API leaves kind and apiVersion out."""
    if kind := text_at(manifest, "kind"):
        return kind == "Application" and text_at(manifest, "apiVersion").partition("/")[0] in {"", "argoproj.io"}
    spec = object_at(manifest, "spec")
    return "destination" in spec and ("source" in spec or "sources" in spec)


def _named(manifest: Manifest) -> str:
    return f"{text_at(manifest, 'kind') or 'an object without kind'} {text_at(manifest, 'metadata', 'name')}".strip()


def _tail(name: str, *, option: str) -> str:
    """The end of a log, beginning with a whole line."""
    raw = _read(name, option, last=_LOG_BYTES)
    if len(raw) == _LOG_BYTES:
        raw = raw[raw.find(b"\n") + 1 :]
    return _log_text(raw)


def _log_text(raw: bytes) -> str:
    """The text of a log; what is no text in its encoding is replaced."""
    try:
        return decoded(raw)
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _read(name: str, option: str, *, last: int | None = None) -> bytes:
    """The bytes of a file, or of standard input for `-`; only the last ones where `last` says how many."""
    if name == "-":
        raw = sys.stdin.buffer.read()
        return raw if last is None else raw[-last:]
    try:
        with Path(name).open("rb") as file:
            if last is not None and file.seek(0, 2) > last:
                file.seek(-last, 2)
            elif last is not None:
                file.seek(0)
            return file.read()
    except OSError as error:
        raise RequestError.at(f"{option} {name}", f"cannot be read: {error.strerror or type(error).__name__}") from None
