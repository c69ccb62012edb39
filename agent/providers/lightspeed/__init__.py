"""OpenShift Lightspeed as a provider: `POST /v1/streaming_query`, one conversation of it a session.

`client` speaks HTTP and streams the turn; `query` writes the request's body, `events` reads the answer's lines,
`failures` turns what goes wrong into our errors, `session_id` binds a conversation to its user.
"""
