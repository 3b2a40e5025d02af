"""Choose settings of the hourly score on the first half of a source, report them on the second.

The prior's growth, the pseudo-volume that holds each term to it, and the share of it that volume
holds are the settings that real hours were looked at for. Each choice is played to the middle
only; the one that missed least there is then played to the end, and what it missed after the middle
is the held-out deviance.

    python benchmarks/hours_grid.py tests/sources/btc_2026.toml BTC
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from powderkeg.engine.calibration import weights
from powderkeg.evaluation.hourly import hours
from powderkeg.evaluation.hourly.scores import brief, deviances, halves
from powderkeg.events import HOUR
from powderkeg.history.sources import Source, load

GROWTHS = (1.4, 1.65, 1.9)
EVIDENCES = (2e-5, 8e-5, 3.2e-4)
BY_VOLUMES = (0.3, 0.5, 0.7)
POOLING = 10
"""Sides are held together by this many times as much as classes are held to the prior."""
Settings: TypeAlias = tuple[float, float, float]
"""Growth, pseudo-volume, share of volume."""
LATER = 3
"""Hours played on, so that the last one asked about is closed."""


def played(
    source: Source, coin: str, settings: Settings, until: int | None = None
) -> hours.ForecastRows:
    """Return the scored rows under some settings, up to an hour."""
    before = weights.SHAPES, weights.EVIDENCE, weights.POOLING, weights.BY_VOLUME
    growth, evidence, by_volume = settings
    shape = replace(weights.SHAPES[""], growth=growth)
    weights.SHAPES = {**weights.SHAPES, "": shape, "binance": shape}
    weights.EVIDENCE, weights.POOLING, weights.BY_VOLUME = evidence, POOLING * evidence, by_volume
    try:
        stream = hours.bar_events(source, coin)
        if until is not None:
            # an hour is closed when the next is over
            stream = [event for event in stream if event.received_time <= (until + LATER) * HOUR]
        said = hours.play(stream)
    finally:
        weights.SHAPES, weights.EVIDENCE, weights.POOLING, weights.BY_VOLUME = before
    return said.between(int(said.hours[0]) + hours.WARM_UP, int(said.hours[-1]) + 1)


def chosen_on(source: Source, coin: str, until: int, settings: Settings) -> float:
    """Return the deviance of some settings before the middle."""
    said = played(source, coin, settings, until)
    return deviances(said.where(said.hours < until))["poisson_deviance"]


def main(path: str, coin: str) -> None:
    """Print what was tried, what was chosen, and how it does on the rows nobody looked at."""
    source = load(Path(path))
    ours = hours.run(source, coin)
    at, last = ours.middle, int(ours.forecasts.hours[-1])
    grid = list(product(GROWTHS, EVIDENCES, BY_VOLUMES))
    with ProcessPoolExecutor() as pool:
        tried = dict(zip(grid, pool.map(partial(chosen_on, source, coin, at), grid), strict=True))
    best = min(tried, key=lambda settings: tried[settings])
    held_out = brief(played(source, coin, best).between(at, last + 1))
    answer = {
        "tried": [
            {"growth": g, "evidence": e, "by_volume": b, "first": v}
            for (g, e, b), v in tried.items()
        ],
        "chosen": {"growth": best[0], "evidence": best[1], "by_volume": best[2]},
        "held_out_deviance": held_out["poisson_deviance"],
        "held_out": held_out,
        "product": halves(ours)["split"],
    }
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
