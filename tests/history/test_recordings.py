"""The recordings we have, replayed: what the files say is what comes out."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    BookDelta,
    BookSnapshot,
    Candles,
    Funding,
    Gap,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Quote,
    Trade,
    Trades,
)
from powderkeg.history.replay import events
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import load
from powderkeg.market.book import Book
from powderkeg.market.tape import Tape


def test_a_hyperliquid_morning_is_read_whole(recorded: Path):
    source = load(recorded / "hyperliquid_202606.toml")
    since, until = 1_782_000_000 * SECOND, 1_782_043_200 * SECOND
    report = ReadReport()
    kinds: Counter[str] = Counter()
    n, last = 0, 0
    for event in events(source, "BTC", since=since, until=until, report=report):
        kinds[type(event).__name__] += 1
        assert event.received_time >= last
        last = event.received_time
        n += len(event.times) if isinstance(event, Trades) else 0
        assert not isinstance(event, Funding) or event.interval == HOUR
    assert report.bad == {}
    assert n == 96_222, "three of 96,225 prints are of the seconds before"
    assert kinds["Mark"] == kinds["Funding"] == kinds["OpenInterest"] == 714
    assert kinds["BookSnapshot"] == 7_976


def test_the_six_months_have_bars_every_five_minutes_and_hourly_liquidations(recorded: Path):
    source = load(recorded / "btc_2026.toml")
    report = ReadReport()
    got = list(events(source, "BTC", report=report))
    runs = [event for event in got if isinstance(event, Candles)]
    times = np.concatenate([run.times for run in runs])
    assert len(times) == 34_847
    assert (np.diff(times) == 5 * MINUTE).all()
    assert sum(isinstance(event, LiquidationBar) for event in got) == 2_821
    assert sum(isinstance(event, Gap) for event in got) == 5
    assert sum(isinstance(event, Funding) for event in got) == 363
    assert report.bad == {}
    assert [event.received_time for event in got] == sorted(event.received_time for event in got)
    low = min(float(run.low.min()) for run in runs)
    assert low == pytest.approx(60_000, rel=0.01), "the low of 6 February is on a bar"
    assert all(np.isfinite(run.oi).all() and (run.volume > 0).all() for run in runs)


def test_a_vendors_hourly_close_is_binances_reading_one_hour_later(data, make):
    """Trap 4: bars are stamped with their start, readings with their time."""
    source = make(
        f"""name = "x"
root = "{data}"
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "open_interest"
files = ["history/binance_oi_5m/BTCUSDT_oi_5m_*.csv.gz"]
time = {{ column = "ts_ms", means = "at", every = "5m" }}
columns = {{ size = "oi_usd" }}

[[series]]
venue = "aggregate"
market = "BTC"
kind = "open_interest"
files = ["history/coinglass_btc/btc_1h_price_liq_oi_funding_*.csv.gz"]
time = {{ column = "ts_ms", means = "from", every = "1h" }}
columns = {{ size = "oi_close" }}
"""
    )
    readings: dict[str, dict[int, float]] = {"binance:BTCUSDT": {}, "aggregate:BTC": {}}
    for event in events(source, "BTC"):
        if isinstance(event, OpenInterest):
            readings[event.market][event.event_time] = event.size
    ours, theirs = readings.values()
    shared = sorted(ours.keys() & theirs.keys())
    assert len(shared) > 2_500
    ratio = np.array([theirs[at] / ours[at] for at in shared])
    assert np.median(ratio) == pytest.approx(1.0, abs=1e-4)
    early = np.array([theirs[at] / ours[at - HOUR] for at in shared if at - HOUR in ours])
    assert np.abs(ratio - 1).mean() < 0.2 * np.abs(early - 1).mean()


def test_okx_contracts_fit_the_aggregate_only_with_their_multiplier(recorded: Path):
    """Trap 2: without 0.01 the BTC list is 918 M USD instead of 9.2 M."""
    source = load(recorded / "okx_202603.toml")
    liquidations = [e for e in events(source, "BTC") if isinstance(e, Liquidation)]
    assert len(liquidations) == 1_611
    assert sum(e.size * e.price for e in liquidations) == pytest.approx(9.2e6, rel=0.01)
    assert all(e.bankruptcy for e in liquidations)
    assert Counter(e.position_side for e in liquidations) == {"short": 1_000, "long": 611}


def test_funding_of_a_vendor_in_percent_and_of_a_venue_as_a_fraction_agree(
    recorded, data, make, monkeypatch
):
    """Trap 3: the vendor's percent and the venue's fraction are one rate after their units."""
    vendor = f"""name = "x"
