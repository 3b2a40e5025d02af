"""The maps of one coin of a full-account dataset: ours, the static one, and the null maps.

All are built from public data: prints, open interest once a minute, the last price as mark.

- ours: the estimate on its prior weights; calibrated: fitted to the liquidations too;
- static: the published four tiers, the taker's side, never closed (`evaluation.sim_truth.NULLS`);
- near spot, centred on a moving average: dense where price is, or was on average over a day;
- uniform: everywhere alike;
- mirrored: ours with the sides exchanged, so its distances without its places;
- shifted: ours of a day before, at its prices, without what price has passed since;
- profile: ours averaged over the last week at each distance from the mark;
- path only: our engine without prints: it gets only marks.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.table import BINS
from powderkeg.evaluation.full_accounts.positions import Fill, Standing
from powderkeg.evaluation.sim_truth import NULLS, static_weights
from powderkeg.events import MINUTE, Floats, Liquidation
from powderkeg.grid import BIN, log_centres

WIDTH = 0.0025
"""Score bin, as a log distance from the price."""
FAR = 160
"""Score bins kept each way: 40 %."""
SPOT = 0.02
"""Decay length of the maps that are dense near a price, as a log distance."""
DAILY, WEEKLY = 24, 168
"""Hours of the moving average and of the shift; hours of the profile."""
TIERS = static_weights()
BLIND = (
    "near_spot", "ma_centred", "uniform", "mirrored", "shifted", "profile", "path_only",
)  # fmt: skip
MAPS = ("ours", "calibrated", *NULLS, *BLIND)
CENTRES = (np.arange(FAR) + 0.5) * WIDTH


def around(base_coin: NDArray[np.float32], base: int, mark: float) -> Floats:
    """Return a rendered map in dollars by side and distance from the mark, shape (2, 160).

    Mass of longs above the mark and of shorts below it is left out.

    Args:
        base_coin: Shape (2, 4096).
        base: Absolute index of its lowest bin.
        mark: Price from which distance is measured.
    """
    places = log_centres(base, BINS)
    dollars = base_coin * np.exp(places)
    below = math.log(mark) - places
    out = np.zeros((2, FAR))
    for side, away in enumerate((below, -below)):
        # half a bin: what stands in the mark's own bin is near, not passed
        bins = np.floor((away + BIN / 2) / WIDTH).astype(np.int64)
        inside = (bins >= 0) & (bins < FAR)
        out[side] = np.bincount(bins[inside], dollars[side, inside], FAR)
    return out


def truly_around(standing: Standing, mark: float) -> tuple[Floats, NDArray[np.int64]]:
    """Return true dollars by side and distance, shape (2, 160), and each position's place (n, 2).

    A place is side and bin; -1, -1 for a position that is not liquidated within reach. One that
    should have been liquidated by now (the last price is old) has no place either.
    """
    shorts = (standing.sizes < 0).astype(np.int64)
    away = np.where(shorts == 1, -1.0, 1.0) * np.log(mark / standing.prices)
    bins = np.floor(np.nan_to_num(away, nan=-1.0) / WIDTH).astype(np.int64)
    inside = (bins >= 0) & (bins < FAR)
    dollars = np.zeros((2, FAR))
    amounts = np.abs(standing.sizes * standing.prices)
    np.add.at(dollars, (shorts[inside], bins[inside]), amounts[inside])
    return dollars, np.where(inside[:, None], np.stack((shorts, bins), axis=1), -1)


class Market:
    """The public data of one coin, and all the maps built from it."""

    def __init__(self, venue: str, coin: str, price: float, at: int) -> None:
        """Start all maps empty around the first price, `at` its time in µs."""
        self.since = at
        self.price = price
        self._market = f"{venue}:{coin}"
        self._oi = math.nan
        self._minute = at // MINUTE
        self._prices: deque[float] = deque(maxlen=DAILY)
        self._drawn: deque[tuple[NDArray[np.float32], int]] = deque(maxlen=DAILY + 1)
        self._week: deque[Floats] = deque(maxlen=WEEKLY)
        self._ours = Estimate(price, venue)
        self._calibrated = Estimate(price, venue)
        self._path = Estimate(price, venue)
        self._static = {name: Exposure(price, spec) for name, spec in NULLS.items()}

    def take(self, fill: Fill, oi: float) -> None:
        """Add a fill: its print, its price, and open interest after it (base coin)."""
        if fill.at // MINUTE != self._minute:
            self._flush((self._minute + 1) * MINUTE)
            self._minute = fill.at // MINUTE
        self._oi = oi
        if fill.liquidated:
            self._calibrated.add_liquidation(_forced_close(self._market, fill))
        if fill.forced:
            return
        self.price = fill.price
        prices, sizes = np.array([fill.price]), np.array([fill.print])
        for each in (self._ours, self._calibrated, *self._static.values()):
            if fill.print:
                each.add_trades(prices, sizes)
            each.move_mark(fill.at, fill.price)
        self._path.move_mark(fill.at, fill.price)

    def _flush(self, at: int) -> None:
        """Open and close positions up to a time; static maps get no open interest."""
        for each in (self._ours, self._calibrated):
            each.flush(at, self._oi)
        self._path.flush(at)
        for exposure in self._static.values():
            exposure.flush(at)

    def maps(self, at: int) -> dict[str, Floats]:
        """Return every map of MAPS at a full hour, dollars, each of shape (2, 160), not scaled.

        Call it every hour: the moving average and the older maps come from these calls.
        """
        self._flush(at)
        self._minute = at // MINUTE
        mark = self.price
        rendered, base = self._ours.render(at), self._ours.exposure.base
        self._prices.append(mark)
        self._drawn.append((rendered, base))
        ours = around(rendered, base, mark)
        learned = {"calibrated": self._calibrated, "path_only": self._path}
        out = {
            "ours": ours,
            "mirrored": ours[::-1],
            "shifted": around(*self._drawn[0], mark),
            "profile": np.mean(self._week, axis=0) if self._week else ours,
            "uniform": np.ones((2, FAR)),
            "near_spot": near(mark, mark),
            "ma_centred": near(mark, float(np.mean(self._prices))),
        }
        for name, each in learned.items():
            out[name] = around(each.render(at), each.exposure.base, mark)
        for name, exposure in self._static.items():
            out[name] = around(exposure.render(TIERS), exposure.base, mark)
        self._week.append(ours)
        return out


def near(mark: float, centre: float) -> Floats:
    """Return the map that fades with the distance from a centre, seen from the mark, (2, 160)."""
    away = math.log(mark / centre)
    return np.exp(-np.abs(np.stack((CENTRES - away, CENTRES + away))) / SPOT)


def _forced_close(market: str, fill: Fill) -> Liquidation:
    holder = "long" if fill.size < 0 else "short"
    at, size = fill.at, abs(fill.size)
    return Liquidation(market, at, at, fill.price, size, holder, bankruptcy=True)
