"""The loop that applies events to a desk."""

from __future__ import annotations

from powderkeg.desk import Desk
from powderkeg.events import SECOND, BookDelta, BookSnapshot, Event, Mark, Trade
from powderkeg.feed.drive import drive

M = "binance:BTCUSDT"
T0 = 1_767_225_600 * SECOND


def test_every_event_is_applied_in_its_order_and_seen_afterwards():
    desk, seen = Desk("BTC"), list[tuple[float, Event]]()
    prices = [100.0, 101.0, 99.0]
    events = [Trade(M, T0 + n, T0 + n, price, 1.0, "buy") for n, price in enumerate(prices)]
    drive(desk, events, lambda now, event: seen.append((now.price, event)))
    assert desk.counts.trades == len(prices)
    assert seen == list(zip(prices, events, strict=True))


def test_the_requests_of_a_desk_are_returned():
    snapshot = BookSnapshot(M, T0, T0, ((100.0, 1.0),), ((101.0, 1.0),), update=10)
    delta = BookDelta(M, T0, T0, ((100.0, 2.0),), (), first=50, last=51, previous=49)
    asks = drive(Desk("BTC"), [Mark(M, T0, T0, 100.0), snapshot, delta])
    assert [ask.market for ask in asks] == [M]


def test_driving_in_parts_is_driving_at_once():
    events = [Trade(M, T0 + n * SECOND, T0 + n * SECOND, 100.0 + n, 1.0, "buy") for n in range(9)]
    whole, parts = Desk("BTC"), Desk("BTC")
    drive(whole, events)
    for n in range(0, len(events), 2):
        drive(parts, events[n : n + 2])
    assert (whole.counts, whole.price, whole.now) == (parts.counts, parts.price, parts.now)
