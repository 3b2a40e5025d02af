"""Walls: sizes far above what usually rests at their distance, and walls that were pulled.

The usual size at each distance from the best price is learned per book and side, as a slow mean of
the running median of log size over neighbouring steps, with its spread. A candidate is a wall once
it has stood for a while, and ends when most of it is gone. A wall that was cancelled, not traded,
after price had come near it is a *pulled wall*. Why it was pulled cannot be seen.

Source: docs/orderflow.md, "Walls".
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numba import njit
from numpy.typing import NDArray

from powderkeg.events import Floats
from powderkeg.flow.books.window import NONE, REACH, WIDTH, BookWindow
from powderkeg.flow.thresholds import DEFAULT, PullRules, Thresholds

_ROOM: Final = 64
"""Walls and candidates of one book at a time."""
_REFRESH: Final = 10
"""Times a book comes between two updates of its baseline; books take turns."""
(STEP, SIDE, SINCE, PEAK, TRADED, BORN, LAST, CONFIRMED, AWAY, REFILLED, HIT) = range(11)
_FIELDS: Final = 11

End: TypeAlias = Literal["traded", "cancelled", "pulled"]


class Wall(Struct, frozen=True):
    """One wall, as it stands or as it ended."""

    book: int
    side: int
    """0 for a bid, 1 for an ask."""
    step: int
    """Its price in steps."""
    since: int
    """µs."""
    peak: float
    """Greatest size, base coin."""
    size: float
    """Size now, base coin."""
    traded: float
    """Base coin taken from it."""
    born: int
    """Distance from the best price when it appeared, steps."""
    distance: int
    """Distance now, steps; of one that ended the nearer of this frame and the one before, because
    price may have left again within the frame."""
    refilled: float
    """Base coin added within a second of a trade against it."""
    end: End | None = None

    @property
    def refill(self) -> float:
        """Refilled over traded, at most 1; 0 where nothing traded.

        More than was taken is no refill: quotes at its price come and go.
        """
        return min(1.0, self.refilled / self.traded) if self.traded > 0 else 0.0

    @property
    def cancelled(self) -> float:
        """Share of what is gone that was not traded, 0 to 1."""
        gone = self.peak - self.size
        return 1 - min(1.0, self.traded / gone) if gone > 0 else 0.0


class Walls:
    """Walls of all books of a window."""

    __slots__ = ("_counts", "_frames", "_limit", "_mean", "_rows", "_spread", "rules", "warm")

    def __init__(self, books: int, rules: Thresholds = DEFAULT) -> None:
        """Start without a baseline."""
        self.rules = rules
        self._mean: Floats = np.zeros((books, 2, REACH))
        self._spread: Floats = np.zeros((books, 2, REACH))
        self._limit: Floats = np.full((books, 2, REACH), np.inf)
        """Size from which a level is a candidate, base coin."""
        self._rows: Floats = np.zeros((books, _ROOM, _FIELDS))
        self._counts: NDArray[np.int64] = np.zeros(books, np.int64)
        self._frames: NDArray[np.int64] = np.zeros(books, np.int64)
        """Times each book came."""
        self.warm: NDArray[np.int64] = np.zeros(books, np.int64)
        """Updates of each book's baseline so far."""

    def frame(self, window: BookWindow, now: int) -> list[Wall]:
        """Read a frame; return the walls that ended in it."""
        if not window.fresh.any():
            return []
        w = self.rules.walls
        turns = (self._frames - np.arange(len(self._frames))) % _REFRESH == 0
        due = window.fresh & (turns | (self.warm == 0))
        self._frames += window.fresh
        _baselines(
            window.size, window.base, window.best, due, self._mean, self._spread, self._limit,
            self.warm, w.learning * _REFRESH, w.z, w.times, w.smooth,
        )  # fmt: skip
        ended = np.zeros((int(self._counts.sum()), _FIELDS + 1))
        limits = np.array([w.persist, w.gone, w.share, self.rules.absorption.grace], np.float64)
        count = _step(
            window.size, window.traded, window.base, window.best, window.deepest, window.fresh,
            self._limit, self._rows, self._counts, float(now), limits, ended,
        )  # fmt: skip
        return [self._ended(row) for row in ended[:count].tolist()]

    def standing(self) -> list[Wall]:
        """Return the walls that stand, books in order, longest standing first."""
        out: list[Wall] = []
        for book, count in enumerate(self._counts.tolist()):
            rows = self._rows[book, :count]
            ordered = rows[rows[:, SINCE].argsort(kind="stable")].tolist()
            out += [_wall(book, row) for row in ordered if row[CONFIRMED]]
        return out

    def _ended(self, row: list[float]) -> Wall:
        wall = _wall(int(row[_FIELDS]), row)
        return replace(wall, end=_end(wall, int(row[CONFIRMED]) - wall.since, self.rules.pulls))


