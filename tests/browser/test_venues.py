"""What the page says of its venues: status icons, what is missing, why it is simulated.

The market is the served one; what it says of its venues is rewritten on the way to the page.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
import msgspec
import pytest
from playwright.sync_api import expect

from .conftest import VIEWPORTS, Size, relay, slow
from .waits import DRAWN, WITHIN, lived, rest, stands, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Route, WebSocketRoute

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
AXE = HERE.parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
STATIC = HERE.parents[1] / "src" / "powderkeg" / "static"
SIZES: tuple[Size, ...] = ("phone", "desk")
BUDGET = 100_000
"""Bytes, as in web/bench/size.mjs."""
NAMES = ("binance", "bitget", "bybit", "deribit", "hyperliquid", "okx")
NOTE = "no venue answered (" + "; ".join(f"{n}: the name is not known here" for n in NAMES) + ")"
PROBLEM = "cannot connect to wss://stream.example/v5: ConnectionRefusedError(111)"
ASKED_EVERY = 1.99
"""Seconds between an answer and the next question, less what clocks differ by."""
CHANNELS = ("trades", "book", "mark", "funding", "oi", "liquidations", "ratio")


class Told:
    """What the page is told in place of the server's own words."""

    def __init__(self) -> None:
        """All six venues are up."""
        self.down: set[str] = set()
        self.progress = ""
        self.asked: list[float] = []
        """When the health was asked for, seconds of the machine."""

    def venues(self) -> list[dict[str, Any]]:
        """Return six venues as a view lists them."""
        return [
            {
                "name": name, "market": f"{name}:BTCUSDT", "on": True, "oi": 1.0, "share": 1 / 6,
                "age": 80.0 if name in self.down else 0.2,
                "state": "down" if name in self.down else "up",
            }
            for name in NAMES
        ]  # fmt: skip

    def health(self) -> dict[str, Any]:
        """Return the health of a live collection of these venues."""
        rows = [
            {
                "market": f"{name}:BTCUSDT", "channel": kind, "count": 40, "rate": 9.8,
                "lag": 0.012, "age": 0.2, "expected_interval": 5.0,
                "state": "down" if name in self.down else "up",
            }
            for name in NAMES
            for kind in CHANNELS
        ]  # fmt: skip
        venue = {
            "skew": 0.001, "delay": 0.004, "weight_used": 120, "weight_limit": 2400,
            "window": 60.0, "liquidations": "sample", "skipped": {},
        }  # fmt: skip
        feed = {
            "at": 0, "hosts": {}, "lag": {"recent": 0.0, "worst": 0.0},
            "markets": {f"{n}:BTCUSDT": "down" if n in self.down else "up" for n in NAMES},
            "channels": rows, "venues": dict.fromkeys(NAMES, venue),
            "incidents": {name: {"reconnects": 2} for name in self.down},
            "problems": dict.fromkeys(self.down, PROBLEM),
            "waiting_frames": 0, "recorded_frames": 1234, "recording": True,
            "unread_frames": 0, "unread": {}, "last_unread": "",
        }  # fmt: skip
        return {"source": "simulated", "note": NOTE, "ready": True, "coins": {}, "feed": feed}

    def rewrite(self, raw: bytes) -> bytes:
        """Return a view or a message of the stream with these venues and this note."""
        said = msgspec.msgpack.decode(raw)
        if "venues" in said and isinstance(said["venues"], list) and "on" in said["venues"][0]:
            said |= {"venues": self.venues(), "note": NOTE, "source": "simulated"}
        return msgspec.msgpack.encode(said)

    def install(self, page: Page) -> None:
        """Stand between a page and its server."""
        page.route(re.compile(r"/v1/\w+/heatmap"), self._view)
        page.route("**/v1/health", self._health)
        page.route("**/v1/coins", self._coins)
        page.route("**/v1/starting", self._starting)
        page.route_web_socket(re.compile(r"/v1/stream"), self._stream)

    def _view(self, route: Route) -> None:
        if self.progress:
            words = {"error": f"nothing is known of BTC yet: {self.progress}"}
            route.fulfill(status=400, json=words)
            return
        answer = route.fetch()
        route.fulfill(status=200, body=self.rewrite(answer.body()))

    def _health(self, route: Route) -> None:
        self.asked.append(time.monotonic())
        route.fulfill(json=self.health())

    def _coins(self, route: Route) -> None:
        said = json.loads(route.fetch().body())
        ready = not self.progress
        said |= {"ready": ready, "progress": self.progress, "note": NOTE, "source": "simulated"}
        route.fulfill(json=said)

    def _starting(self, route: Route) -> None:
        route.fulfill(
            json={
                "kind": "starting", "ready": not self.progress, "source": "simulated",
                "note": NOTE, "since": 0, "now": 0, "took": None, "doing": self.progress,
                "share": 0.3, "left": None, "coins": [], "markets": [],
            }
        )  # fmt: skip

    def _stream(self, page: WebSocketRoute) -> None:
        relay(page, self.rewrite)


@pytest.fixture
def told() -> Told:
    """What the page will be told."""
    return Told()


