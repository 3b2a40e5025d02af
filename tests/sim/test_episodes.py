"""Scripted episodes, step by step without a clock: what price, traders and the book do in them."""

from __future__ import annotations

import pickle
from typing import Final

import numpy as np
import pytest
from msgspec import Struct
from msgspec.structs import replace

from powderkeg.errors import ConfigError
from powderkeg.events import DAY, HOUR, SECOND, BookSnapshot, Liquidation, Trades
from powderkeg.sim import (
    DEMO,
    EPISODES,
    Episode,
    MinuteHistory,
    SimulatedMarket,
    World,
    joined_history,
)
from powderkeg.sim.conditions import Conditions, session
from powderkeg.sim.episodes import KeyFrame, MarketOrder, Phase, Wall

VENUES: Final = ("binance", "bybit", "okx", "bitget")


class Played(Struct):
    """One episode second by second: prices over the opening price, dollars, reported sides."""

    market: SimulatedMarket
    before: float
    """Volume per second in the hour before."""
    price: np.ndarray
    volume: np.ndarray
    buy: np.ndarray
    longs: np.ndarray
    shorts: np.ndarray
    books: list[BookSnapshot]


def crowded(coin: str, start: int) -> tuple[SimulatedMarket, list[MinuteHistory]]:
    """Return a market at `start` with a crowd on the endangered side, and its last two hours."""
    world = replace(
        DEMO[coin], venues=VENUES, shares=(0.4, 0.3, 0.2, 0.1), censor=False, warm=1.0,
        actors=False, book_every=1.0, book_levels=20,
    )  # fmt: skip
    market = SimulatedMarket(world, 7, start - DAY // 12)
    with market.crowd(EPISODES[coin].side):
        return market, market.history(1 / 12)


def play(coin: str, start: int) -> Played:
    market, past = crowded(coin, start)
    hour = sum(float(one.candles.volume[-60:].sum()) for one in past)
    market.script(EPISODES[coin])
    opening = past[0].candles.close[-1]
    seconds = int(EPISODES[coin].length) + 1
    out = Played(market, hour / 3600, *(np.zeros(seconds) for _ in range(5)), [])
    for k in range(seconds):
        for event in (event for _ in range(10) for event in market.step(0.1)):
            if isinstance(event, Trades):
                out.price[k] = event.prices[-1] / opening
                out.volume[k] += np.abs(event.sizes).sum()
                out.buy[k] += event.sizes[event.sizes > 0].sum()
            elif isinstance(event, Liquidation):
                (out.longs if event.position_side == "long" else out.shorts)[k] += 1
            elif isinstance(event, BookSnapshot) and event.market.startswith("binance"):
                out.books.append(event)
        out.price[k] = out.price[k] or out.price[k - 1]
    return out


@pytest.fixture(scope="module")
def sweep(start: int) -> Played:
    return play("BTC", start)


@pytest.fixture(scope="module")
def hunt(start: int) -> Played:
    return play("ETH", start)


@pytest.fixture(scope="module")
def cascade(start: int) -> Played:
    return play("SOL", start)


def visible(book: BookSnapshot, side: str) -> float:
    return sum(size for _, size in (book.bids if side == "bids" else book.asks))


def test_t1_sweeps_the_longs_below_on_three_times_the_volume_and_comes_back(sweep: Played):
    low = int(sweep.price.argmin())
    assert 60 < low < 170
    assert 0.982 < sweep.price[low] < 0.988
    assert sweep.longs[: low + 1].sum() >= 100
    assert sweep.longs.sum() > 10 * sweep.shorts.sum()
    assert sweep.volume[30:low].mean() >= 3 * sweep.before
    assert sweep.buy[60:low].sum() < 0.5 * sweep.volume[60:low].sum()
    assert sweep.price[270:].min() > 0.992 * 1.005


def test_t1_an_absorbing_wall_shows_in_the_book_and_is_gone_after_it(sweep: Played):
    usual = np.median([visible(book, "bids") for book in sweep.books[:25]])
    at_wall = np.median([visible(book, "bids") for book in sweep.books[105:130]])
    after = np.median([visible(book, "bids") for book in sweep.books[230:290]])
    assert at_wall > 3 * usual
    assert after == pytest.approx(usual, rel=0.25)
    assert visible(sweep.books[120], "asks") < 0.5 * at_wall


def test_t2_pokes_into_the_shorts_is_refused_and_falls_below_the_range(hunt: Played):
    high = int(hunt.price.argmax())
    assert 150 < high < 320
    assert 1.008 < hunt.price[high] < 1.015
    assert hunt.shorts[:320].sum() >= 30
    assert hunt.volume[120:300].mean() >= 3 * hunt.before
    wall = np.median([visible(book, "asks") for book in hunt.books[230:300]])
    assert wall > 3 * np.median([visible(book, "bids") for book in hunt.books[230:300]])
    assert hunt.price[-10:].max() < 0.992


def test_t3_one_sale_triggers_three_steps_down_until_no_longs_remain(cascade: Played):
    before, steps = cascade.longs[:58].sum(), [(58, 180), (180, 320), (320, 430)]
    counts = [int(cascade.longs[a:b].sum()) for a, b in steps]
    lows = [float(cascade.price[a:b].min()) for a, b in steps]
    assert min(counts) >= 20
    assert counts[0] > 3 * before
    assert lows[0] < 0.993
    assert lows[1] < lows[0] - 0.003
    assert lows[2] < lows[1] - 0.003
    assert min(lows) > 0.96
    assert cascade.longs[450:].sum() < 0.1 * sum(counts)
    assert cascade.price[-1] > lows[2]


def test_t3_happens_in_a_thin_book(cascade: Played):
    usual = np.median([visible(book, "asks") for book in cascade.books[:35]])
    thin = np.median([visible(book, "asks") for book in cascade.books[120:175]])
    assert thin < 0.75 * usual


def test_after_an_episode_laws_and_book_are_as_if_there_had_been_none(sweep: Played):
    market = sweep.market
    for _ in range(600):
        market.step(0.1)
    assert market._schedule.steering is None
    assert market._state["eaten"].min() >= 0
    plain = market._schedule._base.copy()
    session(market.now - SECOND).apply(market._schedule.params, plain)
    assert market._schedule.params["lean"] == 0 == market._schedule.params["order"]
    assert market._schedule.params["depth"] == plain["depth"]


def replayed(market: SimulatedMarket, steps: int = 700) -> bytes:
    for _ in range(steps):
        market.step(0.1)
    return market._state.tobytes()


def test_one_seed_gives_one_episode_also_to_copies_and_pickles(start: int):
    first, _ = crowded("BTC", start)
    second, _ = crowded("BTC", start)
    for market in (first, second):
        market.script(EPISODES["BTC"])
    assert replayed(first) == replayed(second)
    copy, woken = first.copy(), pickle.loads(pickle.dumps(first))  # noqa: S301  our own bytes
    assert replayed(first, 300) == replayed(copy, 300) == replayed(woken, 300)
    assert first.now == start + 100 * SECOND


def test_an_episode_without_content_changes_no_byte(grown: SimulatedMarket):
    plain, scripted = grown.copy(), grown.copy()
    scripted.script(Episode(name="nothing", side=1))
    assert replayed(plain, 50) == replayed(scripted, 50)


def test_a_new_episode_takes_the_walls_of_the_last_one_away(grown: SimulatedMarket):
    market = grown.copy()
    wall = Wall(1, 0.99, 0.9999, 20.0, 1.0, 0, 60)
    market.script(Episode(name="wall", side=1, walls=(wall,)))
    market.step(0.1)
    assert market._state["eaten"].min() < -10 * market.world.depth
    market.script(Episode(name="nothing", side=1))
    assert market._state["eaten"].min() >= 0


def test_a_wall_stands_from_its_start_to_its_end_and_no_longer(grown: SimulatedMarket):
    market = grown.copy()
    walls = (Wall(1, 0.99, 0.999, 20.0, 1.0, 1, 2), Wall(-1, 1.001, 1.01, 20.0, 1.0, 3, 4))
    phases = (Phase(0, 9, Conditions()),)
    market.script(Episode(name="walls", side=1, walls=walls, phases=phases))
    deep = []
    for _ in range(5):
        market.step(0.5)
        ladder = market.ladder(200)
        market.step(0.5)
        sides = ladder.bid_sizes.max(), ladder.ask_sizes.max()
        deep.append(tuple(bool(side > 5 * market.world.depth) for side in sides))
    assert deep == [(False, False), (True, False), (False, False), (False, True), (False, False)]
    assert market._schedule.steering is not None


@pytest.mark.parametrize(("refill", "grows"), [(0.0, False), (0.9, False), (1.2, True)])
def test_a_wall_gets_its_part_back_of_what_is_taken(
    grown: SimulatedMarket, refill: float, grows: bool
):
    market = grown.copy()
    wall = Wall(1, 0.98, 0.9999, 20.0, refill, 0, 60)
    sale = MarketOrder(1.0, -0.1)
    market.script(Episode(name="sale", side=1, walls=(wall,), orders=(sale,)))
    market.step(0.1)
    before = -market._state["eaten"].clip(max=0).sum()
    for _ in range(11):
        market.step(0.1)
    rungs = market._schedule.steering._walls[0]  # type: ignore[union-attr]
    assert (float(rungs.held.sum()) > before) == grows


def test_a_large_order_is_one_print_of_its_size(grown: SimulatedMarket):
    market = grown.copy()
    market.script(Episode(name="sale", side=1, orders=(MarketOrder(0.25, -0.05),)))
    tapes = [tape for _ in range(4) for tape in market.moment(0.1).tapes]
    least = min(float(tape.sizes.min()) for tape in tapes if tape.sizes.size)
    percent = market.ladder(200).bid_sizes.sum()
    assert least == pytest.approx(-0.05 * percent, rel=0.15)


def test_a_crowd_leaves_more_longs_close_below_than_an_ordinary_evening(start: int):
    def near(market: SimulatedMarket) -> float:
        truth = market.truth()
        distance = 1 - truth.prices / truth.marks.mean()
        close = (truth.sides > 0) & (distance > 0) & (distance < 0.015)
        return float(truth.sizes[close].sum())

    plain = SimulatedMarket(World(warm=1.0), 3, start)
    busy = plain.copy()
    plain.history(1 / 12)
    with busy.crowd(1):
        busy.history(1 / 12)
    assert near(busy) > 2 * near(plain)
    busy.step(0.1)
    assert busy._schedule.params["open_rate"] == busy._schedule._base["open_rate"]


def test_histories_that_follow_each_other_are_one(grown: SimulatedMarket):
    whole, parts = grown.copy(), grown.copy()
    one = whole.history(0.5)
    two = joined_history(parts.history(0.25), parts.history(0.25))
    assert whole._state.tobytes() == parts._state.tobytes()
    for a, b in zip(one, two, strict=True):
        for name in ("times", "open", "high", "low", "close", "volume", "buy", "oi", "mark"):
            assert (getattr(a.candles, name) == getattr(b.candles, name)).all()
        assert (a.candles.event_time, a.market) == (b.candles.event_time, b.market)
        assert a.liquidations == b.liquidations
        assert a.funding == b.funding


def test_histories_with_a_gap_are_not_joined(grown: SimulatedMarket):
    market = grown.copy()
    first, _, third = (market.history(0.01) for _ in range(3))
    with pytest.raises(ValueError, match=r"from \d+ on, found"):
        joined_history(first, third)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"frames": (KeyFrame(0, 1), KeyFrame(0, 2))}, "rising times"),
        ({"frames": (KeyFrame(0, 1), KeyFrame(5, -1))}, "positive prices"),
        ({"frames": (KeyFrame(1, 1),)}, "first key frame"),
        ({"walls": (Wall(1, 0.99, 0.98, 1, 1, 0, 9),)}, "a wall with"),
        ({"walls": (Wall(0, 0.98, 0.99, 1, 1, 0, 9),)}, "a wall with"),
    ],
)
def test_an_episode_that_cannot_be_played_is_refused(what: dict[str, tuple], why: str):
    with pytest.raises(ConfigError, match=why):
        Episode(name="wrong", side=1, **what)


