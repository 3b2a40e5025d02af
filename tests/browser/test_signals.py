"""The place Signals: episodes of scripted trades, listed and in full, on a desk and on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from powderkeg.desk import Desk

from .conftest import VIEWPORTS, Size
from .episodes import desk_of, serving
from .waits import WITHIN, rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes[0].html)"
WIDE = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    """Address of a session with episodes."""
    with serving(desk_of()) as url:
        yield url


@pytest.fixture
def signals(browser: Browser, scripted: str) -> Iterator[Callable[..., Page]]:
    """Open the place at a size and wait for the episode in full."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: Size, query: str = "", url: str = scripted) -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        pages.append(page)
        page.set_default_timeout(WITHIN)
        page.on("pageerror", lambda why: threw.append(str(why)))
        page.goto(f"{url}?place=signals{query}")
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
def test_the_place_passes_axe_and_is_in_the_address(signals: Callable[..., Page], size: Size):
    page = signals(size)
    page.get_by_role("list", name="States").wait_for()
    places = page.get_by_role("navigation", name="Sections")
    expect(places.get_by_role("button", name="Signals")).to_have_attribute("aria-current", "page")
    assert _axe(page) == []
    assert page.evaluate(WIDE) == 0
    page.get_by_role("button", name="Statistics").click()
    expect(page.locator("[data-statistic=sweep_reclaim]")).to_contain_text("not enough yet")
    expect(page.locator("[data-touched='swept and reclaimed']")).to_contain_text("1")
    expect(page.locator("[data-month='2026-11']").first).to_be_visible()
    assert _axe(page) == []
    assert page.evaluate(WIDE) == 0
    places.get_by_role("button", name="Flow").click()
    page.locator("[data-rows]").wait_for()
    places.get_by_role("button", name="Signals").click()
    page.get_by_role("list", name="States").wait_for()


def test_the_newest_episode_is_shown_with_states_evidence_plan_and_base_rate(
    signals: Callable[..., Page],
):
    page = signals("desk")
    states = page.get_by_role("list", name="States").get_by_role("listitem")
    expect(states).to_have_text(
        [re.compile(word) for word in (
            r"1 ?approach.*06:33:27", r"2 ?in zone", r"3 ?swept", r"4 ?absorbing.*07:11:39",
            r"5 ?reclaimed.*not yet",
        )]
    )  # fmt: skip
    expect(page.locator("[data-evidence='refill']")).to_contain_text(re.compile(r"0\.9\d.*≥ 0\.70"))
    expect(page.locator("[data-evidence='crowd: funding']")).to_contain_text("P85")
    expect(page.locator("[data-evidence] svg").first).to_have_accessible_name("met")
    plan = page.get_by_role("region", name="Plan")
    expect(plan).to_contain_text(re.compile(r"149,000.*147,80\d.*153,000.*R gross"))
    expect(page.locator(".rate")).to_contain_text("n under 30: not enough yet")
    label = page.get_by_role("img", name="Price around the episode").get_attribute("aria-label")
    assert label is not None
    assert re.search(r"1 approach 06:33:27 at 151,\d+, 2 in zone .+ 4 absorbing 07:11:39", label)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_an_episode_is_played_back_to_any_of_its_states(signals: Callable[..., Page], size: Size):
    page = signals(size)
    states = page.get_by_role("list", name="States").get_by_role("listitem")
    expect(states.nth(3)).to_contain_text("07:11:39")
    states.nth(0).get_by_role("button").click()
    expect(page.get_by_text("As known at").first).to_be_visible()
    expect(states).to_have_text(
        [re.compile(word) for word in (
            r"approach.*06:33:27", r"in zone.*not yet", r"swept.*not yet", r"absorbing.*not yet",
            r"reclaimed.*not yet",
        )]
    )  # fmt: skip
    expect(page.get_by_text("It describes no trade.")).to_be_visible()
    assert "at=2026-11-23T06:3" in unquote(page.url)
    assert _axe(page) == []
    assert page.evaluate(WIDE) == 0
    page.get_by_role("button", name="Jump to end").click()
    expect(states.nth(3)).to_contain_text("07:11:39")
    expect(page.get_by_role("region", name="Plan")).to_contain_text("R gross")


