"""The kernels mean what their twin says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.classes import CLASSES, GROUP, TIME
from powderkeg.engine.exposure.exposure import Exposure, Spec
from powderkeg.engine.exposure.table import DEPOSITED, LOST, SWEPT

from .reference import Twin

seeds = st.integers(0, 2**32 - 1)
STEPS = 16
"""Of a tape: the twin takes a millisecond for each."""
specs = st.sampled_from(
    [Spec(), Spec(timed=False), Spec("four-static", theta=1.0, own=1.0), Spec(theta=0)]
)


def close(a, b, rel):
    scale = max(float(np.abs(b).max(initial=0.0)), 1e-12)
    assert a.shape == b.shape
    assert np.abs(a - b).max(initial=0.0) <= rel * scale


def agree(kit, table, twin, seed, rel):
    tape = kit.make(seed, STEPS)
    ours, theirs = kit.play(table, tape), kit.play(twin, tape)
    close(kit.real(table), twin.cells, rel)
    close(ours[:, :4], theirs[:, :4], 1e-9)
    close(ours, theirs, rel)
    for row, part in ((DEPOSITED, twin.deposited), (SWEPT, twin.swept), (LOST, twin.lost)):
        close(table.ledger[row], part, rel)
    close(table.live(), twin.cells.sum(axis=1), rel)
    # what was closed is a difference of the other rows, and no more exact than they are
    assert np.abs(table.decayed() - twin.decayed).max() <= rel * max(twin.deposited.max(), 1e-12)
    assert table.base == twin.base


@given(seeds, specs)
def test_float32_kernels_agree_with_their_twin_to_a_hundred_thousandth(kit, seed, spec):
    agree(kit, Exposure(100_000.0, spec), Twin(100_000.0, spec), seed, 1e-5)


@given(seeds, specs)
def test_float64_kernels_agree_with_their_twin_to_a_billionth(kit, seed, spec):
    agree(kit, kit.wide(spec=spec), Twin(100_000.0, spec), seed, 1e-9)


@given(seeds)
def test_the_twins_own_ledger_closes(kit, seed):
    twin = Twin(100_000.0)
    kit.play(twin, kit.make(seed, STEPS))
    live = twin.cells.sum(axis=1)
    close(twin.deposited, live + twin.decayed + twin.swept + twin.lost, 1e-12)


@given(seeds)
def test_the_twin_renders_what_the_kernels_render(kit, seed):
    table, twin = Exposure(100_000.0), Twin(100_000.0)
    tape = kit.make(seed, STEPS)
    kit.play(table, tape)
    kit.play(twin, tape)
    weights = np.random.default_rng(seed).random((2, 2, CLASSES))
    close(table.render(weights), twin.render(weights), 1e-5)


def test_a_position_at_the_edge_of_the_grid_is_lost_and_one_behind_the_mark_is_dead(kit):
    table, twin = kit.wide(), Twin(100_000.0)
    low, high = (math.exp((twin.base + b + 0.5) * 5e-4) for b in (3, 4092))
    for model, scale in ((table, 1_000_000), (twin, 1)):
        model.flush(kit.start * scale, 1000.0)
        model.add_trades(np.array([low, high, 1e-9, 1e9]), np.ones(4))
        model.flush((kit.start + 1) * scale, 1001.0)
    assert twin.lost.sum() > 0
    close(table.ledger[LOST], twin.lost, 1e-12)
    for model, scale in ((table, 1_000_000), (twin, 1)):
        model.move_mark((kit.start + 2) * scale, 100_000.0)
        model.add_trades(np.array([102_000.0, 98_000.0]), np.array([1.0, -1.0]))
        model.flush((kit.start + 3) * scale)
    assert twin.swept.sum() > 0
    close(table.ledger[SWEPT], twin.swept, 1e-12)


@given(seeds)
def test_the_time_group_is_the_twins_where_nothing_is_ever_traded(kit, seed):
    table, twin = kit.wide(), Twin(100_000.0)
    nothing = np.zeros(0)
    tape = [step._replace(prices=nothing, sizes=nothing) for step in kit.make(seed, STEPS)]
    kit.play(table, tape)
    kit.play(twin, tape)
    close(kit.real(table), twin.cells, 1e-9)
    assert not twin.deposited[:, : TIME * GROUP].any()


def test_time_that_runs_backwards_closes_nothing(kit):
    twin = Twin(100_000.0)
    kit.play(twin, kit.make(1))
    before = twin.cells.copy()
    twin.flush(float(kit.start))
    assert np.array_equal(before, twin.cells)


def test_a_print_of_no_size_opens_nothing():
    twin = Twin(100_000.0)
    twin.add_trades(np.array([100_000.0]), np.zeros(1))
    assert twin.volume == {}


def test_the_grid_begins_on_an_even_bin_so_that_pairs_stay_pairs():
    assert all(Twin(price).base % 2 == 0 for price in (0.001, 1.0, 99.9, 100_000.0))


def test_a_mark_that_moves_inside_its_bin_takes_new_ground_only():
    twin = Twin(100_000.0)
    at = [math.exp((twin.base + 2048 + x) * 5e-4) for x in (0.5, 0.25, 0.4, 0.75)]
    twin.move_mark(0, at[0])
    twin.cells[:, 2048] = 1.0
    long, none, short = (twin.move_mark(1, price) for price in at[1:])
    assert long[:, 4:].sum() == pytest.approx(CLASSES * 0.5)
    assert len(none) == 0
    assert short[:, 4:].sum() == pytest.approx(CLASSES * 0.5)
    assert (long[0, 2], short[0, 2]) == (pytest.approx(0.25), pytest.approx(0.25))
