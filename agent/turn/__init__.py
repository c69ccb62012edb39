"""One turn: from a question to the stream of its events."""
