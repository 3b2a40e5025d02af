"""Scores of the map against the true positions of a simulated market, beside the static map.

Scores are prequential: an hour is replayed, its liquidations are predicted with weights fitted to
earlier hours, the map is compared with every open position, and only then is the hour added to the
fit. Seeds are fixed and were not used for tuning: 11, 12 and 13 were. 101 to 108 and 201 to 208
gave the figures of earlier versions, so they no longer count as untouched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numba import njit
from numpy.typing import NDArray

from powderkeg.engine.calibration.baselines import STATIC
from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.terms import TERMS, as_terms
from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.classes import STATIC as STATIC_CLASSES
from powderkeg.engine.exposure.exposure import Exposure, Spec, Steps
from powderkeg.engine.exposure.marks import FRESH, R_CLASSES, R_FRESH, R_LENGTH, R_SIDE, R_TIME
from powderkeg.engine.exposure.table import BINS
from powderkeg.evaluation import metrics
from powderkeg.events import HOUR, SECOND, Floats, Liquidation
from powderkeg.grid import BIN, bin_of, bins_of
from powderkeg.sim import Recording, SimulatedMarket, Truth, World

SEEDS = (301, 302, 303, 304, 305, 306, 307, 308)
DAYS = 8.0
WARM_UP = 3.0
"""Days not scored: the map fills and the first weights are fitted."""
START = 1_767_225_600 * SECOND
WORLD = World(venues=("binance",), shares=(1.0,))
NULLS = {
    "static": STATIC,
    "static_maintenance": Spec("four-maintenance", theta=1.0, own=1.0, timed=False),
}
"""Every trade opens on the taker's side, at four distances, and nothing is ever closed.

The first is the map as published elsewhere; the second also applies the maintenance margin.
"""
FLUSH = 10
"""Seconds between flushes."""
PAIR = 2
"""Bins to a score bin: 10 bp."""
WINDOWS = {"10bp": 1, "50bp": 5, "100bp": 10}
"""Score bins summed before the band is compared with the truth."""
NEAR = 40
"""Score bins to each side within which bands are compared: 4 %."""
LATE = 30
"""Seconds after a sweep in which a liquidation still belongs to it."""


class MapScore(Struct):
    """Sums of the scores of one kind of map; `result` divides."""

    bits: float = 0.0
    volume: float = 0.0
    distances: list[float] = []
    correlations: list[float] = []
    tops: list[float] = []

    def result(self) -> dict[str, float]:
        """Return each score: bits per unit volume, distance in % of price, and shares."""
        return {
            "ig_bits": self.bits / self.volume,
            "emd_10pct": float(np.mean(self.distances)),
            "corr_4pct": float(np.nanmean(self.correlations)),
            "top_tenth": float(np.mean(self.tops)),
        }


class Swept(Struct, frozen=True, eq=False):
    """Sweep records with the volume predicted for each; shape (n,) each."""

    times: Floats
    sides: NDArray[np.int64]
    lengths: Floats
    fresh: NDArray[np.bool_]
    predicted: Floats


def hourly(recording: Recording, truth: Truth, before: int) -> Steps:
    """Return the steps of the hour that ends at a truth; `before` is where it begins, µs."""
    venue = recording.venues[0]
    part = slice(*np.searchsorted(recording.times, (before, truth.at), side="right"))
    times = recording.times[part]
    first = int(np.searchsorted(venue.trades.times, before, side="right"))
    ends = np.searchsorted(venue.trades.times, times, side="right")
    return Steps(
        times=times / SECOND,
        ends=ends - first,
        oi=venue.oi[part],
        marks=venue.marks[part],
        prices=venue.trades.prices[first : ends[-1]],
        sizes=venue.trades.sizes[first : ends[-1]],
        every=FLUSH,
    )


def reported_liquidations(recording: Recording, before: int, until: int) -> list[Liquidation]:
    """Return the published liquidations after `before`, up to `until`."""
    venue = recording.venues[0]
    rows = venue.liquidations
    first, last = np.searchsorted(rows.times, (before, until), side="right")
    return [
        Liquidation(
            venue.market, int(rows.times[i]), int(rows.times[i]), float(rows.bankruptcies[i]),
            float(rows.sizes[i]), "long" if rows.holders[i] > 0 else "short", True,
        )
        for i in range(first, last)
    ]  # fmt: skip


@njit(cache=True)
def on_fresh_ground(
    marks: Floats, times: Floats, steps: NDArray[np.int64], sides: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for each event whether the 10 bp bin the mark stood in was crossed 30 min ago or more.

    `marks` are in score bins, `times` in seconds; `steps` are the rising steps of the events.
    """
    out = np.zeros(len(steps), np.bool_)
    low = math.floor(marks.min())
    left = np.full((2, math.floor(marks.max()) - low + 1), -1e12)
    event = 0
    old = math.floor(marks[0]) - low
    for s in range(len(marks)):
        new = math.floor(marks[s]) - low
        while event < len(steps) and steps[event] <= s:
            out[event] = times[s] - left[sides[event], new] > FRESH
            event += 1
        side = 0 if new < old else 1
        while old != new:
            left[side, old] = times[s]
            old += -1 if side == 0 else 1
    return out


