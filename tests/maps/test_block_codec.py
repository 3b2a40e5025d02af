"""Packed blocks of columns, and rings that keep theirs packed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.events import MINUTE
from powderkeg.grid import BIN
from powderkeg.history.snapshots import CODEC
from powderkeg.maps.heatmap import block_codec
from powderkeg.maps.heatmap import ring as module
from powderkeg.maps.heatmap.block_codec import BLOCK
from powderkeg.maps.heatmap.ring import EMPTY, FILLED, HOLE, ROWS, Ring
from powderkeg.maps.heatmap.scale import DOLLARS

from .conftest import ONES

T = 1_767_225_600_000_000
NOW = T // MINUTE
ALL, BOTH = np.ones(5, np.bool_), np.ones(2, np.bool_)

blocks = st.tuples(st.integers(1, 12), st.integers(1, 3), st.integers(1, 30)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.uint8, shape), hnp.arrays(np.int64, shape[0], elements=st.integers(-40, 40))
    )
)
"""Cells of any content whose columns begin anywhere, also out of each other's sight."""


class Plain:
    """A ring that packs nothing: all columns stand in one array."""

    def __init__(self, step, size, per_row):
        self.step, self.size, self.per_row, self.last = step, size, per_row, -1
        self.cells = np.zeros((size, 5, ROWS), np.uint8)
        self.edges = np.zeros((size, 2, 5), np.uint8)
        self.firsts, self.fronts = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self.states = np.zeros(size, np.uint8)

    def advance(self, column):
        for c in range(max(self.last + 1, column - self.size + 1), column + 1):
            self.states[c % self.size] = EMPTY
        self.last = max(self.last, column)
        return column % self.size

    def write(self, at, exposure, weights):
        column = at // self.step
        if self.last >= 0 and column <= self.last - self.size:
            return
        slot = self.advance(column)
        front = math.floor((exposure.number[module.MARK] + exposure.base) / self.per_row)
        self.firsts[slot], self.fronts[slot] = front - ROWS // 2, ROWS // 2
        self.states[slot] = FILLED
        self.cells[slot] = 0
        module._write(
            exposure.cells, exposure.last_crossed, exposure.number, exposure.base, weights,
            exposure.basis.tiers, self.per_row, front - ROWS // 2, ROWS // 2, 1.0,
            self.cells[slot], self.edges[slot],
        )  # fmt: skip

    def mark_gap(self, since, until):
        last = until // self.step
        for column in range(max(since // self.step, last - self.size), last + 1):
            if column > self.last:
                self.states[self.advance(column)] = HOLE
            elif column > self.last - self.size and self.states[column % self.size] == EMPTY:
                self.states[column % self.size] = HOLE

    def blend(self, until, columns, first, tiers, sides, out):
        for i, number in enumerate(range(until - columns + 1, until + 1)):
            slot = slice(number % self.size, number % self.size + 1)
            if self.last - self.size < number <= self.last:
                module._blend(
                    self.cells[slot], self.edges[slot], self.firsts[slot], self.fronts[slot],
                    self.states[slot], DOLLARS, tiers, sides, np.ones((1, 2)), first,
                    out[i : i + 1],
                )  # fmt: skip


@pytest.fixture(scope="module")
def exposures():
    """Return maps at some prices, near and out of sight of each other."""
    chance = np.random.default_rng(3)
    made = []
    for away in (0, 3, -5, 200, 1000):
        exposure = Exposure(100_000.0)
        bins = chance.integers(1700, 2500, 60)
        exposure.cells[0, bins[bins < 2048 + away], 3] = 5.0
        exposure.cells[1, bins[bins > 2048 + away], 9] = 9.0
        exposure.number[module.MARK] = 2048.5 + away
        made.append(exposure)
    return made


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(-90, 50), st.integers(1, 40), st.integers(0, 4)),
        st.tuples(st.just("hole"), st.integers(-60, 60), st.integers(0, 60), st.just(0)),
        st.tuples(st.just("read"), st.integers(-90, 20), st.integers(1, 120), st.integers(0, 4)),
    ),
    max_size=12,
)
"""What, at how many columns from the newest, over how many columns, which map or which read."""


