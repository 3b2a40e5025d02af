"""Binance: what its frames have said, by symbol.

Trap: COIN-M sizes are contracts of 100 USD (BTC) or 10 USD (all others).
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from powderkeg.events import Level
from powderkeg.venues.base import Amount, Deduplicator, Positive, SequenceTracker
from powderkeg.venues.reader import VenueState

Kind: TypeAlias = Literal["binance", "binance-coin", "binance-spot"]
Levels: TypeAlias = tuple[tuple[Positive, Amount], ...]
SYMBOL = re.compile("[A-Z0-9_]{2,40}")


class Known:
    """State of one symbol.

    Args:
        name: The first half of the market id.
        symbol: As Binance writes it.
        interval: µs between payments of funding, until the venue reports it.

    Raises:
        ValueError: It is not a symbol.
    """

    __slots__ = ("at", "chain", "contract_value", "interval", "last", "mark", "market")

    def __init__(self, name: str, symbol: str, interval: int) -> None:
        if not SYMBOL.fullmatch(symbol):
            raise ValueError(f"expected a symbol, found {symbol[:40]!r}")
        self.market = f"{name}:{symbol}"
        self.contract_value = (100.0 if symbol.startswith("BTC") else 10.0) * (
            name == "binance-coin"
        )
        """Dollars in one contract, 0 where sizes are base coin already."""
        self.interval = interval
        self.mark = 0.0
        """The last one, 0 until then."""
        self.chain = SequenceTracker()
        """Ids of the aggregates received."""
        self.last, self.at = -1, 0
        """Number and time of the newest trade in them."""

    def size(self, reported: float, price: float) -> float:
        """Return a size in base coin."""
        return reported * self.contract_value / price if self.contract_value else reported

    def levels(self, rows: Levels) -> tuple[Level, ...]:
        """Return levels of a book in base coin."""
        contract_value = self.contract_value
        if not contract_value:
            return rows
        return tuple([(price, contracts * contract_value / price) for price, contracts in rows])


class State(VenueState):
    """State of one kind of market.

    Args:
        kind: Which host the frames come from.
        symbol: The market of frames that carry none (REST depth of USD-M and spot).
        funding: µs between funding payments, until ``fundingInfo`` lists the symbol.
    """

    __slots__ = ("_funding", "ids", "known", "symbol")
    STATE_FIELDS = ("_ids", "_known", "instruments")

    def __init__(self, kind: Kind, symbol: str, funding: int) -> None:
        super().__init__(kind)
        self.symbol, self._funding = symbol, funding
        self.ids, self.known = Deduplicator(), dict[str, Known]()

    def of(self, symbol: str) -> Known:
        """Return the state of one symbol."""
        known = self.known.get(symbol)
        if known is None:
            known = self.known[symbol] = Known(self.name, symbol, self._funding)
        return known
