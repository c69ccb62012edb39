"""The session ids of Lightspeed conversations: `<conversation>.<nonce>.<mac>`.

A Lightspeed conversation belongs to the service's token, which all our users share, and the process keeps no state.
So the id itself carries whose session it is: the mac covers conversation, nonce and user. Owns no conversation.
"""

import hashlib
import hmac
import json
import re

from agent.errors import SessionForbidden, SessionNotFound
from agent.request.caller import Caller

# 16 random bytes and a mac of 16 bytes, in hex. Lightspeed's own ids are UUIDs; lightspeed-stack also has longer ones.
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SESSION = re.compile(r"(?P<conversation>[A-Za-z0-9_-]{1,128})\.(?P<nonce>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{32})")


def is_conversation_id(value: str) -> bool:
    """Whether a session id can carry `value`."""
    return _CONVERSATION.fullmatch(value) is not None


class SessionIds:
    """Issues and checks session ids with a key derived from the Lightspeed token, so that every replica agrees."""

    def __init__(self, token: str) -> None:
        self._key = hmac.digest(token.encode(), b"argocd-assistant: sessions of Lightspeed", hashlib.sha256)

    def issue(self, conversation_id: str, *, nonce: str, caller: Caller) -> str:
        """The session id with which `caller` continues the conversation. `nonce` is 32 hex digits."""
        return f"{conversation_id}.{nonce}.{self._mac(conversation_id, nonce, caller)}"

    def parse(self, session_id: str, *, caller: Caller) -> tuple[str, str]:
        """Conversation and nonce of a session of `caller`.

        Raises SessionNotFound for what was never a session id of ours, SessionForbidden for somebody else's.
        """
        match = _SESSION.fullmatch(session_id)
        if match is None:
            raise SessionNotFound("custom_inputs.session_id: there is no such session; leave it out to start one")
        conversation, nonce = match["conversation"], match["nonce"]
        if not hmac.compare_digest(match["mac"], self._mac(conversation, nonce, caller)):
            raise SessionForbidden(
                "custom_inputs.session_id: the session belongs to another user, or was started with another "
                "Lightspeed token; leave it out to start one"
            )
        return conversation, nonce

    def redaction_key(self, nonce: str) -> bytes:
        """The session's secret: who has read the session id still cannot compute it."""
        return hmac.digest(self._key, b"redaction:" + nonce.encode(), hashlib.sha256)

    def _mac(self, conversation_id: str, nonce: str, caller: Caller) -> str:
        # As JSON the anonymous user (null) and a user of that name differ.
        owned = json.dumps([conversation_id, nonce, caller.subject]).encode()
        return hmac.digest(self._key, b"session:" + owned, hashlib.sha256).hex()[:32]
