"""How much of a real map is bright."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from .conftest import go, slow
from .waits import lived

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

REFITTED = 3_100
"""Milliseconds in which the scale is fitted anew at least once."""
LUMA = np.array([0.2126, 0.7152, 0.0722])
HALF = 132.0
"""Luminance of inferno half-way up the scale of relief."""
BLUER = 60
"""Heat has at least so much less blue than red where it is bright; candles have not."""


def bright(page: Page) -> float:
    """Return the share of the map's pixels that are brighter than half of the scale."""
    box = page.locator(".stage .chart").bounding_box()
    assert box is not None
    gutter, axis, times = 184, 75, 30
    picture = page.screenshot(
        clip={
            "x": box["x"],
            "y": box["y"],
            "width": box["width"] - gutter - axis,
            "height": box["height"] - times,
        }
    )
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float)
    warm = pixels[..., 0] - pixels[..., 2] > BLUER
    return float(((pixels @ LUMA > HALF) & warm).mean())


DATES = ("2025-12-20", "2026-02-06")
MORE_DATES = (
    "2026-01-01", "2026-01-10", "2026-01-20", "2026-01-30",
    "2026-02-03", "2026-02-05", "2026-02-07", "2026-02-08",
)  # fmt: skip


@pytest.mark.parametrize("date", [*DATES, *slow(*MORE_DATES)])
def test_a_sixth_of_a_real_map_is_bright_at_most_and_some_of_it(
    browser: Browser, stored_url: str, date: str
):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    go(page, f"{stored_url}?at={date}T00:00Z")
    share, before = bright(page), -1.0
    while share != before:  # the axis and the scale are fitted to what has come
        lived(page, REFITTED)
        share, before = bright(page), share
    page.close()
    assert 0.03 <= share <= 0.16, f"{share:.3f}"
