"""Prices and amounts as text, for any coin: a price of 1e-9 as well as one of 1e6."""

from __future__ import annotations

import math

from powderkeg.history.currencies import DOLLAR, Rate

SYMBOLS = {"USD": "$", "NZD": "NZ$", "EUR": "€", "AUD": "A$", "GBP": "£", "JPY": "¥"}
"""What stands before an amount; other currencies go by name."""
PLAIN = Rate(DOLLAR, 1.0, 0, stale=False)
PLACES = 10
"""Decimals written out at most."""
TINY = 1e-6
"""Prices below this that need more decimals go with an exponent; from here on so many are five
figures or more. The page has the same rule."""


def money(dollars: float, rate: Rate = PLAIN) -> str:
    """Return an amount in three digits: $42.7M, NZ$71.2M, $1.2T."""
    amount, sign = dollars * rate.value, SYMBOLS.get(rate.ccy, f"{rate.ccy} ")
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        # 999.96K would read 1000K once rounded: the next unit takes over
        if amount >= size * 0.9995:
            x = amount / size
            return f"{sign}{x:.0f}{letter}" if x >= 99.95 else f"{sign}{x:.1f}{letter}"
    return f"{sign}{amount:.0f}"


def price_text(price: float, digits: int) -> str:
    """Return a price with so many decimals; a tiny one that needs more than ten as 1.023e-9."""
    if digits <= PLACES or not 0 < abs(price) < TINY:
        return f"{price:,.{min(digits, PLACES)}f}"
    figures = max(0, digits + math.floor(math.log10(abs(price))))
    mantissa, power = f"{price:.{figures}e}".split("e")
    return f"{mantissa}e{int(power)}"


def decimals(price: float, figures: int) -> int:
    """Return how many decimals a price needs for so many significant figures, none below zero."""
    return max(0, figures - 1 - math.floor(math.log10(price))) if price > 0 else 0


def apart(step: float) -> int:
    """Return how many decimals prices that are `step` apart need so that no two read the same."""
    return max(0, -math.floor(math.log10(step)))


def significant(price: float, figures: int = 6) -> str:
    """Return a price in so many significant figures, without the noughts they end with."""
    text, _, power = price_text(price, decimals(price, figures)).partition("e")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}e{power}" if power else text
