"""The place Flow: a ladder beside the map, the read, the tape, on a desk and on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .conftest import VIEWPORTS, Size
from .waits import WITHIN, rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes[0].html)"
BOXES = "es => es.map(e => { const b = e.getBoundingClientRect(); return [b.top, b.bottom] })"


@pytest.fixture
def flow(browser: Browser, page_url: str) -> Iterator[Callable[[Size], Page]]:
    """Open the place at a size and wait for its ladder and its read."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: Size) -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        pages.append(page)
        page.set_default_timeout(WITHIN)
        page.on("pageerror", lambda why: threw.append(str(why)))
        page.goto(f"{page_url}?place=flow")
        page.locator("[data-rows]").wait_for()
        page.locator("[data-read]").nth(3).wait_for(state="attached")
        return page

    yield opener
    for page in pages:
        page.close()
    assert threw == []


def _axe(page: Page) -> list[str]:
    rest(page)
    page.evaluate(AXE.read_text())
    return page.evaluate(RUN)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_place_passes_axe_and_is_in_the_address(flow: Callable[[Size], Page], size: Size):
    page = flow(size)
    places = page.get_by_role("navigation", name="Sections")
    expect(places.get_by_role("button")).to_have_text(
        ["Map", "Flow", "Signals"], use_inner_text=True
    )
    expect(places.get_by_role("button", name="Flow")).to_have_attribute("aria-current", "page")
    assert _axe(page) == []
    places.get_by_role("button", name="Map").click()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    assert "place=" not in page.url
    places.get_by_role("button", name="Flow").click()
    page.wait_for_url(re.compile("place=flow"))
    page.locator("[data-rows]").wait_for()


def test_each_row_of_the_read_has_a_figure_a_need_a_count_and_an_age(
    flow: Callable[[Size], Page],
):
    page = flow("desk")
    names = page.locator("[data-read]").evaluate_all("es => es.map(e => e.dataset.read)")
    assert names == ["where", "whether", "when", "crowd"]
    for name in names:
        row = page.locator(f"[data-read={name}]")
        expect(row.locator(".figure")).to_have_text(re.compile(r"–|\d"))
        expect(row).to_contain_text(re.compile(r"needs .+n [\d,]+ \w+", re.DOTALL))
        expect(row.locator(".age")).to_have_text(re.compile(r"–|\d+(\.\d)? (s|min|h|d)"))
        expect(row.get_by_role("img")).to_have_accessible_name(
            re.compile("met|waiting|not met|unknown")
        )
    expect(page.get_by_role("region", name="Read")).to_contain_text("Evidence, not a direction.")


def test_a_key_moves_the_row_and_the_map_shows_the_same_prices(flow: Callable[[Size], Page]):
    page = flow("desk")
    ladder = page.get_by_role("slider", name="Row of the ladder")
    expect(ladder).to_have_attribute("data-rows", "38")
    ladder.focus()
    ladder.press("ArrowUp")
    expect(page.locator(".chosen button")).to_have_text("Add note")
    (top, bottom), *_ = page.locator("[data-rows] canvas").evaluate_all(BOXES)
    panes = page.locator(".chart canvas").evaluate_all(BOXES)
    assert any(abs(a - top) <= 1 and abs(b - bottom) <= 1 for a, b in panes), (top, bottom, panes)


def test_on_a_phone_ladder_map_and_read_are_swiped_and_the_tape_is_a_sheet(
    flow: Callable[[Size], Page],
):
    page = flow("phone")
    panes = page.get_by_role("group", name="Panes").get_by_role("button")
    expect(panes).to_have_text(["Map", "Ladder", "Read"], use_inner_text=True)
    expect(panes.nth(1)).to_have_attribute("aria-current", "true")
    page.locator(".swipe").evaluate("e => e.scrollTo(2 * e.clientWidth, 0)")
    expect(panes.nth(2)).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-read=crowd]")).to_be_in_viewport()
    page.get_by_role("button", name="Tape").click()
    sheet = page.get_by_role("dialog", name="Tape")
    expect(sheet.locator("tbody tr").first).to_be_visible()
    assert _axe(page) == []


def test_resting_orders_are_off_at_first_then_drawn_remembered_and_in_the_address(
    flow: Callable[[Size], Page],
):
    page = flow("desk")
    switch = page.get_by_role("button", name="Resting orders")
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-resting]")).to_have_count(0)
    switch.click()
    expect(page.locator("[data-resting]")).to_have_attribute("data-resting", re.compile(r"[1-9]"))
    expect(page.locator("[data-resting]")).to_contain_text(
        re.compile("bids.+asks.+book", re.DOTALL)
    )
    page.wait_for_url(re.compile("layers=resting"))
    assert _axe(page) == []
    page.goto(page.url.partition("?")[0] + "?place=flow")
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.click()
    expect(page.locator("[data-resting]")).to_have_count(0)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_session_and_the_weekday_are_in_the_header(flow: Callable[[Size], Page], size: Size):
    page = flow(size)
    session = page.get_by_text(
        re.compile("(Asia|London|New York|overlap|between sessions) · .+day$")
    ).first
    expect(session).to_be_visible()


def test_a_cluster_beside_the_ladder_says_what_rests_before_it(flow: Callable[[Size], Page]):
    page = flow("desk")
    cluster = page.locator("[data-shield]").first
    expect(cluster).to_contain_text(re.compile(r"shielded|exposed|unknown"))
    expect(cluster).to_contain_text(re.compile(r"\$[\d.]+[KMB]?\s+(bid|ask)\s+to\s+\$"))


def test_playback_says_so_and_returns_to_the_stream(flow: Callable[[Size], Page]):
    page = flow("desk")
    page.get_by_role("button", name="Playback").click()
    playback = page.get_by_role("region", name="Playback")
    playback.get_by_role("button", name="Previous column").click()
    expect(page.locator(".chip.past")).to_have_text(re.compile("As known at|Past"))
    # A demo keeps columns of the map only: nothing of now is shown as if it were of then.
    expect(page.get_by_role("alert")).to_contain_text("replay of stored data")
    expect(page.locator("[data-rows]")).to_have_count(0)
    playback.get_by_role("button", name="Back to live").click()
    expect(page.locator(".chip.past")).to_have_count(0)
    page.locator("[data-rows]").wait_for()
    expect(page.get_by_role("alert")).to_have_count(0)
