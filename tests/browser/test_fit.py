"""Nothing too small, cut off or overlapping: every view and sheet at four sizes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .conftest import CHOSEN
from .waits import rest, stands, to_a_held_cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
AXE = HERE.parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = (HERE / "fit.js").read_text().strip().rstrip(";")
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
MODES = ("overlay", "multiples", "isolate")
# Key that opens a sheet, and what its heading says.
SHEETS = {"/": "Market", "?": "Keyboard shortcuts", "v": "Venue status", "t": "Map reliability"}
UNDER_WAY = re.compile("Loading")
"""What a sheet says until it has what it shows."""


def faults_of(page: Page, where: str) -> list[str]:
    """What does not fit."""
    return [f"{where}: {fault}" for fault in page.evaluate(CHECK)]


def axe_faults(page: Page, where: str) -> list[str]:
    """What axe finds."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page.evaluate(AXE.read_text())  # the page allows no script but its own
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{where}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


@pytest.mark.parametrize("size", CHOSEN)
def test_every_view_fits(at: Callable[..., Page], size: str):
    page = at(size)
    faults = faults_of(page, "heatmap")
    for key, view in enumerate(VIEWS[1:], 2):
        page.keyboard.press(str(key))
        stands(page, view)
        faults += faults_of(page, view) + axe_faults(page, view)
    for mode in MODES:
        choice = page.locator("main").get_by_role("button", name=mode.capitalize()).first
        choice.click()
        expect(choice).to_have_attribute("aria-pressed", "true")
        rest(page)
        faults += faults_of(page, mode) + axe_faults(page, mode)
    assert faults == []


@pytest.mark.parametrize("size", CHOSEN)
def test_every_sheet_fits(at: Callable[..., Page], size: str):
    page = at(size)
    faults: list[str] = []
    for key, title in SHEETS.items():
        page.keyboard.press(key)
        sheet = page.get_by_role("dialog", name=title)
        sheet.wait_for()
        expect(sheet).not_to_contain_text(UNDER_WAY)
        rest(page)
        faults += faults_of(page, title) + axe_faults(page, title)
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")
        rest(page)
    for label in ("Settings", "Filters"):
        door = page.get_by_role("button", name=label)
        if not door.count():
            continue
        door.first.click()
        page.locator("dialog[open]").wait_for()
        rest(page)
        faults += faults_of(page, label) + axe_faults(page, label)
        page.keyboard.press("Escape")
        page.locator("dialog[open]").wait_for(state="hidden")
    assert faults == []


@pytest.mark.parametrize("size", CHOSEN)
def test_the_readout_is_whole_and_moves_nothing(at: Callable[..., Page], size: str):
    page = at(size)
    before = page.locator(".view").bounding_box()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    to_a_held_cell(page)
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
    page.locator(".readout").wait_for()
    rest(page)
    readout = page.locator(".readout").bounding_box()
    stage = page.locator(".stage").bounding_box()
    assert readout is not None
    assert stage is not None
    gutter_and_axis = 250
    assert readout["x"] + readout["width"] < stage["x"] + (stage["width"] - gutter_and_axis) * 0.85
