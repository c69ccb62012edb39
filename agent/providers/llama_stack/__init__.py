"""llama-stack and OGX as a provider, and what speaks their older or plainer protocols.

`provider` finds out what the server offers and opens sessions; `responses`, `agents` and `chat` are the three wire
protocols; `connection` holds the connections and tries again, `event_stream` reads server-sent events, `models` picks
the model, `ownership` binds a session to its user, `failures` turns what goes wrong into our errors.
"""

from agent.providers.llama_stack.provider import LlamaStack

__all__ = ["LlamaStack"]
