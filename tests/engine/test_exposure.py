"""The exposure of one market."""

import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.terms import as_terms, by_ground
from powderkeg.engine.exposure.classes import CLASSES, GROUP, TIME, VOLUME
from powderkeg.engine.exposure.exposure import Exposure, Spec, Steps
from powderkeg.engine.exposure.table import BINS, DEPOSITED, LOST, MARK, MARK_HIGH, MARK_LOW, SWEPT
from powderkeg.events import DAY, MINUTE, SECOND, Candles
from powderkeg.grid import BIN
from powderkeg.history.snapshots import CODEC

seeds = st.integers(0, 2**32 - 1)
P = 100_000.0
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))


def filled(kit, seed, spec=None):
    e = Exposure(P, spec)
    kit.play(e, kit.make(seed))
    return e


def walk(seed, steps, scale):
    """Return closes of a random walk, or of a steady climb where the seed is None."""
    if seed is None:
        return P * np.exp(np.linspace(0, scale, steps))
    return P * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, scale, steps)))


def bars(close, start):
    """Return candles of one minute around closes, one base coin a bar, OI rising."""
    n = len(close)
    low, high = close * 0.999, close * 1.001
    times = start * SECOND + np.arange(n) * MINUTE
    ones = np.ones(n)
    return Candles(
        "m", int(times[-1]) + MINUTE, int(times[-1]) + MINUTE, MINUTE, times, close, high, low,
        close, ones, ones / 2, 1000.0 + np.arange(n), low, high, close,
    )  # fmt: skip


def equal(a, b):
    """Return whether two tables hold the same exposure at the same prices, to the bit."""
    return (
        a.base == b.base
        and a.cells.tobytes() == b.cells.tobytes()
        and a.number.tobytes() == b.number.tobytes()
        and a.ledger.tobytes() == b.ledger.tobytes()
    )


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan])
def test_a_table_cannot_begin_at_no_price(price):
    with pytest.raises(ValueError, match="above 0"):
        Exposure(price)


def test_an_empty_table_knows_neither_mark_nor_open_interest():
    e = Exposure(P)
    assert math.isnan(e.mark)
    assert math.isnan(e.oi)
    assert e.basis.name == Spec().basis == "points-and-bands"
    assert e.audit().deposited == 0


@pytest.mark.parametrize("spec", [Spec(), Spec("four-static")])
def test_classes_are_closed_by_their_owners_as_the_basis_says(spec):
    e = Exposure(P, spec)
    assert np.array_equal(e.hazards, e.basis.hazards)
    e.flush(0)
    e.add_trades(np.array([P]), np.array([1.0]))
    e.flush(SECOND)
    before = e.live()
    e.flush(SECOND + DAY)
    assert e.live() == pytest.approx(before * np.exp(-e.hazards * DAY / SECOND))


def test_a_table_is_small():
    assert Exposure(P).nbytes <= 2_400_000


@given(seeds, st.sampled_from([Spec(), Spec(timed=False), Spec("four-static", 1.0, 1.0)]))
def test_what_must_hold_holds(kit, seed, spec):
    audit = filled(kit, seed, spec).audit()
    assert audit.residual <= 1e-6
    assert (audit.wrong_side, audit.negative) == (0, 0)
    assert audit.deposited == pytest.approx(
        audit.live + audit.decayed + audit.swept + audit.lost, rel=1e-6
    )


@given(seeds)
def test_the_ledger_knows_the_live_exposure(kit, seed):
    e = filled(kit, seed)
    assert e.live() == pytest.approx(kit.real(e).sum(axis=1), rel=1e-5, abs=1e-6)


@given(seeds)
def test_nothing_is_closed_less_than_not_at_all(kit, seed):
    e = filled(kit, seed)
    deposited = e.ledger[DEPOSITED]
    assert (e.decayed() >= -1e-6 * deposited).all()
    assert e.audit().decayed == pytest.approx(e.decayed().sum())


def test_an_audit_finds_what_was_closed_less_than_nothing(kit):
    e = filled(kit, 3)
    e.ledger[DEPOSITED, 0, 5] = 0.5 * (e.live() + e.ledger[SWEPT] + e.ledger[LOST])[0, 5]
    assert e.audit().residual > 0.1