@pytest.fixture
def visit(browser: Browser, page_url: str, told: Told) -> Iterator[Callable[..., Page]]:
    """Open the page at a size; the test fails when the page threw."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: Size, *, wait: bool = True) -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        pages.append(page)
        page.on("pageerror", lambda why: threw.append(str(why)))
        page.set_default_timeout(WITHIN)
        told.install(page)
        page.goto(page_url)
        if wait:
            stands(page)
        return page

    yield opener
    for page in pages:
        page.unroute_all(behavior="ignoreErrors")
        page.close()
    assert threw == []


def _boxes(page: Page) -> list[object]:
    rest(page)
    places = (".stage", "[data-source]", ".legend")
    return [page.locator(place).first.bounding_box() for place in places]


def _stays(page: Page, before: list[object]) -> None:
    """Wait until all is where it was: the age of the data has other widths when it is great."""
    until(page, lambda: _boxes(page), lambda boxes: boxes == before)


@pytest.mark.parametrize("size", ["desk", *slow("phone")])
def test_a_missing_venue_is_named_and_nothing_moves(
    visit: Callable[..., Page], told: Told, size: Size
):
    page = visit(size)
    partial = page.locator("[data-partial]")
    expect(partial).to_have_text("")
    before = _boxes(page)
    told.down = {"bybit"}
    expect(partial).to_have_text("PARTIAL: Bybit down", use_inner_text=True)
    _stays(page, before)
    told.down = {"bybit", "hyperliquid"}
    page.locator("[data-partial*=Hyperliquid]").wait_for()
    rest(page)
    until(page, lambda: partial.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), bool)
    told.down = {"bybit", "okx", "deribit"}
    page.locator("[data-partial*='3 of 6']").wait_for()
    _stays(page, before)
    told.down = set()
    page.locator("[data-partial='']").wait_for(state="attached")


@pytest.mark.parametrize("size", SIZES)
def test_six_icons_fit_and_differ_by_shape(visit: Callable[..., Page], told: Told, size: Size):
    told.down = {"okx"}
    page = visit(size)
    icons = page.locator(".status .statuses svg")
    expect(icons).to_have_count(6)
    expect(page.locator(".status .statuses circle")).to_have_count(5)
    expect(page.locator(".status .statuses path")).to_have_count(1)
    rest(page)
    edge = VIEWPORTS[size]["width"]
    ends = page.locator(".status .statuses > *").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right])"
    )
    assert all(left >= 0 and right <= edge for left, right in ends), ends
    assert page.evaluate("document.documentElement.scrollWidth") <= edge


@pytest.mark.parametrize("size", SIZES)
def test_until_the_map_is_known_the_page_says_what_is_being_done(
    visit: Callable[..., Page], told: Told, size: Size
):
    told.progress = "fetching 30 days of history: 210 of 660 answers"
    page = visit(size, wait=False)
    page.get_by_text("210 of 660 answers").first.wait_for()
    told.progress = "fetching 30 days of history: 400 of 660 answers"
    page.get_by_text("400 of 660 answers").first.wait_for()
    told.progress = ""
    page.locator(DRAWN).first.wait_for()
    page.wait_for_function("() => !document.body.innerText.includes('660 answers')")


def test_why_the_market_is_simulated_is_told_on_hover(visit: Callable[..., Page]):
    page = visit("desk")
    note = page.get_by_role("tooltip", include_hidden=True)
    expect(note).to_be_hidden()
    page.locator("[data-source]").hover()
    expect(note).to_be_visible()
    expect(note).to_have_text(NOTE, use_inner_text=True)


def test_why_the_market_is_simulated_is_told_on_a_tap(visit: Callable[..., Page]):
    page = visit("phone")
    page.locator("[data-source]").tap()
    page.get_by_role("dialog", name="Venue status").get_by_text(NOTE).wait_for()


@pytest.mark.parametrize("size", ["desk", *slow("phone")])
def test_the_health_sheet_opens_from_the_status_and_gives_the_focus_back(
    visit: Callable[..., Page], told: Told, size: Size
):
    told.down = {"bybit"}
    page = visit(size)
    door = page.locator("button.statuses" if size == "desk" else "button.status")
    door.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Venue status")
    first = sheet.get_by_role("article").first
    expect(first.get_by_role("heading")).to_have_text("Bybit", use_inner_text=True)
    for words in ("Cannot connect.", "2 reconnects"):
        expect(first).to_contain_text(words, use_inner_text=True)
    expect(sheet.get_by_role("article")).to_have_count(6)
    rest(page)
    assert sheet.locator(".content").evaluate("e => e.scrollWidth <= e.clientWidth")
    until(page, lambda: told.asked, lambda times: len(times) >= 3)
    assert all(later - at >= ASKED_EVERY for at, later in itertools.pairwise(told.asked))
    page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    expect(door).to_be_focused()
    lived(page, 100)  # a question that was on its way has been heard
    asked = len(told.asked)
    lived(page, 2_500)
    assert len(told.asked) == asked


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_in_the_health_sheet(visit: Callable[..., Page], told: Told, size: Size):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    told.down = {"bybit"}
    page = visit(size)
    page.keyboard.press("v")
    page.get_by_role("article").first.wait_for()
    rest(page)
    page.evaluate(AXE.read_text())  # the page allows no script but its own
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found] == []


def test_the_health_sheet_is_fetched_only_when_it_is_opened(visit: Callable[..., Page]):
    page = visit("desk")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    lived(page, 2_500)
    assert not any("/Health-" in url for url in fetched)
    page.keyboard.press("v")
    page.get_by_role("article").first.wait_for()
    assert any("/Health-" in url for url in fetched)


def test_what_is_loaded_at_start_weighs_100_kilobytes_at_most():
    page = (STATIC / "index.html").read_text()
    names = re.findall(r'"/?(assets/[^"]+\.(?:js|css))"', page)
    assert names
    assert sum(len(brotli.compress((STATIC / name).read_bytes())) for name in names) <= BUDGET
