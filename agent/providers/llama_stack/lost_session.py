"""What is said of a session that the server no longer has: to the user, and to the model. Owns the words."""

from functools import cache

from agent.prompt.tokens import count_tokens

_REBUILT = "# Note\nThe session of this conversation was lost. Its earlier messages were sent again by the caller."
_FORGOTTEN = (
    "# Note\nThe session of this conversation was lost: what was said before this question is not known to you. Say so "
    "where the question refers to it."
)


def told_to_user(session_id: str, *, rebuilt: bool) -> str:
    """The note on the provider; `rebuilt`: the request held earlier messages."""
    gone = f"the session {session_id} is no longer on the model server"
    if rebuilt:
        return f"{gone}; it was rebuilt from the messages of this request"
    return f"{gone} and its earlier turns are lost; a new one was started"


def notice(*, rebuilt: bool) -> str:
    """What the model is told at the end of its instructions."""
    return _REBUILT if rebuilt else _FORGOTTEN


@cache
def notice_tokens() -> int:
    """Upper estimate of either notice."""
    return max(count_tokens(_REBUILT), count_tokens(_FORGOTTEN)) + 1
