"""Order-flow imbalance at the best prices, queue imbalance and weighted mid.

Source: Cont, Kukanov and Stoikov, "The Price Impact of Order Book Events" (2014), equation 4.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats


class Quotes(Struct, frozen=True, eq=False):
    """Best prices and the sizes there, one row a quote, each shape (n,)."""

    bid: Floats
    bid_size: Floats
    ask: Floats
    ask_size: Floats


def ofi(quotes: Quotes) -> Floats:
    """Return the imbalance of each change of quotes, base coin, shape (n - 1,).

    Size that joins the bid or leaves the ask counts as buying, the opposite as selling; a better
    price counts with all its size, a worse one with all the size that was left.
    """
    bid, was_bid = quotes.bid[1:], quotes.bid[:-1]
    ask, was_ask = quotes.ask[1:], quotes.ask[:-1]
    return (
        np.where(bid >= was_bid, quotes.bid_size[1:], 0.0)
        - np.where(bid <= was_bid, quotes.bid_size[:-1], 0.0)
        - np.where(ask <= was_ask, quotes.ask_size[1:], 0.0)
        + np.where(ask >= was_ask, quotes.ask_size[:-1], 0.0)
    )


def queue_imbalance(quotes: Quotes) -> Floats:
    """Return bid size less ask size over their sum, -1 to 1, shape (n,); NaN where both are 0."""
    total = quotes.bid_size + quotes.ask_size
    safe = np.where(total > 0, total, np.nan)
    return (quotes.bid_size - quotes.ask_size) / safe


def weighted_mid(quotes: Quotes) -> Floats:
    """Return the mid moved towards the thinner side, shape (n,)."""
    mid, half = (quotes.bid + quotes.ask) / 2, (quotes.ask - quotes.bid) / 2
    return mid + half * queue_imbalance(quotes)
