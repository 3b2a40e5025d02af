"""The map as a picture: the same colours as the page, with what a still picture must say."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from msgspec import Meta, Struct
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from powderkeg.errors import RequestError
from powderkeg.history.currencies import DOLLAR, Rate
from powderkeg.serve.exports.formatting import PLAIN, decimals, money, price_text, significant
from powderkeg.serve.exports.layout import PictureLayout, steps_of
from powderkeg.serve.exports.palettes import PaletteName
from powderkeg.serve.exports.shades import BACK, Shade, Shaded, shaded
from powderkeg.serve.exports.tables import grade_of

INK, DIM, EDGE = (233, 238, 248), (160, 171, 192), (42, 51, 70)
GRID, RULE = (20, 24, 35), (27, 33, 48)
LONG, SHORT = (79, 195, 247), (255, 138, 101)
Pixels = Annotated[int, Meta(ge=320, le=2560)]


NAMED: dict[Shade, str] = {
    "relief": "colours: dollars above the ground",
    "money": "colours: dollars a cell",
}


class PictureStyle(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a picture looks; what it shows is the view's query."""

    ccy: str = DOLLAR
    """Currency of the amounts, by the fixing of the map's day."""
    palette: PaletteName = "inferno"
    shade: Shade = "relief"
    """What the colours show: dollars above the ground, or all dollars of a cell."""
    width: Pixels = 1280
    height: Pixels = 720
    zone: str = ""
    """IANA name of the zone shown beside UTC, such as Pacific/Auckland; empty: the server's own."""


def clock_of(zone: str) -> tzinfo | None:
    """Return a zone by its IANA name; none, which means the server's own, for an empty one.

    Raises:
        RequestError: There is no such zone.
    """
    try:
        return ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as why:
        raise RequestError(f"expected a zone such as Pacific/Auckland, found {zone!r}") from why


def said(
    heat: dict[str, Any], look: PictureStyle, rate: Rate = PLAIN, filters: str = ""
) -> list[str]:
    """Return what a still picture must say of itself, piece by piece."""
    moment = datetime.fromtimestamp(heat["as_of"] / 1e6, UTC)
    local = moment.astimezone(clock_of(look.zone))
    venues = ", ".join(dict.fromkeys(v["name"] for v in heat["venues"] if v["on"]))
    converted = [] if rate.ccy == DOLLAR else [_converted(rate)]
    return [
        "estimate, static image",
        f"{heat['coin']} {heat['span']}",
        f"{moment:%Y-%m-%d %H:%M} UTC ({_local(local)})",
        f"data {heat['age']:,.0f} s old",
        heat["source"],
        venues,
        *([filters] if filters else []),
        heat["model"],
        f"grade {grade_of(heat)}",
        NAMED[look.shade],
        *converted,
        "fuel, not a magnet",
    ]


def _local(moment: datetime) -> str:
    same = moment.tzname() == "UTC"
    return "local time is UTC" if same else f"{moment:%Y-%m-%d %H:%M %Z}"


def _converted(rate: Rate) -> str:
    day = datetime.fromtimestamp(rate.day / 1e6, UTC)
    stale = ", stale" if rate.stale else ""
    return f"{rate.value:.4f} {rate.ccy} a dollar (ECB, {day:%Y-%m-%d}{stale})"


def heatmap_png(
    heat: dict[str, Any],
    levels: dict[str, Any],
    look: PictureStyle | None = None,
    rate: Rate = PLAIN,
    filters: str = "",
) -> bytes:
    """Return a PNG of a heatmap and the clusters of its level chart.

    Args:
        heat: The decoded MessagePack answer of the heatmap view, one plane of money.
        levels: That of the levels view.
        look: Size, palette, zone.
        rate: What a dollar is worth in the currency of the amounts.
        filters: What the map was narrowed to, in words.

    Raises:
        RequestError: There is no such zone, or the map is not one plane of money.
    """
    look = look or PictureStyle()
    words = said(heat, look, rate, filters)
    font = _font(_size(look, 12))
    lines = wrapped(words, look.width - 24, font.getlength)
    canvas = PictureLayout(heat, look.width, look.height, foot=len(lines) * _line(look) + 8)
    _widen(canvas, heat)
    image = Image.new("RGB", (look.width, look.height), BACK)
    draw = ImageDraw.Draw(image)
    found = _paint(image, canvas, look)
    _hatch(image, canvas, heat)
    _candles(draw, canvas)
    _prices(draw, canvas, heat)
    _times(draw, canvas, look)
    _labels(draw, canvas, levels, rate)
    _head(image, draw, heat, look, rate, found)
    y = canvas.below + canvas.strip + 2
    draw.line((0, y - 2, look.width, y - 2), fill=RULE)
    for i, line in enumerate(lines):
        draw.text((12, y + 3 + i * _line(look)), line, font=font, fill=DIM)
    return _png(image, " · ".join(words))


