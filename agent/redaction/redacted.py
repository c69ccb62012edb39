"""Values that have passed the redactor. Owns the guarantee: only `agent.redaction` makes one."""

_SEAL = object()


class Redacted[T]:
    """A value without secrets, as far as the redactor recognises them. What leaves a turn is of this type, so that no
    sink can be handed anything else. Raises TypeError when it is constructed anywhere but in this package."""

    __slots__ = ("value",)

    def __init__(self, value: T, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the redactor makes a Redacted value: use Redactor.release")
        self.value = value

    def __repr__(self) -> str:
        return f"Redacted({self.value!r})"


def sealed[T](value: T) -> Redacted[T]:
    """The value, marked as redacted. For the redactor alone."""
    return Redacted(value, _SEAL)
