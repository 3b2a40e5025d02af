"""The scale of the colours: its words at every width, and its two modes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .conftest import go
from .waits import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HEIGHT = 844
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
def test_the_words_of_the_scale_never_wrap_nor_touch_at_any_width(
    browser: Browser, page_url: str, shade: str
):
    page = browser.new_page(viewport={"width": WIDTHS[0], "height": HEIGHT})
    go(page, page_url + f"?shade={shade}")
    count = 5 if shade == "relief" else 4
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.wait_for_function(f"() => innerWidth === {width}")
        # Words that have just changed are measured in the next frame, and put apart.
        until(
            page,
            lambda width=width: (width, words(page)),
            lambda found: _lies_well(found[1], count, found[0]),
        )
        if width >= SHARES_A_ROW:
            until(page, lambda: _apart(page), lambda pixels: pixels < 20)
    page.close()


def _apart(page: Page) -> float:
    """Return how far apart the tops of the scale and of the filters are, pixels."""
    scale, filters = (
        float(part.evaluate("e => e.getBoundingClientRect().top"))
        for part in (page.locator(".legend").last, page.locator(".filters").first)
    )
    return abs(scale - filters)


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
