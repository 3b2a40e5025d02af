"""Where prices and times are on a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np

from powderkeg.errors import RequestError
from powderkeg.maps.heatmap.scale import FLOOR
from powderkeg.serve.codec import cells_of
from powderkeg.serve.exports.formatting import apart

HEAD, STRIP = 46, 26
"""Pixels of the title above the map, and of the hours below it."""
AIR = 0.035
"""Log price shown beyond the highest and the lowest candle."""
THICK = 5
"""Pixels a candle takes at least."""


class PictureLayout:
    """A heatmap laid out on pixels."""

    def __init__(self, heat: dict[str, Any], width: int, height: int, foot: int) -> None:
        """Lay out a decoded heatmap.

        Args:
            heat: The decoded answer; one plane of money.
            width: Pixels of the picture.
            height: As above.
            foot: Pixels kept free at the bottom.

        Raises:
            RequestError: It is not one plane.
        """
        self.cells = cells_of(heat)
        if self.cells.ndim != 2:
            raise RequestError("expected planes=sum: a picture shows one plane of money")
        self.cols: int = heat["cols"]
        self.dp: float = heat["dp"]
        self.unit = heat["vmin"] / FLOOR
        """Of the money scale."""
        self.t0, self.step = heat["t0"], heat["step"]
        self.ohlc = np.frombuffer(heat["ohlc"], "<f4").reshape(self.cols, 5)
        self.roomy = width >= 700
        self.axis, self.gutter = (84, 176) if self.roomy else (62, 92)
        self.strip = STRIP
        self.top = HEAD
        self.height = max(40, height - HEAD - STRIP - foot)
        self.below = self.top + self.height
        self.width = width - self.axis - self.gutter
        self.first, self.last = self._rows(heat)
        self.floor = heat["p0"] + self.first * heat["dp"]
        self.ceiling = heat["p0"] + self.last * heat["dp"]

    def widen(self, axis: int) -> None:
        """Give the prices beside the map at least so many pixels, at the cost of the map."""
        self.width -= max(0, axis - self.axis)
        self.axis = max(axis, self.axis)

    def _rows(self, heat: dict[str, Any]) -> tuple[int, int]:
        """Return the rows [first, last) around what was traded."""
        seen = self.ohlc[np.isfinite(self.ohlc[:, 3])]
        ends = (seen[:, 2].min(), seen[:, 1].max()) if len(seen) else (heat["mark"] or 1.0,) * 2
        low, high = math.log(ends[0]) - AIR, math.log(ends[1]) + AIR
        first = min(max(0, int((low - heat["p0"]) / heat["dp"])), heat["rows"] - 1)
        last = min(heat["rows"], int((high - heat["p0"]) / heat["dp"]) + 1)
        return first, max(last, first + 1)

    def y(self, price: float) -> float:
        """Return the pixel of a price."""
        share = (self.ceiling - math.log(price)) / (self.ceiling - self.floor)
        return self.top + share * self.height

    def x(self, column: float) -> float:
        """Return the pixel of a column's left edge."""
        return column / self.cols * self.width

    def candles(self) -> Iterator[tuple[int, int, float, float, float, float]]:
        """Yield first column, the one after the last, open, high, low, close of each candle."""
        each = max(1, math.ceil(THICK * self.cols / self.width))
        for first in range(0, self.cols, each):
            part = self.ohlc[first : first + each]
            part = part[np.isfinite(part[:, 3])]
            if len(part):
                yield (
                    first, min(first + each, self.cols), float(part[0, 0]), float(part[:, 1].max()),
                    float(part[:, 2].min()), float(part[-1, 3]),
                )  # fmt: skip

    def hours(self, zone: tzinfo, most: int) -> Iterator[tuple[float, datetime]]:
        """Yield pixel and local time of at most `most` round times of the zone's clock."""
        span = self.cols * self.step / 1e6
        hours = next((h for h in (1, 2, 3, 6, 12, 24) if span / 3600 / h <= most), 0)
        days = 1 if hours else math.ceil(span / 86400 / most)
        begin = datetime.fromtimestamp(self.t0 / 1e6, UTC).astimezone(zone)
        at = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        while True:
            local = at.replace(tzinfo=zone)
            past = local.timestamp() - self.t0 / 1e6
            if past > span:
                return
            if past >= 0:
                yield past / span * self.width, local
            at += timedelta(hours=hours) if hours else timedelta(days=days)


def steps_of(low: float, high: float, most: int) -> tuple[list[float], int]:
    """Return round prices between two, and the decimals they need."""
    raw = (high - low) / most
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw)
    start = math.ceil(low / step)
    count = int((high - start * step) / step) + 1
    return [(start + i) * step for i in range(count)], apart(step)