def liquidated_volume(swept: Swept, recording: Recording, events: list[Liquidation]) -> Floats:
    """Return the volume liquidated in each record: the side's last sweep at most 30 s before.

    Where one move swept fresh and known ground, the mark at that second decides between them.
    """
    out = np.zeros(len(swept.times))
    steps = np.minimum(
        np.searchsorted(recording.times, [event.event_time for event in events]),
        len(recording.times) - 1,
    )
    sides = np.array([0 if event.position_side == "long" else 1 for event in events])
    marks = np.log(recording.venues[0].marks) / (PAIR * BIN)
    seconds = recording.times / SECOND
    fresh = on_fresh_ground(marks, seconds, steps, sides)
    for side in (0, 1):
        rows = np.flatnonzero(swept.sides == side)
        times = swept.times[rows]
        for i in np.flatnonzero(sides == side):
            at = seconds[steps[i]]
            last = int(np.searchsorted(times, at, side="right")) - 1
            if last < 0 or at - times[last] > LATE:
                continue
            same = rows[times == times[last]]
            match = same[swept.fresh[same] == fresh[i]]
            out[match[0] if len(match) else same[0]] += events[i].size
    return out


def truth_map(truth: Truth, half: int, *, all_positions: bool) -> Floats:
    """Return true size by side and 10 bp bin around the mark, shape (2, 2 half + 1)."""
    centre = bin_of(truth.marks[0]) // PAIR
    alive = truth.prices > 0
    if not all_positions:
        alive &= truth.stop_in_front == 0
    bins = bins_of(truth.prices[alive]) // PAIR - centre + half
    out = np.zeros((2, 2 * half + 1))
    inside = (bins >= 0) & (bins <= 2 * half)
    sides = (truth.sides[alive][inside] < 0).astype(np.int64)
    np.add.at(out, (sides, bins[inside]), truth.sizes[alive][inside])
    return out


def near(rendered: NDArray[np.float32], base: int, mark: float, half: int) -> Floats:
    """Return a rendered map in 10 bp bins within `half` bins of the mark, shape (2, 2 half + 1)."""
    cut = rendered[:, _reach(base, mark, half)].astype(np.float64)
    return cut.reshape(2, -1, PAIR).sum(axis=2)


