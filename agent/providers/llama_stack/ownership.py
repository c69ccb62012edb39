"""What is kept with a session on the server: whose it is, who holds it, what it holds; and this process' own holds.

The server lets anyone who knows a session's id continue it, so the record binds it to its user. Owns no request.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from agent.errors import SessionBusy, SessionForbidden
from agent.request.caller import Caller

_MARK = "argocd-assistant"
_ANONYMOUS = "anonymous"
BUSY = "custom_inputs.session_id: a turn is running in this session; ask again when it has ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept with a session.

    `owner` is a keyed hash of the user's id, so that the server learns no names; `redaction_key` is 64 hex digits;
    `holder` runs a turn until `held_until` (Unix seconds), "" means that it is free. `history_tokens` is the upper
    estimate of what it holds, None where a turn ended so that it is unknown; `previous_fingerprint` is that of its last
    turn's context. `successor` is the session in which it continues, shortened, "" for none.
    """

    owner: str
    redaction_key: str
    holder: str = ""
    held_until: int = 0
    history_tokens: int | None = 0
    previous_fingerprint: str = ""
    successor: str = ""

    @staticmethod
    def new(caller: Caller) -> "Record":
        """The record of a session that `caller` starts."""
        key = secrets.token_hex(32)
        return Record(owner=_owner(caller, key), redaction_key=key)

    @staticmethod
    def of(metadata: Mapping[str, object]) -> "Record | None":
        """The record as `metadata` holds it, None where this assistant wrote none."""
        key = str(metadata.get("redaction_key", ""))
        if metadata.get("app") != _MARK or len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            return None
        return Record(
            owner=str(metadata.get("owner", "")),
            redaction_key=key,
            holder=str(metadata.get("holder", "")),
            held_until=_number(metadata.get("held_until")) or 0,
            history_tokens=_number(metadata.get("history_tokens")),
            previous_fingerprint=str(metadata.get("remembered", "")),
            successor=str(metadata.get("successor", "")),
        )

    @property
    def metadata(self) -> dict[str, str]:
        """The record as texts, for a server that keeps key-value pairs with a session."""
        record = {"app": _MARK, "owner": self.owner, "redaction_key": self.redaction_key}
        holder = {"holder": self.holder, "held_until": str(self.held_until)} if self.holder else {}
        others = {
            "history_tokens": "" if self.history_tokens is None else str(self.history_tokens),
            "remembered": self.previous_fingerprint,
            "successor": self.successor,
        }
        return record | holder | {key: value for key, value in others.items() if value}

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.redaction_key)

    def held(self, *, seconds: float) -> "Record":
        """The same record, held by a new holder for at most `seconds`.

        Raises SessionBusy while another holds it. Best effort between replicas: two that look within the same few
        milliseconds both see it free.
        """
        now = int(time.time())
        if self.holder and self.held_until > now:
            left = self.held_until - now
            raise SessionBusy(f"{BUSY}, in {left} s at the latest (its process may be gone), or start a new session")
        return replace(self, holder=secrets.token_hex(8), held_until=now + max(1, round(seconds)))

    @property
    def is_over(self) -> bool:
        """Whether the hold has expired, so that the session may be another's by now."""
        return time.time() >= self.held_until

    @property
    def is_uncertain(self) -> bool:
        """Whether the last turn ended so that nobody noted what it left: without an end, or without giving back."""
        return self.history_tokens is None or (bool(self.holder) and self.is_over)

    def released(self) -> "Record":
        return replace(self, holder="", held_until=0)

    def holding(self, history_tokens: int | None, *, previous_fingerprint: str | None = None) -> "Record":
        """The record of a session that holds so much by now; `previous_fingerprint` None: as before."""
        return replace(
            self,
            history_tokens=history_tokens,
            previous_fingerprint=self.previous_fingerprint if previous_fingerprint is None else previous_fingerprint,
        )

    def succeeding(self) -> "Record":
        """The record of the session in which this one goes on: the same owner and key."""
        return replace(self, history_tokens=0, successor="").released()


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def check_owner(record: Record | None, caller: Caller) -> Record:
    """The record, if it is this user's. Raises SessionForbidden for anybody else's and for no record at all."""
    if record is None or not hmac.compare_digest(record.owner, _owner(caller, record.redaction_key)):
        raise SessionForbidden("custom_inputs.session_id: this session is not yours; leave it out to start your own")
    return record


def _owner(caller: Caller, key: str) -> str:
    if caller.subject is None:
        return _ANONYMOUS
    return hmac.new(bytes.fromhex(key), caller.subject.encode(), hashlib.sha256).hexdigest()


class Holds:
    """The sessions in which a turn of this process runs."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    @contextmanager
    def hold(self, session_id: str) -> Generator[None]:
        """Keeps other turns of this process out of the session. Raises SessionBusy."""
        if session_id in self._held:
            raise SessionBusy(BUSY)
        self._held.add(session_id)
        try:
            yield
        finally:
            self._held.discard(session_id)
