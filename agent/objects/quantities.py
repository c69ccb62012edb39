"""Kubernetes quantities as numbers, so that `1000m` and `1` are the same. Owns the suffixes only."""

import re
from decimal import Decimal

# Decimal and binary suffixes of k8s.io/apimachinery/pkg/api/resource,
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_SUFFIXES: dict[str, Decimal] = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
    "Ei": Decimal(2) ** 60,
}
_QUANTITY = re.compile(r"([+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?)([numkMGTPE]|[KMGTPE]i)?")


def quantity(value: object) -> Decimal | None:
    """The number that a quantity denotes, None for anything else."""
    if isinstance(value, bool) or (isinstance(value, int) and value.bit_length() > 300):
        return None
    text = str(value) if isinstance(value, int | float) else value
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) and len(text) <= 100 else None
    return Decimal(match.group(1)) * _SUFFIXES[match.group(2) or ""] if match else None


def same_quantity(one: object, other: object) -> bool:
    """Whether both are quantities, and of one size."""
    left = quantity(one)
    return left is not None and left == quantity(other)
