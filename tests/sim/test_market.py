"""Determinism, continuity, and the shape of recordings and history."""

from __future__ import annotations

import pickle

import msgspec
import numpy as np
import pytest

from powderkeg.events import DAY, MINUTE, SECOND
from powderkeg.sim import Recording, SimulatedMarket, World
from powderkeg.sim.kernel.rates import ticks_of
from powderkeg.sim.market import FUNDING


def bytes_of(market: SimulatedMarket) -> bytes:
    return market._state.tobytes()


def live(market: SimulatedMarket, steps: int = 50) -> bytes:
    published = [market.step(0.1) for _ in range(steps)]
    encoder = msgspec.msgpack.Encoder(enc_hook=lambda array: array.tobytes())
    return encoder.encode(published) + bytes_of(market)


@pytest.fixture
def young(start: int) -> SimulatedMarket:
    return SimulatedMarket(World(warm=0.1), 1, start)


def test_one_seed_gives_the_same_bytes(young: SimulatedMarket, start: int):
    assert live(young) == live(SimulatedMarket(World(warm=0.1), 1, start))


def test_another_seed_or_coin_gives_another_market(young: SimulatedMarket, start: int):
    published = live(young)
    assert published != live(SimulatedMarket(World(warm=0.1), 2, start))
    assert published != live(SimulatedMarket(World(warm=0.1, coin="ETH"), 1, start))


def test_markets_run_in_turns_equal_markets_run_alone(start: int):
    alone = [SimulatedMarket(World(warm=0.1), seed, start) for seed in (1, 2)]
    for market in alone:
        market.run(0.01)
        market.run(0.01)
    turns = [SimulatedMarket(World(warm=0.1), seed, start) for seed in (1, 2)]
    for _ in range(2):
        for market in turns:
            market.run(0.01)
    assert [bytes_of(m) for m in alone] == [bytes_of(m) for m in turns]


def test_a_copy_continues_exactly_and_leaves_the_original_alone(grown: SimulatedMarket):
    before = bytes_of(grown)
    first, second = grown.copy(), grown.copy()
    assert live(first) == live(second)
    assert bytes_of(grown) == before


def test_a_pickled_market_continues_exactly(young: SimulatedMarket):
    woken = pickle.loads(pickle.dumps(young))  # noqa: S301  our own bytes
    assert live(young) == live(woken)


def test_one_long_run_equals_two_short_ones(grown: SimulatedMarket):
    whole, parts = grown.copy(), grown.copy()
    whole.run(0.02)
    parts.run(0.01)
    parts.run(0.01)
    assert bytes_of(whole) == bytes_of(parts)


def test_small_buffers_do_not_change_what_happens(grown: SimulatedMarket):
    wide, narrow = grown.copy(), grown.copy()
    narrow._tape = narrow._tape[:17_000].copy()
    a, b = wide.run(0.1), narrow.run(0.1)
    assert bytes_of(wide)[:64] == bytes_of(narrow)[:64]
    for x, y in zip(a.venues, b.venues, strict=True):
        assert (x.trades.prices == y.trades.prices).all()
        assert (x.trades.times == y.trades.times).all()


def test_an_output_that_overflows_is_an_error_and_not_a_silent_loss(young: SimulatedMarket):
    young._state["lost"] = 1
    with pytest.raises(RuntimeError, match="rows in a tick"):
        young.step()


def test_a_recording_has_one_row_per_step_and_one_truth_per_hour(recording: Recording, start: int):
    assert recording.coin == "BTC"
    assert recording.times[0] == start + SECOND
    assert recording.times[-1] == start + 2 * DAY
    assert recording.last.shape == (172_800,)
    assert [t.at for t in recording.truths] == [start + k * 3600 * SECOND for k in range(1, 49)]
    assert (recording.low <= recording.last).all()
    assert (recording.high >= recording.last).all()
    for venue in recording.venues:
        assert venue.marks.shape == recording.last.shape
        assert (venue.mark_low <= venue.marks).all()
        assert (venue.mark_high >= venue.marks).all()
        assert (np.diff(venue.trades.times) >= 0).all()
        assert (np.diff(venue.liquidations.times) >= 0).all()
        assert (venue.trades.sizes != 0).all()


def test_prints_stay_inside_the_range_of_their_step(recording: Recording):
    for venue in recording.venues:
        step = np.searchsorted(recording.times, venue.trades.times)
        assert (venue.trades.prices <= recording.high[step] + 0.11).all()
        assert (venue.trades.prices >= recording.low[step] - 0.11).all()


