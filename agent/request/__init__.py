"""The question: the body of a request parsed into values. No I/O."""
