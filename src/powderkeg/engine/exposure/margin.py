"""Where a position is force-closed: one formula for linear contracts, one for inverse ones.

Signs and symbols as in docs/margin.md: s is +1 for a long and -1 for a short, q size in base coin,
E entry, L leverage, M margin, r maintenance rate of the tier *at the liquidation price*, c its
deduction, f a fee the venue adds to the requirement, all venues measured at the mark price.

    linear    M + s q (P - E) = q P (r + f) - c        P = (M + c - s q E) / (q (r + f) - s q)
    inverse   M + s V (1/E - 1/P) = V (r + f) / P - c  P = V (r + f + s) / (M + c + s V / E)

V is the inverse position in quote currency. Leverage set by a cross-margin trader moves neither:
only M does. A position that no price can close has 0 (long) or infinity (short).
"""

from __future__ import annotations

import numpy as np

from powderkeg.events import Floats, PositionSide
from powderkeg.instruments import TierTable

_ROUNDS = 64
"""Tier look-ups at most. A step can pass each tier once; Deribit's slope settles in under 20."""


def linear_price(
    entry: Floats | float,
    size: Floats | float,
    margin: Floats | float,
    rate: Floats | float,
    deduction: Floats | float,
    holder: PositionSide,
    fee: float = 0.0,
) -> Floats:
    """Return the mark at which a linear position is force-closed, its tier being known.

    Args:
        entry: Entry prices.
        size: Base coin, > 0.
        margin: What is left for this position: isolated the margin assigned; cross the wallet
            plus the profit of other positions less their maintenance.
        rate: Maintenance rate of the tier.
        deduction: Deduction of the tier.
        holder: Which side.
        fee: Part of notional the venue adds to the requirement.

    Returns:
        Prices, in the broadcast shape of the arguments.

    Source: docs/margin.md, "Linear contracts".
    """
    s = _sign(holder)
    size = np.asarray(size, np.float64)
    price = (margin + deduction - s * size * entry) / (size * (np.asarray(rate) + fee - s))
    return _possible(np.asarray(price, np.float64), holder)


def inverse_price(
    entry: Floats | float,
    value: Floats | float,
    margin: Floats | float,
    rate: Floats | float,
    deduction: Floats | float,
    holder: PositionSide,
    fee: float = 0.0,
) -> Floats:
    """Return the mark at which an inverse position is force-closed, its tier being known.

    Args:
        entry: Entry prices.
        value: Contracts times the face of one, quote currency, > 0.
        margin: As for `linear_price`, in the coin.
        rate: Maintenance rate of the tier.
        deduction: Deduction of the tier, in the coin.
        holder: Which side.
        fee: Part of notional the venue adds to the requirement.

    Returns:
        Prices, in the broadcast shape of the arguments.

    Source: docs/margin.md, "Inverse contracts".
    """
    s = _sign(holder)
    value = np.asarray(value, np.float64)
    coins = margin + deduction + s * value / entry
    with np.errstate(divide="ignore"):
        price = value * (np.asarray(rate) + fee + s) / coins
    return _possible(np.asarray(price, np.float64), holder)


def isolated(
    entry: Floats | float,
    leverage: Floats | float,
    size: Floats | float,
    table: TierTable,
    holder: PositionSide,
    fee: float = 0.0,
) -> Floats:
    """Return the liquidation price of isolated linear positions, tier by tier.

    Args:
        entry: Entry prices, > 0.
        leverage: Notional at entry over margin, >= 1.
        size: Base coin, > 0.
        table: Brackets by notional in quote currency.
        holder: Which side.
        fee: Part of notional the venue adds to the requirement.

    Returns:
        Prices, in the broadcast shape of the arguments.

    Raises:
        ValueError: An entry, leverage or size is out of its range.
    """
    entry, leverage, size = _checked(entry, leverage, size)
    margin = entry * size / leverage
    notional, brackets = entry * size, _Brackets(table)
    price = entry
    for _ in range(_ROUNDS if table.continuous else 1):
        rate, deduction = brackets.at(notional, size)
        before, price = price, linear_price(entry, size, margin, rate, deduction, holder, fee)
        if np.array_equal(before, price):
            break
        notional = price * size
    return price


def isolated_inverse(
    entry: Floats | float,
    leverage: Floats | float,
    value: Floats | float,
    table: TierTable,
    holder: PositionSide,
    fee: float = 0.0,
) -> Floats:
    """Return the liquidation price of isolated inverse positions, tier by tier.

    As `isolated`, with `value` in quote currency and brackets by notional in the coin.

    Raises:
        ValueError: An entry, leverage or value is out of its range.
    """
    entry, leverage, value = _checked(entry, leverage, value)
    margin = value / entry / leverage
    coins, brackets = value / entry, _Brackets(table)
    price = entry
    for _ in range(_ROUNDS if table.continuous else 1):
        rate, deduction = brackets.at(coins, coins)
        before, price = price, inverse_price(entry, value, margin, rate, deduction, holder, fee)
        if np.allclose(before, price, rtol=1e-13, atol=0.0):
            break
        coins = value / price
    return price


def bankruptcy(
    entry: Floats | float, leverage: Floats | float, holder: PositionSide, *, inverse: bool = False
) -> Floats:
    """Return the price at which an isolated position has lost all its margin."""
    s = _sign(holder)
    share = s / np.asarray(leverage, np.float64)
    if not inverse:
        return np.asarray(entry * (1 - share), np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(entry / (1 + share), np.float64)


def distance(
    leverage: Floats | float, rate: Floats | float, holder: PositionSide, fee: float = 0.0
) -> Floats:
    """Return the distance from entry to liquidation of an isolated linear position, a fraction.

    In the first tier, where there is no deduction. A leverage whose margin does not cover the
    requirement is liquidated at once: 0.
    """
    price = linear_price(1.0, 1.0, 1.0 / np.asarray(leverage, np.float64), rate, 0.0, holder, fee)
    return np.maximum((1.0 - price) * _sign(holder), 0.0)


class _Brackets:
    """A tier table as columns."""

    __slots__ = ("_deductions", "_floors", "_rates", "_slope")

    def __init__(self, table: TierTable) -> None:
        self._floors = np.array([tier.floor for tier in table.tiers])
        self._rates = np.array([tier.rate for tier in table.tiers])
        self._deductions = np.array([tier.deduction for tier in table.tiers])
        self._slope = table.slope

    def at(self, notional: Floats, coins: Floats) -> tuple[Floats, Floats]:
        """Return rate and deduction; a notional on an edge belongs to the tier below.

        Beyond the last cap the last tier holds: such a position could not be opened, but a
        position may grow into it as price rises.
        """
        i = np.maximum(np.searchsorted(self._floors, notional, side="left") - 1, 0)
        return self._rates[i] + self._slope * coins, self._deductions[i]


def _checked(*values: Floats | float) -> tuple[Floats, Floats, Floats]:
    entry, leverage, amount = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in values))
    if not ((entry > 0).all() and (leverage >= 1).all() and (amount > 0).all()):
        raise ValueError("expected entries and sizes above 0 and leverages of 1 or more")
    return entry, leverage, amount


def _sign(holder: PositionSide) -> float:
    return 1.0 if holder == "long" else -1.0


def _possible(price: Floats, holder: PositionSide) -> Floats:
    """Return prices, with 0 or infinity where no price closes the position."""
    if holder == "long":
        return np.maximum(price, 0.0)
    return np.where(price > 0, price, np.inf)