def test_an_uncensored_recording_reports_every_death(recording: Recording):
    reported = sum(venue.liquidations.times.size for venue in recording.venues)
    assert reported == recording.liquidation_rows.times.size


def test_truths_can_be_rare_and_steps_long(grown: SimulatedMarket):
    recording = grown.copy().run(0.05, dt=60.0, truth_every=1800.0)
    assert recording.last.shape == (72,)
    assert len(recording.truths) == 2
    assert recording.times[1] - recording.times[0] == MINUTE


def test_venues_share_one_price_but_not_one_mark(recording: Recording):
    first, second, third = (venue.marks for venue in recording.venues)
    gap = np.abs(first - second) / first
    assert 0 < np.median(gap) < 3e-4
    assert (third != first).any()


def test_a_single_venue_has_no_premium_of_its_own(start: int):
    world = World(venues=("bybit",), shares=(1.0,), warm=0.05)
    market = SimulatedMarket(world, 1, start)
    market.run(0.01)
    assert market._state["venues"]["basis"][0, 0] == 0
    assert len(market.run(0.01).venues) == 1


def test_no_liquidations_or_stops_where_the_world_disables_them(start: int):
    market = SimulatedMarket(World(warm=1.0, liquidations=False, stops=False), 1, start)
    recording = market.run(0.5)
    assert recording.liquidation_rows.times.size == 0
    assert market.truth().stop_in_front.sum() == 0


def test_a_full_market_refuses_newcomers_and_stays_balanced(grown: SimulatedMarket):
    market = grown.copy()
    for _ in range(120):
        market._state["room"] = 0
        market.step(1.0)
    truth = market.truth()
    assert market._state["refused"][0] > 0
    assert truth.oi.sum() > 0
    longs = truth.sizes[truth.sides > 0].sum() + truth.makers[truth.makers > 0].sum()
    assert longs == pytest.approx(truth.oi.sum(), rel=1e-9)


def test_history_has_a_bar_per_minute_and_payments_every_eight_hours(
    grown: SimulatedMarket, start: int
):
    market = grown.copy()
    histories = market.history(1.0)
    assert market.now == start + DAY
    assert [h.market for h in histories] == list(market.world.markets)
    for one in histories:
        bars = one.candles
        assert (bars.times == start + np.arange(1440) * MINUTE).all()
        assert bars.event_time == start + DAY
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.open[1:] == bars.close[:-1]).all()
        assert (bars.mark_low <= bars.mark).all()
        assert (bars.mark_high >= bars.mark).all()
        assert (bars.oi > 0).all()
        assert ((bars.buy >= 0) & (bars.buy <= bars.volume)).all()
        assert [f.event_time for f in one.funding] == [start + k * FUNDING for k in (1, 2, 3)]
        assert all(abs(f.rate) <= 0.0005 for f in one.funding)


def test_history_liquidations_lie_where_the_minute_took_mark(grown: SimulatedMarket):
    """Equity was above nil in that minute, but for who bought far over mark in a squeeze."""
    histories = grown.copy().history(1.0)
    beyond = []
    for one in histories:
        bars = one.candles
        for event in one.liquidations:
            k = (event.event_time - bars.times[0]) // MINUTE
            if event.position_side == "long":
                beyond.append(event.price < bars.mark_high[k])
            else:
                beyond.append(event.price > bars.mark_low[k])
    assert len(beyond) > 50
    assert np.mean(beyond) > 0.97


def test_history_then_live_is_one_story(grown: SimulatedMarket):
    market = grown.copy()
    histories = market.history(0.1)
    before = market.truth()
    market.step(0.1)
    after = market.truth()
    assert after.at == before.at + 100_000
    assert after.sizes.size == pytest.approx(before.sizes.size, abs=20)
    assert after.marks == pytest.approx(before.marks, rel=1e-3)
    assert sum(one.candles.oi[-1] for one in histories) == pytest.approx(after.oi.sum(), rel=0.01)


def test_history_begins_on_a_whole_minute(young: SimulatedMarket):
    young.step(0.1)
    with pytest.raises(ValueError, match="whole minute"):
        young.history(1.0)


@pytest.mark.parametrize(("dt", "ticks"), [(0.1, 1), (1, 1), (10, 1), (15, 2), (60, 6)])
def test_long_steps_are_cut_into_ticks_of_ten_seconds_at_most(dt: float, ticks: int):
    assert ticks_of(dt) == ticks
