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

from powderkeg.events import Floats

GLOBAL = 5e-6
"""Pseudo-volume with which all markets together are held to the prior, share of open interest."""
VENUE = 5e-5
"""The same of a venue's markets and the centre of all."""


class Lesson(Struct, frozen=True, eq=False):
    """What one market's liquidations said, per unit of open interest, by candidate."""

    market: str
    credit: Floats
    """Complete liquidated volume credited to each class, both sides, shape (candidates, 16)."""
    crossed: Floats
    """Exposure of each class that was crossed meanwhile, shape (candidates, 16)."""

    @property
    def venue(self) -> str:
        """Such as binance."""
        return self.market.partition(":")[0]


def centre(lessons: Sequence[Lesson], market: str, candidate: int, prior: Floats) -> Floats:
    """Return the weights (16,) on which a market's prior is centred, from everybody but itself.

    Args:
        lessons: Of all markets.
        market: The one that is about to learn, such as ``binance:BTCUSDT``.
        candidate: Index of the candidate: weights of another basis or hazard do not compare.
        prior: Its own prior, shape (16,), all > 0.
    """
    others = [each for each in lessons if each.market != market]
    venue = market.partition(":")[0]
    near = [each for each in others if each.venue == venue]
    return _pool(near, candidate, _pool(others, candidate, prior, GLOBAL), VENUE)


def _pool(lessons: Sequence[Lesson], candidate: int, middle: Floats, strength: float) -> Floats:
    """Return the mean of the gamma posterior with its prior's mean in `middle`."""
    credit = np.zeros(len(middle))
    crossed = np.zeros(len(middle))
    for each in lessons:
        credit += each.credit[candidate]
        crossed += each.crossed[candidate]
    return (credit + strength) / (crossed + strength / middle)
