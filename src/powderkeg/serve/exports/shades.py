"""The cells of a heatmap as colours: money, or what stands above the ground, as on the page."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from powderkeg.events import Floats
from powderkeg.maps.heatmap.ground import ground
from powderkeg.maps.heatmap.scale import DOLLARS, FLOOR
from powderkeg.serve.exports.palettes import PaletteName, palette

Shade: TypeAlias = Literal["relief", "money"]
Colours: TypeAlias = NDArray[np.uint8]
BACK = (7, 8, 13)
BEND = 2.0
"""The scale of money is bent, so that the middle stays dark."""
COUNTED = 2 * FLOOR
"""Cells of less are not counted when relief or ground are fitted, in units of the scale."""
WIDEST = 25
"""How many times the threshold the brightest relief is at most."""
NARROWEST = 2
"""How many times the threshold it is at least, so that one amount alone is bright."""
GROUND_TOP, RELIEF_FROM, RELIEF_BEND = 0.16, 0.2, 1.05
"""How far up the palette the ground goes, and where what stands above it begins."""


class Scale(NamedTuple):
    """Dollars a cell at both ends of the colours."""

    low: float
    high: float
    ground: float = 0.0
    """How far the ground goes; 0 where money is shown."""


class Shaded(NamedTuple):
    """A picture of cells, the colours of its scale from low to high, and what they mean."""

    picture: Colours
    """Shape (height, width, 3), the highest price on top."""
    strip: Colours
    """Shape (256, 3)."""
    scale: Scale


def shaded(
    cells: NDArray[np.uint8], rows: slice, height: float, size: tuple[int, int],
    shade: Shade = "relief", name: PaletteName = "inferno", unit: float = 1.0,
) -> Shaded:  # fmt: skip
    """Return cells as a picture.

    Args:
        cells: Bytes, shape (columns, rows).
        rows: Those in sight; the ground is found beyond them too.
        height: Of a row, log price.
        size: Width and height of the picture, pixels.
        shade: What the colours show.
        name: The palette.
        unit: Of the money scale. Colours do not depend on it: they are found in units.
    """
    amounts = DOLLARS[cells]
    if shade == "money":
        found = _money(_upright(amounts, rows), size, name)
    else:
        under = ground(amounts, height)
        found = _relief(_upright(amounts - under, rows), _upright(under, rows), size, name)
    return found._replace(scale=Scale(*(end * unit for end in found.scale)))


def _upright(values: Floats, rows: slice) -> Floats:
    return values[:, rows].T[::-1]


def _money(dollars: Floats, size: tuple[int, int], name: PaletteName) -> Shaded:
    some = dollars[dollars > 0]
    low, high = np.percentile(some, (55, 99.8)) if len(some) else (DOLLARS[1], DOLLARS[255])
    low = min(low, high / NARROWEST)
    colours = palette(name)[(np.linspace(0, 1, 256) ** BEND * 255).astype(int)]
    at = _place(_pooled(dollars, size, np.maximum), low, high)
    alpha = np.where(at < 0, 0.0, np.minimum(1, 0.35 + 2 * at))
    return Shaded(_over(_of(colours, at), alpha, np.array(BACK)), colours, Scale(low, high))


def _relief(above: Floats, under: Floats, size: tuple[int, int], name: PaletteName) -> Shaded:
    low, high = _between(above, 64, 99)
    bottom, middle, top = _between(under, 10, 50, 99)
    high = max(high, middle / 2)
    low = min(max(low, high / WIDEST), high / NARROWEST)
    plain = palette(name, gamma=1.0)
    at = _place(_pooled(under, size, np.add), bottom, top)
    alpha = np.where(at < 0, 0.0, 0.85 * (0.22 + 0.5 * np.clip(at, 0, 1)))
    floor = _over(_of(plain, GROUND_TOP * np.clip(at, 0, 1)), alpha, np.array(BACK))
    strip = _of(plain, RELIEF_FROM + (1 - RELIEF_FROM) * np.linspace(0, 1, 256) ** RELIEF_BEND)
    at = _place(_pooled(above, size, np.maximum), low, high)
    alpha = np.where(at < 0, 0.0, np.minimum(1, 0.2 + 2.4 * at))
    return Shaded(_over(_of(strip, at), alpha, floor), strip, Scale(low, high, top))


def _between(values: Floats, *percent: float) -> Floats:
    """Return percentiles of what counts; of nothing, the ends of what a cell can hold."""
    some = values[values >= COUNTED]
    if len(some):
        return np.percentile(some, percent)
    return np.linspace(COUNTED, DOLLARS[255], len(percent))


def _place(values: Floats, low: float, high: float) -> Floats:
    """Return places of amounts on a logarithmic scale: 0 low, 1 high, below 0 for less."""
    return np.log(np.maximum(values, 1.0) / low) / max(np.log(high / low), 1e-6)


def _of(colours: Colours, at: Floats) -> Colours:
    return colours[(np.clip(at, 0, 1) * 255).astype(int)]


def _over(colours: Colours, alpha: Floats, below: NDArray[np.integer]) -> Colours:
    return (below + (colours.astype(float) - below) * alpha[..., None]).astype(np.uint8)


def _pooled(values: Floats, size: tuple[int, int], of: np.ufunc) -> Floats:
    """Return pixels: the greatest of the cells each covers, so no level is lost, or their mean."""
    return _pool(_pool(values, size[1], 0, of), size[0], 1, of)


def _pool(values: Floats, count: int, axis: int, of: np.ufunc) -> Floats:
    n = values.shape[axis]
    if count >= n:
        return np.take(values, np.arange(count) * n // count, axis)
    starts = np.linspace(0, n, count + 1).astype(int)
    found = of.reduceat(values, starts[:-1], axis)
    if of is np.add:
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        found = found / np.diff(starts).reshape(shape)
    return found
