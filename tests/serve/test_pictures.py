"""Pictures: lit where the map is, and honest about being still."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageFont

from powderkeg.errors import RequestError
from powderkeg.history import fixings
from powderkeg.history.currencies import Rate
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.codec import pack, read_query
from powderkeg.serve.exports.formatting import money
from powderkeg.serve.exports.layout import PictureLayout, steps_of
from powderkeg.serve.exports.palettes import KNOTS, palette
from powderkeg.serve.exports.pictures import PictureStyle, heatmap_png, wrapped

PAGE = Path(__file__).parents[2] / "web/src/lib/render/palettes.ts"


def answer(session, name, **raw):
    query = read_query({"span": "12h", **raw}, VIEWS[name][0])
    return msgspec.msgpack.decode(pack(session.answer("BTC", name, query)))


def drawn(session, look=None, rate=None, filters="", **raw):
    """Return the picture as Pillow reads it, and its pixels, shape (height, width, 3)."""
    views = answer(session, "heatmap", **raw), answer(session, "levels", **raw)
    image = Image.open(
        io.BytesIO(heatmap_png(*views, look, *([rate] if rate else []), filters=filters))
    )
    image.load()
    return image, np.asarray(image.convert("RGB")).astype(int)


def lit(pixels):
    return (pixels.sum(axis=2) > 120).mean()


def test_a_picture_is_lit_and_carries_its_stamp(session):
    image, pixels = drawn(session)
    assert image.size == (1280, 720)
    assert lit(pixels) > 0.1
    stamp = image.text["Description"]
    words = (
        "estimate, static image", "BTC 12h", "UTC", "local time", "simulated", "binance",
        "s old", "grade", "reports", "fuel, not a magnet",
    )  # fmt: skip
    for word in words:
        assert word in stamp


def test_local_time_is_reported_in_the_zone_asked_for(session):
    image, _ = drawn(session, PictureStyle(zone="Pacific/Auckland"))
    at = datetime.fromtimestamp(session.desks["BTC"].now / 1e6, UTC)
    there = at + timedelta(hours=13)
    words = f"{at:%Y-%m-%d %H:%M} UTC ({there:%Y-%m-%d %H:%M} NZDT)"
    assert words in image.text["Description"]
    with pytest.raises(RequestError, match="expected a zone such as Pacific/Auckland"):
        drawn(session, PictureStyle(zone="Middle/Earth"))


@pytest.mark.parametrize(
    ("width", "height"), [(320, 320), (640, 360), (1280, 720), (1080, 1920), (2560, 1440)]
)
def test_every_size_is_lit_and_as_asked(session, width, height):
    image, pixels = drawn(session, PictureStyle(width=width, height=height))
    assert image.size == (width, height)
    assert lit(pixels) > 0.1


@pytest.mark.parametrize("width", [320, 390, 640, 1280])
def test_a_long_stamp_is_wrapped_and_never_cut_off(session, width):
    # Nothing is lit in the last pixels on the right of the rows that hold the stamp.
    _, pixels = drawn(
        session, PictureStyle(width=width, height=600), filters="tiers 50, 25 · longs only"
    )
    stamp = pixels[-40:, -8:]
    assert stamp.sum(axis=2).max() < 120


def test_lines_hold_all_words_and_none_is_wider_than_asked():
    measure = ImageFont.load_default(12).getlength
    words = ["estimate, static image", "a very long piece " * 9, "BTC"]
    lines = wrapped(words, 200, measure)
    assert max(measure(line) for line in lines) <= 200
    assert re.findall(r"\w+", " ".join(lines)) == re.findall(r"\w+", " ".join(words))


@pytest.mark.parametrize("name", KNOTS)
def test_palettes_differ_and_rise_in_brightness(session, name):
    luminance = palette(name) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance[::16]) > 0).all()
    assert palette(name).shape == (256, 3)
    _, pixels = drawn(session, PictureStyle(palette=name, width=640, height=360))
    assert lit(pixels) > 0.1


def test_the_palettes_are_those_of_the_page():
    page = re.sub(r"'\s*\+\s*'", "", PAGE.read_text())
    for name, knots in KNOTS.items():
        assert f"'{knots}'" in page, name


@pytest.mark.parametrize(
    "raw",
    [
        {"side": "long"}, {"side": "short"}, {"venues": "binance"}, {"tiers": "50,25"},
        {"span": "1d"}, {"span": "3d"}, {"span": "3d", "model": "static"},
    ],
    ids=str,
)  # fmt: skip
def test_every_filter_changes_the_picture(session, raw):
    _, whole = drawn(session)
    image, pixels = drawn(session, **raw)
    assert (whole != pixels).any()
    if raw.get("venues"):
        assert "bybit" not in image.text["Description"]


def test_what_the_map_was_narrowed_to_is_reported(session):
    image, _ = drawn(session, filters="tiers 50, 25 · longs only", side="long", tiers="50,25")
    assert "tiers 50, 25 · longs only" in image.text["Description"]


def test_a_picture_of_the_past_says_when_it_was(session):
    at = session.desks["BTC"].now - 3_600_000_000
    image, pixels = drawn(session, at=str(at))
    words = datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    assert words in image.text["Description"]
    assert lit(pixels) > 0.05


def test_amounts_in_another_currency_name_the_rate_and_its_day(session):
    at = answer(session, "levels")["as_of"]
    rate = fixings.shipped().rate("NZD", at)
    image, _ = drawn(session, PictureStyle(ccy="NZD"), rate)
    assert f"{rate.value:.4f} NZD a dollar (ECB, 2025-12-31)" in image.text["Description"]


def test_gaps_are_hatched(session):
    heat, levels = answer(session, "heatmap"), answer(session, "levels")
    heat["cells"] = bytes(len(heat["cells"]))
    plain, hatched = (
        np.asarray(Image.open(io.BytesIO(heatmap_png(heat | {"gaps": gaps}, levels))))
        for gaps in ([], [(100, 300)])
    )
    changed = (plain != hatched).any(axis=2)
    stage = PictureLayout(heat, 1280, 720, 30)
    across = np.flatnonzero(changed.any(axis=0))
    assert across.min() >= round(stage.x(100))
    assert across.max() < round(stage.x(300))
    inside = changed[stage.top : stage.below - 20, round(stage.x(100)) : round(stage.x(300))]
    assert 0.05 < inside.mean() < 0.5


def test_several_planes_are_refused(session):
    with pytest.raises(RequestError, match="one plane of money"):
        PictureLayout(answer(session, "heatmap", planes="tiers"), 1280, 720, 30)


def test_hours_along_the_bottom_are_round_in_the_zone(session):
    from zoneinfo import ZoneInfo  # noqa: PLC0415  used here alone

    stage = PictureLayout(answer(session, "heatmap"), 1280, 720, 30)
    found = list(stage.hours(ZoneInfo("Asia/Kolkata"), 8))
    assert 3 <= len(found) <= 9
    assert all(moment.minute == 0 for _, moment in found)
    assert [x for x, _ in found] == sorted(x for x, _ in found)
    month = PictureLayout(answer(session, "heatmap", span="30d"), 1280, 720, 30)
    assert 3 <= len(list(month.hours(ZoneInfo("UTC"), 8))) <= 9


def test_prices_on_the_axis_are_round_and_within():
    prices, digits = steps_of(93_100, 99_900, 8)
    assert digits == 0
    assert all(93_100 <= p <= 99_900 for p in prices)
    assert {p % 1000 for p in prices} == {0}
    assert steps_of(0.0412, 0.0436, 5)[1] == 4


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(42_700_000, "$42.7M"), (1.2e9, "$1.2B"), (640, "$640"), (123e6, "$123M")],
)
def test_money_has_three_digits(dollars, words):
    assert money(dollars) == words


@pytest.mark.parametrize(
    ("ccy", "words"), [("NZD", "NZ$20.0M"), ("EUR", "€20.0M"), ("CHF", "CHF 20.0M")]
)
def test_money_names_its_currency(ccy, words):
    assert money(10_000_000, Rate(ccy, 2.0, 0, stale=False)) == words