@given(seeds)
def test_nothing_stands_outside_of_the_extent_after_any_tape(kit, seed):
    e = Exposure(P)
    for step in kit.make(seed):
        kit.play(e, [step])
        assert kit.outside(e) == 0


@given(seeds, st.integers(-3000, 3000))
def test_a_price_scaled_by_whole_bins_makes_the_same_map_on_a_moved_grid(seed, pairs):
    """In another unit of account nothing is different; prices lie inside bins, not on edges."""
    chance = np.random.default_rng(seed)
    bins = chance.integers(-40, 40, 30) + chance.uniform(0.1, 0.9, 30)
    sizes = chance.normal(0, 1, 30)
    tables = []
    for shift in (0, 2 * pairs):
        e = Exposure(math.exp((shift + 0.5) * BIN))
        e.flush(0, 1000.0)
        e.add_trades(np.exp((bins + shift) * BIN), sizes)
        e.flush(SECOND, 1010.0)
        tables.append(e)
    assert tables[1].base - tables[0].base == 2 * pairs
    assert np.array_equal(tables[0].cells, tables[1].cells)


def test_an_audit_finds_what_is_wrong(kit):
    e = filled(kit, 3)
    e.cells[0, -1, 0] = -1.0
    e.cells[1, 0, 0] = math.inf
    e.cells[0, 0, 0] = 1e-42
    audit = e.audit()
    assert audit.negative == 2
    assert audit.tiny == 1
    assert audit.wrong_side > 0


@given(seeds)
def test_a_snapshot_restores_the_table_to_the_bit_and_goes_on_alike(kit, seed):
    e = filled(kit, seed)
    copy = CODEC.unpack(CODEC.pack(e))
    assert CODEC.pack(copy) == CODEC.pack(e)
    for table in (e, copy):
        kit.play(table, kit.make(seed + 1))
    assert CODEC.digest(copy) == CODEC.digest(e)


@given(seeds)
def test_a_map_and_its_tiers_agree(kit, seed):
    e = filled(kit, seed)
    weights = np.random.default_rng(seed).random((2, 2, CLASSES))
    tiers = e.render_tiers(weights, e.basis.tiers, 5, 1000, 3000)
    drawn = e.render(weights)[:, 1000:3000]
    assert (np.abs(tiers.sum(axis=0) - drawn) <= 1e-4 * drawn + 1e-7).all()


@given(seeds)
def test_what_stands_in_bins_times_its_weights_is_the_map(kit, seed):
    """By map weights as the map is drawn, and by terms as hours are expected."""
    e = filled(kit, seed)
    terms = np.random.default_rng(seed).random((2, 98))
    weights = by_ground(terms)
    drawn = e.render(weights)[:, 1000:3000]
    for side in range(2):
        exposure, known = e.standing(side, 1000, 3000)
        assert exposure.shape == (2000, CLASSES)
        assert np.array_equal(exposure, kit.real(e)[side, 1000:3000])
        cells = (exposure * weights[side][known.astype(int)]).sum(axis=1)
        assert (np.abs(drawn[side] - cells) <= 1e-4 * cells + 1e-7).all()
        assert as_terms(exposure, known) @ terms[side] == pytest.approx(cells)


def test_before_the_first_flush_all_ground_is_as_it_was_visited():
    exposure, known = Exposure(P).standing(0, 2000, 2010)
    assert not exposure.any()
    assert known.shape == (10,)


def test_a_wick_sweeps_though_the_mark_comes_back(kit):
    e = filled(kit, 5)
    mark, before = e.mark, e.audit().swept
    records = e.move_mark((kit.start + 10**7) * SECOND, mark, mark * 0.95, mark * 1.05)
    assert e.mark == pytest.approx(mark)
    assert set(records[:, 1]) == {0.0, 1.0}
    assert e.audit().swept > before


@given(seeds, st.sampled_from([-1200, -2, 2, 700]))
def test_recentring_loses_nothing_but_what_falls_off(kit, seed, shift):
    e = filled(kit, seed)
    before, lost, mark, weights = (
        kit.real(e),
        e.ledger[LOST].copy(),
        e.mark,
        np.ones((2, 2, CLASSES)),
    )
    stays = slice(max(shift, 0), BINS + min(shift, 0))
    goes = before.sum(axis=1) - before[:, stays].sum(axis=1)
    e._roll(shift)
    after = kit.real(e)
    moved = slice(max(-shift, 0), BINS + min(-shift, 0))
    assert np.array_equal(after[:, moved], before[:, stays])
    assert after.sum() == pytest.approx(before[:, stays].sum(), rel=1e-12)
    assert e.ledger[LOST] - lost == pytest.approx(goes, rel=1e-6, abs=1e-9)
    assert math.isnan(mark) or e.mark == pytest.approx(mark)
    assert e.audit().residual <= 1e-6
    assert kit.outside(e) == 0
    assert e.render(weights).sum() == pytest.approx(after.sum(), rel=1e-4, abs=1e-6)


