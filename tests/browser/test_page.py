"""The page in a real browser: what a person would notice at once if it were wrong."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SIZES = ("phone", "desk")
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")


def _pixels(where: Locator) -> np.ndarray:
    """The element as shown, shape (height, width, 3), float."""
    shot = Image.open(io.BytesIO(where.screenshot()))
    return np.asarray(shot.convert("RGB"), dtype=float)


def _drawn(pixels: np.ndarray) -> float:
    """Share of pixels that differ from the commonest colour."""
    words = (pixels @ np.array([65536.0, 256.0, 1.0])).astype(int)
    _, counts = np.unique(words, return_counts=True)
    return 1.0 - counts.max() / words.size


@pytest.mark.parametrize("size", SIZES)
def test_the_map_is_lit(opened: Callable[..., Page], size: str):
    page = opened(size)
    pixels = _pixels(page.locator(".stage"))
    plot = pixels[:, : int(pixels.shape[1] * 0.6)]
    coloured = (plot.max(axis=2) - plot.min(axis=2)) > 50
    assert 0.04 < coloured.mean() < 0.95


@pytest.mark.parametrize("size", SIZES)
def test_clusters_in_sight_are_named_with_their_whole_mass(opened: Callable[..., Page], size: str):
    """How many there are is the market's affair: none is invented."""
    page = opened(size)
    known = page.request.get(page.url.partition("?")[0] + "v1/BTC/levels").json()["clusters"]
    assert all(cluster["mass"] >= 1.5 * cluster["ground"] for cluster in known)
    tags = page.locator(".tag:visible").all()
    assert tags or not known
    sides = {str(tag.get_attribute("data-side")) for tag in tags}
    assert sides <= {cluster["side"] for cluster in known}
    assert all("$" in tag.inner_text() for tag in tags)


@pytest.mark.parametrize("size", SIZES)
def test_names_of_clusters_stay_in_the_gutter_and_apart(opened: Callable[..., Page], size: str):
    page = opened(size)
    boxes = [b for tag in page.locator(".tag:visible").all() if (b := tag.bounding_box())]
    boxes.sort(key=lambda b: b["y"])
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    axis, gutter = 90, 170 if size == "desk" else 90
    for above, below in itertools.pairwise(boxes):
        assert below["y"] >= above["y"] + above["height"] - 1
    for box in boxes:
        assert box["x"] >= stage["x"] + stage["width"] - axis - gutter


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", SIZES)
def test_no_pane_is_empty(opened: Callable[..., Page], size: str, view: str):
    page = opened(size, f"?view={view}")
    page.wait_for_timeout(1_200)
    panes = [page.locator(".view")] + ([page.locator("aside")] if size == "desk" else [])
    for pane in panes:
        pixels = _pixels(pane)
        assert _drawn(pixels) > 0.04
        for half in np.array_split(pixels, 2, axis=0):
            assert _drawn(half) > 0.02


@pytest.mark.parametrize("size", SIZES)
def test_the_map_moves_within_ten_seconds(opened: Callable[..., Page], size: str):
    page = opened(size)
    before = _pixels(page.locator(".stage"))
    for _ in range(20):
        page.wait_for_timeout(500)
        if not np.array_equal(before, _pixels(page.locator(".stage"))):
            return
    pytest.fail("expected the map to change within 10 s")


@pytest.mark.parametrize("size", SIZES)
def test_the_source_of_the_data_is_said(opened: Callable[..., Page], size: str):
    page = opened(size)
    badge = page.locator("[data-source]")
    assert badge.is_visible()
    words = {"simulated": "Simulated market", "live": "Live", "replay": "Replay"}
    assert badge.inner_text().startswith(words[badge.get_attribute("data-source") or ""])
    assert float(page.locator("[data-age]").get_attribute("data-age") or "nan") < 10


def test_dragging_back_pauses_and_a_button_returns(opened: Callable[..., Page]):
    page = opened("desk")
    page.mouse.move(400, 500)
    page.mouse.down()
    page.mouse.move(1150, 500, steps=12)
    page.mouse.up()
    page.mouse.move(400, 500)
    page.mouse.down()
    page.mouse.move(1150, 500, steps=12)
    page.mouse.up()
    button = page.get_by_role("button", name="Jump to now")
    button.wait_for(timeout=3_000)
    assert "paused" in button.inner_text()
    button.click()
    button.wait_for(state="hidden", timeout=3_000)


def test_the_legend_is_the_control(opened: Callable[..., Page]):
    page = opened("desk")
    low = page.get_by_role("slider", name="Hide below")
    mode = page.locator(".mode:not(.shade)")
    assert mode.inner_text() == "auto (visible)"
    before = low.get_attribute("aria-valuetext")
    low.focus()
    page.keyboard.press("ArrowRight")
    assert mode.inner_text() == "locked"
    assert low.get_attribute("aria-valuetext") != before
    assert "above=" in page.url  # the amounts are those of relief
    track = page.locator(".track").bounding_box()
    assert track is not None
    page.mouse.dblclick(track["x"] + 60, track["y"] + 25)
    assert mode.inner_text() == "auto (visible)"
    assert "above=" not in page.url


def test_the_address_holds_the_state(opened: Callable[..., Page]):
    page = opened("desk")
    page.keyboard.press("4")
    page.get_by_role("button", name="Longs", exact=True).click()
    page.wait_for_timeout(300)
    assert "view=cumulative" in page.url
    assert "side=long" in page.url
    again = opened("desk", page.url[page.url.index("?") :])
    assert again.get_by_role("heading", name="Cumulative if price moves").count() >= 1
    pressed = again.get_by_role("button", name="Longs", exact=True).get_attribute("aria-pressed")
    assert pressed == "true"


def test_the_keyboard_moves_the_cursor_and_the_views(opened: Callable[..., Page]):
    page = opened("desk")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    readout = page.locator(".readout")
    readout.wait_for(timeout=2_000)
    first = readout.inner_text()
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(150)
    assert readout.inner_text() != first
    page.keyboard.press("Escape")
    readout.wait_for(state="hidden", timeout=2_000)
    page.keyboard.press("2")
    page.get_by_role("heading", name="Levels", exact=True).wait_for()


def test_a_finger_finds_every_control_on_the_phone(opened: Callable[..., Page]):
    page = opened("phone")
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= 43.5, button.inner_text()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    small = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e =>
          [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
          && parseFloat(getComputedStyle(e).fontSize) < 11).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_filters_open_in_a_sheet_on_the_phone(opened: Callable[..., Page]):
    page = opened("phone")
    page.get_by_role("button", name="Filters").click()
    sheet = page.get_by_role("dialog", name="What the map counts")
    sheet.wait_for()
    sheet.get_by_role("button", name="100×").click()
    page.wait_for_timeout(300)
    assert "tiers=" in page.url
    for button in sheet.locator("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 43.5
