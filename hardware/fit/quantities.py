"""Kubernetes quantities ("64Gi", "223370m", "1k", 8) as exact numbers, and back to text.

The kubernetes client has a parser too, but its import takes 0.25–0.5 s: the time of a whole `check`.
"""

import re
from decimal import Decimal

Quantity = str | int | Decimal

_SYNTAX = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d{1,2}))?", re.ASCII)
_SUFFIXES = {
    **{
        suffix: Decimal(1000) ** power
        for power, suffix in enumerate(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"], -3)
    },
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def parse(quantity: Quantity) -> Decimal:
    """Returns the number of a quantity, in the resource's unit (bytes, cores, devices). Raises ValueError."""
    match = _SYNTAX.fullmatch(str(quantity))
    if match is None or isinstance(quantity, bool):
        raise ValueError(
            f"{quantity!r} is not a Kubernetes quantity; write a number with one of m k M G T Ki Mi Gi Ti, like '64Gi'"
        )
    number, suffix, exponent = match.groups()
    return Decimal(number) * (Decimal(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""])


def text(amount: Decimal) -> str:
    """Returns the shortest exact text: bytes in Gi or Mi if exact, fractions in thousandths."""
    for suffix in ("Gi", "Mi"):
        if amount and amount % _SUFFIXES[suffix] == 0:
            return f"{int(amount / _SUFFIXES[suffix])}{suffix}"
    if amount == amount.to_integral_value():
        return str(int(amount))
    return f"{(amount * 1000).normalize():f}m"
