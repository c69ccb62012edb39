"""Notices of a provider that are shown once a day: which protocol a server is asked over does not change from one
question to the next.

Owns the file of what was shown: `$XDG_STATE_HOME/argocd-assistant/notices.json`
(https://specifications.freedesktop.org/basedir-spec/latest/). A file that cannot be read or written shows the notice.
"""

import json
import logging
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

_DAY = 24 * 3_600
_MOST = 50


class OnceADay(logging.Filter):
    """Lets a record with the same text pass once in 24 hours."""

    def __init__(self, file: Path | None = None) -> None:
        super().__init__()
        self._file = file or _state_file()
        self._seen: list[str] = []

    def has_seen(self, note: str) -> bool:
        """Whether a record of this process ended with `note`, let through now or shown earlier that day."""
        return any(text.endswith(note) for text in self._seen)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is new today."""
        shown, now, text = self._shown(), time.time(), record.getMessage()
        self._seen.append(text)
        if now - shown.get(text, 0) < _DAY:
            return False
        newest = sorted((shown | {text: now}).items(), key=lambda each: each[1])[-_MOST:]
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(dict(newest)), "utf-8")
        except OSError:
            pass  # then it is shown again
        return True

    def _shown(self) -> dict[str, float]:
        try:
            read: object = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(read, dict):
            return {}
        entries = cast("dict[str, object]", read)
        return {text: float(at) for text, at in entries.items() if isinstance(at, int | float)}


@contextmanager
def provider_notices() -> Generator[OnceADay]:
    """Shows what the provider logs once a day, for as long as the block runs."""
    logger, notices = logging.getLogger("agent.providers.llama_stack.provider"), OnceADay()
    logger.addFilter(notices)
    try:
        yield notices
    finally:
        logger.removeFilter(notices)


def _state_file() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "argocd-assistant" / "notices.json"