def _wall(book: int, row: list[float]) -> Wall:
    return Wall(
        book, int(row[SIDE]), int(row[STEP]), int(row[SINCE]), row[PEAK], row[LAST], row[TRADED],
        int(row[BORN]), int(row[AWAY]), row[REFILLED],
    )  # fmt: skip


def _end(wall: Wall, life: int, rules: PullRules) -> End:
    """Return how a wall ended."""
    if wall.cancelled < rules.cancelled:
        return "traded"
    near = max(wall.distance, 0) <= rules.near
    approached = wall.born - wall.distance >= rules.approach and wall.born >= rules.born
    return "pulled" if near and approached and life <= rules.life else "cancelled"


@njit(cache=True)
def _smooth(values: Floats, smooth: int, out: Floats, ordered: Floats) -> None:
    """Write the running median over `smooth` neighbours on either side; NaN does not count.

    Where all of them are NaN, `out` stays as it is. `ordered` has room for all of them: the one
    that leaves is taken out, the one that comes is put in its place.
    """
    n, count = len(values), 0
    for d in range(-smooth, n):
        gone, come = d - smooth - 1, d + smooth
        if gone >= 0 and not np.isnan(values[gone]):
            i = 0
            while ordered[i] != values[gone]:
                i += 1
            count -= 1
            for j in range(i, count):
                ordered[j] = ordered[j + 1]
        if come < n and not np.isnan(values[come]):
            i = count
            while i > 0 and ordered[i - 1] > values[come]:
                ordered[i] = ordered[i - 1]
                i -= 1
            ordered[i] = values[come]
            count += 1
        if d >= 0 and count:
            half = count // 2
            out[d] = ordered[half] if count % 2 else 0.5 * (ordered[half - 1] + ordered[half])


@njit(cache=True)
def _baselines(
    size: Floats, base: NDArray[np.int64], best: NDArray[np.int64], due: NDArray[np.bool_],
    mean: Floats, spread: Floats, limit: Floats, warm: NDArray[np.int64], learning: float, z: float,
    times: float, smooth: int,
) -> None:  # fmt: skip
    """Update the baselines of the books whose turn it is."""
    logs, typical = np.zeros(REACH), np.zeros(REACH)
    ordered = np.zeros(2 * smooth + 1)
    for b in range(len(base)):
        if not due[b]:
            continue
        if best[b, 0] == NONE or best[b, 1] == NONE:
            continue
        for side in range(2):
            for d in range(REACH):
                c = best[b, side] - base[b] + (d if side == 1 else -d)
                x = size[b, side, c] if 0 <= c < WIDTH else 0.0
                logs[d] = np.log(x) if x > 0.0 else np.nan  # an empty level says nothing of size
            typical[:] = mean[b, side]
            if not warm[b]:
                typical[:] = np.nanmedian(logs)
            _smooth(logs, smooth, typical, ordered)
            rate = learning if warm[b] else 1.0
            away = np.abs(logs - typical)
            mean[b, side] += rate * (typical - mean[b, side])
            typical[:] = spread[b, side]
            if not warm[b]:
                typical[:] = np.nanmedian(away)
            _smooth(away, smooth, typical, ordered)
            spread[b, side] += rate * (typical - spread[b, side])
            for d in range(REACH):
                deviation = 1.4826 * max(spread[b, side, d], 0.05)
                above = np.exp(mean[b, side, d])
                limit[b, side, d] = max(times * above, above * np.exp(z * deviation))
        warm[b] += 1


