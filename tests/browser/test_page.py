"""The page in a real browser: what a person would notice at once if it were wrong."""

from __future__ import annotations

import io
import itertools
import re
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import slow
from .waits import rest, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SIZES = ("phone", "desk")
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")


TAGS = """() => [...document.querySelectorAll('.tag')].filter(e => e.checkVisibility()).map(e => {
  const { x, y, width, height } = e.getBoundingClientRect();
  return { x, y, width, height, side: e.dataset.side, words: e.innerText };
})"""
"""The names of clusters as they stand at one moment: those of a live map come and go."""
SMALL = """() => [document.querySelector('dialog[open]') ?? document]
  .flatMap(e => [...e.querySelectorAll('button')])
  .filter(e => e.checkVisibility({ visibilityProperty: true }))
  .map(e => [e.innerText, e.getBoundingClientRect()])
  .filter(([, box]) => Math.min(box.height, box.width) < 43.5)
  .map(([words, box]) => `${words}: ${box.width} x ${box.height}`)"""
"""Buttons that a finger would miss."""


def _pixels(where: Locator) -> np.ndarray:
    """The element as shown, shape (height, width, 3), float."""
    shot = Image.open(io.BytesIO(where.screenshot()))
    return np.asarray(shot.convert("RGB"), dtype=float)


def _drawn(pixels: np.ndarray) -> float:
    """Share of pixels that differ from the commonest colour."""
    words = (pixels @ np.array([65536.0, 256.0, 1.0])).astype(int)
    _, counts = np.unique(words, return_counts=True)
    return 1.0 - counts.max() / words.size


def _double_click(page: Page, x: float, y: float) -> None:
    """Click twice at once by the clock of the events, however long these take to arrive."""
    line, at = page.context.new_cdp_session(page), time.time()
    for count in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            where = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": count}
            line.send("Input.dispatchMouseEvent", {**where, "timestamp": at})
            at += 0.02


def _full(pixels: np.ndarray) -> bool:
    """Whether something is drawn, above and below."""
    halves = np.array_split(pixels, 2, axis=0)
    return _drawn(pixels) > 0.04 and all(_drawn(half) > 0.02 for half in halves)


def _named(known: list[dict[str, Any]], tags: list[dict[str, Any]]) -> bool:
    """Whether the names on the map can be those of the clusters."""
    sides = {tag["side"] for tag in tags}
    return bool(tags or not known) and sides <= {cluster["side"] for cluster in known}


@pytest.mark.parametrize("size", SIZES)
def test_the_map_is_lit(opened: Callable[..., Page], size: str):
    page = opened(size)

    def coloured() -> float:
        pixels = _pixels(page.locator(".stage"))
        plot = pixels[:, : int(pixels.shape[1] * 0.6)]
        return float(((plot.max(axis=2) - plot.min(axis=2)) > 50).mean())

    until(page, coloured, lambda share: 0.04 < share < 0.95)


@pytest.mark.parametrize("size", SIZES)
def test_clusters_in_sight_are_named_with_their_whole_mass(opened: Callable[..., Page], size: str):
    """How many there are is the market's affair: none is invented."""
    page = opened(size)

    def seen() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        known = page.request.get(page.url.partition("?")[0] + "v1/BTC/levels").json()["clusters"]
        assert all(cluster["notional"] >= 1.5 * cluster["ground"] for cluster in known)
        return known, page.evaluate(TAGS)

    # The market goes on between the two looks.
    _, tags = until(page, seen, lambda both: _named(*both))
    assert all("$" in tag["words"] for tag in tags)


