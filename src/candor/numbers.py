"""Numbers as they are told: shares in per cent with their intervals, p values, large counts with a prefix."""

from __future__ import annotations

import math

PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def percent(value: float, low: float = math.nan, high: float = math.nan, digits: int = 1, alone: str = "") -> str:
    """Return a share in per cent, with its interval where there is one.

    Parameters
    ----------
    value, low, high
        The share and the ends of its interval; NaN for what is not known.
    digits
        Behind the point.
    alone
        What stands in place of an interval.

    Examples
    --------
    >>> percent(0.575, 0.517, 0.631), percent(0.575, 0.517, 0.631, digits=0), percent(0.5), percent(float("nan"))
    ('57.5 [51.7, 63.1]', '57 [52, 63]', '50.0', '-')
    """
    if math.isnan(value):
        return "-"
    told, least, most = (f"{100 * number:z.{digits}f}" for number in (value, low, high))
    return f"{told}{alone}" if math.isnan(low) else f"{told} [{least}, {most}]"


def p_value(p: float) -> str:
    """Return a p value.

    >>> p_value(0.0004), p_value(0.0312), p_value(float("nan"))
    ('<0.001', '0.031', '-')
    """
    return "-" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def p_words(p: float) -> str:
    """Return a p value in a sentence.

    >>> p_words(0.0004), p_words(0.0312)
    ('p < 0.001', 'p = 0.031')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def with_prefix(number: float) -> str:
    """Return a number with three digits and a prefix.

    >>> with_prefix(374395840), with_prefix(43908), with_prefix(0), with_prefix(float("nan"))
    ('374 M', '43.9 k', '0', '-')
    """
    if number != number:
        return "-"
    for size, prefix in PREFIXES:
        if number >= size:
            return f"{number / size:.3g} {prefix}" if number < 999.5 * size else f"{number / size:.0f} {prefix}"
    return f"{number:.0f}"