root = "{data}"
[[series]]
venue = "aggregate"
market = "BTC"
kind = "funding"
files = ["history/coinglass_btc/btc_1h_price_liq_oi_funding_*.csv.gz"]
time = {{ column = "ts_ms", means = "from", every = "1h" }}
columns = {{ rate = "funding_close" }}
unit = {{ rate = "percent" }}
span = "8h"
"""
    theirs = [e.rate for e in events(make(vendor), "BTC") if isinstance(e, Funding)]
    monkeypatch.setenv("POWDERKEG_DATA", str(data))  # `make` has removed it
    source = load(recorded / "btc_2026.toml")
    ours = [e.rate for e in events(source, "BTC") if isinstance(e, Funding)]
    assert np.median(np.abs(theirs)) == pytest.approx(np.median(np.abs(ours)), rel=0.5)


def test_one_minute_bars_and_liquidations_of_2025_are_read(recorded: Path):
    source = load(recorded / "minutes_2025.toml")
    report = ReadReport()
    got = list(events(source, "BTC", report=report))
    assert sum(len(e.times) for e in got if isinstance(e, Candles)) == 73_139
    assert sum(isinstance(e, Liquidation) for e in got) == 468
    assert not any(isinstance(e, Gap) for e in got)
    assert report.bad == {}


def test_five_markets_of_one_venue_replay_without_a_break(recorded: Path):
    source = load(recorded / "binance_minutes.toml")
    books: dict[str, Book] = {}
    tops: dict[tuple[str, int], object] = {}
    quotes: dict[tuple[str, int], object] = {}
    wishes: Counter[str] = Counter()
    last = 0
    for event in events(source, "BTC"):
        assert event.received_time >= last
        last = event.received_time
        if isinstance(event, Quote):
            key = event.market, event.update
            quotes[key] = (event.bid, event.bid_size, event.ask, event.ask_size)
        elif isinstance(event, BookSnapshot | BookDelta):
            book = books.setdefault(event.market, Book(event.market))
            wish = book.apply(event)
            if wish:
                wishes[wish.why] += 1
            if book.status == "live":
                tops[event.market, book.update] = book.best()
    assert sorted(books) == ["binance-coin:BTCUSD_PERP", "binance-spot:BTCUSDT", "binance:BTCUSDT"]
    assert wishes == {"no snapshot yet": 3}
    shared = tops.keys() & quotes.keys()
    assert len(shared) == 629 + 1_885 + 1_072
    assert all(tops[key] == quotes[key] for key in shared)


def test_the_bad_print_never_reaches_the_tape_and_its_sums_are_those_of_the_trades(recorded: Path):
    """Trap 1: no wick, because mark and believed prints never leave the market."""
    source = load(recorded / "bad_print.toml")
    tape, signed, marks = Tape("binance:BTCUSDT"), 0.0, []
    highest = 0.0
    for event in events(source, "BTC"):
        if isinstance(event, Trade):
            assert tape.add(event) is event
            signed += event.size if event.taker == "buy" else -event.size
            highest = max(highest, tape.last)
        elif isinstance(event, Mark):
            marks.append(event.price)
    assert (tape.count, tape.dropped) == (12_934, 0)
    assert tape.cvd == signed
    assert highest < 28_300
    assert max(marks) < 28_300
    assert len(marks) == 514
