"""History in bulk."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.bulk import rows_needed, run_candles, run_trades
from powderkeg.engine.exposure.classes import GROUP, TIME, VOLUME
from powderkeg.engine.exposure.deposits import SPREAD
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.marks import RECORD
from powderkeg.engine.exposure.table import DEPOSITED, LOST, OPENED, SWEPT, TOUCHED
from powderkeg.events import SECOND

seeds = st.integers(0, 2**32 - 1)
P = 100_000.0
STATE = ("cells", "volume", "pending", "active_bins", "last_crossed", "ledger", "number", "count")


def same(a, b):
    """Hold two tables equal to the bit; scratch beyond the counted bins is no state."""
    for name in STATE:
        left, right = getattr(a, name), getattr(b, name)
        if name == "active_bins":
            used = a.count[TOUCHED : TOUCHED + 2]
            for row, n in enumerate(used):
                assert np.array_equal(left[row, :n], right[row, :n])
            continue
        assert left.tobytes() == right.tobytes(), name


def run(e, tape, every=1, first=0, last=None):
    prices = np.concatenate([step.prices for step in tape])
    sizes = np.concatenate([step.sizes for step in tape])
    ends = np.cumsum([len(step.prices) for step in tape])
    times, oi, marks = (
        np.array([float(getattr(step, name)) for step in tape]) for name in ("at", "oi", "mark")
    )
    records = np.zeros((rows_needed(len(tape)), RECORD))
    n = run_trades(
        e.cells, e.volume, e.pending, e.active_bins, e.last_crossed, e.offsets, e.ledger, e.number,
        e.count,
        prices, sizes, ends, times, oi, marks, every, first, len(tape) if last is None else last,
        records,
    )  # fmt: skip
    return records[:n]


def candles(e, rows):
    """Play rows of (time, low, high, volume, buys, oi, mark low, mark high, mark)."""
    columns = np.array(rows, float).T.copy()
    records = np.zeros((rows_needed(len(rows), 3), RECORD))
    n = run_candles(
        e.cells, e.volume, e.pending, e.active_bins, e.last_crossed, e.offsets, e.ledger, e.number,
        e.count,
        *columns, records,
    )  # fmt: skip
    return records[:n]


@given(seeds)
def test_a_tape_in_bulk_is_the_tape_step_by_step_to_the_bit(kit, seed):
    bulk, steps = Exposure(P), Exposure(P)
    tape = kit.make(seed)
    assert run(bulk, tape).tobytes() == kit.play(steps, tape).tobytes()
    same(bulk, steps)


@given(seeds, st.integers(0, 8), st.sampled_from([1, 3]))
def test_a_tape_may_be_cut_anywhere(kit, seed, cut, every):
    whole, parts = Exposure(P), Exposure(P)
    tape = kit.make(seed)
    records = run(whole, tape, every)
    pieces = [run(parts, tape, every, 0, cut), run(parts, tape, every, cut)]
    assert np.concatenate(pieces).tobytes() == records.tobytes()
    same(whole, parts)


def test_a_tape_flushed_every_third_step_opens_as_much_in_all(kit):
    tape = [step._replace(at=kit.start, oi=math.nan, mark=math.nan) for step in kit.make(7, 9)]
    one, three = Exposure(P), Exposure(P)
    run(one, tape)
    run(three, tape, 3)
    assert three.ledger[DEPOSITED] == pytest.approx(one.ledger[DEPOSITED])


def test_a_tape_without_prints_or_marks_changes_nothing_but_time(kit):
    e = Exposure(P)
    empty = [
        step._replace(prices=np.zeros(0), sizes=np.zeros(0), mark=math.nan)
        for step in kit.make(1, 4)
    ]
    assert len(run(e, empty)) == 0
    assert not e.ledger.any()


def test_a_candle_sweeps_what_stood_before_it_and_then_opens():
    e = Exposure(P)
    first = [60, P * 0.999, P * 1.001, 100.0, 60.0, 1000.0, P, P, P]
    fall = [120, P * 0.97, P, 50.0, 20.0, 1010.0, P * 0.97, P, P * 0.98]
    candles(e, [first])
    stood = e.live()
    records = candles(e, [fall])
    assert records[:, 4:].sum() > 0
    assert (records[:, 4:].sum(axis=0) <= stood.sum(axis=0) * (1 + 1e-6)).all()
    assert e.ledger[SWEPT].sum() >= records[:, 4:].sum()
    assert e.number[OPENED] == pytest.approx(100 * 0.2 + 50 * 0.2 + 10)


@pytest.mark.parametrize("width", [0.0, 1e-4, 4e-4, 1.6e-3, 0.02])
def test_a_candles_volume_is_laid_at_a_few_places_between_its_low_and_its_high(width):
    e, low, high = Exposure(P), P, P * math.exp(width)
    records = candles(e, [[60, low, high, 90.0, 60.0, math.nan] + [math.nan] * 3])
    assert len(records) == 0
    bins = np.flatnonzero(e.pending.sum(axis=1))
    edges = np.exp((bins + e.base) * 5e-4)
    assert 1 <= len(bins) <= SPREAD
    assert (edges * math.exp(5e-4) > low).all()
    assert (edges <= high).all()
    assert e.pending.sum(axis=0) == pytest.approx([60.0, 30.0])


def test_a_candle_off_the_grid_is_laid_at_its_edge():
    e = Exposure(P)
    for price in (P * 1e-3, P * 1e3):
        candles(e, [[60, price, price, 1.0, 1.0, math.nan] + [math.nan] * 3])
    assert e.ledger[DEPOSITED, 0, VOLUME * GROUP] == pytest.approx(0.2 * 2 * 0.7)
    assert e.ledger[LOST].sum() > 0


def test_a_candle_in_which_nothing_traded_opens_nothing():
    e = Exposure(P)
    candles(e, [[60, P, P, 0.0, 0.0, 1000.0, P, P, P], [120, P, P, 0.0, 0.0, 1100.0, P, P, P]])
    assert not e.ledger[DEPOSITED].any()


def quiet(seed, n=8):
    """Return rows of candles without volume, five minutes each, as the mark walks on."""
    chance = np.random.default_rng(seed)
    rows, mark = [], P
    for i in range(1, n + 1):
        low, high = (
            mark * np.exp(-chance.exponential(2e-3)),
            mark * np.exp(chance.exponential(2e-3)),
        )
        mark = chance.uniform(low, high)
        rows.append([300 * i, P, P, 0.0, 0.0, math.nan, low, high, mark])
    return rows


@given(seeds)
def test_candles_without_volume_are_their_marks_fed_singly_where_flush_times_agree(seed):
    bars, single, rows = Exposure(P), Exposure(P), quiet(seed)
    records = candles(bars, rows)
    parts = []
    for row in rows:
        at = row[0] * SECOND
        parts.append(single.move_mark(at, row[8], row[6], row[7]))
        single.flush(at)
    assert np.concatenate(parts).tobytes() == records.tobytes()
    same(bars, single)
    laid = bars.ledger[DEPOSITED].reshape(2, -1, GROUP)
    assert laid[:, TIME] == pytest.approx(np.full((2, GROUP), 7 * 300 / 86_400))
    assert not laid[:, VOLUME].any()


def test_candles_of_one_price_are_prints_at_that_price():
    bars, prints = Exposure(P), Exposure(P)
    for n, (price, oi) in enumerate(((P, 1000.0), (P * 1.01, 1005.0), (P * 0.99, math.nan)), 1):
        candles(bars, [[60.0 * n, price, price, 10.0, 6.0, oi, price, price, price]])
        prints.move_mark(60 * n * SECOND, price)
        prints.add_trades(np.array([price, price]), np.array([6.0, -4.0]))
        prints.flush(60 * n * SECOND, oi)
    assert (np.abs(bars.cells - prints.cells) <= 1e-6 * prints.cells).all()
    assert bars.ledger == pytest.approx(prints.ledger)


def test_there_is_room_for_two_records_of_every_move():
    assert rows_needed(0) >= 2
    assert rows_needed(10, 3) >= 2 * 10 * 3
