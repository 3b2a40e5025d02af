"""What a trade costs, and what is left of its reward against its risk.

A loss of 1 R is the amount risked: the distance from entry to stop times the size. Costs come on
top, so a stopped trade loses more than 1 R, and a net ratio divides what is left of the gain by
what is lost with costs. Funding is charged to the gain alone: a stop may be hit before any is due.

Source: docs/risk.md.
"""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct

from powderkeg.events import HOUR, PositionSide

EVERY: Final = 8 * HOUR
"""µs between funding payments, as most venues have them."""
SHRINKAGE: Final = 20.0
"""Past episodes that the base rate counts as."""


class Costs(Struct, frozen=True):
    """Costs of one trade, all fractions of notional."""

    entry_fee: float = 0.0
    """Fee of the venue on the entry, a fraction of notional."""
    exit_fee: float = 0.0
    """Fee of the venue on the exit, a fraction of notional."""
    slippage: float = 0.0
    """Price given up on each side, a fraction of notional."""
    funding: float = 0.0
    """Rate of one funding payment, a fraction of notional; positive: longs pay shorts."""
    fundings: int = 0
    """Number of payments until the target."""


class Outcome(Struct, frozen=True):
    """What a trade that ends at one price brings."""

    price: float
    """Price of the exit, quote currency."""
    gross: float
    """Gain before costs, quote currency; negative for a loss."""
    costs: float
    """Fees, slippage and funding paid, quote currency."""
    net: float
    """Gain after costs, quote currency."""
    gross_r: float
    """Gain before costs as a ratio to the amount risked."""
    net_r: float
    """Gain after costs as a ratio to the amount risked."""


class PlannedTrade(Struct, frozen=True):
    """A position from its entry to its stop."""

    side: PositionSide
    """Long or short."""
    entry: float
    """Price of the entry, quote currency."""
    stop: float
    """Price of the stop, quote currency; below the entry of a long, above that of a short."""
    size: float = 1.0
    """Base coin."""

    @property
    def sign(self) -> float:
        """One for a long, minus one for a short."""
        return 1.0 if self.side == "long" else -1.0

    @property
    def risk(self) -> float:
        """Amount risked, quote currency: 1 R."""
        return abs(self.entry - self.stop) * self.size


def outcome(
    trade: PlannedTrade, exit_price: float, costs: Costs, fundings: int | None = None
) -> Outcome:
    """Return what a trade brings that ends at a price, such as a stop that was jumped over.

    Args:
        trade: The trade.
        exit_price: Where it ends, quote currency.
        costs: What it costs.
        fundings: Payments until then; None: none at a loss, those of `costs` at a gain.
    """
    gross = trade.sign * (exit_price - trade.entry) * trade.size
    if fundings is None:
        fundings = costs.fundings if gross > 0 else 0
    opened, closed = (price * trade.size for price in (trade.entry, exit_price))
    paid = opened * (costs.entry_fee + costs.slippage) + closed * (costs.exit_fee + costs.slippage)
    paid += fundings * funding_payment(trade.side, opened, costs.funding)
    risk = trade.risk
    net = gross - paid
    return Outcome(exit_price, gross, paid, net, gross / risk, net / risk)


def reward_to_risk(trade: PlannedTrade, target: float, costs: Costs | None = None) -> float:
    """Return the reward-to-risk ratio to a target: gross without costs, else net."""
    known = costs or Costs()
    loss = outcome(trade, trade.stop, known).net
    return outcome(trade, target, known).net / -loss


def break_even(ratio: float) -> float:
    """Return the win rate at which a reward-to-risk ratio earns nothing, a fraction.

    A driftless walk wins exactly so often: only what is won beyond it is an edge.
    """
    return 1 / (1 + ratio) if ratio > 0 else 1.0


def expected_r(ratio: float, probability: float) -> float:
    """Return the expected gain as a ratio to the loss at the stop."""
    return probability * ratio - (1 - probability)


def shrunk(wins: int, episodes: int, base_rate: float) -> float:
    """Return a win rate drawn to a base rate, as far as there are few episodes: a fraction.

    Source: docs/risk.md, "Probability".
    """
    return (SHRINKAGE * base_rate + wins) / (SHRINKAGE + episodes)


def funding_payment(side: PositionSide, notional: float, rate: float) -> float:
    """Return what one funding payment costs, quote currency; negative where it is received.

    Args:
        side: Long or short.
        notional: At the mark, quote currency.
        rate: Fraction of notional; positive: longs pay shorts.
    """
    return notional * rate * (1.0 if side == "long" else -1.0)


def funding_boundaries(opened: int, closed: int, every: int = EVERY) -> int:
    """Return how many funding payments fall into a holding period, by the clock.

    Args:
        opened: µs UTC; a payment due at this very moment is not owed.
        closed: µs UTC; one due at this moment is.
        every: µs between payments, which fall on its multiples.
    """
    return closed // every - opened // every


def size_for(risk: float, entry: float, stop: float) -> float:
    """Return the size that loses an amount between entry and stop, base coin.

    Costs are not in the denominator: 500 risked over 1,200 is 0.4167, and what the costs add is
    shown as part of the loss.

    Args:
        risk: Amount to be risked, quote currency.
        entry: Price, quote currency.
        stop: Price, quote currency.
    """
    distance = abs(entry - stop)
    return risk / distance if distance > 0 else math.nan