def read(ring, until, columns, which):
    out = np.zeros((columns, ROWS))
    sides = BOTH if which < 3 else np.array([which == 3, which == 4])
    first = math.floor(math.log(100_000.0) / BIN) // ring.per_row - ROWS // 2 + 37 * which
    ring.blend(until, columns, first, np.arange(5) != which, sides, out)
    return out


def drawn(ring):
    """Return the numbers of the columns that are drawn."""
    return [
        c
        for c in range(ring.last - ring.size + 1, ring.last + 1)
        if ring.last >= 0 and ring.states[c % ring.size] == FILLED
    ]


def same_bytes(ring, plain):
    assert all(np.array_equal(ring.column(c), plain.cells[c % ring.size]) for c in drawn(ring))
    for name in ("firsts", "fronts", "edges", "states", "last"):
        assert np.array_equal(getattr(ring, name), getattr(plain, name)), name


def play(todo, size, per_row, exposures, check):
    """Do the same to a ring and a plain one; with `check`, compare after each step."""
    ring, plain = Ring(MINUTE, size, per_row), Plain(MINUTE, size, per_row)
    for kind, off, span, which in todo:
        start = max(ring.last, plain.last, NOW) + off
        if kind == "write":
            for n in range(start, start + span):
                exposure = exposures[(which + n % 2) % len(exposures)]
                for each in (ring, plain):
                    each.write(n * MINUTE, exposure, ONES)
        elif kind == "hole":
            for each in (ring, plain):
                each.mark_gap(start * MINUTE, (start + span) * MINUTE)
        elif check:
            a, b = (read(each, start, span, which) for each in (ring, plain))
            assert np.array_equal(a, b)
    return ring, plain


@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from([5, 40, 100]), st.sampled_from([1, 2]))
def test_whatever_is_drawn_a_ring_reads_as_one_that_packs_nothing(exposures, todo, size, per_row):
    ring, plain = play(todo, size, per_row, exposures, check=True)
    same_bytes(ring, plain)


@settings(max_examples=30, deadline=None)
@given(steps, st.sampled_from([5, 40, 100]))
def test_what_a_ring_keeps_depends_on_what_was_drawn_and_never_on_what_was_read(
    exposures, todo, size
):
    one, _ = play(todo, size, 1, exposures, check=True)
    block_codec.peek.cache_clear()
    block_codec.strip.cache_clear()
    other, _ = play(todo, size, 1, exposures, check=False)
    assert CODEC.digest(one) == CODEC.digest(other)


@settings(max_examples=30, deadline=None)
@given(steps, steps, st.sampled_from([5, 40, 100]))
def test_a_ring_read_back_from_its_snapshot_goes_on_as_if_nothing_had_been(
    exposures, before, after, size
):
    ring, _ = play(before, size, 1, exposures, check=False)
    back = CODEC.unpack(CODEC.pack(ring))
    assert CODEC.digest(back) == CODEC.digest(ring)
    for each in (ring, back):
        for _, off, span, which in after:
            for n in range(span):
                at = (max(each.last, NOW) + off + n % 3) * MINUTE
                each.write(at, exposures[which], ONES)
    assert CODEC.digest(back) == CODEC.digest(ring)


@settings(max_examples=40, deadline=None)
@given(steps, st.sampled_from([5, 40, 100]), st.integers(-900, 900))
def test_a_row_is_what_its_columns_hold_and_no_column_holds_less_than_the_least(
    exposures, todo, size, away
):
    ring, plain = play(todo, size, 1, exposures, check=False)
    row = math.floor(math.log(100_000.0) / BIN) + away
    for number in drawn(ring):
        slot, block = number % size, number // BLOCK
        at = row - plain.firsts[slot]
        held = plain.cells[slot, :, at] if 0 <= at < ROWS else np.zeros(5)
        assert np.array_equal(ring.row(block, row)[number % BLOCK], held)
        assert (ring.least(np.array([block]), row)[0] <= held).all()


