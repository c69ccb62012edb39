"""The defaults of the contract that callers without tools rely on."""

from agent.providers.events import SessionRequest, Tool


def test_a_session_is_asked_without_tools_unless_the_caller_offers_some() -> None:
    tool = Tool(name="read_pod", description="Read a Pod.", parameters={"type": "object", "properties": {}})

    assert SessionRequest().tools == ()
    assert SessionRequest(tools=(tool,)).tools == (tool,)