@given(seeds, st.sampled_from([-5000, 5000]))
def test_a_move_by_more_than_the_grid_empties_it_into_the_ledger(kit, seed, shift):
    e = filled(kit, seed)
    e._roll(shift)
    audit = e.audit()
    assert not e.cells.any()
    assert not e.last_crossed.any()
    assert audit.residual <= 1e-6
    assert kit.outside(e) == 0


def test_volume_that_waits_moves_with_the_grid(kit):
    e = Exposure(P)
    e.flush(kit.start * SECOND, 1000.0)
    e.add_trades(np.array([P, P * 1.01]), np.array([1.0, -1.0]))
    e.flush((kit.start + 1) * SECOND)
    e.add_trades(np.array([P * 1.02]), np.array([1.0]))
    e.move_mark((kit.start + 2) * SECOND, P)
    e._roll(-300)
    e.flush((kit.start + 3) * SECOND, 1030.0)
    opened = e.ledger[DEPOSITED].sum(axis=0)[VOLUME * GROUP : (VOLUME + 1) * GROUP]
    assert opened == pytest.approx(np.full(GROUP, 0.2 * 3 + 30))


@pytest.mark.parametrize("factor", [0.3, 0.05, 1e-4, 3.0, 20.0, 1e4])
def test_a_crash_or_leap_beyond_the_grid_is_followed_at_once(kit, factor):
    e = filled(kit, 9)
    at = (kit.start + 10**7) * SECOND
    e.move_mark(at, P * factor)
    assert e.mark == pytest.approx(P * factor)
    assert abs(e.number[MARK] - BINS / 2) <= BINS / 4
    side = 0 if factor < 1 else 1
    assert not e.cells[side].any()
    assert e.audit().residual <= 1e-6
    e.add_trades(np.full(4, P * factor), np.array([1.0, -1.0, 1.0, -1.0]))
    e.flush(at + SECOND, e.oi + 5)
    assert e.audit().residual <= 1e-6, "time is laid where the mark is now, too"
    assert kit.outside(e) == 0
    e.move_mark(at + 2 * SECOND, P * factor * 1.0001)
    assert e.audit().residual <= 1e-6
    assert e.audit().wrong_side == 0


@pytest.mark.parametrize("factor", [0.3, 1e-4, 3.0, 1e4])
def test_after_a_leap_beyond_the_grid_the_range_of_the_mark_lies_on_it_around_the_mark(kit, factor):
    e = filled(kit, 9)
    e.move_mark((kit.start + 10**7) * SECOND, P * factor)
    low, mark, high = e.number[[MARK_LOW, MARK, MARK_HIGH]]
    assert 0 <= low <= mark <= high < BINS


@pytest.mark.parametrize("factor", [0.3, 1e-4, 3.0, 1e4])
def test_time_after_a_leap_is_laid_around_the_new_mark(kit, factor):
    e = Exposure(P)
    at = kit.start * SECOND
    for n, price in enumerate((P, P * factor, P * factor)):
        e.move_mark(at + n * MINUTE, price)
        e.flush(at + n * MINUTE)
    e.flush(at + 600 * SECOND)
    e.flush(at + 1200 * SECOND)
    laid = e.ledger[DEPOSITED, :, TIME * GROUP :]
    assert laid == pytest.approx(np.full((2, GROUP), 1200 / 86_400))
    assert e.live().sum() > 0.5 * 2 * GROUP * 600 / 86_400
    assert e.audit().residual <= 1e-6


