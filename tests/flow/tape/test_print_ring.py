"""The ring of merged prints."""

from __future__ import annotations

from powderkeg.events import SECOND, Trades
from powderkeg.flow.tape.print_ring import PrintRing
from powderkeg.flow.tape.prints import PrintMerger

M, N = "binance:BTCUSDT", "bybit:BTCUSDT"


def prints(market: str, sizes: list[float]):
    """Return complete prints of these sizes, a second apart; the last stays open."""
    rows = [(n * SECOND, 100.0, size) for n, size in enumerate([*sizes, 1.0])]
    return PrintMerger(market).add(Trades.of(market, 9, rows))


def test_the_last_prints_are_kept_in_order_with_their_markets():
    ring = PrintRing(4)
    ring.add(prints(M, [1.0, -2.0, 3.0]))
    ring.add(prints(N, [4.0, 5.0]))
    rows = ring.rows()
    assert rows["size"].tolist() == [2.0, 3.0, 4.0, 5.0]
    assert rows["bought"].tolist() == [False, True, True, True]
    assert [ring.markets[n] for n in rows["market"]] == [M, M, N, N]
    assert ring.total == 5


def test_more_prints_than_the_ring_holds_leave_the_newest():
    ring = PrintRing(3)
    ring.add(prints(M, [float(n) for n in range(1, 9)]))
    assert ring.rows()["size"].tolist() == [6.0, 7.0, 8.0]


def test_nothing_added_is_nothing_kept():
    ring = PrintRing(3)
    ring.add(prints(M, []))
    assert len(ring.rows()) == 0
    assert ring.markets == []
