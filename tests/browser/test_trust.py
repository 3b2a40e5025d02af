"""What the page says of how far to trust the map: grade, record, models side by side, bands.

The market is the served one; its record, its grade and the positions seen are told in its place, so
that there is something to show.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from playwright.sync_api import expect

from .conftest import VIEWPORTS, Size, relay
from .waits import WITHIN, lived, rest, stands, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page, Route, WebSocketRoute

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SIZES: tuple[Size, ...] = ("phone", "desk")
HOUR = 3_600_000_000
STATIC = "four fixed leverages, never closed"
LENT = {
    "market": "BTC on Binance", "since": 1_764_806_400_000_000, "until": 1_775_001_600_000_000,
    "reports": 292.3, "version": 4,
}  # fmt: skip
UNREADABLE = b"\xc1"
HEAR = """line => new MutationObserver(() => (window.said ||= line.textContent)).observe(
  line, { subtree: true, childList: true, characterData: true })"""
"""Keep the first words of a line."""
SPOTS = ["One whale and 2,000 accounts have one colour.", "How far a cascade runs is not computed."]
SMALL = """box => [...box.querySelectorAll('button, select, summary')]
  .filter(e => e.checkVisibility({ visibilityProperty: true }))
  .map(e => [e.innerText, e.getBoundingClientRect()])
  .filter(([, b]) => Math.min(b.height, b.width) < 43.5)
  .map(([words, b]) => `${words}: ${b.width} x ${b.height}`)"""
TINY = """() => [...document.querySelectorAll('body *')].filter(e =>
  [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 11).map(e => e.outerHTML.slice(0, 80))"""


def _market(venue: str, *, known: bool) -> dict[str, Any]:
    """Return the record of one market: of 240 hours, or of none on pretrained weights."""
    skill = {"value": 0.21, "low": 0.08, "high": 0.33, "n": 240}
    none = {"value": None, "low": None, "high": None, "n": 0}
    tiers = [
        {
            "side": side, "tier": tier, "size": 900.0 / (1 + k), "low": 200.0 / (1 + k),
            "high": 2400.0 / (1 + k), "measured": 0.9 - 0.2 * k if known else 0.0,
        }
        for side in ("long", "short")
        for k, tier in enumerate((100, 50, 25, 10, 5))
    ]  # fmt: skip
    groups = [{"predicted": 10.0**k, "actual": 1.4 * 10.0**k, "n": 48} for k in range(3, 8)]
    return {
        "coin": "BTC", "market": f"{venue}:BTCUSDT", "venue": venue,
        "hours": 240 if known else 0, "since": None, "until": None,
        "deviance": dict.fromkeys(("ours", "path_only", "no_map", "static")),
        "predicted_over_reported": None, "fitted": None, "new_liquidations": 0,
        "prior_only": not known, "version": 4, "basis": "made", "window_days": 30.0,
        "model_error": 0.4, "oi_cap_factor": [1.0, 1.0],
        "skill_over_path_only": skill if known else none,
        "skill_over_no_map": skill if known else none,
        "skill_over_static": skill if known else none,
        "verdict": "edge shown" if known else "too few hours",
        "coverage_80": {"value": 0.78 if known else None, "n": 480 if known else 0},
        "reliability": groups if known else [],
        "events": 5120 if known else 0,
        "reporting": {
            "share": 0.36, "low": 0.24, "high": 0.52, "measured": known, "sampled": True,
        },
        "price": 100_000.0, "reports": 212.4 if known else 0.0, "tiers": tiers,
        "pretrained": None if known else LENT,
    }  # fmt: skip


class Told:
    """What the page is told in place of the server's own words."""

    def __init__(self) -> None:
        """There is a record, and the weights were learned once."""
        self.known = True
        self.fitted = 0
        """µs UTC; 0 until it is first told, then the same until it is changed."""
        self.behind = 0
        """The fit that the stream still tells, where it is older than that of the map; else 0."""
        self.watched = False
        self.lines: list[WebSocketRoute] = []
        self.looked = 0
        """Times the positions seen were asked for."""
        self.told = 0
        """Messages of the stream with a fit."""

    def scores(self) -> dict[str, Any]:
        """Return the record of two markets."""
        markets = [_market("binance", known=self.known), _market("okx", known=False)]
        return {
            "source": "simulated", "note": "", "blind_spots": SPOTS, "markets": markets,
            "caution": "", "nulls": dict.fromkeys(("path_only", "no_map", "static"), ""),
            "published": {"version": 4, "scores": [], "answers": []},
        }  # fmt: skip

    def trust(self, now: int, behind: int = 0) -> dict[str, Any]:
        """Return the grade and the fit of an answer."""
        self.fitted = self.fitted or now // HOUR * HOUR - 20 * HOUR
        return {
            "model": "calibrated on 5,120 liquidation reports",
            "grade": {
                "letter": "B", "why": "weights learned long ago",
                "parts": {"interest": "A", "coverage": "A", "feed": "A", "fit": "B"},
            },
            "fit": {
                "version": 4, "at": behind or self.fitted, "new_liquidations": 212,
                "why": "binance:BTCUSDT: 212 new liquidations", "markets": 2, "reports": 180.0,
                "pretrained": None, "path_only": [],
            },
        }  # fmt: skip

    def rewrite(self, raw: bytes, behind: int = 0) -> bytes:
        """Return a view or a message of the stream with this grade and fit."""
        said = msgspec.msgpack.decode(raw)
        if "now" in said:
            static = {"model": said["model"]} if said.get("model", "").startswith(STATIC) else {}
            said |= self.trust(said["now"], behind) | static
            self.told += 1
        return msgspec.msgpack.encode(said)

    def install(self, page: Page) -> None:
        """Stand between a page and its server."""
        page.route(re.compile(r"/v1/\w+/(heatmap|levels)"), self._view)
        page.route(re.compile(r"/v1/scores"), self._scores)
        page.route(re.compile(r"/v1/\w+/observed"), self._observed)
        page.route_web_socket(re.compile(r"/v1/stream"), self._stream)

    def _view(self, route: Route) -> None:
        route.fulfill(status=200, body=self.rewrite(route.fetch().body()))

    def _scores(self, route: Route) -> None:
        route.fulfill(status=200, body=msgspec.msgpack.encode(self.scores()))

    def _observed(self, route: Route) -> None:
        said = msgspec.msgpack.decode(route.fetch().body())
        self.looked += 1
        if self.watched:
            said |= {
                "long": [4e6 if i % 40 == 0 else 0.0 for i in range(said["rows"])],
                "short": [0.0] * said["rows"], "dollars": {"long": 8e7, "short": 0.0},
                "share": {"long": 0.083, "short": 0.0}, "snapshot_age": 30.0, "accounts": 12,
                "origin": "12 accounts seen at hyperliquid",
            }  # fmt: skip
        route.fulfill(status=200, body=msgspec.msgpack.encode(said))

    def _stream(self, page: WebSocketRoute) -> None:
        self.lines.append(page)
        relay(page, lambda raw: self.rewrite(raw, self.behind))


@pytest.fixture
def told() -> Told:
    """What the page will be told."""
    return Told()


@pytest.fixture
def visit(browser: Browser, page_url: str, told: Told) -> Iterator[Callable[..., Page]]:
    """Open the page at a size; the test fails when the page threw."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: Size, query: str = "") -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        pages.append(page)
        page.on("pageerror", lambda why: threw.append(str(why)))
        page.set_default_timeout(WITHIN)
        told.install(page)
        page.goto(page_url + query)
        page.locator("button[data-grade]").wait_for()
        return page

    yield opener
    for page in pages:
        page.unroute_all(behavior="ignoreErrors")
        page.close()
    assert threw == []


def _sheet(page: Page) -> Locator:
    sheet = page.get_by_role("dialog", name="Map reliability")
    sheet.get_by_role("article").first.wait_for()
    return sheet


def _reaches(page: Page, box: Locator, size: Size) -> None:
    """Hold what is added to the rules of size: text, targets, width."""
    rest(page)
    assert page.evaluate(TINY) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= VIEWPORTS[size]["width"]
    assert box.evaluate(SMALL) == []


@pytest.mark.parametrize("size", SIZES)
def test_the_badge_names_the_grade_and_opens_the_sheet(visit: Callable[..., Page], size: Size):
    page = visit(size)
    badge = page.locator("button[data-grade]")
    expect(badge).to_contain_text("B", use_inner_text=True)
    for words in ("grade B", "calibrated on 5,120 liquidation reports"):
        expect(badge).to_have_attribute("aria-label", re.compile(words))
    badge.click()
    sheet = _sheet(page)
    page.wait_for_url("**#trust")
    page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    page.wait_for_url(lambda url: "#" not in url)
    expect(badge).to_be_focused()


@pytest.mark.parametrize("size", SIZES)
def test_the_sheet_says_how_far_to_trust_the_map(visit: Callable[..., Page], size: Size):
    sheet = _sheet(visit(size, "#trust"))
    for words in (
        "Fuel, not a magnet", "edge shown", "too few hours", "+21%", "+8% to +33%", "240 hours",
        "within the 80 % band in 78 %", "about 36 % (24 % to 52 %)", "66 % measured",
        "Skill vs path-only model", "fitted on 212 effective reports",
        "Pretrained weights: fitted on BTC on Binance, 2025-12-04 to 2026-03-31",
        "Weights learned long ago", "Venues covered", *SPOTS,
    ):  # fmt: skip
        expect(sheet).to_contain_text(words, use_inner_text=True)


def test_what_stands_on_each_tier_is_listed_with_its_band_and_share_measured(
    visit: Callable[..., Page],
):
    sheet = _sheet(visit("phone", "#trust"))
    sheet.locator("summary").first.click()
    rows = sheet.locator("details[open] tbody tr")
    expect(rows).to_have_count(10)
    first = "long 100× $90.0M $20.0M–$240M 90 %"
    expect(rows.first).to_have_text(first, use_inner_text=True)
    expect(rows.last).to_have_text(re.compile(r"^short\s+5×\s"), use_inner_text=True)


def test_the_path_alone_is_the_first_null_model(visit: Callable[..., Page]):
    names = _sheet(visit("desk", "#trust")).locator("article").first.locator(".interval span")
    said = ["Skill vs path-only model", "Skill vs no map", "Skill vs static map"]
    expect(names).to_have_text(said, use_inner_text=True)


def test_a_market_without_liquidations_says_so(visit: Callable[..., Page], told: Told):
    told.known = False
    sheet = _sheet(visit("desk", "#trust"))
    for words in ("No liquidations yet", "not scored yet"):
        expect(sheet).to_contain_text(words, use_inner_text=True)


def test_a_link_to_the_sheet_opens_it_on_an_open_page(visit: Callable[..., Page]):
    page = visit("desk")
    page.evaluate("location.hash = 'trust'")
    _sheet(page)


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_in_the_trust_sheet(visit: Callable[..., Page], size: Size):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page = visit(size, "#trust")
    sheet = _sheet(page)
    sheet.locator("summary").first.click()
    rest(page)
    page.evaluate(AXE.read_text())  # the page allows no script but its own
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found] == []
    _reaches(page, sheet, size)
    assert sheet.locator(".content").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_weights_learned_while_the_page_is_open_are_told(visit: Callable[..., Page], told: Told):
    page = visit("phone")
    line = page.locator("[data-refit]")
    expect(line).to_have_attribute("aria-live", "polite")
    before = told.told
    until(page, lambda: told.told, lambda times: times > before + 3)
    rest(page)
    expect(line).to_have_text("")
    line.evaluate(HEAR)  # it is said for a while only
    told.fitted = 4_000_000_000_000_000
    page.wait_for_function("() => window.said")
    said = page.evaluate("window.said")
    assert said.startswith("Weights refitted"), said
    assert "212 new liquidations. The whole map was updated." in said


def test_weights_that_come_with_the_map_before_the_stream_tells_them_are_told(
    visit: Callable[..., Page], told: Told
):
    page = visit("desk")
    stands(page)
    line = page.locator("[data-refit]")
    expect(line).to_have_text("")
    line.evaluate(HEAR)
    told.behind, told.fitted = told.fitted, 4_000_000_000_000_000
    told.lines[-1].send(UNREADABLE)  # the page fetches its map anew
    page.wait_for_function("() => window.said")


def test_the_model_is_chosen_in_the_toolbar_and_kept_in_the_address(visit: Callable[..., Page]):
    page = visit("desk")
    choice = page.get_by_label("Model")
    choice.select_option("static")
    page.get_by_text(STATIC).first.wait_for()
    expect(page).to_have_url(re.compile("model=static"))
    page.locator("[data-compare]").wait_for()
    choice.select_option("difference")
    page.get_by_role("img", name="Blue: static is larger").wait_for()
    expect(page).to_have_url(re.compile("model=difference"))
    page.reload()
    page.get_by_role("img", name="Blue: static is larger").wait_for()
    page.get_by_role("button", name="Time span: 3d").click()
    page.get_by_role("button", name="12h", exact=True).click()
    page.get_by_role("slider", name="Hide below").wait_for()
    expect(page).not_to_have_url(re.compile("model="))
    expect(choice.locator("option")).to_have_text(["Calibrated", "Static"])


def test_on_the_phone_the_model_is_chosen_among_the_filters(visit: Callable[..., Page]):
    page = visit("phone")
    page.get_by_role("button", name="Filters").click()
    sheet = page.get_by_role("dialog", name="Filters")
    sheet.get_by_role("button", name="Difference").click()
    sheet.get_by_text("Overlap").wait_for()
    expect(page).to_have_url(re.compile("model=difference"))
    _reaches(page, sheet, "phone")
    page.keyboard.press("Escape")
    page.get_by_role("img", name="Blue: static is larger").wait_for()


@pytest.mark.parametrize("size", SIZES)
def test_bands_are_asked_for_only_on_demand(visit: Callable[..., Page], size: Size):
    page = visit(size)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page.url.partition("?")[0] + "?view=levels")
    pane = page.get_by_role("region", name="Levels")
    toggle = pane.get_by_role("button", name="Bands")
    toggle.wait_for()
    stands(page, "levels")
    lived(page, 1_000)
    assert not any("bands=1" in url for url in asked)
    toggle.click()
    pane.locator("[data-layers=bands]").wait_for()
    assert any("bands=1" in url for url in asked)
    _reaches(page, pane.get_by_role("group", name="Layers"), size)


def test_observed_positions_are_offered_only_where_some_are_seen(
    visit: Callable[..., Page], told: Told
):
    page = visit("phone", "?view=levels")
    pane = page.get_by_role("region", name="Levels")
    pane.get_by_role("button", name="Bands").wait_for()
    until(page, lambda: told.looked, lambda times: times > 0)
    stands(page, "levels")
    seen = pane.get_by_role("button", name="Observed positions")
    expect(seen).to_have_count(0)
    told.watched = True
    page.reload()
    seen.click()
    words = pane.locator("[data-layers]")
    words.get_by_text("Not added to the estimate").wait_for()
    share = "$80.0M long (8.3 % of open interest there)"
    expect(words).to_contain_text(share, use_inner_text=True)
    _reaches(page, pane.get_by_role("group", name="Layers"), "phone")


def test_both_sides_carry_their_bands(visit: Callable[..., Page]):
    page = visit("phone", "?view=ratio")
    pane = page.get_by_role("region", name="Longs vs shorts")
    expect(pane.get_by_text("(80 %: $")).to_have_count(2)