@given(seeds, st.sampled_from([0.2, 0.6, 1.7, 5.0, 50.0]))
def test_nothing_stands_outside_of_the_extent_wherever_the_grid_is_moved(kit, seed, factor):
    e = filled(kit, seed)
    last = (kit.start + 10**7) * SECOND
    for n in range(1, 4):
        e.move_mark(last + n * DAY, P * factor**n)
        assert kit.outside(e) == 0
        e.add_trades(np.full(2, P * factor**n), np.array([1.0, -1.0]))
        e.flush(last + n * DAY, 1000.0 + n)
        assert kit.outside(e) == 0
        assert e.audit().residual <= 1e-6


@given(st.one_of(st.none(), seeds), st.sampled_from([0.9, -2.5, 0.02]))
def test_candles_in_one_run_are_candles_one_by_one_however_far_price_goes(kit, seed, scale):
    """A run that spans years must follow the price: the grid moves inside it too."""
    close = walk(seed, 12 if PLAIN else 60, scale if seed is None else 0.03 * abs(scale))
    run, single = Exposure(P), Exposure(P)
    candles = bars(close, kit.start)
    records = run.add_candles(candles)
    parts = [single.add_candles(candles, i, i + 1) for i in range(len(close))]
    assert np.concatenate(parts).tobytes() == records.tobytes()
    assert equal(run, single)


@given(st.one_of(st.none(), seeds), st.sampled_from([0.9, -2.5]), st.sampled_from([1, 3]))
def test_a_tape_in_one_run_is_the_tape_step_by_step_however_far_price_goes(kit, seed, scale, every):
    close = walk(seed, 12 if PLAIN else 60, scale if seed is None else 0.05)
    n = len(close)
    steps = Steps(
        kit.start + np.arange(n) * 60.0, np.arange(1, n + 1), 1000.0 + np.arange(n), close,
        close * 1.0001, np.where(np.arange(n) % 2, 1.0, -1.0), every,
    )  # fmt: skip
    run, single = Exposure(P), Exposure(P)
    records = run.add_tape(steps)
    parts = []
    for i in range(n):
        single.add_trades(steps.prices[i : i + 1], steps.sizes[i : i + 1])
        if i % every == every - 1:
            single.flush(int(steps.times[i] * SECOND), float(steps.oi[i]))
        parts.append(single.move_mark(int(steps.times[i] * SECOND), float(close[i])))
    assert np.concatenate(parts).tobytes() == records.tobytes()
    assert equal(run, single)


@pytest.mark.parametrize(("way", "ahead"), [(3.0, 1), (-3.0, 0)])
def test_a_run_to_many_times_the_price_loses_nobody_that_stands_ahead_of_it(kit, way, ahead):
    """A grid that was left behind once had no room for the shorts above a price that climbed."""
    close = P * np.exp(np.linspace(0, way, 300 if PLAIN else 3000))
    e = Exposure(P)
    e.add_candles(bars(close, kit.start))
    assert e.mark == pytest.approx(close[-1])
    assert e.ledger[LOST, ahead].sum() == 0
    assert e.ledger[SWEPT, ahead].sum() > 0
    assert e.audit().residual <= 1e-6


def test_candles_without_a_mark_open_around_their_own_prices(kit):
    candles = bars(np.full(5, P), kit.start)
    unknown = np.full(5, math.nan)
    candles = Candles(
        "m", candles.event_time, candles.received_time, candles.span, candles.times, candles.open,
        candles.high, candles.low, candles.close, candles.volume, candles.buy, candles.oi, unknown,
        unknown, unknown,
    )  # fmt: skip
    e = Exposure(P)
    assert len(e.add_candles(candles)) == 0
    assert math.isnan(e.mark)
    assert e.ledger[DEPOSITED].sum() > 0


def test_no_candles_change_nothing(kit):
    e = Exposure(P)
    assert len(e.add_candles(bars(np.full(5, P), kit.start), 2, 2)) == 0
    assert not e.ledger.any()


@pytest.mark.parametrize("days", [10, 60, 400])
def test_after_a_long_silence_no_number_is_denormal_and_life_goes_on(kit, days):
    e = filled(kit, 11)
    for n in (1, 2, 3):
        e.flush((kit.start + 10**7) * SECOND + n * days * DAY)
        assert e.audit().tiny == 0
    before = e.audit().live
    e.add_trades(np.array([P]), np.array([1.0]))
    e.flush((kit.start + 10**7) * SECOND + 4 * days * DAY)
    assert np.isfinite(kit.real(e)).all()
    assert e.audit().live != before
    assert e.audit().residual <= 1e-6
