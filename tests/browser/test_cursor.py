"""One cursor in five views, the legend as the control, and what fingers do."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .waits import VIEWS, lived, rest, stands, to_a_held_cell, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import CDPSession, FloatRect, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LONG_PRESS = 500
FRAME = 0.016
"""Seconds between two touches of one movement."""
ROW = 5e-4
"""Height of a row of the map, of the price."""


def _pinned(page: Page) -> float:
    page.wait_for_function("() => /cursor=[\\d.]+/.test(location.search)")
    place = str(page.evaluate("location.search"))
    found = re.search(r"cursor=([\d.]+)", place)
    assert found, place
    return float(found[1])


def _read_out(page: Page) -> float:
    """Return the price of the readout: the axis of a live map moves, so it is the cursor's row."""
    words = page.locator(".readout").inner_text()
    found = re.search(r"Price\s+([\d,.]+)", words)
    assert found, words
    return float(found[1].replace(",", ""))


def _reads(page: Page, price: float) -> None:
    """Wait until the readout tells a price."""
    until(page, lambda: _read_out(page), lambda said: said == pytest.approx(price, rel=ROW))


def _shows(page: Page, price: float) -> None:
    """Wait until a view tells a price among the numbers of the cursor."""

    def numbers() -> list[float]:
        words = page.locator("[data-summary], .summary").first.inner_text()
        return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,.]*\d|\d", words)]

    near = pytest.approx(price, rel=ROW)
    until(page, numbers, lambda said: any(each == near for each in said))


def test_a_cursor_is_carried_from_the_map_through_all_views_and_links(
    opened: Callable[..., Page],
):
    page = opened("desk")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowDown")
    page.locator(".readout").wait_for()
    price = _pinned(page)
    for key in "245":
        page.keyboard.press(key)
        stands(page, list(VIEWS)[int(key) - 1])
        _shows(page, price)
        assert _pinned(page) == price
    expect(page).to_have_url(re.compile("view=venues.*cursor="))
    again = opened("desk", page.url[page.url.index("?") :])
    _shows(again, price)
    again.keyboard.press("1")
    _reads(again, price)
    again.keyboard.press("Escape")
    again.locator(".readout").wait_for(state="hidden")
    expect(again).not_to_have_url(re.compile("cursor="))


def test_pointing_at_the_levels_moves_the_cursor_of_the_map(opened: Callable[..., Page]):
    page = opened("desk", "?view=levels")
    box = page.locator(".ladder canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 200, box["y"] + box["height"] * 0.7)
    page.mouse.move(box["x"] + 200, 5)  # a pointer over the map would have a cursor of its own
    price = _pinned(page)
    page.keyboard.press("ArrowDown")
    lower = until(page, lambda: _pinned(page), lambda pinned: pinned < price)
    page.keyboard.press("1")
    _reads(page, lower)


def test_what_a_view_has_of_its_own_is_in_the_address(opened: Callable[..., Page]):
    page = opened("desk", "?view=venues")
    page.get_by_role("button", name="Multiples").click()
    page.get_by_role("button", name="±5%").click()
    page.keyboard.press("b")
    for part in ("mode=multiples", "reach=5", "layers=bands"):
        expect(page).to_have_url(re.compile(part))
    again = opened("desk", page.url[page.url.index("?") :])
    again.locator(".small canvas").nth(1).wait_for()
    again.keyboard.press("2")
    stands(again, "levels")
    pressed = again.get_by_role("button", name="±5%")
    expect(pressed).to_have_attribute("aria-pressed", "true")


def test_the_readout_says_who_holds_the_cell(opened: Callable[..., Page]):
    page = opened("desk")
    to_a_held_cell(page)
    said = page.locator(".readout")
    for part in ("To get there", "±0.1%", "Adjacent", "Tiers", "Venues", "Entry liquidated here"):
        expect(said).to_contain_text(part, use_inner_text=True)
    tiers = page.locator("[data-by=tier] dd")

    def shares() -> int:
        return sum(int(share) for share in re.findall(r"(\d+)%", tiers.inner_text()))

    until(page, shares, lambda whole: 97 <= whole <= 103)


def test_exact_dollars_are_typed_into_the_legend(opened: Callable[..., Page]):
    page = opened("desk")
    low = page.get_by_role("slider", name="Hide below")
    low.focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="Hide cells below, dollars")
    field.fill("five")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("2.5M")
    field.press("Enter")
    field.wait_for(state="hidden")
    expect(low).to_have_attribute("aria-valuetext", "$2.50M")
    expect(page.locator(".mode:not(.shade)")).to_have_text("locked", use_inner_text=True)
    ends = page.locator(".legend .usd")

    def boxes() -> list[list[float]]:
        return ends.evaluate_all(
            "all => all.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right])"
        )

    until(page, boxes, lambda both: both[0][1] < both[1][0])


