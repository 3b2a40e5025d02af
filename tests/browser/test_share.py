"""What the page gives away, the currency it counts in, and all markets at a glance."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import Size, slow
from .waits import rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SIZES: tuple[Size, ...] = ("phone", "desk")
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
SMALL = """() => [...document.querySelectorAll('dialog button, dialog a, dialog input')]
  .map(e => [e, e.getBoundingClientRect()]).filter(([e, b]) => b.width < 43.5 || b.height < 43.5)
  .map(([e, b]) => `${b.width}x${b.height} ${e.outerHTML.slice(0, 80)}`)"""
TINY = """() => [...document.querySelectorAll('dialog *')].filter(e =>
  [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 11).map(e => e.outerHTML.slice(0, 80))"""
CLIPPED = """() => [...document.querySelectorAll('dialog .content, dialog .content *')]
  .filter(e => !e.classList.contains('sr') && e.scrollWidth > e.clientWidth + 1)
  .filter(e => getComputedStyle(e).overflowX === 'hidden')
  .map(e => e.outerHTML.slice(0, 80))"""


def _sound(page: Page) -> None:
    """Nothing in the open sheet is too small to read or touch, cut off, or out of reach."""
    rest(page)
    assert page.evaluate(SMALL) == []
    assert page.evaluate(TINY) == []
    assert page.evaluate(CLIPPED) == []
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document.querySelector('dialog'))")
    assert [v["id"] for v in found["violations"]] == []


@pytest.mark.parametrize("size", SIZES)
def test_the_sheet_of_shares_is_sound_and_opened_by_key(opened: Callable[..., Page], size: Size):
    page = opened(size)
    page.keyboard.press("s")
    page.get_by_role("dialog", name="Share and export").wait_for()
    page.get_by_text("Copy TradingView levels").wait_for()
    _sound(page)


@pytest.mark.parametrize("size", ["desk", *slow("phone")])
@pytest.mark.parametrize("view", VIEWS)
def test_the_picture_of_every_view_is_lit_and_named(
    opened: Callable[..., Page], tmp_path: Path, size: Size, view: str
):
    page = opened(size, f"?view={view}&span=1d")
    page.keyboard.press("s")
    with page.expect_download() as waiting:
        page.get_by_text("Save image").click()
    name = "" if view == "heatmap" else f"-{view}"
    assert re.fullmatch(
        rf"powderkeg-BTC{name}-1d-\d{{8}}T\d{{4}}Z\.png", waiting.value.suggested_filename
    )
    waiting.value.save_as(tmp_path / "p.png")
    image = Image.open(tmp_path / "p.png")
    pixels = np.asarray(image.convert("RGB")).astype(int).sum(axis=2)
    shown = page.locator("main .view").bounding_box()
    assert shown is not None
    assert image.width == pytest.approx(shown["width"], abs=1)
    assert image.height > shown["height"] + 80  # title above, stamp below
    assert (pixels > 150).mean() > 0.02
    assert (pixels[-30:] > 250).any()  # the last line of the stamp


def test_a_table_is_downloaded_in_the_currency_of_the_page(
    opened: Callable[..., Page], tmp_path: Path
):
    page = opened("desk", "?view=levels&ccy=NZD")
    page.get_by_text("NZ$").first.wait_for()
    page.keyboard.press("s")
    with page.expect_download() as waiting:
        page.get_by_text("CSV", exact=True).click()
    waiting.value.save_as(tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    assert "# ccy: NZD" in text
    assert "price_low,price_high,side,nzd,low80,high80" in text


def test_a_currency_is_chosen_kept_in_the_address_and_remembered(opened: Callable[..., Page]):
    page = opened("desk")
    amount = page.get_by_text("NZ$").filter(visible=True).first
    expect(amount).to_have_count(0)
    page.get_by_label("Settings").click()
    page.get_by_role("button", name="NZD").click()
    page.get_by_text(re.compile(r"1 USD = 1\.\d{4} NZD, ECB fixing of 20\d\d-")).wait_for()
    page.keyboard.press("Escape")
    amount.wait_for()
    expect(page).to_have_url(re.compile("ccy=NZD"))
    page.goto(page.url.partition("?")[0])
    amount.wait_for()


def test_a_locked_scale_keeps_its_cells_when_the_currency_changes(opened: Callable[..., Page]):
    page = opened("desk", "?scale=2000000-20000000")
    low = page.get_by_role("slider", name="Hide below")
    expect(low).to_have_attribute("aria-valuetext", "$2.00M")
    before = low.get_attribute("aria-valuenow") or ""
    page.get_by_label("Settings").click()
    page.get_by_role("button", name="EUR").click()
    page.wait_for_function("() => location.search.includes('ccy=EUR')")
    page.keyboard.press("Escape")
    expect(low).to_have_attribute("aria-valuetext", re.compile(r"^€1\."))
    expect(low).to_have_attribute("aria-valuenow", before)


@pytest.mark.parametrize("size", SIZES)
def test_all_markets_are_seen_at_a_glance(opened: Callable[..., Page], size: Size):
    page = opened(size)
    page.keyboard.press("/")
    dialog = page.get_by_role("dialog", name="Market")
    dialog.locator("[data-grade]").first.wait_for()
    for coin in ("BTC", "ETH"):
        expect(dialog.get_by_role("button", name=coin).first).to_be_visible()
    _sound(page)


def test_the_first_that_is_found_is_opened_by_enter(opened: Callable[..., Page]):
    page = opened("desk")
    page.keyboard.press("/")
    page.get_by_label("Find a market").fill("et")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('coin=ETH')")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_table_of_markets_is_sorted_by_key(opened: Callable[..., Page]):
    page = opened("desk")
    page.keyboard.press("/")
    page.locator("dialog tbody [data-grade]").first.wait_for()
    head = page.get_by_role("button", name="Market", exact=True)
    head.focus()
    sorts = page.locator("dialog th", has=head)
    names = page.locator("dialog tbody th")
    page.keyboard.press("Enter")
    expect(sorts).to_have_attribute("aria-sort", "ascending")
    risen = [name.strip() for name in names.all_inner_texts()]
    assert risen == sorted(risen)
    page.keyboard.press("Enter")
    expect(sorts).to_have_attribute("aria-sort", "descending")
    expect(names).to_have_text(risen[::-1], use_inner_text=True)
