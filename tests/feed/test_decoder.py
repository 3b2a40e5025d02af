"""Frames in, desks changed: runs of prints, a past and a stream joined, words, the unreadable."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from powderkeg import __version__
from powderkeg.desk import Desk
from powderkeg.events import MINUTE, SECOND, ClockTick, Funding, Gap, Link, Mark, Trade
from powderkeg.feed.decoder import Feed
from powderkeg.frames import BackfillDone, Frame, Started, control_frame
from powderkeg.history.snapshots import (
    CODEC,
    copy_feed,
    digest,
    pack_copy,
    pack_feed,
    unpack_feed,
)
from powderkeg.live import maintenance as keeping
from powderkeg.live.maintenance import resume, save
from powderkeg.settings import Settings
from powderkeg.store.folder import Store


def _load(path):
    spec = importlib.util.spec_from_file_location("made_frames", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


made = _load(Path(__file__).parents[1] / "store" / "made.py")
T0, BINANCE, BYBIT = made.T0, made.BINANCE, made.BYBIT


def fresh(watch=None):
    return Feed({"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))}, watch)


def prints(feed, market=BINANCE):
    """Return number and volume of the prints a market took."""
    tape = feed.desks["BTC"].markets[market].tape
    return tape.count, round(tape.volume, 6)


def sizes(feed, market=BINANCE):
    return feed.desks["BTC"].markets[market].tape.recent().sizes.round(3).tolist()


@pytest.fixture
def gaps():
    """Return a feed and the gaps applied to its desk."""
    stats = []

    class Listening(Desk):
        __slots__ = ()

        def apply(self, event):
            if isinstance(event, Gap):
                stats.append(event)
            return super().apply(event)

    feed = Feed({"BTC": Listening("BTC", Settings(draw=SECOND, flush=SECOND))})
    return feed, stats


# -- runs of prints


def test_how_frames_are_cut_into_batches_changes_nothing_but_counts_and_how_volume_rounds():
    batches = made.market(5, 1500)
    frames = [frame for batch in batches for frame in batch]
    digests, counts, rings = set(), set(), []
    for cut in (batches, [frames], [[frame] for frame in frames]):
        feed = fresh()
        for batch in cut:
            feed.process(batch)
        desk = feed.desks["BTC"]
        counts.add(desk.counts.events)
        rings.append([ring.values.copy() for ring in desk.prices.values()])
        desk.counts.events, desk.prices = 0, {}
        digests.add(digest(desk))
    assert len(digests) == 1
    assert len(counts) == 3
    for other in rings[1:]:
        for ring, same in zip(rings[0], other, strict=True):
            np.testing.assert_allclose(same, ring, rtol=1e-12, equal_nan=True)


def test_a_mark_between_prints_is_applied_between_them():
    feed, order = fresh(), []
    feed.process(made.begun().frames)
    estimate = feed.desks["BTC"].markets[BINANCE].estimate
    move, add = estimate.move_mark, estimate.add_trades

    class BackfillEvent(type(estimate)):
        __slots__ = ()

        def move_mark(self, at, price):
            order.append(("mark", price))
            return move(at, price)

        def add_trades(self, prices, sizes):
            order.extend(("trade", price) for price in prices)
            return add(prices, sizes)

    estimate.__class__ = BackfillEvent
    move, add = super(BackfillEvent, estimate).move_mark, super(BackfillEvent, estimate).add_trades
    script = made.Script(T0 + MINUTE)
    script.put("binance", made.binance_trade(3, script.now, 100_001, 1))
    script.put("binance", made.binance_depth(script.now, 9, 100_001))
    script.put("binance", made.binance_trade(4, script.now, 100_002, 1))
    script.put("binance", made.binance_mark(script.now, 100_003))
    script.put("binance", made.binance_trade(5, script.now, 100_004, 1))
    feed.process(script.frames)
    assert order == [
        ("trade", 100_001), ("trade", 100_002), ("mark", 100_003), ("trade", 100_004),
    ]  # fmt: skip


def test_prints_of_different_markets_do_not_wait_for_each_other():
    feed = fresh()
    feed.process(made.begun().frames)
    script = made.Script(T0 + MINUTE)
    for n in range(3):
        script.put("binance", made.binance_trade(3 + n, script.now, 100_000, 1))
        script.put("bybit", made.bybit_trade(f"x{n}", script.now, 100_000, 2))
    before = feed.desks["BTC"].counts.events
    feed.process(script.frames)
    assert feed.desks["BTC"].counts.events == before + 2  # one run a market
    assert sizes(feed, BYBIT) == [2.0] * 3


# -- a past and a stream


def joined(recent, streamed, until=T0, candles_end=T0):
    """Return a feed that lived through candles, recent trades, and streamed trades."""
    feed, script = fresh(), made.Script()
    script.say(made.BOOT)
    for row in streamed[:2]:
        script.put("binance", made.binance_trade(*row))
    script.put("binance", made.binance_candles(candles_end, [100_000.0] * 90), "candles:BTCUSDT")
    script.put("binance", made.binance_trades(*recent), "trades:BTCUSDT")
    for row in streamed[2:4]:
        script.put("binance", made.binance_trade(*row))
    script.say(BackfillDone(script.now, BINANCE, until))
    for row in streamed[4:]:
        script.put("binance", made.binance_trade(*row))
    feed.process(script.frames)
    return feed


def rows(numbers, start=T0):
    """Return trades a second apart, number 100 at `start`, each of the size of its number."""
    return [(100 + n, start + n * SECOND, 100_000, 100 + n, False) for n in numbers]


def test_candles_then_recent_trades_then_the_stream_each_trade_once():
    feed = joined(rows(range(-5, 14)), rows(range(10, 18)))
    market = feed.desks["BTC"].markets[BINANCE]
    assert sorted(sizes(feed)) == [100.0 + n for n in range(18)]
    assert market.estimate is not None
    assert feed.desks["BTC"].counts.bars == 90
    assert feed.desks["BTC"].counts.gaps == 0


def test_recent_trades_that_do_not_reach_back_leave_a_gap(gaps):
    feed, stats = gaps
    script = made.Script()
    script.say(made.BOOT)
    script.put("binance", made.binance_candles(T0, [100_000.0] * 90), "candles:BTCUSDT")
    script.put("binance", made.binance_trades(*rows(range(30, 40))), "trades:BTCUSDT")
    script.say(BackfillDone(script.now, BINANCE, T0))
    feed.process(script.frames)
    assert [(gap.since, gap.event_time) for gap in stats] == [(T0, T0 + 30 * SECOND)]


def test_candles_that_end_early_leave_a_gap(gaps):
    feed, stats = gaps
    script = made.Script()
    script.say(made.BOOT)
    raw = made.binance_candles(T0 - 5 * MINUTE, [100_000.0] * 90)
    script.put("binance", raw, "candles:BTCUSDT")
    script.put("binance", made.binance_trades(*rows(range(-9, 3))), "trades:BTCUSDT")
    script.say(BackfillDone(script.now, BINANCE, T0))
    feed.process(script.frames)
    assert [(gap.since, gap.event_time) for gap in stats] == [(T0 - 5 * MINUTE, T0)]


def test_without_recent_trades_the_time_up_to_the_stream_is_a_gap(gaps):
    feed, stats = gaps
    script = made.Script()
    script.say(made.BOOT)
    script.put("binance", made.binance_candles(T0, [100_000.0] * 90), "candles:BTCUSDT")
    script.put("binance", made.binance_trade(9, T0 + 7 * SECOND, 100_000, 1))
    script.say(BackfillDone(script.now, BINANCE, T0))
    feed.process(script.frames)
    assert [(gap.since, gap.event_time) for gap in stats] == [(T0, T0 + 7 * SECOND)]


def test_prints_streamed_late_that_the_candles_hold_are_not_counted_again():
    feed, script = fresh(), made.Script()
    script.say(made.BOOT)
    script.put("bybit", made.bybit_trade("old", T0 - 5 * SECOND, 100_000, 7))
    script.put("bybit", made.bybit_trade("new", T0 + 1 * SECOND, 100_000, 3))
    script.say(BackfillDone(script.now, BYBIT, T0))
    feed.process(script.frames)
    assert sizes(feed, BYBIT) == [3.0]


def test_what_streams_before_a_join_waits_for_it():
    feed, script = fresh(), made.Script()
    script.say(made.BOOT)
    script.put("binance", made.binance_mark(script.now, 100_000))
    script.put("binance", made.binance_trade(1, script.now, 100_000, 1))
    feed.process(script.frames)
    assert set(feed.waiting) == {BINANCE, BYBIT}
    assert feed.desks["BTC"].markets == {}
    script.frames.clear()
    script.say(BackfillDone(script.now, BINANCE, T0))
    feed.process(script.frames)
    assert feed.waiting == [BYBIT]
    assert feed.desks["BTC"].markets[BINANCE].estimate.mark == pytest.approx(100_000)
    assert prints(feed) == (1, 1.0)


def test_a_market_that_joined_does_not_wait_for_another():
    feed, script = fresh(), made.Script()
    script.say(made.BOOT)
    script.say(BackfillDone(script.now, BYBIT, T0))
    script.put("bybit", made.bybit_trade("a", script.now, 100_000, 1))
    script.put("binance", made.binance_trade(1, script.now, 100_000, 1))
    feed.process(script.frames)
    assert list(feed.desks["BTC"].markets) == [BYBIT]


# -- coming back


def stopped_at(seconds):
    """Return a feed that was heard until so long after the join, then booted again later."""
    feed, script = fresh(), made.begun()
    script.now = T0 + round(seconds * SECOND)
    script.put("binance", made.binance_trade(3, script.now, 100_000, 1), after=0)
    feed.process(script.frames)
    return feed


def came_back(feed, at, candles=(), recent=()):
    script = made.Script(at)
    script.say(Started(at, made.BOOT.markets))
    until = at // MINUTE * MINUTE
    if candles:
        script.put("binance", made.binance_candles(until, candles), "candles:BTCUSDT")
    if recent:
        script.put("binance", made.binance_trades(*recent), "trades:BTCUSDT")
    script.say(BackfillDone(script.now, BINANCE, until))
    feed.process(script.frames)


def test_after_a_restart_the_time_away_is_told_by_candles_and_the_broken_minute_is_a_gap(gaps):
    feed, stats = gaps
    script = made.begun()
    script.now = T0 + 30 * SECOND
    script.put("binance", made.binance_trade(3, script.now, 100_000, 1), after=0)
    feed.process(script.frames)
    bars, stats[:] = feed.desks["BTC"].counts.bars, []
    at = T0 + 10 * MINUTE + 20 * SECOND
    start = at // MINUTE * MINUTE
    came_back(feed, at, [100_000.0] * 10, rows(range(-3, 9), start))
    assert feed.desks["BTC"].counts.bars == bars + 9
    assert [(gap.since, gap.event_time) for gap in stats] == [(T0 + 30 * SECOND, T0 + MINUTE)]


def test_after_a_restart_within_the_minute_no_trade_is_counted_twice():
    feed = stopped_at(20.5)
    count = prints(feed)[0]
    came_back(feed, T0 + 40 * SECOND, [100_000.0] * 30, rows(range(1, 40)))
    assert feed.desks["BTC"].counts.bars == 240
    assert prints(feed)[0] == count + 19  # numbers 21 to 39


def test_a_restart_in_the_middle_of_a_past_asks_for_all_of_it_again():
    feed = stopped_at(20)
    script = made.Script(T0 + 3 * MINUTE)
    script.say(Started(script.now, made.BOOT.markets))  # killed before the join
    feed.process(script.frames)
    bars = feed.desks["BTC"].counts.bars
    came_back(feed, T0 + 10 * MINUTE, [100_000.0] * 12)
    assert feed.desks["BTC"].counts.bars == bars + 9


def test_a_boot_forgets_what_readers_knew_and_lets_every_market_wait():
    feed = fresh()
    feed.process(made.begun().frames)
    readers = dict(feed.readers)
    feed.process([control_frame(10_000, T0 + MINUTE, Started(T0 + MINUTE, made.BOOT.markets))])
    assert feed.readers == {}
    assert set(feed.waiting) == {BINANCE, BYBIT}
    assert feed.desks["BTC"].markets[BINANCE].link == "down"
    assert readers


def test_a_boot_keeps_the_prints_that_came_with_it():
    feed = fresh()
    feed.process(made.begun().frames)
    count = prints(feed)[0]
    script = made.Script(T0 + MINUTE)
    script.put("binance", made.binance_trade(3, script.now, 100_000, 1))
    script.say(Started(script.now, made.BOOT.markets))
    feed.process(script.frames)
    assert prints(feed)[0] == count + 1


# -- words, watches, the unreadable


def test_words_travel_as_frames():
    stats = []
    feed = fresh(stats.append)
    frames = made.begun().frames
    feed.process(frames)
    stats.clear()
    now, n = T0 + MINUTE, frames[-1].seq
    feed.process(
        [
            control_frame(n + 1, now, Link(BINANCE, now, now, "down", "cut")),
            control_frame(n + 2, now, Gap(BINANCE, now, now, now - SECOND, "cut")),
            control_frame(n + 3, now, ClockTick(now + SECOND)),
        ]
    )
    desk = feed.desks["BTC"]
    assert desk.markets[BINANCE].link == "down"
    assert desk.counts.gaps == 1
    assert desk.now == now + SECOND
    assert [type(event) for event in stats] == [Link, Gap]


def test_a_watch_is_told_what_streams_and_not_the_past():
    stats = []
    feed = fresh(stats.append)
    script = made.begun()
    script.put("binance", made.binance_mark(script.now, 100_000))
    feed.process(script.frames)
    assert [type(event) for event in stats] == [Trade, Mark, Funding]


def test_frames_that_cannot_be_read_are_counted_by_venue_and_the_next_is_read():
    feed = fresh()
    feed.process(made.begun().frames)
    count = prints(feed)[0]
    script = made.Script(T0 + MINUTE)
    script.put("binance", b"{nothing of the kind")
    script.put("binance", b"\xff\x00")
    script.put("nowhere", b"{}")
    script.put("", b"not a word")
    script.put("binance", made.binance_trade(3, script.now, 100_000, 1))
    feed.process(script.frames)
    assert feed.unread == {"binance": 2, "nowhere": 1, "shell": 1}
    assert "shell: unreadable frame" in feed.last_unread
    assert prints(feed)[0] == count + 1


def test_markets_nobody_asked_for_are_counted_and_left_out():
    feed = fresh()
    script = made.begun()
    script.put("binance", made.binance_trade(1, script.now, 1, 1).replace(b"BTCUSDT", b"XRPUSDT"))
    feed.process(script.frames)
    assert feed.ignored_events == 1
    assert set(feed.desks["BTC"].markets) == {BINANCE}


# -- stored and lived again


def test_a_replay_of_a_store_gives_the_live_digest_with_and_without_a_snapshot(tmp_path):
    store, live = Store(tmp_path), fresh()
    batches = made.market(7, 1200)
    for n, batch in enumerate(batches):
        store.append(batch)
        live.process(batch)
        if n == len(batches) // 2:
            save(store, live)
    for hour in store.ready(T0 + 3600 * SECOND):
        store.seal(hour)
    with_snapshot, without = fresh(), fresh()
    assert resume(store, with_snapshot) == ""
    for batch in store.read():
        without.process(batch)
    expected = digest(live.desks["BTC"])
    assert digest(with_snapshot.desks["BTC"]) == digest(without.desks["BTC"]) == expected
    assert with_snapshot.seq == without.seq == live.seq
    store.close()


def test_frames_that_are_not_in_the_record_are_a_gap_of_every_market():
    stats = []
    feed = fresh(stats.append)
    frames = made.begun().frames
    feed.process(frames)
    stats.clear()
    now, n = T0 + MINUTE, frames[-1].seq
    feed.process([control_frame(n + 8, now, ClockTick(now))])
    assert [(e.market, e.reason) for e in stats] == [
        (market, f"frames {n + 1} to {n + 7} are not in the record") for market in (BINANCE, BYBIT)
    ]
    assert feed.desks["BTC"].counts.gaps == 2


def test_a_market_whose_joining_is_in_the_hole_joins_with_what_is_there():
    feed = fresh()
    frames = made.begun().frames[:-2]
    feed.process(frames)
    assert set(feed.waiting) == {BINANCE, BYBIT}
    at, n = T0 + 2 * MINUTE, frames[-1].seq
    feed.process([Frame(n + 5, at, "binance", "", made.binance_trade(9, at, 100_000, 1))])
    assert feed.waiting == []
    desk = feed.desks["BTC"]
    assert desk.counts.bars == 240
    assert prints(feed)[1] == pytest.approx(1)
    assert desk.counts.gaps >= 2


@pytest.fixture
def stored(tmp_path):
    """Return a store of 600 frames, with snapshots at its middle and its end, and the live feed."""
    store, live = Store(tmp_path), fresh()
    batches = made.market(7, 600)
    for n, batch in enumerate(batches):
        store.append(batch)
        live.process(batch)
        if n in (len(batches) // 2, len(batches) - 1):
            save(store, live)
    yield store, live
    store.close()


def test_frames_deleted_after_the_snapshot_are_told_and_the_rest_is_used(stored):
    store, live = stored
    save(store, live)
    live.seq = 50
    save(store, live)
    store.log.trim(300)
    again = fresh()
    assert "frames 51 to 2" in resume(store, again)
    assert again.seq == store.last


def wrong(**parts):
    """Return a snapshot of this version whose body is another."""
    whole = {"version": __version__, "seq": 9, "coins": {}, "desks": {}, "readers": {}}
    return CODEC.pack(whole | parts)


BODIES = [
    b"no snapshot at all", wrong(desks=5), wrong(seq="9"), wrong(desks={"BTC": 7}),
    wrong(coins=[1]), wrong(readers={"binance": 5}), CODEC.pack([1, 2]), CODEC.pack(None),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_instead_of_a_snapshot_that_cannot_be_read_its_elder_is_used(stored, body):
    store, live = stored
    store.states.save("desks", 9, body)
    again = fresh()
    assert "expected a snapshot" in resume(store, again)
    assert digest(again.desks["BTC"]) == digest(live.desks["BTC"])


@pytest.mark.parametrize("size", [2**31, 2**40, 2**62, -1])
@pytest.mark.parametrize("parts", [1, 2])
def test_instead_of_damaged_snapshots_the_frames_are_used(stored, size, parts):
    store, live = stored
    store._db.all("UPDATE snapshots SET size=? WHERE part='desks' OR ?=2", (size, parts))
    again = fresh()
    assert "damaged snapshot of desks" in resume(store, again)
    assert digest(again.desks["BTC"]) == digest(live.desks["BTC"])
    assert again.seq == live.seq


def test_a_snapshot_of_another_version_is_not_used_and_too_many_frames_are_not_read(
    stored, monkeypatch
):
    store, _ = stored
    for _ in range(2):
        store.states.save("desks", 9, wrong(version="0.0"))
    monkeypatch.setattr(keeping, "REPLAYED", 100)
    again = fresh()
    why = resume(store, again)
    assert "found 0.0" in why
    assert "more than are read again" in why
    assert again.seq == 0


def test_a_copy_packed_later_is_the_snapshot_of_that_moment(stored):
    _, live = stored
    packed, copied = pack_feed(live), copy_feed(live)
    live.process([control_frame(live.seq + 1, T0 + 9 * MINUTE, ClockTick(T0 + 9 * MINUTE))])
    assert pack_copy(copied) == packed != pack_feed(live)


def test_a_snapshot_of_more_coins_than_are_wanted_now_is_taken_in_part():
    both = Started(T0, {"BTC": (BINANCE,), "ETH": ("binance:ETHUSDT",)})
    feed = Feed({coin: Desk(coin) for coin in ("BTC", "ETH")})
    script = made.Script()
    script.say(both)
    for market in (BINANCE, "binance:ETHUSDT"):
        script.say(BackfillDone(script.now, market, T0))
    feed.process(script.frames)
    one = fresh()
    unpack_feed(one, pack_feed(feed))
    raw = made.binance_trade(1, script.now, 1, 1).replace(b"BTCUSDT", b"ETHUSDT")
    one.process([Frame(feed.seq + 1, script.now, "binance", "", raw)])
    assert one.ignored_events == 1
    assert list(one.desks) == ["BTC"]


def test_once_an_hour_every_coin_is_told_what_the_others_have_learned(monkeypatch):
    feed = Feed({"BTC": Desk("BTC"), "ETH": Desk("ETH"), "SOL": Desk("SOL")})
    stats = {coin: [f"what {coin} learned"] for coin in feed.desks}
    monkeypatch.setattr(Desk, "market_stats", lambda desk: stats[desk.coin])

    def peers():
        return {coin: list(desk.peers) for coin, desk in feed.desks.items()}

    feed.process([control_frame(1, T0, ClockTick(T0))])
    first = peers()
    assert first["BTC"] == stats["ETH"] + stats["SOL"]
    stats["ETH"] = ["more"]
    feed.process([control_frame(2, T0 + MINUTE, ClockTick(T0 + MINUTE))])
    assert peers() == first
    feed.process([control_frame(3, T0 + 60 * MINUTE, ClockTick(T0 + 60 * MINUTE))])
    assert peers()["SOL"] == stats["BTC"] + ["more"]


# -- coins that trade by the thousand


def test_markets_of_one_coin_come_in_one_unit_and_stay_so_after_a_restart():
    desk = Desk("PEPE", Settings(draw=SECOND, flush=SECOND))
    feed, heard = Feed({"PEPE": desk}), []
    feed.watch = heard.append
    feed.process(
        [control_frame(1, T0, Started(T0, {"PEPE": ("bybit:1000PEPEUSDT", "hyperliquid:kPEPE")}))]
    )
    feed.process(
        [
            control_frame(2 + n, T0, BackfillDone(T0, name, T0))
            for n, name in enumerate(feed.waiting)
        ]
    )
    feed.process([Frame(4, T0 + SECOND, "bybit", "", TICKER), Frame(5, T0, "hyperliquid", "", CTX)])
    assert {type(e): e for e in heard if e.market.startswith("bybit")}[Mark].price == 1e-5
    again = Feed({"PEPE": Desk("PEPE", Settings(draw=SECOND, flush=SECOND))})
    unpack_feed(again, pack_feed(feed))
    for each in (feed, again):
        each.process([Frame(6, T0 + SECOND, "bybit", "", TICKER)])
        marks = [known.estimate.mark for known in each.desks["PEPE"].estimated()]
        assert marks == pytest.approx([1e-5, 1e-5])
    assert digest(again.desks["PEPE"]) == digest(desk)


def test_an_older_recording_of_a_thousand_pepe_is_one_of_pepe():
    feed = Feed({"PEPE": Desk("PEPE")})
    feed.process([control_frame(1, T0, Started(T0, {"1000PEPE": ("binance:1000PEPEUSDT",)}))])
    assert feed.coins == {"binance:1000PEPEUSDT": "PEPE"}


TICKER = (
    b'{"topic":"tickers.1000PEPEUSDT","type":"snapshot","ts":1790000000000,"data":'
    b'{"symbol":"1000PEPEUSDT","markPrice":"0.01","indexPrice":"0.01","openInterest":"100"}}'
)
CTX = (
    b'{"channel":"activeAssetCtx","data":{"coin":"kPEPE","ctx":{"markPx":"0.01","oraclePx":'
    b'"0.01","funding":"0.0001","openInterest":"5.0"}}}'
)
