"""Instructions in MLflow's prompt registry: read at the first turn and every five minutes, registered with the model.

Owns the reads and writes of the registry; the built-in text is in `agent.prompt.instructions`. If the registry is down
or empty, the built-in text is used, with a line in the log and a note in the answer.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import mlflow
import mlflow.genai
from mlflow.entities.model_registry import PromptVersion
from mlflow.exceptions import MlflowException

from agent.objects.manifest import text_at
from agent.prompt.instructions import BUILT_IN, Instructions

logger = logging.getLogger(__name__)

# MLflow keeps prompts as registered models, and `argocd-assistant` is the model's own name.
PROMPT_NAME = "argocd-assistant-instructions"
PROMPT_ALIAS = "production"
_SOURCE, _OURS = "argocd-assistant.source", "built-in"

# Seconds until a version is read again, and for which the first turn waits for it.
_FRESH_SECONDS = 300.0
_FIRST_READ_SECONDS = 5.0


class RegisteredInstructions:
    """The instructions at `uri` (`prompts:/name@alias` or `prompts:/name/version`) with a team's own below them.

    Never more than one read at a time, each on a thread of its own; turns go on with the version that was read last.
    """

    def __init__(self, uri: str, *, team: str = "") -> None:
        self._uri = uri
        self._current = replace(BUILT_IN, team=team)
        self._until = 0.0
        self._reading = threading.Lock()
        self._read_once = threading.Event()

    async def current(self) -> Instructions:
        """The version that was read last; the first turn waits for it a few seconds at most."""
        if time.monotonic() > self._until:
            self._begin()
        if not self._read_once.is_set():
            await asyncio.to_thread(self._read_once.wait, _FIRST_READ_SECONDS)
            if not self._read_once.is_set():
                return replace(self._current, note=f"{self._uri} was not read in time; the built-in text was used")
        return self._current

    def _begin(self) -> None:
        if self._reading.acquire(blocking=False):
            threading.Thread(target=self._read, name="instructions", daemon=True).start()

    def _read(self) -> None:
        try:
            self._current = self._of(_loaded(self._uri))
        except (MlflowException, OSError, ValueError) as error:
            logger.warning("%s could not be read: %s", self._uri, type(error).__name__)
            if not self._read_once.is_set():
                self._current = replace(self._current, note=f"{self._uri} could not be read; {_FELL_BACK}")
        finally:
            self._until = time.monotonic() + _FRESH_SECONDS
            self._read_once.set()
            self._reading.release()

    def _of(self, prompt: PromptVersion | None) -> Instructions:
        text = _text(prompt.template) if prompt else ""
        if prompt is None or not text.strip():
            logger.warning("%s is not in the prompt registry; %s", self._uri, _FELL_BACK)
            return replace(BUILT_IN, team=self._current.team, note=f"{self._uri} does not exist; {_FELL_BACK}")
        return Instructions(text=text, version=f"prompts:/{prompt.name}/{prompt.version}", team=self._current.team)


_FELL_BACK = "the built-in text was used"


def _loaded(uri: str) -> PromptVersion | None:
    loaded: PromptVersion | None = mlflow.genai.load_prompt(
        uri, allow_missing=True, link_to_model=False, cache_ttl_seconds=0
    )
    return loaded


def _text(template: str | Sequence[Mapping[str, Any]]) -> str:
    """A text prompt as it is; of a chat prompt the system's messages."""
    if isinstance(template, str):
        return template
    system = [message for message in template if message.get("role") in ("system", "developer")]
    return "\n\n".join(filter(None, (text_at(dict(message), "content") for message in system)))


def register_built_in() -> str:
    """Register the built-in instructions as a new version if their text is new, point the alias at it, and return the
    URI of the version.

    An alias that a team has set on a version of its own stays. Raises MlflowException when the registry refuses.
    """
    newest = _newest_of_ours()
    if newest is None or newest.template != BUILT_IN.text:
        newest = mlflow.genai.register_prompt(
            name=PROMPT_NAME,
            template=BUILT_IN.text,
            commit_message=f"Built into argocd-assistant: {BUILT_IN.version}",
            tags={_SOURCE: _OURS},
        )
    named = _loaded(f"prompts:/{PROMPT_NAME}@{PROMPT_ALIAS}")
    if named is None or named.tags.get(_SOURCE) == _OURS:
        mlflow.genai.set_prompt_alias(PROMPT_NAME, PROMPT_ALIAS, newest.version)
    return f"prompts:/{PROMPT_NAME}/{newest.version}"


def _newest_of_ours() -> PromptVersion | None:
    if _loaded(PROMPT_NAME) is None:
        return None
    found = cast("Sequence[PromptVersion]", mlflow.MlflowClient().search_prompt_versions(PROMPT_NAME))
    return max((each for each in found if each.tags.get(_SOURCE) == _OURS), key=lambda each: each.version, default=None)
