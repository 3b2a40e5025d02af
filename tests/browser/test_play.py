"""Playback in a real browser, over stored data of the fall of 5 February 2026."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from .waits import lived

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

COMMAND = "from powderkeg.cli.main import main; main()"
AT = 1_770_292_800_000_000
"""5 February 2026, 12:00 UTC."""
BAR = 300_000_000


SOURCE = Path(__file__).parents[1] / "sources" / "btc_2026.toml"


@pytest.fixture(scope="package")
def page_url(stored_url: str) -> str:
    """The page of stored data."""
    return stored_url


def _at(page: Page) -> int:
    return int(page.locator(".when").get_attribute("data-at") or 0)


def _await(page: Page, what: str) -> None:
    page.wait_for_function(
        f"() => (at => {what})(Number(document.querySelector('.when')?.dataset.at))"
    )


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_a_link_to_a_time_shows_what_was_known_then(opened: Callable[..., Page], size: str):
    asked: list[str] = []
    page = opened(size, "?span=3d&at=2026-02-05T12:00Z")
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Playback", exact=True).last.wait_for()
    _await(page, f"at === {AT}")
    badge = page.locator("[data-source=playback]").first
    expect(badge).to_have_text("Playback", use_inner_text=True)
    page.wait_for_url("**at=2026-02-05T12:00Z*")
    page.get_by_role("button", name="Next column").click()
    _await(page, f"at === {AT + BAR}")
    page.wait_for_url("**at=2026-02-05T12:05Z*")
    views = [url for url in asked if "/heatmap" in url or "/levels" in url or "/bars" in url]
    assert any(f"at={AT + BAR}" in url for url in views)
    # What belongs to the time before may still be on its way.
    assert all(re.search(f"at=({AT}|{AT + BAR})(&|$)", url) for url in views), views


def test_no_column_lies_right_of_the_time(opened: Callable[..., Page]):
    page = opened("desk", "?span=3d&at=2026-02-05T12:00Z")
    _await(page, f"at === {AT}")
    with page.expect_response(lambda r: "since=" in r.url) as told:
        page.keyboard.press(".")
    answer: dict[str, Any] = page.request.get(told.value.url).json()
    assert answer["t0"] + answer["cols"] * answer["step"] <= AT + BAR
    assert answer["cols"] <= 2
    assert answer["as_of"] < AT + BAR


def test_it_plays_pauses_and_jumps_by_key(opened: Callable[..., Page]):
    page = opened("desk", "?span=3d&at=2026-02-05T12:00Z")
    _await(page, f"at === {AT}")
    page.get_by_label("Speed").select_option("1000")
    page.locator(".stage").click(position={"x": 200, "y": 200})
    page.keyboard.press("Space")
    _await(page, f"at >= {AT + 3 * BAR}")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    stands = _at(page)
    lived(page, 1_200)
    assert _at(page) == stands
    page.keyboard.press(">")
    _await(page, f"at > {stands}")
    moves = page.request.get(page.url.partition("?")[0] + "v1/BTC/history").json()["moves"]
    assert _at(page) in {move["at"] for move in moves}
    page.get_by_role("button", name="Largest moves").click()
    page.locator(".moves button").first.click()
    _await(page, f"at === {moves[0]['at']}")


def test_the_slider_moves_and_the_way_back_leads_to_the_end(opened: Callable[..., Page]):
    page = opened("desk")
    page.keyboard.press("p")
    slider = page.get_by_label("Time", exact=True)
    slider.wait_for()
    box = slider.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    slider.fill(str(AT))
    _await(page, f"at === {AT}")
    page.wait_for_url("**at=2026-02-05T12:00Z*")
    page.get_by_role("button", name="Jump to end").click()
    page.wait_for_url(lambda url: "at=" not in url)


def test_zones_of_a_span_are_told_beside_the_levels(opened: Callable[..., Page]):
    page = opened("phone", "?span=3d&view=levels&at=2026-02-05T12:00Z")
    page.get_by_role("button", name="Over 3d").click()
    rows = page.locator(".zones tbody tr")
    rows.first.wait_for()
    expect(rows.first).to_contain_text("$", use_inner_text=True)
    assert 2 <= rows.count() <= 8
