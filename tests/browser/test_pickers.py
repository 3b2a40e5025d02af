"""Every picker and every key does what it says, at four sizes, over the demo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .conftest import CHOSEN, slow
from .waits import NARROW, rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

VIEW_KEYS = {
    "2": "view=levels", "3": "view=ratio", "4": "view=cumulative", "5": "view=venues",
}  # fmt: skip
SHEET_KEYS = {
    "/": "Market", "?": "Keyboard shortcuts", "v": "Venue status", "t": "Map reliability",
    "s": "Share and export",
}  # fmt: skip


def filters(page: Page) -> Page | Locator:
    """Where the filters are: in the toolbar, or in their sheet."""
    if (page.viewport_size or {"width": 0})["width"] > NARROW:
        return page.locator(".toolbar")
    if not page.locator("dialog[open]").count():
        page.get_by_role("button", name=re.compile("^Filters")).click()
    return page.locator("dialog[open]")


def press(page: Page, group: str, name: str) -> None:
    """Press one of a group of choices, which a menu holds where the row is too narrow."""
    where = filters(page).get_by_role("group", name=group, exact=True)
    door = filters(page).get_by_role("button", name=re.compile(f"^{group}: "))
    if not where.count() and door.count():
        door.click()
    where.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("size", CHOSEN)
def test_every_span_and_side_is_asked_for_and_shown(at: Callable[..., Page], size: str):
    page = at(size)
    spans = page.request.get(page.url.partition("?")[0] + "v1/BTC/heatmap?span=3d").json()["spans"]
    assert set(spans) >= {"15m", "1h", "4h", "1d", "3d", "7d", "30d"}
    for span in spans:
        press(page, "Time span", span)
        page.wait_for_url(re.compile(f"span={span}"))
        page.wait_for_function(
            "span => (document.querySelector('[aria-label=\"Time span\"] [aria-pressed=true]')"
            " ?? document.querySelector('[aria-label^=\"Time span: \"]'))"
            "?.textContent.trim() === span",
            arg=span,
        )
    for side, words in (("Longs", "side=long"), ("Shorts", "side=short")):
        press(page, "Side", side)
        page.wait_for_url(re.compile(words))
    press(page, "Side", "Both")
    page.wait_for_function("() => !location.search.includes('side=')")


@pytest.mark.parametrize("size", ["360", "1440"])
def test_tiers_venues_and_models_are_switched_one_by_one(at: Callable[..., Page], size: str):
    page = at(size)
    for tier in (100, 50, 25, 10):
        press(page, "Leverage tiers", f"{tier}×")
    page.wait_for_url(re.compile(r"tiers=5(&|$)"))
    press(page, "Leverage tiers", "5×")  # the last one cannot be switched off
    rest(page)
    assert re.search(r"tiers=5(&|$)", page.evaluate("location.search"))
    if size == "1440":
        page.get_by_role("button", name=re.compile("^Venues")).click()
        page.locator("[aria-label=Venues] button", has_text="Bybit").click()
    else:
        filters(page).locator("[aria-label=Venues] button", has_text="Bybit").click()
    page.wait_for_function(
        "() => location.search.includes('venues=') && !location.search.includes('bybit')",
    )
    if size == "1440":
        page.keyboard.press("Escape")
        page.get_by_label("Model").select_option("static")
    else:
        press(page, "Model", "Static")
    page.wait_for_url(re.compile("model=static"))


@pytest.mark.parametrize("size", CHOSEN)
def test_every_key_does_what_the_list_of_keys_says(at: Callable[..., Page], size: str):
    page = at(size)
    for key, words in VIEW_KEYS.items():
        page.keyboard.press(key)
        page.wait_for_url(re.compile(words))
    page.keyboard.press("1")
    page.wait_for_function("() => !location.search.includes('view=')")
    page.keyboard.press("]")
    page.wait_for_url(re.compile("span=5d"))
    page.keyboard.press("[")
    page.wait_for_url(re.compile("span=3d"))
    page.keyboard.press("m")
    page.wait_for_url(re.compile("model=static"))
    page.keyboard.press("m")
    page.wait_for_url(re.compile("model=difference"))
    page.keyboard.press("m")
    page.wait_for_function("() => !location.search.includes('model=')")
    for key, title in SHEET_KEYS.items():
        page.keyboard.press(key)
        sheet = page.get_by_role("dialog", name=title)
        sheet.wait_for()
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")
        # a key that falls into the closing of the sheet before it is the page's to drop
        rest(page)
    page.keyboard.press("p")
    page.get_by_role("slider", name=re.compile("[Tt]ime|[Hh]istory|[Mm]oment")).first.wait_for()
    page.keyboard.press("p")
    page.keyboard.press("b")
    page.wait_for_url(re.compile("layers="))


@pytest.mark.parametrize("size", ["390", *slow("1440")])
def test_settings_change_what_they_name_and_last(at: Callable[..., Page], size: str):
    page = at(size)

    def choose(group: str, name: str) -> None:
        if not page.locator("dialog[open]").count():
            page.get_by_role("button", name="Settings").first.click()
        sheet = page.locator("dialog[open]")
        sheet.get_by_role("group", name=group).get_by_role("button", name=name, exact=True).click()

    choose("Price axis", "Logarithmic")
    choose("Clock", "UTC")
    choose("Currency of amounts", "NZD")
    choose("Heat", "Off")
    page.locator("dialog[open]").get_by_role("button", name="viridis").click()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="hidden")
    page.get_by_text("NZ$").filter(visible=True).first.wait_for()
    kept = page.evaluate("JSON.parse(localStorage.getItem('powderkeg'))")
    assert (kept["axis"], kept["zone"], kept["palette"], kept["currency"]) == (
        "log", "utc", "viridis", "NZD",
    )  # fmt: skip
    page.reload()
    page.get_by_text("NZ$").filter(visible=True).first.wait_for()