def _reach(base: int, mark: float, half: int) -> slice:
    """Return the table's bins that lie within `half` score bins of the mark."""
    low = (bin_of(mark) // PAIR - half) * PAIR - base
    low = min(max(low, 0), BINS - (2 * half + 1) * PAIR)
    return slice(low, low + (2 * half + 1) * PAIR)


def exposed(exposure: Exposure, mark: float, half: int) -> Floats:
    """Return unit-weight exposure by term in the bins of `near`, shape (2, 2 half + 1, 98)."""
    part = _reach(exposure.base, mark, half)
    sides = [as_terms(*exposure.standing(side, part.start, part.stop)) for side in (0, 1)]
    return np.stack(sides).reshape(2, -1, PAIR, TERMS).sum(axis=2)


def outward(bins: Floats) -> Floats:
    """Return what lies beyond the mark, nearest first, of values (2, 2 half + 1, ...) by side."""
    half = bins.shape[1] // 2
    return np.stack((bins[0, :half][::-1], bins[1, half + 1 :]))


def covered(estimate: Estimate, truth: Truth) -> NDArray[np.int64]:
    """Return how many bands cover the truth, and how many there are, by window, shape (3, 2).

    The truth is the size of positions without a stop in front, in windows side by side from the
    mark outward.
    """
    sizes = outward(truth_map(truth, NEAR, all_positions=False))
    units = outward(exposed(estimate.exposure, float(truth.marks[0]), NEAR))
    out = np.zeros((len(WINDOWS), 2), np.int64)
    for i, width in enumerate(WINDOWS.values()):
        true = sizes.reshape(2, -1, width).sum(axis=2).T
        sums = units.reshape(2, -1, width, TERMS).sum(axis=2)
        low, high = estimate.uncertainty(np.moveaxis(sums, 0, 1), truth.at).band()
        out[i] = ((true >= low) & (true <= high)).sum(), true.size
    return out


def score_map(score: MapScore, guess: Floats, truth: Truth) -> None:
    """Add one moment's map scores; `guess` reaches 100 bins each way."""
    everyone = truth_map(truth, 100, all_positions=True)
    doomed = truth_map(truth, 100, all_positions=False)
    for side, sides in enumerate((slice(0, 100), slice(101, 201))):
        if guess[side, sides].sum() > 0 and everyone[side, sides].sum() > 0:
            score.distances.append(
                metrics.earth_movers(guess[side, sides], everyone[side, sides], PAIR * BIN * 100)
            )
            score.tops.append(metrics.top_share(guess[side, sides]))
    for side, sides in enumerate((slice(60, 100), slice(101, 141))):
        if guess[side, sides].sum() > 0 and doomed[side, sides].sum() > 0:
            score.correlations.append(metrics.correlation(guess[side, sides], doomed[side, sides]))


def _swept(records: Floats, weights: Floats) -> Swept:
    sides = records[:, R_SIDE].astype(np.int64)
    fresh = records[:, R_FRESH] > 0
    by_class = weights[sides, (~fresh).astype(np.int64)]
    predicted = (records[:, R_CLASSES:] * by_class).sum(axis=1)
    return Swept(records[:, R_TIME], sides, records[:, R_LENGTH], fresh, predicted)


def static_weights() -> Floats:
    """Return the weights (2, 2, 64) of a static map as published: one for each of its tiers."""
    out = np.zeros((2, 2, CLASSES))
    out[:, :, STATIC_CLASSES] = 1.0
    return out


class NullModel:
    """One static map, replayed beside ours."""

    def __init__(self, price: float, spec: Spec) -> None:
        """Start empty around a price."""
        self.exposure = Exposure(price, spec)
        self.weights = static_weights()
        self.score = MapScore()
        self.swept: list[Swept] = []


class Trial:
    """One replay of a simulated market: our estimate and the static maps side by side."""

    def __init__(self, recording: Recording) -> None:
        """Start all of them at the first price."""
        self.recording = recording
        price = float(recording.venues[0].marks[0])
        self.estimate = Estimate(price)
        self.score = MapScore()
        self.baselines = {name: NullModel(price, spec) for name, spec in NULLS.items()}
        self.covered = np.zeros((len(WINDOWS), 2), np.int64)
        """As `covered`, of all moments."""
        self.true_tops: list[float] = []
        """Share of the truth in the densest tenth of its bins, by moment and side."""
        self._swept: list[Swept] = []
        self._events: list[Liquidation] = []

    def play(self) -> None:
        """Replay the recording hour by hour, from truth to truth."""
        before = START
        for truth in self.recording.truths:
            steps = hourly(self.recording, truth, before)
            events = reported_liquidations(self.recording, before, truth.at)
            scored = truth.at > START + WARM_UP * 24 * HOUR
            records = self.estimate.add_tape(steps)
            weights = self.estimate.map_weights(before)
            blind = replace(steps, oi=np.full(len(steps.times), np.nan))
            known = {name: rival.exposure.add_tape(blind) for name, rival in self.baselines.items()}
            if scored:
                self._swept.append(_swept(records, weights))
                for name, rival in self.baselines.items():
                    rival.swept.append(_swept(known[name], rival.weights))
                self._events += events
                self._score_moment(truth)
            for event in events:
                self.estimate.add_liquidation(event)
            before = truth.at

    def _score_moment(self, truth: Truth) -> None:
        mark = float(truth.marks[0])
        ours = self.estimate.render(truth.at)
        score_map(self.score, near(ours, self.estimate.exposure.base, mark, 100), truth)
        self.covered += covered(self.estimate, truth)
        true = outward(truth_map(truth, 100, all_positions=True))
        self.true_tops += [metrics.top_share(side) for side in true if side.sum() > 0]
        for rival in self.baselines.values():
            theirs = rival.exposure.render(rival.weights)
            score_map(rival.score, near(theirs, rival.exposure.base, mark, 100), truth)

    def finish(self) -> dict[str, dict[str, float]]:
        """Return the scores of ours, with the coverage of its bands, and of each static map."""
        self._add_information_gain(self.score, self._swept)
        for rival in self.baselines.values():
            self._add_information_gain(rival.score, rival.swept)
        baselines = {name: rival.score.result() for name, rival in self.baselines.items()}
        truth = {"top_tenth_truth": float(np.mean(self.true_tops))}
        held = self.covered[:, 0] / self.covered[:, 1]
        coverage = {f"coverage_80_{n}": float(c) for n, c in zip(WINDOWS, held, strict=True)}
        return {"ours": {**self.score.result(), **truth, **coverage}, **baselines}

    def _add_information_gain(self, score: MapScore, parts: list[Swept]) -> None:
        """Add the information gain of a whole run to a score."""
        whole = Swept(
            *(np.concatenate(column) for column in zip(*map(_columns, parts), strict=True))
        )
        volumes = liquidated_volume(whole, self.recording, self._events)
        blocks = (whole.times // (6 * 3600)) * 2.0 + whole.sides
        keep = whole.fresh
        bits, volume = metrics.information_gain(
            whole.predicted[keep], volumes[keep], whole.lengths[keep], blocks[keep]
        )
        score.bits += bits
        score.volume += volume


def _columns(swept: Swept) -> tuple[NDArray[np.generic], ...]:
    return tuple(getattr(swept, name) for name in swept.__struct_fields__)


def run_seed(seed: int, days: float = DAYS, world: World = WORLD) -> dict[str, dict[str, float]]:
    """Return the scores of our map and of the static ones on one seed."""
    trial = Trial(SimulatedMarket(world, seed, START).run(days))
    trial.play()
    return trial.finish()


def summary(
    runs: list[dict[str, dict[str, float]]], seeds: Sequence[int] = SEEDS
) -> dict[str, object]:
    """Return mean scores over seeds, their comparison with the static map, and those per seed."""
    mean = {
        who: {key: float(np.mean([run[who][key] for run in runs])) for key in runs[0][who]}
        for who in runs[0]
    }
    ours = mean.pop("ours")
    out: dict[str, object] = {**ours, **mean, **_against(ours, mean["static"]), "seeds": len(runs)}
    out["against_maintenance"] = _against(ours, mean["static_maintenance"])
    out["per_seed"] = [
        {"seed": seed, **run["ours"], **_against(run["ours"], run["static"])}
        for seed, run in zip(seeds, runs, strict=False)
    ]
    return out


def _against(ours: dict[str, float], theirs: dict[str, float]) -> dict[str, float]:
    return {
        "ig_ratio": ours["ig_bits"] / theirs["ig_bits"],
        "emd_ratio": ours["emd_10pct"] / theirs["emd_10pct"],
        "corr_gain": ours["corr_4pct"] - theirs["corr_4pct"],
    }
