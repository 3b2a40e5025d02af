"""The map as a picture: the same colours as the page, with what a still picture must say."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from powderkeg.serve.wire import cells_of

WIDTH, HEIGHT = 1280, 720
TOP, BOTTOM, RIGHT, GUTTER = 44, 28, 84, 150
"""Margins in pixels; the gutter holds the levels to the right of the last candle."""
BACK, INK, DIM = (7, 8, 13), (233, 238, 248), (152, 163, 184)
LONG, SHORT = (79, 195, 247), (255, 138, 101)
_INFERNO = (
    (0.0, 0, 0, 4), (0.13, 31, 12, 72), (0.25, 85, 15, 109), (0.38, 136, 34, 106),
    (0.5, 186, 54, 85), (0.63, 227, 89, 51), (0.75, 249, 140, 10), (0.88, 249, 201, 50),
    (1.0, 252, 255, 164),
)  # fmt: skip
"""Stops of the inferno palette (public domain, matplotlib)."""
CUT = 0.2
"""The part of the palette below is invisible on black."""


def palette() -> NDArray[np.uint8]:
    """Return 256 colours, shape (256, 3), dark to bright."""
    at = np.linspace(CUT, 1.0, 256)
    stops = np.array(_INFERNO)
    return np.stack([np.interp(at, stops[:, 0], stops[:, i]) for i in (1, 2, 3)], 1).astype(
        np.uint8
    )


def _pool(values: NDArray[np.uint8], count: int, axis: int) -> NDArray[np.uint8]:
    """Return `count` cells along an axis: the greatest of those they cover, so no level is lost."""
    n = values.shape[axis]
    if count >= n:
        return np.take(values, np.arange(count) * n // count, axis)
    starts = np.linspace(0, n, count + 1).astype(int)[:-1]
    return np.maximum.reduceat(values, starts, axis)


def money(dollars: float) -> str:
    """Return an amount in three digits: $42.7M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if dollars >= size:
            x = dollars / size
            return f"${x:.0f}{letter}" if x >= 100 else f"${x:.1f}{letter}"
    return f"${dollars:.0f}"


def stamp(heat: dict[str, Any]) -> str:
    """Return what a still picture must say of itself."""
    moment = datetime.fromtimestamp(heat["as_of"] / 1e6, UTC)
    local = moment.astimezone()
    venues = ", ".join(v["name"] for v in heat["venues"] if v["on"])
    return (
        f"static image · {moment:%Y-%m-%d %H:%M} UTC ({local:%H:%M %Z})"
        f" · data {heat['age']:.0f} s old"
        f" · {heat['source']} · {venues} · {heat['model']} · estimate, fuel not a magnet"
    )


class _Frame:
    """Where prices and columns are on the picture."""

    def __init__(self, heat: dict[str, Any]) -> None:
        self.cols, self.rows = heat["cols"], heat["rows"]
        self.cells = cells_of(heat)
        self.ohlc = np.frombuffer(heat["ohlc"], "<f4").reshape(self.cols, 5)
        seen = self.ohlc[np.isfinite(self.ohlc[:, 3])]
        if not len(seen):
            seen = np.array([[heat["mark"] or 1.0] * 5])
        low, high = math.log(seen[:, 2].min()) - 0.035, math.log(seen[:, 1].max()) + 0.035
        self.first = max(0, int((low - heat["p0"]) / heat["dp"]))
        self.last = min(self.rows, int((high - heat["p0"]) / heat["dp"]) + 1)
        self.bottom = heat["p0"] + self.first * heat["dp"]
        self.top = heat["p0"] + self.last * heat["dp"]
        self.width = WIDTH - RIGHT - GUTTER
        self.height = HEIGHT - TOP - BOTTOM

    def y(self, price: float) -> float:
        return TOP + (self.top - math.log(price)) / (self.top - self.bottom) * self.height

    def x(self, column: float) -> float:
        return column / self.cols * self.width


