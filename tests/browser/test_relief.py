"""The scale of the colours: its words at every width, its two modes, and how much is bright."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import go
from .waits import NARROW, lived, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

WIDTHS = (360, 390, 480, 600, 768, 821, 1024, 1280, 1420, 1440, 1600, 1920, 2560)
SHARES_A_ROW = 1440
"""From this width on the scale stands beside the filters."""
BOXES = """() => {
  const parts = [...document.querySelectorAll('.legend .top, .legend .usd, .legend .mode')];
  return parts.filter(e => e.getClientRects().length).map(e => {
    const range = document.createRange();
    range.selectNodeContents(e);
    const b = range.getBoundingClientRect();
    return {text: e.textContent.trim(), x: b.left, y: b.top, right: b.right, bottom: b.bottom};
  });
}"""
REFITTED = 3_100
"""Milliseconds in which the scale is fitted anew at least once."""
LUMA = np.array([0.2126, 0.7152, 0.0722])
HALF = 132.0
"""Luminance of inferno half-way up the scale of relief."""
BLUER = 60
"""Heat has at least so much less blue than red where it is bright; candles have not."""


def words(page: Page) -> list[dict[str, float]]:
    """Return the box of every piece of text of the scale."""
    return page.evaluate(BOXES)


def touching(boxes: list[dict[str, float]]) -> list[tuple[object, object]]:
    """Return pairs of boxes of which one lies on the other."""
    return [
        (a["text"], b["text"])
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
        if a["x"] < b["right"]
        and b["x"] < a["right"]
        and a["y"] < b["bottom"]
        and b["y"] < a["bottom"]
    ]


def _lies_well(found: list[dict[str, float]], count: int, width: int) -> bool:
    """Whether as many words as there should be are on one line each, apart, and inside."""
    return (
        len(found) == count
        and touching(found) == []
        and all(box["bottom"] - box["y"] < 20 for box in found)
        and all(box["x"] >= 0 and box["right"] <= width for box in found)
    )


@pytest.mark.parametrize("shade", ["relief", "money"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_words_of_the_scale_never_wrap_nor_touch(
    browser: Browser, page_url: str, width: int, shade: str
):
    page = browser.new_page(viewport={"width": width, "height": 844})
    go(page, page_url + f"?shade={shade}")
    # Words that have just changed are measured in the next frame, and put apart.
    count = 5 if shade == "relief" else 4
    until(page, lambda: words(page), lambda found: _lies_well(found, count, width))
    bar = page.locator(".legend").last.bounding_box()
    above = page.locator(".filters").first.bounding_box() if width > NARROW else None
    page.close()
    if above and width >= SHARES_A_ROW:
        assert bar is not None
        assert abs(bar["y"] - above["y"]) < 20


def test_the_key_g_changes_the_scale_and_the_address_tells_which(opened: Callable[..., Page]):
    page = opened("desk")
    legend = page.locator(".legend .ground")
    legend.wait_for()
    page.keyboard.press("g")
    legend.wait_for(state="detached")
    expect(page).to_have_url(re.compile("shade=money"))
    page.keyboard.press("g")
    legend.wait_for()
    expect(page).not_to_have_url(re.compile("shade"))


def test_each_scale_keeps_its_own_lock(opened: Callable[..., Page]):
    page = opened("desk")
    lock = page.get_by_title("Lock the scale at these amounts")
    lock.click()
    expect(page).to_have_url(re.compile("above="))
    page.keyboard.press("g")
    lock.wait_for()
    expect(page).not_to_have_url(re.compile("above="))
    page.keyboard.press("g")
    page.get_by_title("Fit the scale to the visible cells").wait_for()
    expect(page).to_have_url(re.compile("above="))


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


DATES = (
    "2025-12-20", "2026-01-01", "2026-01-10", "2026-01-20", "2026-01-30",
    "2026-02-03", "2026-02-05", "2026-02-06", "2026-02-07", "2026-02-08",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("date", DATES)
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