def test_between_key_frames_the_logarithm_goes_straight_and_after_them_the_index_is_free():
    frames = (KeyFrame(0, 1.0), KeyFrame(10, 0.98), KeyFrame(20, 1.0))
    phases = (Phase(5, 25, Conditions(noise=3.0)), Phase(8, 12, Conditions(noise=2.0, lean=0.1)))
    episode = Episode(name="dip", side=1, frames=frames, phases=phases)
    assert episode.length == 25
    assert episode.offset(5) == pytest.approx(np.log(0.98) / 2)
    assert episode.offset(10) == pytest.approx(np.log(0.98))
    assert episode.offset(20) is None
    assert episode.conditions(10) == Conditions(noise=6.0, lean=0.1)
    assert episode.conditions(25) == Conditions()


def test_new_york_mornings_are_busier_than_nights_and_weekends_quieter():
    friday = 1_700_179_200_000_000  # 17 November 2023, 00:00 UTC
    assert session(friday + 14 * HOUR).noise > 2 * session(friday + 22 * HOUR).noise
    for hour in range(24):
        assert session(friday + DAY + hour * HOUR).noise < session(friday + hour * HOUR).noise
    week = [session(friday + hour * HOUR).noise for hour in range(168)]
    assert np.mean(week) == pytest.approx(1, abs=0.03)


def test_sessions_make_history_follow_the_hours_and_the_measured_world_does_not(start: int):
    def share(world: World) -> float:
        bars = SimulatedMarket(world, 3, start - 8 * HOUR).history(5.0)[0].candles
        hour = bars.times // HOUR % 24
        return float(bars.volume[hour == 14].mean() / bars.volume[hour == 22].mean())

    assert not World().sessions
    assert all(world.sessions for world in DEMO.values())
    assert share(World(sessions=True)) > 1.5 * share(World())