def _touch(cdp: CDPSession, kind: str, at: float, *points: tuple[float, float]) -> None:
    """Touch at a time of its own, s: how long the events take to arrive must not count."""
    where = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    touch = {"type": kind, "touchPoints": where, "timestamp": at}
    cdp.send("Input.dispatchTouchEvent", touch)


def _glide(
    cdp: CDPSession, frames: list[tuple[tuple[float, float], ...]], began: float | None = None
) -> None:
    at = time.time() if began is None else began
    _touch(cdp, "touchStart", at, *frames[0])
    for i, frame in enumerate(frames[1:], 1):
        _touch(cdp, "touchMove", at + i * FRAME, *frame)
    _touch(cdp, "touchEnd", at + len(frames) * FRAME)


def _axis_height(page: Page) -> bytes:
    """Picture of the price axis."""
    return page.screenshot(clip={"x": 332, "y": 260, "width": 56, "height": 440})


def test_fingers_zoom_time_and_price_and_a_double_tap_undoes_it(opened: Callable[..., Page]):
    page = opened("phone")
    cdp = page.context.new_cdp_session(page)
    axis = _axis_height(page)
    _glide(cdp, [((120, 480 - i * 12), (124, 520 + i * 12)) for i in range(10)])
    rest(page)
    upright = until(page, lambda: _axis_height(page), lambda now: now != axis)
    began = time.time()
    for tap in range(2):
        _glide(cdp, [((360, 500),)], began + tap * 0.08)
    rest(page)
    before = until(page, lambda: _axis_height(page), lambda now: now != upright)
    _glide(cdp, [((360, 400 + i * 12),) for i in range(10)])
    rest(page)
    until(page, lambda: _axis_height(page), lambda now: now != before)
    low: FloatRect = {"x": 0, "y": 755, "width": 330, "height": 30}
    times = page.screenshot(clip=low)
    _glide(cdp, [((150 - i * 8, 500), (190 + i * 8, 502)) for i in range(10)])
    until(page, lambda: page.screenshot(clip=low), lambda now: now != times)
    assert page.evaluate("visualViewport.scale") == 1


def test_a_long_press_leaves_a_cursor_until_a_tap(opened: Callable[..., Page]):
    page = opened("phone")
    cdp = page.context.new_cdp_session(page)
    began = time.time()
    _touch(cdp, "touchStart", began, (120, 560))
    lived(page, LONG_PRESS)
    _touch(cdp, "touchMove", time.time(), (126, 566))
    _touch(cdp, "touchEnd", time.time())
    page.locator(".readout").wait_for()
    lived(page, 800)
    assert page.locator(".readout").is_visible()
    page.touchscreen.tap(200, 600)  # both of its events in one step, or it would be a long press
    page.locator(".readout").wait_for(state="hidden")


def test_a_sheet_is_dragged_shut(opened: Callable[..., Page]):
    page = opened("phone")
    page.get_by_role("button", name="Settings").click()
    sheet = page.locator("dialog[open]")
    sheet.wait_for()
    rest(page)
    box = sheet.bounding_box()
    assert box is not None
    cdp = page.context.new_cdp_session(page)
    _glide(cdp, [((120, box["y"] + 20 + i * 20),) for i in range(10)])
    sheet.wait_for(state="hidden")
