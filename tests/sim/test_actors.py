"""Book actors: what they do is in the book, labelled, and nowhere in worlds without them."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.events import MINUTE, SECOND, BookSnapshot, Event, Trades
from powderkeg.sim import SimulatedMarket, World
from powderkeg.sim.actors.records import RestingOrder

WORLD = World(warm=0.2, actors=True, book_every=0.1, book_levels=60)
STEPS = 6_000


class Played:
    """Ten minutes of a market with actors, a tenth of a second at a time."""

    def __init__(self, start: int) -> None:
        self.market = SimulatedMarket(WORLD, 4, start)
        self.taken: dict[tuple[str, float], float] = defaultdict(float)
        """Printed size by market and price."""
        self.books: list[list[tuple[RestingOrder, float]]] = []
        """Of each step, the orders that stood and the size shown at their price and venue."""
        self.beyond = 0
        """Orders found on the wrong side of last."""
        for _ in range(STEPS):
            events = self.market.step(0.1)
            self._add(events)

    def _add(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Trades):
                rows = zip(event.prices.tolist(), np.abs(event.sizes).tolist(), strict=True)
                for price, size in rows:
                    self.taken[event.market, price] += size
        shown: dict[tuple[str, str], dict[float, float]] = {}
        for event in events:
            if isinstance(event, BookSnapshot):
                venue = event.market.partition(":")[0]
                shown[venue, "buy"], shown[venue, "sell"] = dict(event.bids), dict(event.asks)
        mid = float(self.market._state["mid"][0])
        standing = self.market.actors._book.orders
        self.beyond += sum(order.distance(mid) < 0 for order in standing)
        self.books.append([
            (each.record, shown[each.record.venue, each.record.side].get(each.record.price, 0.0))
            for each in standing
            if each.distance(mid) < 50
        ])  # fmt: skip


@pytest.fixture(scope="module")
def played(start: int) -> Played:
    return Played(start)


def test_history_and_recordings_are_the_same_with_actors_and_without(start: int):
    other = replace(WORLD, actors=False)
    one, two = (SimulatedMarket(world, 2, start) for world in (WORLD, other))
    for a, b in zip(one.history(0.1), two.history(0.1), strict=True):
        assert a.candles.close.tobytes() == b.candles.close.tobytes()
        assert a.candles.volume.tobytes() == b.candles.volume.tobytes()
    assert one.run(0.01, dt=10.0).last.tobytes() == two.run(0.01, dt=10.0).last.tobytes()
    assert one.actors.labels.orders == []


def test_a_world_without_actors_draws_nothing_for_them(start: int):
    market = SimulatedMarket(World(warm=0.1), 2, start)
    for _ in range(600):
        market.step(0.1)
    assert market.actors.labels.orders == market.actors.labels.flows == []
    assert (market._state["standing"][0], market._state["taking"][0]) == (0, 0)
    assert not market._state["resting_at"].any()


def test_every_order_is_shown_at_its_price_and_venue_and_last_never_passes_it(played: Played):
    rows = [row for step in played.books for row in step]
    assert len(rows) > STEPS
    assert all(size > 0 for _, size in rows)
    walls = [(order, size) for order, size in rows if order.kind == "wall" and not order.traded]
    assert all(size >= order.size for order, size in walls)
    assert played.beyond == 0


def test_what_was_taken_from_an_order_was_printed_at_its_price(played: Played):
    orders = [each for each in played.market.actors.labels.orders if each.traded > 0]
    assert len(orders) > 5
    by_price: dict[tuple[str, float], float] = defaultdict(float)
    for order in orders:
        by_price[f"{order.venue}:BTCUSDT", order.price] += order.traded
    # an order that takes several levels and then this one is one print, at its average price
    printed = sum(min(played.taken[key], size) for key, size in by_price.items())
    assert printed > 0.85 * sum(by_price.values())


def test_orders_end_in_every_way_and_say_so(played: Played):
    orders = played.market.actors.labels.orders
    ends = Counter((order.kind, order.end) for order in orders)
    assert ends["pulled", "pulled"] > 2
    assert ends["wall", "cancelled"] > 2
    assert sum(count for (_, end), count in ends.items() if end == "traded") > 2
    assert {kind for kind, end in ends if end == "pulled"} == {"pulled"}
    for order in orders:
        assert (order.ended == 0) == (order.end is None)
        if order.end == "traded":
            assert order.traded == order.size
        elif order.end is not None:
            assert order.traded < order.size


def test_an_absorber_shows_little_and_takes_much_more(played: Played):
    absorbers = [o for o in played.market.actors.labels.orders if o.kind == "absorber" and o.ended]
    assert absorbers
    for order in absorbers:
        assert order.traded > 3 * order.shown
        sizes = [size for step in played.books for each, size in step if each is order]
        assert max(sizes) < 3 * order.shown


def test_bursts_come_one_after_another_and_half_of_them_are_absorbed(played: Played):
    flows = played.market.actors.labels.flows
    bursts = [flow for flow in flows if flow.kind == "burst"]
    assert 5 <= len(bursts) <= 14
    gaps = np.diff([flow.start for flow in bursts])
    assert gaps.min() >= 45 * SECOND
    assert 0 < sum(flow.absorber is not None for flow in bursts) < len(bursts)
    assert sum(flow.kind == "large_print" for flow in flows) > 15


def test_open_interest_is_what_longs_and_shorts_hold_with_actors_too(played: Played):
    truth = played.market.truth()
    for v in range(3):
        mine = truth.venues == v
        makers = truth.makers[v]
        longs = truth.sizes[mine & (truth.sides > 0)].sum() + makers[makers > 0].sum()
        shorts = truth.sizes[mine & (truth.sides < 0)].sum() - makers[makers < 0].sum()
        assert longs == pytest.approx(truth.oi[v], rel=1e-9)
        assert shorts == pytest.approx(truth.oi[v], rel=1e-9)


def test_a_copy_acts_exactly_as_the_original(start: int):
    market = SimulatedMarket(WORLD, 5, start)
    for _ in range(900):
        market.step(0.1)
    other = market.copy()
    for _ in range(300):
        market.step(0.1)
    for _ in range(300):
        other.step(0.1)
    assert market._state.tobytes() == other._state.tobytes()
    assert market.actors.labels == other.actors.labels


def test_every_forced_close_still_has_one_print_of_its_own(start: int):
    market = SimulatedMarket(replace(WORLD, warm=2.0), 3, start)
    seen = 0
    for _ in range(900):
        market._state["index"] -= 0.5
        moment = market.moment(0.1)
        causes = np.concatenate([rows[rows >= 0] for rows in moment.forced])
        assert sorted(causes.tolist()) == list(range(moment.liquidation_rows.times.size))
        seen += causes.size
    assert seen > 3


def test_coarse_ticks_begin_without_orders(start: int):
    market = SimulatedMarket(WORLD, 5, start)
    while not market.actors.shown() or market.now % MINUTE:
        market.step(1.0)
    market.history(0.01)
    assert market.actors.shown() == []
    assert all(order.end for order in market.actors.labels.orders)
    assert not market._state["resting_at"].any()
