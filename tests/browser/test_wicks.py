"""Long wicks on the map: marked after it, and opened among the signals by pointer and by key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from .conftest import VIEWPORTS, Size
from .episodes import add_wick, desk_of, serving
from .test_fit import axe_faults
from .waits import DRAWN, WITHIN, rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ENDS_AT = 50
"""Minute of the script at which the candle of the wick ends: 07:15."""


@pytest.fixture(scope="module")
def wicked() -> Iterator[str]:
    """Address of a session with two long wicks."""
    desk = desk_of()
    for minutes in (ENDS_AT - 15, ENDS_AT):
        add_wick(desk, minutes)
    with serving(desk) as url:
        yield url


@pytest.fixture
def wicks(browser: Browser, wicked: str) -> Iterator[Callable[..., Page]]:
    """Open the map at a size; the test fails when the page threw."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: Size) -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        pages.append(page)
        page.set_default_timeout(WITHIN)
        page.on("pageerror", lambda why: threw.append(str(why)))
        page.goto(f"{wicked}?span=4h")
        return page

    yield opener
    for page in pages:
        page.close()
    assert threw == []


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_mark_below_a_wick_opens_its_episode(wicks: Callable[..., Page], size: Size):
    page = wicks(size)
    marks = page.get_by_role("group", name="Long wicks").get_by_role("link")
    expect(marks).to_have_count(2)
    expect(marks.last).to_have_accessible_name(
        re.compile(r"Long wick to 148,\d+, 23 Nov \d\d:15: map only")
    )
    rest(page)
    assert axe_faults(page, size) == []
    marks.last.locator("i").click()
    expect(page.get_by_role("heading", name="Wick explained")).to_be_visible()
    assert re.search(r"place=signals&episode=BTC:wick:\d+:long", unquote(page.url))


def test_marks_are_one_stop_of_the_keyboard_and_arrows_go_between_them(
    wicks: Callable[..., Page],
):
    page = wicks("desk")
    marks = page.get_by_role("group", name="Long wicks").get_by_role("link")
    expect(marks).to_have_count(2)
    assert marks.evaluate_all("all => all.map(each => each.tabIndex)") == [-1, 0]
    marks.last.focus()
    marks.last.press("ArrowLeft")
    expect(marks.first).to_be_focused()
    assert marks.evaluate_all("all => all.map(each => each.tabIndex)") == [0, -1]
    marks.first.press("Enter")
    expect(page.get_by_role("heading", name="Wick explained")).to_be_visible()


def test_no_wick_is_asked_for_before_the_map_is_drawn(wicks: Callable[..., Page]):
    page = wicks("desk")
    page.add_init_script(
        f"""const own = fetch;
        window.early = [];
        window.fetch = (url, ...rest) => {{
          if (String(url).includes('type=wick') && !document.querySelector('{DRAWN}'))
            window.early.push(String(url));
          return own(url, ...rest);
        }}"""
    )
    with page.expect_response(lambda answer: "type=wick" in answer.url):
        page.reload()
    assert page.evaluate("window.early") == []