def _png(image: Image.Image, text: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Description", text)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _size(look: PictureStyle, size: int) -> int:
    """Return a font size for the picture's: a little smaller on a small one, never below 11."""
    return max(11, round(size * min(1.5, max(0.8, look.width / 1280))))


def _line(look: PictureStyle) -> int:
    return round(_size(look, 12) * 1.45)


def wrapped(words: Iterable[str], width: float, measure: Any) -> list[str]:
    """Return pieces joined by dots, in as many lines as they need; a long piece breaks at blanks.

    Args:
        words: The pieces.
        width: Pixels of a line.
        measure: Gives the pixels of a text.
    """
    lines: list[str] = []
    for piece in words:
        joined = f"{lines[-1]} · {piece}" if lines else piece
        if lines and measure(joined) <= width:
            lines[-1] = joined
            continue
        lines.append("")
        for word in piece.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and measure(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return lines


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _paint(image: Image.Image, canvas: PictureLayout, look: PictureStyle) -> Shaded:
    """Lay the cells, and the newest column on into the gutter; return their scale."""
    size, rows = (canvas.width, canvas.height), slice(canvas.first, canvas.last)
    found = shaded(canvas.cells, rows, canvas.dp, size, look.shade, look.palette, canvas.unit)
    image.paste(Image.fromarray(found.picture), (0, canvas.top))
    edge = found.picture[:, -1:].repeat(canvas.gutter, 1)
    dimmed = np.where(edge == np.array(BACK, np.uint8), edge, (edge * 0.5).astype(np.uint8))
    image.paste(Image.fromarray(dimmed.astype(np.uint8)), (canvas.width, canvas.top))
    return found


def _hatch(image: Image.Image, canvas: PictureLayout, heat: dict[str, Any]) -> None:
    """Hatch what was not known, and more lightly what was known in part."""
    for name, strength in (("partial", 34), ("gaps", 96)):
        for first, last in heat[name]:
            x0, x1 = round(canvas.x(first)), max(round(canvas.x(last)), round(canvas.x(first)) + 1)
            across, down = np.arange(x0, min(x1, canvas.width)), np.arange(canvas.height)
            lined = ((across[None, :] + down[:, None]) % 9 < 2).astype(np.uint8) * strength
            if lined.size:
                image.paste(DIM, (x0, canvas.top), Image.fromarray(lined))


def _candles(draw: ImageDraw.ImageDraw, canvas: PictureLayout) -> None:
    for first, last, opened, high, low, close in canvas.candles():
        x0, x1 = canvas.x(first), canvas.x(last)
        middle, half = (x0 + x1) / 2, max(0.5, (x1 - x0) * 0.32)
        draw.line((middle, canvas.y(high), middle, canvas.y(low)), fill=INK)
        if half < 1:
            continue
        ends = sorted((canvas.y(opened), canvas.y(close)))
        fill = (255, 255, 255) if close >= opened else (11, 14, 22)
        draw.rectangle((middle - half, ends[0], middle + half, ends[1] + 1), fill, INK)


def _ticks(canvas: PictureLayout) -> tuple[list[float], int]:
    """Return round prices beside the map, and the decimals in which they differ."""
    low, high = math.exp(canvas.floor), math.exp(canvas.ceiling)
    return steps_of(low, high, max(2, canvas.height // 56))


def _axis_font(canvas: PictureLayout) -> Any:
    return _font(13 if canvas.roomy else 11)


def _tag(mark: float, digits: int) -> str:
    """Return the mark with four figures, or as many as the prices beside it."""
    return price_text(mark, max(digits, decimals(mark, 4)))


def _widen(canvas: PictureLayout, heat: dict[str, Any]) -> None:
    """Make room for the longest price, and for the mark in its frame."""
    prices, digits = _ticks(canvas)
    words = [price_text(price, digits) for price in prices]
    words += [_tag(heat["mark"], digits)] if heat["mark"] else []
    canvas.widen(math.ceil(max(map(_axis_font(canvas).getlength, words), default=0.0)) + 16)


def _prices(draw: ImageDraw.ImageDraw, canvas: PictureLayout, heat: dict[str, Any]) -> None:
    low, high = math.exp(canvas.floor), math.exp(canvas.ceiling)
    prices, digits = _ticks(canvas)
    edge, font = canvas.width + canvas.gutter, _axis_font(canvas)
    mark = heat["mark"]
    tagged = canvas.y(mark) if mark and low < mark < high else -math.inf
    for price in prices:
        y = canvas.y(price)
        if canvas.top + 8 < y < canvas.below - 8:
            draw.line((edge, y, edge + 4, y), fill=EDGE)
            draw.text((edge + 9, y), price_text(price, digits), font=font, fill=DIM, anchor="lm")
    if tagged > 0:
        for x in range(0, edge, 6):
            draw.line((x, tagged, x + 1, tagged), fill=DIM)
        box = (edge + 2, tagged - 10, edge + canvas.axis - 3, tagged + 10)
        draw.rounded_rectangle(box, 3, INK)
        words = _tag(mark, digits)
        draw.text((edge + 9, tagged), words, font=font, fill=BACK, anchor="lm")


def _times(draw: ImageDraw.ImageDraw, canvas: PictureLayout, look: PictureStyle) -> None:
    """Write the hours along the bottom, in the zone asked for, else in UTC."""
    zone = clock_of(look.zone) or UTC
    font = _font(_size(look, 12))
    for x, moment in canvas.hours(zone, max(2, canvas.width // 110)):
        midnight = not (moment.hour or moment.minute)
        words = f"{moment.day} {moment:%b}" if midnight else f"{moment:%H:%M}"
        half = font.getlength(words) / 2
        if half < x < canvas.width - half:
            draw.line((x, canvas.below, x, canvas.below + 4), fill=EDGE)
            fill = INK if midnight else DIM
            draw.text((x, canvas.below + 14), words, font=font, fill=fill, anchor="mm")


def _labels(
    draw: ImageDraw.ImageDraw, canvas: PictureLayout, levels: dict[str, Any], rate: Rate
) -> None:
    """Write the heaviest clusters in the gutter, none over another or over the mark."""
    font = _font(13 if canvas.gutter > 120 else 11)
    taken: list[float] = [canvas.y(levels["mark"])] if levels["mark"] else []
    for cluster in sorted(levels["clusters"], key=lambda c: -c["notional"]):
        y = canvas.y(cluster["peak"])
        inside = canvas.top + 12 < y < canvas.below - 12
        if not inside or any(abs(y - other) < 24 for other in taken):
            continue
        taken.append(y)
        size = money(cluster["notional"], rate)
        words = f"{size} {cluster['side']}s" + (
            f" {cluster['distance']:+.1%}" if canvas.roomy else ""
        )
        right = canvas.width + canvas.gutter - 6
        left = right - font.getlength(words) - 12
        draw.rounded_rectangle((left, y - 10, right, y + 10), 4, (10, 13, 21), EDGE)
        fill = LONG if cluster["side"] == "long" else SHORT
        draw.text((left + 6, y), words, font=font, fill=fill, anchor="lm")


def _head(
    image: Image.Image, draw: ImageDraw.ImageDraw, heat: dict[str, Any], look: PictureStyle,
    rate: Rate, found: Shaded,
) -> None:  # fmt: skip
    """Write coin, span and price on the left, and the colours in money on the right."""
    big, small = _font(_size(look, 22)), _font(_size(look, 13))
    draw.text((12, 24), heat["coin"], font=big, fill=INK, anchor="lm")
    x = 12 + big.getlength(heat["coin"]) + 10
    price = heat["price"] or 0
    price = significant(price) if 0 < price < 1000 else f"{price:,.1f}"
    draw.text((x, 25), price, font=_font(_size(look, 17)), fill=INK, anchor="lm")
    x += _font(_size(look, 17)).getlength(price) + 12
    _legend(image, draw, look, rate, found)
    bar = _bar(look)
    room = bar[0] - (140 if found.scale.ground > 0 and bar[1] - bar[0] > 200 else 0)
    for words in (f"{heat['span']} · would be liquidated, estimate", heat["span"]):
        if x + small.getlength(words) < room - 16:
            draw.text((x, 25), words, font=small, fill=DIM, anchor="lm")
            break


def _bar(look: PictureStyle) -> tuple[int, int]:
    """Return where the bar of colours begins and ends."""
    return look.width - 12 - min(240, look.width // 4), look.width - 12


def _legend(
    image: Image.Image, draw: ImageDraw.ImageDraw, look: PictureStyle, rate: Rate, found: Shaded
) -> None:
    """Draw the bar of colours with the money at both ends, and how far the ground goes."""
    left, right = _bar(look)
    strip = found.strip[np.linspace(0, 255, right - left).astype(int)][None].repeat(8, 0)
    image.paste(Image.fromarray(strip), (left, 28))
    font = _font(_size(look, 12))
    scale = found.scale
    low, high = (money(dollars, rate) for dollars in scale[:2])
    relief, wide = scale.ground > 0, right - left > 200
    unit = " above the ground" if relief else " a cell"
    draw.text((left, 17), low, font=font, fill=INK, anchor="lm")
    draw.text((right, 17), high + (unit if wide else ""), font=font, fill=INK, anchor="rm")
    if relief and wide:
        words = f"ground to {money(scale.ground, rate)}"
        draw.text((left - 14, 17), words, font=font, fill=DIM, anchor="rm")