def test_the_read_of_flow_has_the_base_rate_of_the_newest_open_episode(
    signals: Callable[..., Page],
):
    page = signals("desk")
    page.get_by_role("list", name="States").wait_for()
    page.get_by_role("button", name="Flow").click()
    read = page.get_by_role("region", name="Read")
    expect(read).to_contain_text("Evidence, not a direction.")
    expect(read).to_contain_text(re.compile("reclaimed within 60 min.*n under 30", re.DOTALL))
    assert _axe(page) == []
    read.get_by_role("button", name="Sweep and reclaim, longs, absorbing").click()
    expect(page.get_by_role("list", name="States")).to_contain_text("absorbing")
    assert "episode=BTC:sweep_reclaim" in unquote(page.url)


def test_the_plan_is_worked_out_with_figures_that_the_browser_remembers(
    signals: Callable[..., Page],
):
    page = signals("phone")
    plan = page.get_by_role("region", name="Plan")
    expect(plan).to_contain_text("no advice")
    expect(plan).to_contain_text(re.compile(r"Size, risking 1%\s*0\.0834\d BTC"))
    plan.get_by_text("Your figures").click()
    plan.get_by_label("Equity, USD").fill("50000")
    plan.get_by_label("Entry fee, bp").fill("5.5")
    plan.get_by_label("Exit fee, bp").fill("5.5")
    plan.get_by_label("Exit fee, bp").press("Enter")
    expect(plan).to_contain_text(re.compile(r"0\.417\d BTC\s*\$62\.\dK, 1\.24×"))
    expect(plan).to_contain_text(
        re.compile(r"Liquidation at 10×\s*134,\d+\s+11\.0 R beyond the stop")
    )
    expect(plan).to_contain_text(re.compile(r"Fuel against you\s*\$[\d.]+M longs to the stop"))
    targets = plan.get_by_role("table", name="Targets")
    expect(targets.get_by_role("row")).to_have_count(5)
    assert _axe(page) == []
    plan.get_by_role("button", name="B after the reclaim").click()
    expect(plan).to_contain_text(re.compile(r"Entry, long\s*149,117"))
    page.reload()
    expect(plan).to_contain_text("50,000, 1%, 10×, fees 5.5 and 5.5 bp")


def test_failed_episodes_stay_and_another_one_is_chosen_by_key(signals: Callable[..., Page]):
    page = signals("desk")
    page.get_by_role("list", name="States").wait_for()
    entries = page.locator("[data-episode]")
    expect(page.get_by_role("heading", name="Earlier")).to_be_visible()
    entries.first.focus()
    entries.first.press("ArrowDown")
    expect(entries.nth(1)).to_be_focused()
    failed = entries.filter(has_text="failed")
    failed.press("Enter")
    expect(failed).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("heading", name="Sweep and reclaim, longs")).to_be_visible()
    expect(page.get_by_role("list", name="States")).to_contain_text("failed")
    assert "episode=BTC:sweep_reclaim:" in unquote(page.url)
    page.reload()
    expect(page.get_by_role("list", name="States")).to_contain_text("failed")


def test_on_a_phone_the_episode_comes_first_and_the_list_is_a_sheet(signals: Callable[..., Page]):
    page = signals("phone")
    expect(page.get_by_role("heading", name="Sweep and reclaim, longs")).to_be_in_viewport()
    page.get_by_role("button", name=re.compile(r"\d+ episodes, \d+ open")).click()
    sheet = page.get_by_role("dialog", name="Episodes")
    assert _axe(page) == []
    sheet.locator("[data-episode=hunt_trap]").first.click()
    expect(sheet).to_have_count(0)
    expect(page.get_by_role("heading", name="Hunt trap, longs")).to_be_in_viewport()
    page.locator("summary").click()
    expect(page.locator("[data-evidence]").first).to_be_visible()


def test_an_answer_that_is_late_says_its_age_and_why(signals: Callable[..., Page]):
    page = signals("desk")
    page.get_by_role("list", name="States").wait_for()
    page.route("**/signals?*", lambda route: route.abort())
    expect(page.get_by_text(re.compile(r"Last answer \d+(\.\d)? s ago"))).to_be_visible()
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_role("list", name="States")).to_be_visible()


def test_a_link_to_an_episode_that_is_forgotten_says_so(signals: Callable[..., Page]):
    page = signals("desk", "&episode=BTC:growth:long-1:1")
    expect(page.get_by_text("is not kept any more: the newest is shown.")).to_be_visible()
    expect(page.get_by_role("heading", name="Sweep and reclaim, longs")).to_be_visible()


def test_a_coin_without_episodes_says_what_is_followed(signals: Callable[..., Page]):
    with serving(Desk("BTC")) as url:
        page = signals("desk", url=url)
        expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
        expect(page.get_by_text("0 clusters of BTC are followed.")).to_be_visible()
        assert _axe(page) == []
        page.close()
