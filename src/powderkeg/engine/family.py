"""What other markets have learned, as the centre of a market's prior: global, venue, symbol, side.

Weights are shares of unit-weight exposure, so they compare across coins once volume and exposure
are both divided by open interest. A market about to learn centres its prior on the same venue's
other markets, these on all markets, and all on the prior; `engine.weights` goes on from there to
the symbol and its sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from powderkeg.engine.terms import SHARES
from powderkeg.engine.weights import Fit
from powderkeg.events import Floats

GLOBAL = 5e-6
"""Pseudo-volume with which all markets together are held to the assumed prior, share of open
interest."""
VENUE = 5e-5
"""The same of a venue's markets and the centre of all."""


class Lesson(Struct, frozen=True, eq=False):
    """What one market's liquidations said, per unit of open interest, see `terms.per_oi`."""

    market: str
    credit: Floats
    """Complete liquidated volume credited to each term, both sides, shape (98,)."""
    crossed: Floats
    """Exposure of each term that was crossed meanwhile, shape (98,)."""

    @property
    def venue(self) -> str:
        """Such as binance."""
        return self.market.partition(":")[0]


def lesson_of(market: str, fit: Fit, oi: float, share: float) -> Lesson:
    """Return what a fit of a market says to others.

    Args:
        market: Such as ``binance:BTCUSDT``.
        fit: Its own.
        oi: Open interest, base coin.
        share: Of all that is liquidated that was reported to it.
    """
    crossed = fit.crossed.sum(axis=0)
    return Lesson(
        market,
        fit.evidence.sum(axis=0) / (oi * share),
        np.where(SHARES, crossed / oi, crossed),
    )


def centre(lessons: Sequence[Lesson], market: str, prior: Floats, strength: float) -> Floats:
    """Return the weights (98,) on which a market's prior is centred, from everybody but itself.

    Args:
        lessons: Of all markets.
        market: The one that is about to learn, such as ``binance:BTCUSDT``.
        prior: Its own prior, per unit of open interest, shape (98,), all > 0.
        strength: Pseudo-volume with which all markets together are held to it, share of OI.
    """
    others = [each for each in lessons if each.market != market]
    venue = market.partition(":")[0]
    near = [each for each in others if each.venue == venue]
    return _pool(near, _pool(others, prior, strength), VENUE)


def _pool(lessons: Sequence[Lesson], middle: Floats, strength: float) -> Floats:
    """Return the mean of the gamma posterior with its prior's mean in `middle`."""
    if not lessons:
        return middle
    credit = np.zeros(len(middle))
    crossed = np.zeros(len(middle))
    for each in lessons:
        credit += each.credit
        crossed += each.crossed
    return (credit + strength) / (crossed + strength / middle)