def test_a_row_of_a_block_nobody_has_drawn_in_is_nothing():
    assert not Ring(MINUTE, 40).row(NOW // BLOCK, 5).any()


def test_a_full_ring_keeps_at_most_two_blocks_unpacked_and_drops_those_that_have_left(exposures):
    ring = Ring(MINUTE, 100)
    for n in range(500):
        ring.write((NOW + n) * MINUTE, exposures[0], ONES)
        if n % 10 == 0:
            ring.write((NOW + n - 70) * MINUTE, exposures[1], ONES)
        assert ring.last // BLOCK in ring._unpacked
        assert len(ring._unpacked) <= 2
        assert len(ring._unpacked) + len(ring._packed) <= 100 // BLOCK + 2


def test_the_least_of_a_level_that_stood_all_along_is_the_level(exposures):
    ring = Ring(MINUTE, 100)
    for n in range(90):
        ring.write((NOW + n) * MINUTE, exposures[0], ONES)
    column = ring.column(NOW)
    tier, row = next((t, r) for t, r in np.argwhere(column) if r != ring.fronts[0])
    whole = NOW // BLOCK + 1
    least = ring.least(np.array([whole]), int(ring.firsts[NOW % 100] + row))
    assert least[0, tier] == column[tier, row] > 0


def test_the_least_follows_what_is_drawn_into_a_packed_block(exposures):
    ring, empty = Ring(MINUTE, 100), Exposure(100_000.0)
    empty.number[module.MARK] = 2048.5
    for n in range(90):
        ring.write((NOW + n) * MINUTE, exposures[0], ONES)
    block = np.array([NOW // BLOCK + 1])
    first = int(ring.firsts[NOW % 100])
    held = [row for row in range(first, first + ROWS) if ring.least(block, row).any()]
    ring.write((int(block[0]) * BLOCK + 3) * MINUTE, empty, ONES)
    assert held
    assert not any(ring.least(block, row).any() for row in held)


@given(blocks)
def test_a_block_is_read_back_to_the_bit(block):
    cells, firsts = block
    back, where = block_codec.unpack(block_codec.pack(cells, firsts))
    assert np.array_equal(back, cells)
    assert np.array_equal(where, firsts)


@given(blocks)
def test_packing_changes_nothing_and_equal_blocks_pack_to_equal_bytes(block):
    cells, firsts = block
    kept = cells.copy()
    assert block_codec.pack(cells, firsts) == block_codec.pack(kept.copy(), firsts.copy())
    assert np.array_equal(cells, kept)


@given(blocks, st.integers(-80, 80))
def test_a_strip_is_the_row_of_each_column_that_has_it(block, row):
    cells, firsts = block
    strip = block_codec.strip(block_codec.pack(cells, firsts), row)
    for column, first, got in zip(cells, firsts, strip, strict=True):
        inside = 0 <= row - first < cells.shape[2]
        assert got.tolist() == (column[:, row - first].tolist() if inside else [0] * len(column))


@given(blocks, st.integers(-50, 50))
def test_the_least_is_the_minimum_over_columns_of_what_each_holds_at_a_price(block, first):
    cells, firsts = block
    out = np.empty(cells.shape[1:], np.uint8)
    block_codec.least(cells, firsts, first, out)
    rows = [block_codec.row_of(cells, firsts, first + r).min(axis=0) for r in range(cells.shape[2])]
    assert np.array_equal(out.T, rows)


def test_a_map_that_decays_packs_sixfold():
    chance = np.random.default_rng(1)
    level = np.where(chance.random((5, ROWS)) < 0.5, chance.integers(40, 200, (5, ROWS)), 0)
    column = np.arange(BLOCK)[:, None, None]
    cells = np.maximum(level - (column + level) // 4 % 64, 0).astype(np.uint8)
    drift = chance.integers(-2, 3, BLOCK).cumsum()
    rolled = np.stack([np.roll(c, -s, axis=1) for c, s in zip(cells, drift, strict=True)])
    assert len(block_codec.pack(rolled, drift)) < cells.size / 6
