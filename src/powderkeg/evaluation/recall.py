"""Event recall: the share of liquidations in the brightest tenth of what price crossed.

"Bright zones against random ones" flatters any map that is bright near the price, since only what
is crossed can be liquidated. So the test is *conditional on crossing*: of the 10 bp bins that price
crossed on fresh ground within six hours, those densest on the map of the full hour before the
crossing, a tenth of them by length, are the zones; a map without information scores 10 %.

- Fresh: price was not in the bin for 30 minutes. On other ground everything is liquidated already.
- Blocks are six hours because in one hour price crosses too few bins for a tenth of them.
- Bins of equal density share what is left of the tenth: a flat map scores exactly 10 %.
- An event belongs to the crossing of its bin nearest in time, an hour away at most. Venues differ
  by some bp, so it may lie two bins from a crossed one. Others are reported as outside.
- A bankruptcy price lies beyond the price that triggered by maintenance and fee. That gap is
  measured on the list itself: the median distance from the market at the time of each event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec
import numpy as np
from msgspec import Struct

from powderkeg.errors import ConfigError
from powderkeg.evaluation import metrics
from powderkeg.evaluation.nulls import HALF, Path, Stack, beside, bins_of, makers, play
from powderkeg.events import DAY, HOUR, MINUTE, Candles, Floats, Liquidation, LiquidationBar, Times
from powderkeg.history.replay import events
from powderkeg.history.sources import Source

REST = 30 * MINUTE
"""Ground not visited for this long is fresh."""
BLOCK = 6 * HOUR
NEARBY = 2
"""Score bins an event may lie from the crossed bin it is counted in."""
WITHIN = HOUR
"""Time an event may lie from the crossing it is counted in."""
OURS = frozenset({"ours", "calibrated"})
SHARE = 0.1
"""Share of the crossed length that is called bright."""


class Crossed(Struct, frozen=True, eq=False):
    """Score bins that price crossed on fresh ground, a row each in the order of time."""

    times: Times
    """End of the bar that crossed, µs, shape (n,)."""
    moments: Times
    """Index of the last map before it, shape (n,)."""
    sides: Times
    """0 below the mark of that map, where longs are liquidated; 1 above; shape (n,)."""
    offsets: Times
    """Place in the map, shape (n,)."""
    bins: Times
    """Absolute score bin, shape (n,)."""


class Share(Struct, frozen=True):
    """Share of the liquidated volume, or of the events, in the bright tenth."""

    share: float
    interval: tuple[float, float]
    """95 %, resampling blocks."""
    above: dict[str, tuple[float, float]]
    """Of our maps: the interval of the difference to each null."""


class MapRecall(Struct, frozen=True):
    """The recall of one map."""

    volume: Share
    events: Share
    bits: float
    """Information gain per unit of volume over an even guess, see `scores.information_gain`."""


class Recall(Struct, frozen=True):
    """Event recall of several maps on one list."""

    events: int
    scored: int
    outside: int
    """Events near no bin that was crossed on fresh ground."""
    outside_volume: float
    """Their part of the volume."""
    blocks: int
    """With events: how many independent pieces the intervals rest on."""
    maps: dict[str, MapRecall]


class Events(Struct, frozen=True, eq=False):
    """Liquidations, rising in time; shape (n,) each."""

    times: Times
    prices: Floats
    """At which they were triggered."""
    sizes: Floats
    sides: Times
    """Position side: 0 long, 1 short, -1 unknown: then its price against the mark decides."""


def crossings(path: Path, stack: Stack, rest: int = REST) -> Crossed:
    """Return what price crossed on fresh ground, each row with the last map before it."""
    rows: list[tuple[int, int, int, int, int]] = []
    low, high = bins_of(path.low), bins_of(path.high)
    floor = int(low.min()) if len(low) else 0
    left = np.full(int(high.max()) - floor + 1 if len(high) else 0, -(2**62), np.int64)
    before = np.concatenate((path.ends[:1] - 1, path.ends[:-1]))
    moments = np.searchsorted(stack.times, before, side="right") - 1
    centres = stack.centres
    for i, end in enumerate(path.ends.tolist()):
        here = slice(int(low[i]) - floor, int(high[i]) - floor + 1)
        fresh = np.flatnonzero(end - left[here] > rest) + int(low[i])
        left[here] = end
        moment = int(moments[i])
        if moment < 0:
            continue
        for b in fresh.tolist():
            away = b - int(centres[moment])
            if away and abs(away) <= HALF:
                rows.append((end, moment, int(away > 0), away + HALF, b))
    return Crossed(*np.array(rows, np.int64).reshape(-1, 5).T)


def triggers(prices: Floats, sides: Times, market: Floats) -> tuple[Floats, float]:
    """Return trigger prices of bankruptcy prices, and the gap between the two as a fraction.

    Args:
        prices: Bankruptcy prices, shape (n,).
        sides: Of the positions: 0 long, 1 short, shape (n,).
        market: Price of the market at the time of each, shape (n,).
    """
    beyond = np.where(sides == 0, 1.0, -1.0) * np.log(market / prices)
    gap = max(0.0, float(np.median(beyond))) if len(prices) else 0.0
    return prices * np.exp(np.where(sides == 0, gap, -gap)), gap


def by_crossing(crossed: Crossed, liquidations: Events) -> tuple[Floats, Floats]:
    """Return volume and count of the events of each crossing, and of none: shape (n + 1,).

    The last place holds what belongs to no crossing.
    """
    n = len(crossed.times)
    volume, count = np.zeros(n + 1), np.zeros(n + 1)
    columns = (liquidations.times, bins_of(liquidations.prices), liquidations.sizes)
    for at, b, size, side in zip(*columns, liquidations.sides, strict=True):
        first, last = np.searchsorted(crossed.times, (at - WITHIN, at + WITHIN))
        part = slice(int(first), int(last))
        gap = np.abs(crossed.bins[part] - b)
        able = (gap <= NEARBY) & ((crossed.sides[part] == side) | (side < 0))
        row = n
        if able.any():
            # the right bin first, then the right time
            cost = gap * float(2 * WITHIN) + np.abs(crossed.times[part] - at)
            row = int(first) + int(np.where(able, cost, math.inf).argmin())
        volume[row] += size
        count[row] += 1
    return volume, count


def bright(density: Floats, share: float = SHARE) -> Floats:
    """Return how much of each bin belongs to the densest `share` of them; ties share equally."""
    _, group, sizes = np.unique(-density, return_inverse=True, return_counts=True)
    ahead = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    return np.clip((share * len(density) - ahead) / sizes, 0.0, 1.0)[group]


def density_of(crossed: Crossed, stack: Stack) -> Floats:
    """Return a stack's density at each crossing: the mean over the bins an event may be off by.

    Bins on the other side of the mark are not counted. Shape (n,).
    """
    total, known = np.zeros(len(crossed.times)), np.zeros(len(crossed.times))
    side = np.where(crossed.sides > 0, 1, -1)
    for step in range(-NEARBY, NEARBY + 1):
        place = crossed.offsets + step
        inside = ((place - HALF) * side > 0) & (place >= 0) & (place <= 2 * HALF)
        density = stack.density[crossed.moments, crossed.sides, np.clip(place, 0, 2 * HALF)]
        total += np.where(inside, density, 0.0)
        known += inside
    return total / known


def caught(density: Floats, blocks: Times) -> Floats:
    """Return the bright share of each crossing among those of its block, shape (n,)."""
    out = np.zeros(len(density))
    for block in np.unique(blocks):
        here = blocks == block
        out[here] = bright(density[here])
    return out


def recall(
    crossed: Crossed, stacks: dict[str, Stack], liquidations: Events, block: int = BLOCK
) -> Recall:
    """Return the share of events and of volume in the bright tenth for each map, with intervals.

    Args:
        crossed: What price crossed.
        stacks: Maps by name.
        liquidations: Those reported.
        block: Span in which bins are ranked and which is resampled whole, µs.
    """
    volumes, counts = by_crossing(crossed, liquidations)
    blocks = (crossed.times - 1) // block
    labels, places = np.unique(blocks, return_inverse=True)

    def sums(values: Floats) -> Floats:
        return np.bincount(places, values, len(labels)).astype(np.float64)

    some = sums(counts[:-1]) > 0
    weights = {"volume": volumes[:-1], "events": counts[:-1]}
    wholes = {what: sums(values)[some] for what, values in weights.items()}
    densities = {name: density_of(crossed, stack) for name, stack in stacks.items()}
    bright_part = {name: caught(density, blocks) for name, density in densities.items()}
    tops = {
        name: {what: sums(values * part)[some] for what, values in weights.items()}
        for name, part in bright_part.items()
    }
    maps: dict[str, MapRecall] = {}
    for name, top in tops.items():
        others = {other: tops[other] for other in tops if other not in (OURS | {name})}
        found = {
            what: _share(top[what], {n: o[what] for n, o in others.items()}, whole, name in OURS)
            for what, whole in wholes.items()
        }
        bits = metrics.information_gain(
            densities[name], volumes[:-1], np.ones(len(blocks)), blocks.astype(np.float64)
        )
        maps[name] = MapRecall(**found, bits=bits[0] / bits[1] if bits[1] > 0 else math.nan)
    whole = float(volumes.sum())
    return Recall(
        events=len(liquidations.times),
        scored=int(counts[:-1].sum()),
        outside=int(counts[-1]),
        outside_volume=float(volumes[-1]) / whole if whole > 0 else math.nan,
        blocks=int(some.sum()),
        maps=maps,
    )


def _share(top: Floats, others: dict[str, Floats], whole: Floats, ours: bool) -> Share:
    """Return a share of the whole with its interval; of ours also how far it is above the rest."""
    total = float(whole.sum())
    return Share(
        float(top.sum()) / total if total > 0 else math.nan,
        _interval(top, whole),
        {name: _interval(top - other, whole) for name, other in others.items()} if ours else {},
    )


def _interval(top: Floats, whole: Floats) -> tuple[float, float]:
    return metrics.bootstrap(np.stack((top, whole), axis=1), lambda s: s[:, 0] / s[:, 1])


def liquidation_events(forced: list[Liquidation], path: Path) -> tuple[Events, float]:
    """Return liquidations with their trigger prices, and the gap between the two as a fraction.

    The sides of a list are taken as unknown where all of its rows name the same one.
    """
    times = np.array([event.event_time for event in forced], np.int64)
    prices = np.array([event.price for event in forced])
    sizes = np.array([event.size for event in forced])
    sides = np.array([0 if event.position_side == "long" else 1 for event in forced], np.int64)
    sided = len(np.unique(sides)) > 1
    gap = 0.0
    if sided and all(event.bankruptcy for event in forced):
        market = np.exp(np.interp(times, path.ends, np.log(path.close)))
        prices, gap = triggers(prices, sides, market)
    return Events(times, prices, sizes, sides if sided else np.full(len(sides), -1)), gap


def _main_market(bars: Iterable[Candles | LiquidationBar]) -> str:
    """Return the market with most bars, empty where there is none."""
    counts: dict[str, int] = {}
    for run in bars:
        if isinstance(run, Candles):
            counts[run.market] = counts.get(run.market, 0) + len(run.times)
    return max(counts, key=lambda market: counts[market], default="")


class ReplayedMaps(Struct, frozen=True, eq=False):
    """A source replayed through maps."""

    bars: str
    """Market whose bars the maps are built from."""
    stacks: dict[str, Stack]
    path: Path
    forced: list[Liquidation]
    """Liquidations with prices. No map is fitted to them."""


def replay_maps(
    source: Source, coin: str, progress: Callable[[int, int], None] | None = None
) -> ReplayedMaps:
    """Replay one coin through our map, on its prior and calibrated, and the static one.

    The prior is that of the venue whose liquidations are listed; the bars may be of another.

    Args:
        source: Has bars: candles, or open interest turned into bars. The calibrated map is fitted
            to its liquidation bars; its single liquidations are kept for scores.
        coin: One of the source's coins.
        progress: Called with bytes read and total bytes.

    Raises:
        ConfigError: There are no bars.
    """
    bars: list[Candles | LiquidationBar] = []
    forced: list[Liquidation] = []
    for event in events(source, coin, progress=progress):
        if isinstance(event, Liquidation):
            forced.append(event)
        elif isinstance(event, Candles | LiquidationBar):
            bars.append(event)
    market = _main_market(bars)
    if not market:
        raise ConfigError(f"{source.path}: expected candles or bars of {coin}, found none")
    calibrated = any(isinstance(event, LiquidationBar) for event in bars)
    venue = (forced[0].market if forced else market).partition(":")[0]
    stream = [e for e in bars if isinstance(e, LiquidationBar) or e.market == market]
    stacks, path = play(stream, makers(venue, calibrated=calibrated))
    return ReplayedMaps(market, stacks, path, forced)


def measure(run: ReplayedMaps) -> tuple[Recall, float]:
    """Return the event recall of replayed maps, and the gap of bankruptcy prices."""
    listed, gap = liquidation_events(run.forced, run.path)
    crossed = crossings(run.path.since(int(listed.times[0]) - DAY), run.stacks["ours"])
    within = crossed.times <= listed.times[-1] + WITHIN
    crossed = Crossed(*(getattr(crossed, name)[within] for name in crossed.__struct_fields__))
    return recall(crossed, {**run.stacks, **beside(run.stacks["ours"])}, listed), gap


def score(
    source: Source, coin: str, progress: Callable[[int, int], None] | None = None
) -> dict[str, object]:
    """Return event recall of one coin of a source: ours, calibrated where it can be, and the nulls.

    Args:
        source: Has bars, see `replay_maps`, and liquidations with prices.
        coin: One of the source's coins.
        progress: Called with bytes read and total bytes.

    Raises:
        ConfigError: There are no bars, or no liquidations with prices.
    """
    run = replay_maps(source, coin, progress)
    if not run.forced:
        raise ConfigError(f"{source.path}: expected liquidations with prices of {coin}, found none")
    result, gap = measure(run)
    first, last = run.forced[0], run.forced[-1]
    return {
        "coin": coin, "bars": run.bars, "list": first.market, "bankruptcy_gap": gap,
        "from": first.event_time, "to": last.event_time, **msgspec.to_builtins(result),
    }  # fmt: skip
