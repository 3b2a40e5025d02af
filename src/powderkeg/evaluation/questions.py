"""Hypothesis tests of the map, each against a placebo.

- `goes_to_bright`: is the brighter of two clusters, one above and one below, touched first?
- `drive_moves`, `explain_moves`: did the largest moves have more in their way than usual?
- `wick_hits`: do turning points stand on brighter ground than what lies around them?
- `in_zones`: how much of the reported volume is in the brightest tenth of what price crosses?

A placebo is the same test on a map that keeps the distances and loses the price levels: mirrored,
or of days before. An edge is shown when the 95 % interval of the difference, resampled by days,
lies above zero; else the answer is "no edge shown". Maps are those of the full hour before.

Source: docs/model.md, "No magnet"; the first-hit odds of a driftless walk are b / (a + b).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.evaluation import metrics
from powderkeg.evaluation.nulls import HALF, WIDTH, Path, Stack, bins_of, mirrored, shifted
from powderkeg.evaluation.recall import Recall, measure, replay_maps
from powderkeg.events import DAY, HOUR, Floats, Times
from powderkeg.history.sources import Source

Verdict: TypeAlias = Literal["edge shown", "no edge shown"]
NEAREST, FURTHEST = 5, 50
"""Score bins between which a cluster is looked for: 0.5 % to 5 %."""
SPREAD = 2
"""Score bins to each side that count with a cluster: 50 bp together."""
GROUND = 30
"""Score bins to each side that are the ground of a cluster: 6 % together."""
PROMINENCE = 1.05
"""A cluster is at least this many times its ground."""
APART = 3
"""Score bins to each side within which a cluster is the densest."""
PATIENCE = 24 * HOUR
"""After this a cluster that was not touched is given up."""
LARGEST = 0.01
"""Share of hours that are large moves."""
LAGS = tuple(range(24, 169, 24))
"""Hours by which the shifted maps of moves lag: one to seven days."""
WEEK = 168
TURN = 12
"""Hours to each side within which a turning point is the extreme."""
AROUND = 10
"""Score bins to each side a turning point is compared with: 1 %."""
FILLING = 20 * DAY
"""Time after which a map is full enough to be tested."""
FEWEST = 20
"""Fewest cases for an edge."""
FEWEST_BLOCKS = 10
"""Fewest blocks for an edge: the events of a block are correlated, and three are too few."""


class Answer(Struct, frozen=True):
    """The result of one test and of its placebo."""

    question: str
    n: int
    """Cases."""
    value: float
    placebo: float
    low: float
    """95 % interval of value - placebo."""
    high: float
    verdict: Verdict
    note: str


def answered(question: str, cases: Floats, days: Times, note: str, fewest: int = FEWEST) -> Answer:
    """Return the answer to a test of means, its interval by resampling days.

    Args:
        question: Its name.
        cases: Ours and the placebo's value of each case, NaN for none, shape (n, 2).
        days: Which day each case belongs to, shape (n,).
        note: Caveats and details, in words.
        fewest: Fewest cases for an edge.
    """
    known = np.isfinite(cases)
    columns = np.concatenate((np.where(known, cases, 0.0), known), axis=1)
    _, places = np.unique(days, return_inverse=True)
    sums = np.zeros((int(places.max()) + 1 if len(places) else 0, 4))
    np.add.at(sums, places, columns)
    total = sums.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ours, placebo = total[0] / total[2], total[1] / total[3]
    low, high = metrics.bootstrap(sums, lambda s: s[:, 0] / s[:, 2] - s[:, 1] / s[:, 3])
    n = int(total[2])
    return _answer(question, n, (float(ours), float(placebo)), (low, high), note, fewest)


def _answer(
    question: str,
    n: int,
    values: tuple[float, float],
    interval: tuple[float, float],
    note: str,
    fewest: int,
) -> Answer:
    verdict: Verdict = "edge shown" if n >= fewest and interval[0] > 0 else "no edge shown"
    return Answer(question, n, *values, *interval, verdict, note)


def spot(row: NDArray[np.float32], side: int) -> tuple[int, float]:
    """Return how many bins from the mark the nearest cluster of a side is, and its mass.

    A cluster is a peak of the smoothed map that stands out of its ground, as on the page; where
    none does, the place that stands out most.
    """
    out = (row[side, HALF + 1 :] if side else row[side, HALF - 1 :: -1]).astype(np.float64)
    density, ground = mean_around(out, SPREAD), mean_around(out, GROUND)
    prominence = np.divide(density, ground, out=np.zeros_like(density), where=ground > 0)
    asked = slice(NEAREST - 1, FURTHEST)
    padded = np.pad(density, APART, mode="edge")
    summit = density >= np.lib.stride_tricks.sliding_window_view(padded, 2 * APART + 1).max(axis=1)
    found = np.flatnonzero(summit[asked] & (prominence[asked] >= PROMINENCE))
    place = NEAREST - 1 + int(found[0] if len(found) else prominence[asked].argmax())
    return place + 1, float(density[place]) * (2 * SPREAD + 1)


def mean_around(values: Floats, reach: int) -> Floats:
    """Return the mean over `reach` bins to each side, over those there are at the ends."""
    kernel = np.ones(2 * reach + 1)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")


def first_touch(path: Path, start: int, mark: float, above: float, below: float) -> tuple[int, int]:
    """Return what price touched first, and when: 1 above, -1 below, 0 neither or both in one bar.

    Args:
        path: Of price.
        start: µs; bars that end later count.
        mark: Price at the start.
        above: Log distance upwards.
        below: Log distance downwards.
    """
    i, j = np.searchsorted(path.ends, (start, start + PATIENCE), side="right")
    up = np.log(path.high[i:j] / mark) >= above
    down = np.log(path.low[i:j] / mark) <= -below
    either = np.flatnonzero(up | down)
    if not len(either):
        return 0, start + PATIENCE
    first = int(either[0])
    return int(up[first]) - int(down[first]), int(path.ends[i + first])


def goes_to_bright(stack: Stack, path: Path) -> Answer:
    """Test whether price touches the brighter of two clusters first, against the mirrored map.

    The clusters are the nearest above and below. Mirrored, the brighter is as far below as it was
    above. An episode lasts until either is touched or a day has passed; episodes do not overlap.
    """
    rows: list[tuple[float, float, float, int]] = []
    free = 0
    given_up = 0
    for i, at in enumerate(stack.times.tolist()):
        (down, low), (up, high) = (spot(stack.density[i], side) for side in (0, 1))
        if at < free or low == high:
            continue
        mark = float(stack.marks[i])
        above, below = (up - 0.5) * WIDTH, (down - 0.5) * WIDTH
        touched, free = first_touch(path, at, mark, above, below)
        other, _ = first_touch(path, at, mark, below, above)
        sign = 1 if high > low else -1
        expected = (below if sign > 0 else above) / (above + below)
        given_up += touched == 0
        rows.append((_hit(touched * sign), _hit(-other * sign), expected, at // DAY))
    table = np.array(rows, np.float64).reshape(-1, 4)
    known = np.isfinite(table[:, 0])
    by_chance = np.where(known, table[:, 2], math.nan)
    days = table[:, 3].astype(np.int64)
    odds = answered("", np.stack((table[:, 0], by_chance), axis=1), days, "")
    note = (
        f"a driftless walk: {odds.placebo:.3f}, difference {odds.low:+.3f} to {odds.high:+.3f}; "
        f"{given_up} episodes touched neither within a day"
    )
    return answered("goes_to_bright", table[:, :2], days, note)


def _hit(sign: int) -> float:
    return math.nan if sign == 0 else float(sign > 0)


class Hours(Struct, frozen=True, eq=False):
    """The price range and volume of the hour after each map; shape (n,) each."""

    low: Floats
    high: Floats
    close: Floats
    volume: Floats


def hours(stack: Stack, path: Path) -> Hours:
    """Return the hours that begin with each map; NaN where no bar is known."""
    out = np.full((4, len(stack.times)), math.nan)
    first = np.searchsorted(path.ends, stack.times, side="right")
    last = np.searchsorted(path.ends, stack.times + HOUR, side="right")
    for i in np.flatnonzero(last > first).tolist():
        part = slice(int(first[i]), int(last[i]))
        out[:, i] = (
            path.low[part].min(), path.high[part].max(), path.close[part][-1],
            path.volume[part].sum(),
        )  # fmt: skip
    return Hours(*out)


def crossed_mass(stack: Stack, sides: Times, reach: Times) -> Floats:
    """Return the mass between the mark and `reach` bins beyond it on a side, shape (n,)."""
    outward = np.stack((stack.density[:, 0, HALF - 1 :: -1], stack.density[:, 1, HALF + 1 :]))
    sums = np.concatenate(
        (np.zeros((2, len(sides), 1)), np.cumsum(outward, axis=2, dtype=np.float64)), axis=2
    )
    return sums[sides, np.arange(len(sides)), np.clip(reach, 0, HALF)]


def moves(stack: Stack, path: Path, placebos: dict[str, list[Stack]]) -> list[Answer]:
    """Test whether the largest hourly moves crossed more mass, and how much that explains.

    A move is the furthest price of the hour from the mark before it. What mass explains of a move
    is the square-root law, impact = daily volatility times sqrt(mass / daily volume), at most one.

    Args:
        stack: Hourly maps.
        path: Of price.
        placebos: Other maps at the same hours by name; of several the mean is taken. All are
            scaled so that over all hours price crosses as much mass as of ours.
    """
    hourly = hours(stack, path)
    down, up = np.log(stack.marks / hourly.low), np.log(hourly.high / stack.marks)
    move = np.where(np.isfinite(up), np.maximum(up, down), 0.0)
    later = np.arange(len(move)) >= max(LAGS)
    if not later.any():
        return []
    large = later & (move >= np.quantile(move[later], 1 - LARGEST))
    sides = (up > down).astype(np.int64)
    reach = np.floor(move / WIDTH).astype(np.int64)
    days = stack.times[large] // DAY
    scale = _week_before(stack, hourly)

    def met(each: list[Stack]) -> Floats:
        return np.mean([crossed_mass(one, sides, reach)[later] for one in each], axis=0)

    def explained(mass: Floats) -> Floats:
        impact = scale[0][large] * np.sqrt(mass / scale[1][large])
        return np.minimum(1.0, impact / move[large])

    ours, mean = met([stack]), float(move[large].mean())
    out: list[Answer] = []
    for name, others in placebos.items():
        theirs = met(others)
        theirs *= ours.sum() / max(float(theirs.sum()), 1e-300)
        pair = np.stack((ours, theirs), axis=1)[large[later]]
        note = f"base coin in the way of the largest 1 % of hours, mean move {mean:.4f}"
        out.append(answered(f"drive_moves_{name}", pair, days, note, 10))
        parts = np.stack([explained(mass) for mass in pair.T], axis=1)
        note = "share of these moves that the square-root law gives for the mass crossed"
        out.append(answered(f"explain_moves_{name}", parts, days, note, 10))
    return out


def _week_before(stack: Stack, hourly: Hours) -> tuple[Floats, Floats]:
    """Return daily volatility and daily volume over the week before each map."""
    n = len(stack.marks)
    returns = np.diff(np.log(stack.marks), prepend=math.log(stack.marks[0])) ** 2
    traded = np.concatenate(([0.0], np.nan_to_num(hourly.volume)[:-1]))
    start = np.maximum(np.arange(n) + 1 - WEEK, 0)
    span = np.arange(n) + 1 - start

    def daily(values: Floats) -> Floats:
        sums = np.concatenate(([0.0], np.cumsum(values)))
        return (sums[1:] - sums[start]) / span * 24

    return np.sqrt(daily(returns)), daily(traded)


def wick_hits(stack: Stack, path: Path, other: Stack, name: str = "mirrored") -> Answer:
    """Test whether turning points are at bright levels: the rank among bins within 1 %.

    The placebo is the same level on another map. Untouched ground lies beyond old extremes, and
    that alone makes extremes look bright: a mirrored map does not account for it, the path-only
    map does.
    """
    hourly = hours(stack, path)
    rows: list[tuple[float, float, int]] = []
    for i in range(TURN, len(stack.times) - TURN):
        around = slice(i - TURN, i + TURN + 1)
        for side, price, turn in (
            (0, hourly.low[i], np.min(hourly.low[around])),
            (1, hourly.high[i], np.max(hourly.high[around])),
        ):
            if price != turn:  # a missing hour around is NaN, which equals nothing
                continue
            away = int(bins_of(price)) - int(stack.centres[i])
            if not 1 <= away * (1 if side else -1) <= HALF - AROUND:
                continue
            here, there = stack.density[i, side], other.density[i, side]
            place = away + HALF
            day = int(stack.times[i]) // DAY
            rows.append((rank(here, side, place), rank(there, side, place), day))
    table = np.array(rows, np.float64).reshape(-1, 3)
    days = table[:, 2].astype(np.int64)
    note = "rank among bins within 1 %, 0.5 is a place like any other"
    return answered(f"wick_hits_{name}", table[:, :2], days, note)


def rank(density: NDArray[np.float32], side: int, place: int) -> float:
    """Return the share of bins around a place that are darker, equals counted half."""
    low, high = max(place - AROUND, 0), min(place + AROUND, 2 * HALF) + 1
    part = density[max(low, HALF + 1) : high] if side else density[low : min(high, HALF)]
    here = density[place]
    return float(((part < here).sum() + 0.5 * ((part == here).sum() - 1)) / (len(part) - 1))


def in_zones(found: Recall, name: str = "ours", null: str = "near_spot") -> Answer:
    """Return event recall as an answer, against one null."""
    ours, theirs = found.maps[name].volume, found.maps[null].volume
    note = (
        f"volume in the brightest tenth of what was crossed, {found.blocks} blocks of six hours; "
        f"by count {found.maps[name].events.share:.3f}; {found.outside} of {found.events} events "
        "lay where nothing fresh was crossed"
    )
    fewest = FEWEST if found.blocks >= FEWEST_BLOCKS else found.scored + 1
    return _answer(
        f"in_zones_{null}", found.scored, (ours.share, theirs.share), ours.above[null], note, fewest
    )


def answer(stack: Stack, path: Path, path_only: Stack | None = None) -> list[Answer]:
    """Return the answers that need hourly maps and the path over the same time only.

    Args:
        stack: Hourly maps.
        path: Of price.
        path_only: The path-only map at the same hours, which accounts for fresh ground.
    """
    wicks = {"mirrored": mirrored(stack), "shifted": shifted(stack)}
    ways = {"shifted": [shifted(stack, lag) for lag in LAGS]}
    if path_only is not None:
        wicks["path_only"], ways["path_only"] = path_only, [path_only]
    turns = [wick_hits(stack, path, other, name) for name, other in wicks.items()]
    return [goes_to_bright(stack, path), *turns, *moves(stack, path, ways)]


def ask(
    source: Source, coin: str, progress: Callable[[int, int], None] | None = None
) -> list[Answer]:
    """Return all tests a source has data for, on the calibrated map where there is one.

    Args:
        source: See `recall.replay_maps`.
        coin: One of the source's coins.
        progress: Called with bytes read and total bytes.

    Raises:
        ConfigError: The source has no bars of the coin.
    """
    run = replay_maps(source, coin, progress)
    name = "calibrated" if "calibrated" in run.stacks else "ours"
    full = int(run.path.ends[0]) + FILLING
    null = "path_only" if name == "ours" else "path_only_calibrated"
    path_only = run.stacks[null].since(full)
    answers = answer(run.stacks[name].since(full), run.path, path_only)
    if run.forced:
        found, _ = measure(run)
        answers += [in_zones(found, name, other) for other in ("near_spot", "mirrored")]
    return answers
