"""One cursor in five views, the legend as the control, and what fingers do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import CDPSession, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

READOUT_WITHIN = 12_000
LONG_PRESS = 500
ROW = 5e-4
"""Height of a row of the map, of the price."""


def _pinned(page: Page) -> float:
    place = str(page.evaluate("location.search"))
    found = re.search(r"cursor=([\d.]+)", place)
    assert found, place
    return float(found[1])


def _read_out(page: Page) -> float:
    """Return the price of the readout: the axis of a live map moves, so it is the cursor's row."""
    readout = page.locator(".readout")
    readout.wait_for(timeout=READOUT_WITHIN)
    found = re.search(r"Price\s+([\d,.]+)", readout.inner_text())
    assert found, readout.inner_text()
    return float(found[1].replace(",", ""))


def _shown(page: Page) -> list[float]:
    """Return the numbers a view tells of the cursor."""
    words = page.locator("[data-said], .said").first.inner_text()
    return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,.]*\d|\d", words)]


def test_a_cursor_is_carried_from_the_map_through_all_views_and_links(
    opened: Callable[..., Page],
):
    page = opened("desk")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowDown")
    page.locator(".readout").wait_for(timeout=READOUT_WITHIN)
    price = _pinned(page)
    for key in "245":
        page.keyboard.press(key)
        page.wait_for_timeout(1_500)
        assert any(each == pytest.approx(price, rel=ROW) for each in _shown(page))
        assert _pinned(page) == price
    again = opened("desk", page.url[page.url.index("?") :])
    again.wait_for_timeout(1_500)
    assert any(each == pytest.approx(price, rel=ROW) for each in _shown(again))
    again.keyboard.press("1")
    assert _read_out(again) == pytest.approx(price, rel=ROW)
    again.keyboard.press("Escape")
    again.locator(".readout").wait_for(state="hidden")
    assert "cursor=" not in again.url


def test_pointing_at_the_levels_moves_the_cursor_of_the_map(opened: Callable[..., Page]):
    page = opened("desk", "?view=levels")
    page.wait_for_timeout(1_500)
    box = page.locator(".ladder canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 200, box["y"] + box["height"] * 0.7)
    price = _pinned(page)
    page.keyboard.press("ArrowDown")
    assert _pinned(page) < price
    lower = _pinned(page)
    page.keyboard.press("1")
    assert _read_out(page) == pytest.approx(lower, rel=ROW)


def test_what_a_view_has_of_its_own_is_in_the_address(opened: Callable[..., Page]):
    page = opened("desk", "?view=venues")
    page.wait_for_timeout(1_200)
    page.get_by_role("button", name="Multiples").click()
    page.get_by_role("button", name="±5%").click()
    page.keyboard.press("b")
    for part in ("mode=multiples", "reach=5", "layers=bands"):
        assert part in page.url
    again = opened("desk", page.url[page.url.index("?") :])
    again.wait_for_timeout(1_200)
    assert again.locator(".small canvas").count() >= 2
    again.keyboard.press("2")
    pressed = again.get_by_role("button", name="±5%").get_attribute("aria-pressed")
    assert pressed == "true"


def test_the_readout_says_who_holds_the_cell(opened: Callable[..., Page]):
    page = opened("desk")
    held = page.locator("[data-by=venue] dd", has_text="%")
    for _ in range(16):  # down to where something is held
        page.keyboard.press("Shift+ArrowDown")
        page.wait_for_timeout(900)
        if held.count():
            break
    held.wait_for(timeout=READOUT_WITHIN)
    said = page.locator(".readout").inner_text()
    for part in ("To get there", "±0.1%", "Next cells", "Tiers", "Venues", "Entry liquidated here"):
        assert part in said
    shares = re.findall(r"(\d+)%", page.locator("[data-by=tier] dd").inner_text())
    assert 97 <= sum(map(int, shares)) <= 103


def test_exact_dollars_are_typed_into_the_legend(opened: Callable[..., Page]):
    page = opened("desk")
    low = page.get_by_role("slider", name="Hide below")
    low.focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="Hide cells below, dollars")
    field.fill("five")
    field.press("Enter")
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("2.5M")
    field.press("Enter")
    field.wait_for(state="hidden")
    assert low.get_attribute("aria-valuetext") == "$2.50M"
    assert page.locator(".mode:not(.shade)").inner_text() == "locked"
    boxes = [b for e in page.locator(".legend .usd").all() if (b := e.bounding_box())]
    assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]


def _touch(cdp: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    where = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})


def _glide(cdp: CDPSession, frames: list[tuple[tuple[float, float], ...]]) -> None:
    _touch(cdp, "touchStart", *frames[0])
    for frame in frames[1:]:
        _touch(cdp, "touchMove", *frame)
    _touch(cdp, "touchEnd")


def _axis_height(page: Page) -> bytes:
    """Picture of the price axis."""
    return page.screenshot(clip={"x": 332, "y": 260, "width": 56, "height": 440})


def test_fingers_zoom_time_and_price_and_a_double_tap_undoes_it(opened: Callable[..., Page]):
    page = opened("phone")
    cdp = page.context.new_cdp_session(page)
    axis = _axis_height(page)
    _glide(cdp, [((120, 480 - i * 12), (124, 520 + i * 12)) for i in range(10)])
    page.wait_for_timeout(400)
    upright = _axis_height(page)
    assert upright != axis
    for _ in range(2):
        _glide(cdp, [((360, 500),)])
        page.wait_for_timeout(60)
    page.wait_for_timeout(400)
    assert _axis_height(page) != upright
    before = _axis_height(page)
    _glide(cdp, [((360, 400 + i * 12),) for i in range(10)])
    page.wait_for_timeout(400)
    assert _axis_height(page) != before
    low = {"x": 0, "y": 755, "width": 330, "height": 30}
    times = page.screenshot(clip=low)
    _glide(cdp, [((150 - i * 8, 500), (190 + i * 8, 502)) for i in range(10)])
    page.wait_for_timeout(400)
    assert page.screenshot(clip=low) != times
    assert page.evaluate("visualViewport.scale") == 1


def test_a_long_press_leaves_a_cursor_until_a_tap(opened: Callable[..., Page]):
    page = opened("phone")
    cdp = page.context.new_cdp_session(page)
    page.wait_for_timeout(1_500)
    _touch(cdp, "touchStart", (120, 560))
    page.wait_for_timeout(LONG_PRESS)
    _touch(cdp, "touchMove", (126, 566))
    _touch(cdp, "touchEnd")
    page.locator(".readout").wait_for(timeout=READOUT_WITHIN)
    page.wait_for_timeout(800)
    assert page.locator(".readout").is_visible()
    _glide(cdp, [((200, 600),)])
    page.locator(".readout").wait_for(state="hidden", timeout=3_000)


def test_a_sheet_is_dragged_shut(opened: Callable[..., Page]):
    page = opened("phone")
    page.get_by_role("button", name="Settings").click()
    sheet = page.locator("dialog[open]")
    sheet.wait_for()
    page.wait_for_timeout(300)
    box = sheet.bounding_box()
    assert box is not None
    cdp = page.context.new_cdp_session(page)
    _glide(cdp, [((120, box["y"] + 20 + i * 20),) for i in range(10)])
    sheet.wait_for(state="hidden", timeout=3_000)