def heatmap_png(heat: dict[str, Any], levels: dict[str, Any]) -> bytes:
    """Return a PNG of a heatmap and the clusters of its level chart.

    Args:
        heat: The decoded MessagePack answer of the heatmap view.
        levels: That of the levels view.
    """
    frame = _Frame(heat)
    image = Image.new("RGB", (WIDTH, HEIGHT), BACK)
    _paint(image, frame)
    draw = ImageDraw.Draw(image)
    _candles(draw, frame)
    _axis(draw, frame, heat)
    _labels(draw, frame, levels)
    text = stamp(heat)
    draw.text((12, 11), f"{heat['coin']}  {heat['span']}", font=_font(20), fill=INK)
    draw.text((12, HEIGHT - 21), text, font=_font(12), fill=DIM)
    info = PngImagePlugin.PngInfo()
    info.add_text("Description", text)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _paint(image: Image.Image, frame: _Frame) -> None:
    """Lay the cells, and the newest column on into the gutter."""
    part = frame.cells[:, frame.first : frame.last].T[::-1]
    some = part[part > 0]
    low, high = (np.percentile(some, 55), np.percentile(some, 99.8)) if len(some) else (1, 255)
    colours = palette()

    def shade(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
        level = np.clip((cells.astype(float) - low) / max(high - low, 1), 0, 1) ** 0.8
        out = colours[(level * 255).astype(np.uint8)]
        out[cells < low] = BACK
        return out

    pooled = _pool(_pool(part, frame.height, 0), frame.width, 1)
    image.paste(Image.fromarray(shade(pooled)), (0, TOP))
    edge = shade(_pool(part[:, -1:], frame.height, 0)).repeat(GUTTER, 1)
    image.paste(Image.fromarray((edge * 0.5).astype(np.uint8)), (frame.width, TOP))


def _candles(draw: ImageDraw.ImageDraw, frame: _Frame) -> None:
    body = max(1.0, frame.width / frame.cols - 1)
    for i, (opened, high, low, close, _) in enumerate(frame.ohlc.tolist()):
        if math.isnan(close):
            continue
        x = frame.x(i + 0.5)
        draw.line((x, frame.y(high), x, frame.y(low)), fill=INK)
        if body >= 3:
            ends = sorted((frame.y(opened), frame.y(close)))
            fill = (255, 255, 255) if close >= opened else (11, 14, 22)
            draw.rectangle((x - body / 2, ends[0], x + body / 2, ends[1] + 1), fill, INK)


def _axis(draw: ImageDraw.ImageDraw, frame: _Frame, heat: dict[str, Any]) -> None:
    low, high = math.exp(frame.bottom), math.exp(frame.top)
    raw = (high - low) / 10
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw)
    digits = max(0, -math.floor(math.log10(step)))
    price = math.ceil(low / step) * step
    while price < high:
        draw.text(
            (WIDTH - RIGHT + 8, frame.y(price) - 7),
            f"{price:,.{digits}f}",
            font=_font(13),
            fill=DIM,
        )
        price += step
    if heat["mark"]:
        y = frame.y(heat["mark"])
        draw.line((0, y, WIDTH - RIGHT, y), fill=DIM)
        draw.rectangle((WIDTH - RIGHT, y - 10, WIDTH, y + 10), INK)
        draw.text(
            (WIDTH - RIGHT + 8, y - 8), f"{heat['mark']:,.{digits}f}", font=_font(14), fill=BACK
        )


def _labels(draw: ImageDraw.ImageDraw, frame: _Frame, levels: dict[str, Any]) -> None:
    """Write the heaviest clusters in the gutter, none over another."""
    taken: list[float] = []
    for cluster in sorted(levels["clusters"], key=lambda c: -c["mass"]):
        y = frame.y(cluster["peak"])
        inside = TOP + 10 < y < HEIGHT - BOTTOM - 10
        if not inside or any(abs(y - other) < 20 for other in taken):
            continue
        taken.append(y)
        words = f"{money(cluster['mass'])} {cluster['side']}s {cluster['distance']:+.1%}"
        colour = LONG if cluster["side"] == "long" else SHORT
        x = WIDTH - RIGHT - GUTTER + 6
        box = draw.textbbox((x, y - 8), words, font=_font(13))
        draw.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), BACK)
        draw.text((x, y - 8), words, font=_font(13), fill=colour)
