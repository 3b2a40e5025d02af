"""Pictures: lit where the map is, and honest about being still."""

from __future__ import annotations

import io

import msgspec
import numpy as np
import pytest
from PIL import Image

from powderkeg.maps.views import VIEWS
from powderkeg.serve.pictures import heatmap_png, money, palette
from powderkeg.serve.wire import pack, read_query


def answer(session, name):
    query = read_query({"span": "12h"}, VIEWS[name][0])
    return msgspec.msgpack.decode(pack(session.answer("BTC", name, query)))


def test_a_picture_is_lit_and_carries_its_stamp(session):
    image = Image.open(
        io.BytesIO(heatmap_png(answer(session, "heatmap"), answer(session, "levels")))
    )
    pixels = np.asarray(image.convert("RGB")).astype(int).sum(axis=2)
    assert (pixels > 120).mean() > 0.1
    stamp = image.text["Description"]
    for word in ("static image", "UTC", "simulated", "binance", "old", "fuel not a magnet"):
        assert word in stamp


def test_brightness_rises_along_the_palette():
    luminance = palette() @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance[::16]) > 0).all()


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(42_700_000, "$42.7M"), (1.2e9, "$1.2B"), (640, "$640"), (123e6, "$123M")],
)
def test_money_has_three_digits(dollars, words):
    assert money(dollars) == words