@pytest.mark.parametrize("size", SIZES)
def test_names_of_clusters_stay_in_the_gutter_and_apart(opened: Callable[..., Page], size: str):
    page = opened(size)
    boxes = sorted(page.evaluate(TAGS), key=lambda b: b["y"])
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    axis, gutter = 90, 170 if size == "desk" else 90
    for above, below in itertools.pairwise(boxes):
        assert below["y"] >= above["y"] + above["height"] - 1
    for box in boxes:
        assert box["x"] >= stage["x"] + stage["width"] - axis - gutter


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", ["desk", *slow("phone")])
def test_no_pane_is_empty(opened: Callable[..., Page], size: str, view: str):
    page = opened(size, f"?view={view}")
    panes = [page.locator(".view")] + ([page.locator("aside")] if size == "desk" else [])
    for pane in panes:
        until(page, lambda pane=pane: _pixels(pane), _full)


@pytest.mark.parametrize("size", SIZES)
def test_the_map_moves_by_itself(opened: Callable[..., Page], size: str):
    page = opened(size)
    stage = page.locator(".stage")
    before = _pixels(stage)
    until(page, lambda: _pixels(stage), lambda now: not np.array_equal(before, now))


@pytest.mark.parametrize("size", SIZES)
def test_the_source_of_the_data_is_said(opened: Callable[..., Page], size: str):
    page = opened(size)
    badge = page.locator("[data-source]")
    expect(badge).to_be_visible()
    words = {"simulated": "Simulated market", "live": "Live", "replay": "Replay"}
    said = words[badge.get_attribute("data-source") or ""]
    expect(badge).to_have_text(re.compile(f"^{said}"), use_inner_text=True)
    page.wait_for_function("() => Number(document.querySelector('[data-age]').dataset.age) < 10")


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
    expect(button).to_contain_text("paused", use_inner_text=True)
    button.click()
    button.wait_for(state="hidden")


def test_the_legend_is_the_control(opened: Callable[..., Page]):
    page = opened("desk")
    low = page.get_by_role("slider", name="Hide below")
    mode = page.locator(".mode:not(.shade)")
    expect(mode).to_have_text("auto (visible)", use_inner_text=True)
    before = low.get_attribute("aria-valuetext") or ""
    low.focus()
    page.keyboard.press("ArrowRight")
    expect(mode).to_have_text("locked", use_inner_text=True)
    expect(low).not_to_have_attribute("aria-valuetext", before)
    expect(page).to_have_url(re.compile("above="))  # the amounts are those of relief
    track = page.locator(".track").bounding_box()
    assert track is not None
    _double_click(page, track["x"] + 60, track["y"] + 25)
    expect(mode).to_have_text("auto (visible)", use_inner_text=True)
    expect(page).not_to_have_url(re.compile("above="))


def test_the_address_holds_the_state(opened: Callable[..., Page]):
    page = opened("desk")
    page.keyboard.press("4")
    page.get_by_role("button", name="Longs", exact=True).click()
    expect(page).to_have_url(re.compile("side=long.*view=cumulative"))
    again = opened("desk", page.url[page.url.index("?") :])
    expect(again.get_by_role("heading", name="Cumulative liquidations").first).to_be_visible()
    pressed = again.get_by_role("button", name="Longs", exact=True)
    expect(pressed).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_moves_the_cursor_and_the_views(opened: Callable[..., Page]):
    page = opened("desk")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    readout = page.locator(".readout")
    price = readout.locator("div", has=page.get_by_text("Price", exact=True)).locator("dd")
    first = price.inner_text()
    page.keyboard.press("ArrowUp")
    expect(price).not_to_have_text(first, use_inner_text=True)
    page.keyboard.press("Escape")
    readout.wait_for(state="hidden")
    page.keyboard.press("2")
    page.get_by_role("heading", name="Levels", exact=True).wait_for()


def test_a_finger_finds_every_control_on_the_phone(opened: Callable[..., Page]):
    page = opened("phone")
    assert page.evaluate(SMALL) == []
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
    sheet = page.get_by_role("dialog", name="Filters")
    sheet.wait_for()
    sheet.get_by_role("button", name="100×").click()
    expect(page).to_have_url(re.compile("tiers="))
    rest(page)
    assert page.evaluate(SMALL) == []
