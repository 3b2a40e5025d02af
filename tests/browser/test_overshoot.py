"""The cumulative view's "If price touches": levels, the fan of end prices, chains, unknowns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .conftest import Size
from .test_fit import axe_faults, faults_of
from .waits import rest, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

VIEW = "?view=cumulative"
FACTS = "[data-summary=overshoot]"


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_nearest_cluster_of_each_side_is_shown_at_first(
    opened: Callable[..., Page], size: Size
):
    page = opened(size, VIEW)
    touches = page.locator(f"{FACTS} section", has_text="Half end beyond")
    expect(touches).to_have_count(2)
    expect(touches.first).to_contain_text(re.compile(r"After a touch of.*−.*longs", re.DOTALL))
    expect(touches.last).to_contain_text(re.compile(r"After a touch of.*\+.*shorts", re.DOTALL))
    for words in ("80% end between", "More than 0.5% beyond", "Liquidated on the way", "Chain"):
        expect(touches.first).to_contain_text(words)
    unknown = page.get_by_role("region", name="What is not known")
    expect(unknown).to_contain_text("whether price touches a level at all")
    expect(unknown).to_contain_text(re.compile(r"No sweep of BTC seen|Learned from \d+ sweep"))
    fan = page.get_by_role("img", name=re.compile("^End prices: after a touch of .* half end"))
    expect(fan).to_be_visible()
    rest(page)
    assert faults_of(page, size) + axe_faults(page, size) == []


def test_a_level_is_chosen_by_button_by_key_and_by_click(opened: Callable[..., Page]):
    page = opened("desk", VIEW)
    touches = page.locator(f"{FACTS} section", has_text="Half end beyond")
    expect(touches).to_have_count(2)
    level = page.get_by_role("textbox", name="If price touches")

    def agree() -> None:
        until(
            page,
            lambda: (level.input_value(), touches.inner_text()),
            lambda read: f"After a touch of {read[0]}" in read[1],
        )

    above = page.get_by_role("button", name="Next cluster above")
    expect(above).to_be_enabled()
    above.press("Enter")
    expect(level).to_have_value(re.compile(r"\d"))
    expect(touches).to_have_count(1)
    agree()
    expect(page).to_have_url(re.compile("cursor="))
    before = level.input_value()
    page.locator("body").press("Shift+ArrowUp")
    expect(level).not_to_have_value(before)
    agree()
    page.locator(".curve canvas").first.click(position={"x": 60, "y": 60})
    expect(touches).to_contain_text("longs")
    agree()
    page.get_by_role("button", name="nearest clusters").click()
    expect(touches).to_have_count(2)


def test_nothing_of_it_is_loaded_before_the_view_is_opened(opened: Callable[..., Page]):
    page = opened("desk")
    asked: list[str] = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    assert [url for url in asked if "overshoot" in url] == []
    page.keyboard.press("4")
    page.locator(FACTS).wait_for()
