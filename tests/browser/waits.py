"""Waiting for what a page comes to by itself: how busy the machine is decides no test."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

Said = TypeVar("Said")

WITHIN = 180_000
"""Milliseconds after which something that has not come is missing; a free machine needs few."""
NARROW = 820
"""Widest window that is laid out for fingers."""
DRAWN = ".stage[aria-busy=false]"
"""What shows that a map is on the page, whether or not a cluster is in sight of it."""
SUMMARY = "[data-cluster-summary]:not(:empty)"
"""What shows that the clusters and the second script are there too."""
VIEWS = {
    "heatmap": DRAWN,
    "levels": ".ladder canvas",
    "ratio": "[data-summary=size]:not(:empty)",
    "cumulative": "[data-summary=cumulative]",
    "venues": "[data-summary=venues]",
}
"""What shows that a view has its numbers."""
HOLD_BACK = """least => {
  for (const name of ['setTimeout', 'setInterval']) {
    const own = window[name];
    window[name] = (act, ms, ...rest) => own(act, ms >= least ? ms + 3600000 : ms, ...rest);
  }
}"""
REST = """async () => {
  await document.fonts.ready;
  await Promise.allSettled(document.getAnimations().map(each => each.finished));
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
}"""


def stands(page: Page, view: str = "heatmap") -> None:
    """Wait until a view, and on a desk the panel beside it, have what they show."""
    page.locator(VIEWS[view]).first.wait_for(timeout=WITHIN)
    if view == "heatmap":
        page.locator(SUMMARY).wait_for(state="attached", timeout=WITHIN)
    if (page.viewport_size or {"width": 0})["width"] > NARROW:
        page.locator("aside [role=img]").nth(1).wait_for(timeout=WITHIN)
    rest(page)


def rest(page: Page) -> None:
    """Wait until what is known has been laid out and drawn, in the fonts of the page."""
    page.evaluate(REST)


def lived(page: Page, milliseconds: float) -> None:
    """Let time pass by the clock of the page: its timers that were due before have then fired."""
    page.evaluate("ms => new Promise(done => setTimeout(done, ms))", milliseconds)


def hold_back(page: Page, least: int) -> None:
    """Let nothing happen by the clock of the page that it puts off by `least` ms or more."""
    page.add_init_script(f"({HOLD_BACK})({least})")


def until(page: Page, read: Callable[[], Said], holds: Callable[[Said], object]) -> Said:
    """Read again until it holds and return what was read; for what Playwright cannot expect.

    Raises:
        AssertionError: It did not hold within WITHIN; it tells what was read last.
    """
    end = time.monotonic() + WITHIN / 1e3
    while not holds(said := read()):
        assert time.monotonic() < end, said
        page.wait_for_timeout(100)
    return said


def to_a_held_cell(page: Page) -> None:
    """Move the cursor of the map down by key to where some venue holds something."""
    held = page.locator("[data-by=venue] dd", has_text="%")
    price = math.inf
    for _ in range(16):
        lower = _asked_below(price)
        with page.expect_response(lambda answer, lower=lower: lower(answer.url)) as told:
            page.keyboard.press("Shift+ArrowDown")
        told.value.finished()
        price = _price_of_cell(told.value.url)
        rest(page)
        if held.count():
            break
    held.wait_for()


def _price_of_cell(url: str) -> float:
    """Return the price a cell was asked for at; infinite where the question is another."""
    asked = urlsplit(url)
    prices = parse_qs(asked.query).get("price")
    return float(prices[0]) if prices and asked.path.endswith("/cell") else math.inf


def _asked_below(price: float) -> Callable[[str], bool]:
    return lambda url: _price_of_cell(url) < price
