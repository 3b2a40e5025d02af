"""Nothing too small, cut off or overlapping: every view and sheet at four sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

HERE = Path(__file__).parent
AXE = HERE.parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = (HERE / "fit.js").read_text().strip().rstrip(";")
SIZES = {"360": (360, 740), "390": (390, 844), "768": (768, 1024), "1440": (1440, 900)}
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
MODES = ("overlay", "multiples", "isolate")
NARROW = 820
MAP_WITHIN = 20_000
SHEET_WITHIN = 8_000
# Key that opens a sheet, and what its heading says.
SHEETS = {"/": "Market", "?": "Keys", "v": "Health of the venues", "t": "How far to trust it"}


@pytest.fixture
def at(browser: Browser, page_url: str) -> Iterator[Callable[..., Page]]:
    """Open the page at one of the sizes."""
    pages: list[Page] = []

    def opener(size: str, query: str = "") -> Page:
        width, height = SIZES[size]
        touch = width <= NARROW
        page = browser.new_page(
            viewport={"width": width, "height": height}, is_mobile=touch, has_touch=touch
        )
        pages.append(page)
        _go(page, page_url + query)
        return page

    yield opener
    for page in pages:
        page.close()


def _go(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("[data-age]").first.wait_for(timeout=MAP_WITHIN)
    page.wait_for_timeout(2_600)


def _faults(page: Page, where: str) -> list[str]:
    return [f"{where}: {fault}" for fault in page.evaluate(CHECK)]


def _axe(page: Page, where: str) -> list[str]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page.add_script_tag(path=AXE)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{where}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


@pytest.mark.parametrize("size", SIZES)
def test_every_view_fits(at: Callable[..., Page], page_url: str, size: str):
    page = at(size)
    faults = _faults(page, "heatmap")
    for view in VIEWS[1:]:
        _go(page, f"{page_url}?view={view}")
        faults += _faults(page, view) + _axe(page, view)
    for mode in MODES:
        _go(page, f"{page_url}?view=venues&mode={mode}")
        faults += _faults(page, mode) + _axe(page, mode)
    assert faults == []


@pytest.mark.parametrize("size", SIZES)
def test_every_sheet_fits(at: Callable[..., Page], size: str):
    page = at(size)
    faults: list[str] = []
    for key, title in SHEETS.items():
        page.keyboard.press(key)
        sheet = page.locator("dialog[open]")
        sheet.wait_for(timeout=SHEET_WITHIN)
        page.wait_for_timeout(1_200)
        faults += _faults(page, title) + _axe(page, title)
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")
        page.wait_for_timeout(300)
    for label in ("Settings", "Filters"):
        door = page.get_by_role("button", name=label)
        if not door.count():
            continue
        door.first.click()
        page.locator("dialog[open]").wait_for(timeout=SHEET_WITHIN)
        page.wait_for_timeout(400)
        faults += _faults(page, label) + _axe(page, label)
        page.keyboard.press("Escape")
        page.locator("dialog[open]").wait_for(state="hidden")
    assert faults == []


@pytest.mark.parametrize("size", SIZES)
def test_the_readout_is_whole_and_moves_nothing(at: Callable[..., Page], size: str):
    page = at(size)
    before = page.locator(".view").bounding_box()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    page.locator("[data-by=venue] dd", has_text="%").wait_for(timeout=SHEET_WITHIN)
    assert page.locator(".view").bounding_box() == before
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.readout > div')].filter((row) => {
          const box = document.querySelector('.readout').getBoundingClientRect();
          const last = row.lastElementChild.getBoundingClientRect();
          const first = row.firstElementChild.getBoundingClientRect();
          return last.right > box.right || last.bottom > box.bottom
            || row.scrollWidth > row.clientWidth + 1 || first.right > last.left + 1;
        }).map((row) => row.textContent)"""
    )
    assert cut == []


def test_the_readout_leaves_the_newest_candles_in_sight(at: Callable[..., Page]):
    page = at("1440")
    page.keyboard.press("ArrowLeft")
    readout = page.locator(".readout").bounding_box()
    stage = page.locator(".stage").bounding_box()
    assert readout is not None
    assert stage is not None
    gutter_and_axis = 250
    assert readout["x"] + readout["width"] < stage["x"] + (stage["width"] - gutter_and_axis) * 0.85
