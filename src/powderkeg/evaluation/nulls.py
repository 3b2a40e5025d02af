"""Stacks of hourly maps: ours, and the null maps it is compared with.

A map is kept at every full hour as densities by side and 10 bp bin within 10 % of the mark, so a
later refit cannot change it. Each null is a stack of the same shape too, and is scored by the same
code:

- near spot: dense where price is near, whatever happened;
- centred on a moving average: the same, about where price has been;
- mirrored: ours with the sides exchanged, so its distances without its places;
- shifted: ours of days before, at the same distances from the current mark;
- profile: ours averaged over the last week at each distance from the mark; it has the distances
  of liquidations, and not their current levels;
- static: the published four tiers, never closed (`makers`);
- path only: our own engine fed the same price and no volume.

Source: docs/adr/0012-scores.md; why "top zones against random" flatters: docs/model.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.evaluation.sim_truth import NULLS, PAIR, near, static_weights
from powderkeg.events import HOUR, Candles, Floats, LiquidationBar, Times
from powderkeg.grid import BIN

HALF = 100
"""Score bins kept each way: 10 %."""
WIDTH = PAIR * BIN
"""Height of a score bin in log price."""
SPOT = 0.02
"""How fast the near-spot map fades, as a log distance."""
AVERAGE = 24
"""Hours of the moving average."""
WEEK = 168
"""Moments a profile is the mean of."""
LAG = 72
"""Hours by which the shifted map lags."""


class Stack(Struct, frozen=True, eq=False):
    """Maps at rising times."""

    times: Times
    """Time of each map, µs, shape (n,)."""
    marks: Floats
    """Shape (n,)."""
    density: NDArray[np.float32]
    """Shape (n, 2, 2 HALF + 1): moment, side (long, short), bin; the middle one holds the mark."""

    @property
    def centres(self) -> Times:
        """Absolute score bin that holds each mark, shape (n,)."""
        return bins_of(self.marks)

    def since(self, at: int) -> Stack:
        """Return the maps of a time or later."""
        first = int(np.searchsorted(self.times, at))
        return Stack(self.times[first:], self.marks[first:], self.density[first:])


class Path(Struct, frozen=True, eq=False):
    """The price path as bars; shape (n,) each."""

    ends: Times
    """µs at which each bar is over, rising."""
    low: Floats
    high: Floats
    close: Floats
    volume: Floats
    """Base coin."""

    def since(self, at: int) -> Path:
        """Return the bars that are over after a time."""
        first = int(np.searchsorted(self.ends, at, side="right"))
        return Path(*(getattr(self, name)[first:] for name in self.__struct_fields__))


class Map(Protocol):
    """A map that can be replayed and drawn."""

    def add(self, bars: Candles) -> None:
        """Replay bars."""
        ...

    def learn(self, bar: LiquidationBar) -> None:
        """Add liquidations; a map without calibration ignores them."""
        ...

    def draw(self, at: int) -> tuple[NDArray[np.float32], int]:
        """Return the map (2, 4096) and the absolute index of its lowest bin."""
        ...


class Ours:
    """Our estimate: calibrated, or on its prior.

    Blind, it gets bars without volume, and so uses only the path.
    """

    def __init__(self, price: float, *, venue: str, calibrated: bool, blind: bool) -> None:
        """Start empty around a price, with the prior of a venue."""
        self._estimate = Estimate(price, venue)
        self._calibrated, self._blind = calibrated, blind

    def add(self, bars: Candles) -> None:
        """Replay bars; blind, as if they had no volume. Open interest only sets the scale then."""
        n = len(bars.times)
        if self._blind:
            bars = msgspec.structs.replace(bars, volume=np.zeros(n), buy=np.zeros(n))
        self._estimate.add_candles(bars, [n])

    def learn(self, bar: LiquidationBar) -> None:
        """Add liquidations if calibrated."""
        if self._calibrated:
            self._estimate.add_liquidation_bar(bar)

    def draw(self, at: int) -> tuple[NDArray[np.float32], int]:
        """Return the map (2, 4096) and the absolute index of its lowest bin."""
        return self._estimate.render(at), self._estimate.exposure.base


class Static:
    """The static map as published: four distances, every trade opens, nothing closes."""

    def __init__(self, price: float) -> None:
        """Start empty around a price."""
        self._exposure = Exposure(price, NULLS["static"])
        self._weights = static_weights()

    def add(self, bars: Candles) -> None:
        """Replay bars; open interest is ignored."""
        blind = msgspec.structs.replace(bars, oi=np.full(len(bars.times), math.nan))
        self._exposure.add_candles(blind)

    def learn(self, bar: LiquidationBar) -> None:
        """Ignore liquidations."""

    def draw(self, at: int) -> tuple[NDArray[np.float32], int]:
        """Return the map (2, 4096) and the absolute index of its lowest bin."""
        del at  # it does not age
        return self._exposure.render(self._weights), self._exposure.base


Makers: TypeAlias = dict[str, Callable[[float], Map]]
"""Constructors of maps from the first price, by name."""


def makers(venue: str = "", *, calibrated: bool = False) -> Makers:
    """Return the constructors of the maps that must be replayed.

    Args:
        venue: Whose positions the maps are of.
        calibrated: Whether there are liquidation bars. The path-only map is then fitted to the same
            ones as ours.
    """
    ours = partial(Ours, venue=venue)
    prior: Makers = {
        "ours": partial(ours, calibrated=False, blind=False),
        "static": Static,
        "path_only": partial(ours, calibrated=False, blind=True),
    }
    learning: Makers = {
        "calibrated": partial(ours, calibrated=True, blind=False),
        "path_only_calibrated": partial(ours, calibrated=True, blind=True),
    }
    return prior | learning if calibrated else prior


def bins_of(prices: Floats) -> Times:
    """Return the absolute 10 bp bin of each price, same shape."""
    return np.floor(np.log(prices) / WIDTH).astype(np.int64)


def play(
    events: Iterable[Candles | LiquidationBar],
    maps: Makers,
    every: int = HOUR,
) -> tuple[dict[str, Stack], Path]:
    """Replay bars through maps and keep each map at every full hour, or every `every` µs.

    Args:
        events: Bars of one market and liquidation bars, in the order they became known.
        maps: See `makers`.
        every: µs between the maps that are kept; a multiple of the bars' span.

    Returns:
        A stack for each map, and the path of price.
    """
    players: dict[str, Map] = {}
    kept: dict[str, list[NDArray[np.float32]]] = {name: [] for name in maps}
    times: list[int] = []
    marks: list[float] = []
    runs: list[Candles] = []
    for event in events:
        if isinstance(event, LiquidationBar):
            for player in players.values():
                player.learn(event)
            continue
        players = players or {name: make(float(event.open[0])) for name, make in maps.items()}
        runs.append(event)
        for piece in _pieces(event, every):
            end = int(piece.times[-1]) + piece.span
            for player in players.values():
                player.add(piece)
            if end % every == 0:
                times.append(end)
                marks.append(float(piece.mark[-1]))
                for name, player in players.items():
                    kept[name].append(_cut(player, end, marks[-1]))
    at, mark = np.array(times, np.int64), np.array(marks)
    empty = np.zeros((0, 2, 2 * HALF + 1), np.float32)
    stacks = {n: Stack(at, mark, np.stack(rows) if rows else empty) for n, rows in kept.items()}
    return stacks, _path(runs)


def _cut(player: Map, at: int, mark: float) -> NDArray[np.float32]:
    rendered, base = player.draw(at)
    return near(rendered, base, mark, HALF).astype(np.float32)


def _pieces(bars: Candles, every: int) -> Iterable[Candles]:
    """Return the bars in pieces that end at multiples of a span."""
    spans = (bars.times + bars.span - 1) // every
    cuts = [0, *(np.flatnonzero(np.diff(spans)) + 1).tolist(), len(spans)]
    for start, stop in pairwise(cuts):
        yield bars.where(slice(start, stop))


def _path(runs: list[Candles]) -> Path:
    """Return bars as one path without gaps: a bar opens where the one before it closed."""
    if not runs:
        none = np.zeros(0)
        return Path(none.astype(np.int64), none, none, none, none)
    ends = np.concatenate([run.times + run.span for run in runs])
    low, high, close, volume = (
        np.concatenate([getattr(run, name) for run in runs])
        for name in ("mark_low", "mark_high", "mark", "volume")
    )
    before = np.concatenate((close[:1], close[:-1]))
    return Path(ends, np.minimum(low, before), np.maximum(high, before), close, volume)


def near_spot(stack: Stack) -> Stack:
    """Return the map that is dense near the current price."""
    away = np.abs(np.arange(-HALF, HALF + 1)) * WIDTH
    flat = np.ones_like(stack.density)
    return msgspec.structs.replace(stack, density=flat * np.exp(-away / SPOT).astype(np.float32))


def ma_centred(stack: Stack, hours: int = AVERAGE) -> Stack:
    """Return the map that is dense where price has been: the mean mark of the last hours."""
    sums = np.cumsum(np.concatenate(([0.0], np.log(stack.marks))))
    stop = np.arange(1, len(stack.marks) + 1)
    start = np.maximum(stop - hours, 0)
    mean = (sums[stop] - sums[start]) / (stop - start)
    bins = stack.centres[:, None] + np.arange(-HALF, HALF + 1)
    away = np.abs((bins + 0.5) * WIDTH - mean[:, None])
    density = np.exp(-away / SPOT).astype(np.float32)
    return msgspec.structs.replace(stack, density=np.stack((density, density), axis=1))


def mirrored(stack: Stack) -> Stack:
    """Return a map with the sides exchanged: every mass as far on the other side of the mark."""
    return msgspec.structs.replace(stack, density=stack.density[:, ::-1, ::-1])


def shifted(stack: Stack, lag: int = LAG) -> Stack:
    """Return the map of `lag` moments before at its distances then; the first map until then."""
    rows = np.maximum(np.arange(len(stack.times)) - lag, 0)
    return msgspec.structs.replace(stack, density=stack.density[rows])


def profile(stack: Stack, moments: int = WEEK) -> Stack:
    """Return the mean map of the last moments at each distance from the mark of the time."""
    sums = np.cumsum(stack.density, axis=0, dtype=np.float64)
    stop = np.arange(len(stack.times))
    start = stop - moments
    before = np.where((start >= 0)[:, None, None], sums[np.maximum(start, 0)], 0.0)
    density = (sums - before) / np.minimum(stop + 1, moments)[:, None, None]
    return msgspec.structs.replace(stack, density=density.astype(np.float32))


def beside(stack: Stack) -> dict[str, Stack]:
    """Return the nulls that follow from a map and the price, by name."""
    return {
        "near_spot": near_spot(stack),
        "ma_centred": ma_centred(stack),
        "mirrored": mirrored(stack),
        "shifted": shifted(stack),
        "profile": profile(stack),
    }
