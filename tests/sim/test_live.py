"""What venues say while the market lives on."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

import powderkeg.sim
from powderkeg.events import (
    SECOND,
    BookSnapshot,
    Event,
    Funding,
    Liquidation,
    Mark,
    OpenInterest,
    Trades,
)
from powderkeg.sim import SimulatedMarket, World
from powderkeg.sim.kernel.state import LIQUIDATION
from powderkeg.sim.publish import forced_of, stamps


@pytest.fixture(scope="module")
def published(demo: SimulatedMarket) -> list[Event]:
    """Two minutes of a demo market, a tenth of a second at a time."""
    market = demo.copy()
    return [event for _ in range(1_200) for event in market.step(0.1)]


def of(published: list[Event], kind: type) -> list:
    return [event for event in published if isinstance(event, kind)]


def test_each_venue_publishes_every_kind_as_often_as_it_should(published: list[Event]):
    count = Counter((type(event), event.market) for event in published)
    for venue in ("binance", "bybit", "okx"):
        market = f"{venue}:SOLUSDT"
        assert count[Mark, market] == 120
        assert count[OpenInterest, market] == 24
        assert count[BookSnapshot, market] == 240
        assert count[Funding, market] == 2
        assert count[Trades, market] > 10


def test_time_never_runs_backwards(published: list[Event], start: int):
    last: dict[tuple[str, type], int] = {}
    for event in published:
        key = (event.market, type(event))
        assert event.event_time >= last.get(key, start)
        last[key] = event.event_time
        assert event.received_time == event.event_time


def test_prints_are_columns_of_positive_prices_on_the_tick(published: list[Event]):
    for run in of(published, Trades):
        assert run.times.shape == run.prices.shape == run.sizes.shape
        assert run.event_time == run.times[-1]
        assert (np.diff(run.times) >= 0).all()
        assert (run.sizes != 0).all()
        assert np.abs(run.prices * 100 - np.round(run.prices * 100)).max() < 1e-6


def test_the_book_is_never_crossed_and_shows_sixty_levels_of_something(published: list[Event]):
    for book in of(published, BookSnapshot):
        bids = np.array(book.bids)
        asks = np.array(book.asks)
        assert len(bids) == len(asks) == 60
        assert bids[0, 0] < asks[0, 0]
        assert (np.diff(bids[:, 0]) < 0).all()
        assert (np.diff(asks[:, 0]) > 0).all()
        assert bids[:, 1].min() > 0
        assert asks[:, 1].min() > 0
        assert asks[0, 0] / bids[0, 0] < 1.001


def test_the_book_stands_around_the_last_price(published: list[Event]):
    last: dict[str, float] = {}
    for event in published:
        if isinstance(event, Trades):
            last[event.market] = float(event.prices[-1])
        if isinstance(event, BookSnapshot) and event.market in last:
            assert event.bids[0][0] == pytest.approx(last[event.market], rel=3e-3)


def test_the_book_shows_what_was_eaten(grown: SimulatedMarket):
    market = grown.copy()
    market.step(1.0)
    (before, *_), after = market._books(), market.copy()
    after._state["eaten"] = 1e9
    after._state["eaten_at"] = after.now * 1e-6
    thin = after._books()[0]
    assert sum(size for _, size in thin.bids) < 0.01 * sum(size for _, size in before.bids)
    assert min(size for _, size in thin.asks) > 0


def test_marks_carry_the_index_they_stay_near(published: list[Event]):
    for mark in of(published, Mark):
        assert mark.price == pytest.approx(mark.index, rel=5e-3)


def test_events_carry_only_public_fields(published: list[Event]):
    """The records of `events.py` and nothing else: no leverage, entry, trigger, owner or stop."""
    allowed = {
        Trades: {"times", "prices", "sizes"},
        Mark: {"price", "index"},
        OpenInterest: {"size"},
        Liquidation: {"price", "size", "position_side", "bankruptcy"},
        Funding: {"rate", "interval"},
        BookSnapshot: {"bids", "asks", "update"},
    }
    for event in published:
        fields = {field.name for field in msgspec.structs.fields(type(event))}
        assert fields == allowed[type(event)] | {"market", "event_time", "received_time"}


def shaken(world: World, start: int) -> tuple[SimulatedMarket, list[Event]]:
    """Return a market whose index fell by four percent in half a minute, and what was said."""
    market = SimulatedMarket(world, 5, start)
    published: list[Event] = []
    for _ in range(30):
        market._state["index"] -= 27
        market._state["mid"] -= 27
        published += [event for _ in range(10) for event in market.step(0.1)]
    return market, published


def test_a_censoring_venue_reports_one_liquidation_a_second_and_others_all(start: int):
    open_world = World(warm=4.0)
    _, full = shaken(open_world, start)
    market, cut = shaken(msgspec.structs.replace(open_world, censor=True), start)
    reported = [e for e in of(cut, Liquidation) if e.market.startswith("binance")]
    every = [e for e in of(full, Liquidation) if e.market.startswith("binance")]
    seconds = [e.event_time // SECOND for e in reported]
    assert len(set(seconds)) == len(seconds) > 3
    assert len(every) > len(reported)
    latest = {e.event_time // SECOND: e for e in every}
    assert all(latest[s] == e for s, e in zip(seconds, reported, strict=True) if s in latest)
    held = market.step(0.1) + market.step(1.0)
    assert market._held == {} or of(held, Liquidation)
    others = [e for e in of(cut, Liquidation) if not e.market.startswith("binance")]
    assert others == [e for e in of(full, Liquidation) if not e.market.startswith("binance")]


def test_liquidations_are_reported_at_their_bankruptcy_price(start: int):
    market, published = shaken(World(warm=4.0), start)
    marks = market.truth().marks
    forced = of(published, Liquidation)
    assert {type(e) for e in published} >= {Trades, Mark, Liquidation}
    assert all(e.bankruptcy and e.size > 0 for e in forced)
    longs = [e for e in forced if e.position_side == "long"]
    assert len(longs) > 0.9 * len(forced)
    assert all(e.price < 1.05 * marks.max() for e in longs)


def test_a_long_step_is_censored_inside_too():
    rows = np.zeros(40, LIQUIDATION)
    rows["side"] = 1
    rows["size"] = 1.0
    rows["bankruptcy"] = 100_000.0
    market = SimulatedMarket(World(), 1, 0)
    kept = forced_of(rows, market._units, 0, 10 * SECOND, censored=True)
    assert 9 <= kept.times.size <= 11
    assert len(set((kept.times // SECOND).tolist())) == kept.times.size


def test_stamps_are_spread_inside_their_step():
    times = stamps(np.array([0, 0, 0, 2]), 1_000, 100)
    assert times.tolist() == [1_025, 1_050, 1_075, 1_250]


def test_funding_is_predicted_each_minute_and_paid_every_eight_hours(start: int):
    market = SimulatedMarket(World(warm=0.1), 1, start - 30 * SECOND)
    rates = of([e for _ in range(30) for e in market.step(1.0)], Funding)
    assert [e.event_time for e in rates] == [start] * 3
    assert rates[0].rate == market._state["funding"][0] != 0


def test_a_made_market_imports_nothing_that_is_judged_on_it():
    folder = Path(powderkeg.sim.__file__).parent
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("powderkeg"):
                room = (node.module or "").split(".")[1]
                assert room in {"sim", "events", "errors", "instruments"}, file.name