@njit(cache=True)
def _step(
    size: Floats, traded: Floats, base: NDArray[np.int64], best: NDArray[np.int64],
    deepest: NDArray[np.int64], fresh: NDArray[np.bool_], limit: Floats, rows: Floats,
    counts: NDArray[np.int64], now: float, limits: Floats, ended: Floats,
) -> int:  # fmt: skip
    """Update standing walls, write those that ended, and begin new candidates.

    A wall beyond the last visible level is forgotten: how it ended is not known. `limits` are the
    thresholds `persist`, `gone` and `share` of walls, and `grace` of refills. An ended row is the
    wall's fields, with its end in CONFIRMED, then the book.
    """
    persist, gone, share, grace = limits
    n = 0
    for b in range(len(base)):
        if not fresh[b] or best[b, 0] == NONE or best[b, 1] == NONE:
            continue
        i = 0
        while i < counts[b]:
            row = rows[b, i]
            side = int(row[SIDE])
            c = int(row[STEP]) - base[b]
            x = size[b, side, c] if 0 <= c < WIDTH else 0.0
            taken = traded[b, side, c] if 0 <= c < WIDTH else 0.0
            row[TRADED] += taken
            if taken > 0.0:
                row[HIT] = now
            if row[HIT] > 0.0 and now - row[HIT] <= grace:
                row[REFILLED] += max(0.0, x - row[LAST] + taken)
            row[PEAK] = max(row[PEAK], x)
            row[LAST] = x
            away = (best[b, 0] - row[STEP]) if side == 0 else (row[STEP] - best[b, 1])
            before, row[AWAY] = row[AWAY], away
            if row[CONFIRMED] == 0.0 and now - row[SINCE] >= persist:
                row[CONFIRMED] = now
            deeper = row[STEP] - deepest[b, side]
            seen = 0 <= c < WIDTH and (deeper >= 0 if side == 0 else deeper <= 0)
            if seen and x >= gone * row[PEAK]:
                i += 1
                continue
            if row[CONFIRMED] > 0.0 and seen:
                ended[n, :_FIELDS] = row
                ended[n, CONFIRMED] = now
                ended[n, AWAY] = min(before, away)
                ended[n, _FIELDS] = b
                n += 1
            counts[b] -= 1
            rows[b, i] = rows[b, counts[b]]
        _begin(size, base, best, limit, rows, counts, b, now, share)
    return n


@njit(cache=True)
def _begin(
    size: Floats, base: NDArray[np.int64], best: NDArray[np.int64], limit: Floats, rows: Floats,
    counts: NDArray[np.int64], b: int, now: float, share: float,
) -> None:  # fmt: skip
    """Begin a candidate at each large level that is none yet."""
    for side in range(2):
        whole = 0.0
        for d in range(REACH):
            c = best[b, side] - base[b] + (d if side == 1 else -d)
            whole += size[b, side, c] if 0 <= c < WIDTH else 0.0
        for d in range(REACH):
            step = best[b, side] + (d if side == 1 else -d)
            c = step - base[b]
            if not 0 <= c < WIDTH or size[b, side, c] < max(limit[b, side, d], share * whole):
                continue
            known = counts[b] >= _ROOM
            for i in range(counts[b]):
                known |= rows[b, i, STEP] == step and rows[b, i, SIDE] == side
            if not known:
                x = size[b, side, c]
                row = rows[b, counts[b]]
                row[:] = 0.0
                row[STEP], row[SIDE], row[SINCE] = step, side, now
                row[BORN] = row[AWAY] = d
                row[PEAK] = row[LAST] = x
                counts[b] += 1
