"""A market's past played beside the loop: entered at its word, the same live and in a replay."""

from __future__ import annotations

import importlib.util
import sys
from itertools import groupby
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.desk import Desk
from powderkeg.events import MINUTE, SECOND, ClockTick, Link, Mark, Positions, Trade, Trades
from powderkeg.feed.decoder import Feed
from powderkeg.feed.joining import merged
from powderkeg.frames import BackfillDone, MarketReady, Started, control_frame
from powderkeg.history.snapshots import digest
from powderkeg.settings import Settings


def _load(path):
    spec = importlib.util.spec_from_file_location("made_frames", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


made = _load(Path(__file__).parents[1] / "store" / "made.py")
T0, BINANCE, BYBIT = made.T0, made.BINANCE, made.BYBIT


def fresh():
    return Feed({"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))})


def prints(feed, market=BINANCE):
    """Return number and volume of the prints a market took."""
    tape = feed.desks["BTC"].markets[market].tape
    return tape.count, round(tape.volume, 6)


def apart(script, market=BINANCE):
    """Say a past of a market, what streamed meanwhile, and the entry."""
    script.say(made.BOOT)
    script.put("binance", made.binance_candles(T0, [100_000.0] * 90), "candles:BTCUSDT")
    script.put("binance", made.binance_trade(1, script.now, 100_000, 1))
    script.say(BackfillDone(script.now, market, T0, in_background=True))
    for n in range(2, 40):
        script.put("binance", made.binance_trade(n, script.now, 100_000 + n, 1), after=SECOND)
        script.put("binance", made.binance_mark(script.now, 100_000 + n), after=0)
        script.say(ClockTick(script.now))
    script.say(MarketReady(script.now, market))
    script.put("binance", made.binance_trade(40, script.now, 100_040, 1))


def test_a_market_whose_past_is_played_apart_enters_where_its_word_stands():
    feed, script = fresh(), made.Script()
    apart(script)
    feed.process(script.frames[:-2])
    assert feed.waiting == [BINANCE, BYBIT]
    assert feed.desks["BTC"].markets == {}
    feed.process(script.frames[-2:])
    assert feed.waiting == [BYBIT]
    assert prints(feed) == (40, 40.0)


def test_a_past_played_by_a_thread_leaves_what_a_replay_leaves():
    script = made.Script()
    apart(script)
    replayed, live, threads = fresh(), fresh(), []

    def play(joining):
        threads.append(Thread(target=joining.play))
        threads[-1].start()

    live.play = play
    for frame in script.frames:
        if not frame.venue and b"Joined" in frame.raw:
            threads[0].join()
        live.process([frame])
        replayed.process([frame])
    assert len(threads) == 1
    assert digest(live.desks["BTC"]) == digest(replayed.desks["BTC"])


def test_a_market_that_comes_back_plays_on_a_copy_and_keeps_its_book():
    feed, script = fresh(), made.Script(T0 + 10 * MINUTE)
    feed.process(made.begun().frames)
    desk = feed.desks["BTC"]
    before, book = desk.markets[BINANCE], desk.markets[BINANCE].book
    bars = desk.counts.bars
    script.say(Started(script.now, made.BOOT.markets))
    script.put(
        "binance", made.binance_candles(T0 + 10 * MINUTE, [99_000.0] * 20), "candles:BTCUSDT"
    )
    kept = []
    feed.play = kept.append
    script.say(BackfillDone(script.now, BINANCE, T0 + 10 * MINUTE, in_background=True))
    feed.process(script.frames)
    kept[0].play()
    assert desk.markets[BINANCE] is before
    assert desk.counts.bars == bars
    feed.process([control_frame(9_999, script.now, MarketReady(script.now, BINANCE))])
    after = desk.markets[BINANCE]
    assert after is not before
    assert after.book is book
    assert after.estimate.mark == pytest.approx(99_000)
    assert desk.counts.bars > bars


def test_an_entry_that_a_new_start_has_overtaken_is_nothing():
    feed, script = fresh(), made.Script()
    apart(script)
    feed.process(script.frames[:4])
    feed.process(
        [control_frame(9_998, T0, made.BOOT), control_frame(9_999, T0, MarketReady(T0, BINANCE))]
    )
    assert feed.waiting == [BINANCE, BYBIT]
    assert feed.desks["BTC"].markets == {}


def test_what_is_said_of_accounts_and_of_the_link_while_a_past_is_played_is_not_lost():
    feed, script = fresh(), made.Script()
    apart(script)
    feed.process(script.frames[:3])
    feed._waiting[BINANCE] += [
        Link(BINANCE, T0, T0, "up"),
        Positions(BINANCE, T0, T0, ("one",), *(np.ones(1) for _ in range(3))),
        Link(BINANCE, T0 + 1, T0 + 1, "down"),
    ]
    feed.process(script.frames[3:])
    desk = feed.desks["BTC"]
    assert list(desk.observed) == [BINANCE]
    assert desk.markets[BINANCE].link == "down"


def test_a_book_whose_link_broke_meanwhile_is_asked_for_again():
    feed, script = fresh(), made.Script()
    script.say(made.BOOT)
    script.put("binance", made.binance_book(1, 100_000), "depth:BTCUSDT")
    feed.process(script.frames)
    feed._waiting[BINANCE].append(Link(BINANCE, T0, T0, "down"))
    rest = made.Script(T0 + 5 * SECOND)
    rest.say(BackfillDone(rest.now, BINANCE, T0, in_background=True))
    rest.say(MarketReady(rest.now, BINANCE))
    asks = feed.process(rest.frames)
    assert [ask.market for ask in asks] == [BINANCE]
    assert feed.desks["BTC"].markets[BINANCE].book.status != "live"


@given(st.lists(st.sampled_from(["trade", "mark"]), max_size=12))
def test_prints_one_after_another_are_one_run_and_all_else_stands_between(kinds):
    events = [
        Trade("m", n, n, 100.0, 1.0, "buy") if kind == "trade" else Mark("m", n, n, 100.0)
        for n, kind in enumerate(kinds)
    ]
    out = list(merged(events))
    runs = [len(list(group)) for kind, group in groupby(kinds) if kind == "trade"]
    prints = [each for each in out if isinstance(each, Trade | Trades)]
    assert [len(p.times) if isinstance(p, Trades) else 1 for p in prints] == runs
    assert [e for e in out if isinstance(e, Mark)] == [e for e in events if isinstance(e, Mark)]
