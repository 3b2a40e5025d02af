"""A coin with two books and prints whose every number is known."""

from __future__ import annotations

from powderkeg.desk import Desk
from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    BookSnapshot,
    Funding,
    Liquidation,
    Mark,
    OpenInterest,
    Ratio,
    Trade,
)
from powderkeg.settings import Settings

NOW = 1_767_225_600 * SECOND
M, N, SPOT = "binance:BTCUSDT", "bybit:BTCUSDT", "binance-spot:BTCUSDT"


def snapshot(market: str, at: int, bids: dict[float, float], asks: dict[float, float]):
    return BookSnapshot(
        market, at, at, tuple(sorted(bids.items(), reverse=True)), tuple(sorted(asks.items())), 1
    )


def coin() -> Desk:
    """Return a desk that has seen five minutes of two perpetuals and a spot market."""
    desk = Desk("BTC", Settings())
    start = NOW - 5 * MINUTE
    for market in (M, N):
        desk.apply(Mark(market, start, start, 100_000.0, 99_990.0))
        desk.apply(OpenInterest(market, start, start, 1_000.0))
        desk.apply(Funding(market, start, start, 1e-4, 4 * HOUR))
    desk.apply(Ratio(M, start, start, "accounts", 0.71))
    for minute in range(5):
        at = start + minute * MINUTE + SECOND
        desk.apply(Trade(M, at, at, 100_010.0, 2.0, "buy"))
        desk.apply(Trade(N, at + 1, at + 1, 99_990.0, 0.5, "sell"))
        desk.apply(Trade(SPOT, at + 2, at + 2, 100_000.0, 1.0, "sell"))
    desk.apply(Liquidation(M, NOW - SECOND, NOW - SECOND, 99_900.0, 3.0, "long"))
    for market, shift in ((M, 0.0), (N, 20.0)):
        desk.apply(
            snapshot(
                market, NOW,
                {99_990.0 + shift: 1.0, 99_981.0 + shift: 2.0},
                {100_010.0 + shift: 4.0, 100_019.0 + shift: 8.0},
            )
        )  # fmt: skip
    desk.apply(Trade(M, NOW + SECOND, NOW + SECOND, 100_000.0, 0.1, "sell"))
    return desk
