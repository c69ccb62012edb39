"""llama-stack and OGX as a provider, and what speaks their older or plainer protocols.

`provider` finds out what the server offers and opens sessions; `responses`, `agents` and `chat` are the three wire
protocols; `leases` finds the conversation of a turn, `ownership` binds a session to its user, `history` shapes earlier
messages, `models` picks the model, `connection` holds the connections and retries, `event_stream` reads server-sent
events, `failures` turns what goes wrong into our errors.
"""
