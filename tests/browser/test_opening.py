"""The opening state: words from the first paint, what is on its way, the map as soon as it stands.

The market is the served one; that it is still being made ready is said on the way to the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from playwright.sync_api import expect

from .conftest import ENDS, relay, slow
from .test_fit import axe_faults, faults_of
from .waits import DRAWN, NARROW, SUMMARY, WITHIN, rest, stands, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page, Route, WebSocketRoute

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SIZES = {"360": (360, 740), "390": (390, 844), "1024": (1024, 768), "1440": (1440, 900)}
EACH_SIZE = [*ENDS, *slow(*(size for size in SIZES if size not in ENDS))]
NAMES = ("binance", "bitget", "bybit", "deribit", "hyperliquid", "okx")
STREAMS = ("trades", "book", "interest", "funding", "liquidations")
NEXT = "asked again in 4 s; after the third try simulated venues are shown"
NEVER = re.compile(r"NaN|Infinity|undefined|\binf\b|\bdown\b|1970")
"""What must not be read while a server gets ready and nothing is broken."""
SHARE_KEPT = re.compile(r"Its 21 % share is frozen as of \d\d:\d\d\.")

COUNT_DIMMED = """() => {
  window.dimmed = 0;
  const seen = new MutationObserver(() => {
    window.dimmed += document.querySelectorAll('.dim').length;
  });
  seen.observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


class Starting:
    """What the page is told of a server that gets ready."""

    def __init__(self) -> None:
        """Nothing is known yet of either coin."""
        self.ready = False
        self.state = "waiting"
        self.joined = 0
        self.failed: set[str] = set()
        self.joining: set[str] = set()
        self.silent: set[str] = set()
        self.coins = ["BTC", "ETH"]
        self.told = 0
        self.mapped: list[int] = []
        """How many had joined as far as the page knew, for each map that it was given."""
        self.silence = False

    def market(self, name: str, place: int) -> dict[str, Any]:
        """Return how far one venue is."""
        failed, ready = name in self.failed, place < self.joined
        up = "up" if ready else "waiting"
        state = "failed" if failed else "ready" if ready else "fetching"
        return {
            "coin": "BTC", "market": f"{name}:BTCUSDT", "venue": name, "state": state,
            "requests": 14, "answered": 14 if ready else 9, "share": 1.0 if ready else 0.64,
            "left": None if failed else 9.3, "problem": "cannot connect" if failed else "",
            "next": NEXT if failed else "", "tries": 1, "streams": dict.fromkeys(STREAMS, up),
        }  # fmt: skip

    def answer(self) -> dict[str, Any]:
        """Return the answer of /v1/starting."""
        rest = [
            {"coin": coin, "state": "waiting", "share": 0.0, "left": None} for coin in self.coins
        ]
        first = {"coin": "BTC", "state": self.state, "share": 0.5, "left": 18.2}
        return {
            "kind": "starting", "ready": self.ready, "source": "live", "note": "",
            "since": 10**15, "now": 10**15 + 14_200_000, "took": None,
            "doing": "fetching 30 days of history", "share": 0.47, "left": 31.6,
            "coins": [first, *rest[1:]],
            "markets": [self.market(name, i) for i, name in enumerate(NAMES)],
        }  # fmt: skip

    def install(self, page: Page) -> None:
        """Stand between a page and its server."""
        page.route("**/v1/starting", self._starting)
        page.route("**/v1/coins", self._coins)
        page.route(re.compile(r"/v1/\w+/(heatmap|levels|bars|cumulative|venues)"), self._view)
        page.route_web_socket(re.compile(r"/v1/stream"), self._stream)

    def _say(self, route: Route, words: dict[str, Any]) -> None:
        if self.silence:
            route.abort()
        else:
            route.fulfill(json=words)

    def _starting(self, route: Route) -> None:
        self.told = self.joined
        self._say(route, self.answer())

    def _coins(self, route: Route) -> None:
        self._say(
            route,
            {
                "coins": self.coins, "source": "live", "ready": self.ready, "note": "",
                "progress": "" if self.ready else "fetching 30 days of history",
                "version": "0",
            },
        )  # fmt: skip

    def _view(self, route: Route) -> None:
        if self.silence:
            route.abort()
        elif self.state in ("waiting", "price"):
            route.fulfill(status=503, json={"error": "nothing is known of BTC yet"})
        else:
            told = self.told
            route.fulfill(status=200, body=self._rewritten(route.fetch().body()))
            if "heatmap" in route.request.url:
                self.mapped.append(told)

    def _rewritten(self, raw: bytes) -> bytes:
        said = msgspec.msgpack.decode(raw)
        for venue in said.get("venues") or [] if isinstance(said.get("venues"), list) else []:
            if venue["name"] in self.joining:
                venue |= {"state": "joining", "age": None, "oi": 0.0, "share": 0.0}
            if venue["name"] in self.silent:
                venue |= {"state": "stale", "age": 80.0, "share": 0.21}
        return msgspec.msgpack.encode(said)

    def _stream(self, page: WebSocketRoute) -> None:
        if self.silence:
            page.close()
            return
        relay(page, self._rewritten)


@pytest.fixture
def starting() -> Starting:
    """What the page will be told."""
    return Starting()


@pytest.fixture
def visit(browser: Browser, page_url: str, starting: Starting) -> Iterator[Callable[..., Page]]:
    """Open the page at a size and in a theme; the test fails when the page threw."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: str, theme: str = "dark", script: str = "") -> Page:
        width, height = SIZES[size]
        touch = width <= NARROW
        page = browser.new_page(
            viewport={"width": width, "height": height}, is_mobile=touch, has_touch=touch
        )
        pages.append(page)
        page.on("pageerror", lambda why: threw.append(str(why)))
        kept = json.dumps({"theme": theme})
        page.add_init_script(f"localStorage.setItem('powderkeg', '{kept}');{script}")
        page.set_default_timeout(WITHIN)
        starting.install(page)
        page.goto(page_url)
        return page

    yield opener
    for page in pages:
        page.unroute_all(behavior="ignoreErrors")
        page.close()
    assert threw == []


def map_of(page: Page) -> None:
    """Wait for a map with the names of its clusters, and for the second script."""
    page.locator(DRAWN).first.wait_for()
    page.locator(SUMMARY).wait_for(state="attached")
    rest(page)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_first_paint_says_what_it_is_before_any_script(
    browser: Browser, page_url: str, theme: str
):
    page = browser.new_page()
    page.route(re.compile(r"/assets/"), lambda route: route.abort())
    kept = json.dumps({"theme": theme})
    page.add_init_script(f"localStorage.setItem('powderkeg', '{kept}')")
    page.goto(page_url, wait_until="domcontentloaded")
    words = re.compile("Powderkeg.*Starting", re.DOTALL)
    expect(page.locator("#shell")).to_contain_text(words, use_inner_text=True)
    assert axe_faults(page, "shell") == []
    page.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", EACH_SIZE)
def test_without_a_map_the_page_says_what_is_done_and_everything_fits(
    visit: Callable[..., Page], size: str, theme: str
):
    page = visit(size, theme)
    page.locator("[data-progress]", has_text="fetching 30 days of history").wait_for()
    if int(size) > NARROW:
        page.locator("aside [data-market]").nth(5).wait_for()
    page.locator("[data-starting]", has_text=re.compile(r"Starting up, \d:\d\d")).wait_for()
    rest(page)
    assert not NEVER.search(page.locator("body").inner_text())
    assert faults_of(page, "opening") + axe_faults(page, "opening") == []


@pytest.mark.parametrize("size", ["360", "390"])
def test_on_a_phone_the_line_below_the_header_opens_all_of_it(
    visit: Callable[..., Page], starting: Starting, size: str
):
    starting.state, starting.joined = "map", 2
    page = visit(size)
    map_of(page)
    page.locator("button.status [data-starting]").wait_for()
    page.locator("button.status").click()
    sheet = page.get_by_role("dialog", name="Starting up")
    sheet.locator("[data-market]").nth(5).wait_for()
    expect(sheet).to_contain_text("ready in about 32 s", use_inner_text=True)
    rest(page)
    assert faults_of(page, "sheet") + axe_faults(page, "sheet") == []
    sheet.get_by_role("button", name="ETH").wait_for()
    starting.ready, starting.state = True, "ready"
    sheet.get_by_text("Ready.").wait_for()


def test_the_map_comes_with_its_first_market_and_again_with_each_that_joins(
    visit: Callable[..., Page], starting: Starting
):
    page = visit("1440")
    page.locator("[data-progress]").wait_for()
    page.locator("[data-check=map][data-result=todo]").wait_for()
    starting.state, starting.joined = "map", 1
    map_of(page)
    page.locator("[data-check=map][data-result=done]", has_text="since 0:14").wait_for()
    page.evaluate(COUNT_DIMMED)
    for joined in (2, 3):
        starting.joined = joined
        page.locator(f"[data-state=ready] >> nth={joined - 1}").wait_for()
        until(page, lambda: starting.mapped, lambda mapped, joined=joined: joined in mapped)
    rest(page)
    # The map is fetched over the link that stands: it is not lost for a moment.
    assert page.evaluate("window.dimmed") == 0


def test_when_all_is_ready_the_side_panel_comes_and_the_map_stays_where_it_was(
    visit: Callable[..., Page], starting: Starting
):
    starting.state, starting.joined, starting.coins = "map", 5, ["BTC"]
    page = visit("1440")
    map_of(page)
    page.locator("aside [data-startup]").wait_for()
    rest(page)
    before = page.locator(".stage").bounding_box()
    starting.ready, starting.state, starting.joined = True, "ready", 6
    page.get_by_role("complementary", name="Clusters and totals").wait_for()
    expect(page.locator("[data-startup], [data-starting]")).to_have_count(0)
    stands(page)
    assert page.locator(".stage").bounding_box() == before


@pytest.mark.parametrize("size", ["390", "1440"])
def test_when_no_venue_answers_it_says_so_and_what_is_tried_next(
    visit: Callable[..., Page], starting: Starting, size: str
):
    starting.failed = set(NAMES)
    page = visit(size)
    card = page.locator("[data-progress]", has_text="None of 6 venues responds.")
    expect(card).to_contain_text(NEXT, use_inner_text=True)
    page.locator(":visible", has_text="0 of 6 venues").first.wait_for()
    if size == "1440":
        failed = page.locator("aside [data-state=failed]", has_text="cannot connect")
        expect(failed).to_have_count(6)
        expect(page.locator("[data-check=past]")).to_have_attribute("data-result", "failed")


def test_two_venues_make_a_map_and_the_others_are_named_as_missing(
    visit: Callable[..., Page], starting: Starting
):
    starting.failed = set(NAMES[2:])
    starting.state, starting.joined = "map", 2
    page = visit("1440")
    network = page.locator("[data-network]", has_text="4 of 6 venues do not respond")
    expect(network).to_contain_text("The map is built from Binance, Bitget", use_inner_text=True)
    expect(page.locator("[data-venues-up]")).to_contain_text("2 of 6 venues", use_inner_text=True)
    map_of(page)


@pytest.mark.parametrize("size", ["390", "1440"])
def test_a_venue_that_joins_is_not_called_down(
    visit: Callable[..., Page], starting: Starting, size: str
):
    starting.ready, starting.state, starting.joining = True, "ready", {"bybit"}
    page = visit(size)
    map_of(page)
    page.locator("[data-partial='PARTIAL: Bybit joining']").wait_for()
    expect(page.locator(".status .joining, svg.joining")).not_to_have_count(0)
    stands(page)
    expect(page.locator("[data-outage]")).to_have_count(0)
    assert not NEVER.search(page.locator("body").inner_text())


@pytest.mark.parametrize("size", ["390", "1440"])
def test_a_silent_venue_is_explained_and_switched_off(
    visit: Callable[..., Page], starting: Starting, size: str
):
    starting.ready, starting.state, starting.silent = True, "ready", {"bybit"}
    page = visit(size)
    map_of(page)
    if size == "390":
        page.locator("button.status").click()
    told = page.locator("[data-outage=bybit]").first
    expect(told).to_contain_text("No data from Bybit", use_inner_text=True)
    expect(told).to_contain_text(SHARE_KEPT, use_inner_text=True)
    rest(page)
    assert axe_faults(page, "silent") == []
    told.get_by_role("button", name="Exclude").click()
    page.wait_for_url(re.compile(r"venues=(?!.*bybit)"))


@pytest.mark.parametrize("size", ["360", "1440"])
def test_without_an_answer_the_map_stays_dimmed_and_the_server_is_asked_on_demand(
    visit: Callable[..., Page], starting: Starting, size: str
):
    starting.ready, starting.state = True, "ready"
    page = visit(size)
    map_of(page)
    # All that the page is made of has come: what is lost is the server alone.
    stands(page)
    starting.silence = True
    page.context.set_offline(True)
    # The line that stood is cut; what is asked from now on fails.
    page.evaluate("dispatchEvent(new Event('online'))")
    card = page.locator("[data-disconnected]")
    expect(card).to_contain_text("Showing the last map", use_inner_text=True)
    expect(page.locator(".chart.dim")).to_have_count(1)
    rest(page)
    assert faults_of(page, "silence") + axe_faults(page, "silence") == []
    page.context.set_offline(False)
    card.get_by_role("button", name="Retry now").click(trial=True)
    # In one step: a page that has a line comes back by itself as soon as it is answered.
    starting.silence = False
    page.evaluate("document.querySelector('[data-disconnected] button').click()")
    card.wait_for(state="hidden")
    expect(page.locator(".chart.dim")).to_have_count(0)


ALL_PLACES = """new MutationObserver(() => {
  if (document.documentElement) document.documentElement.dataset.sections = 'all';
}).observe(document, {childList: true});"""


@pytest.mark.parametrize("size", EACH_SIZE)
def test_there_is_room_for_five_places_and_only_those_that_are_made_are_shown(
    visit: Callable[..., Page], starting: Starting, size: str
):
    starting.ready, starting.state = True, "ready"
    page = visit(size)
    map_of(page)
    made = page.get_by_role("navigation", name="Sections").get_by_role("button")
    expect(made).to_have_text(["Map", "Flow", "Signals"], use_inner_text=True)
    page = visit(size, script=ALL_PLACES)
    map_of(page)
    names = page.get_by_role("navigation", name="Sections").get_by_role("button")
    expect(names).to_have_text(["Map", "Flow", "Signals", "Paper", "Learn"], use_inner_text=True)
    views = page.get_by_role("navigation", name="Views")
    expect(views.get_by_role("button")).to_have_count(5)
    stands(page)
    assert faults_of(page, "places") + axe_faults(page, "places") == []
    views.get_by_role("button", name="Levels").click()
    page.wait_for_url(re.compile("view=levels"))


def test_filters_fold_into_menus_that_say_their_state_where_the_row_is_too_narrow(
    visit: Callable[..., Page], starting: Starting
):
    starting.ready, starting.state = True, "ready"
    page = visit("1024")
    map_of(page)
    row = page.locator(".toolbar .filters")
    folded: list[int] = []
    for width in (1120, 1300, 2300):  # up to 1400 the scale has a row of its own
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"() => innerWidth === {width}")
        rest(page)
        until(page, lambda: row.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), bool)
        folded.append(int(row.get_attribute("data-collapsed") or -1))
    expect(row).to_have_attribute("data-collapsed", "0")
    assert folded == sorted(folded, reverse=True)
    assert folded[0] > 0
    page.set_viewport_size({"width": 1200, "height": 900})
    door = page.get_by_role("button", name="Time span: 3d")
    door.click()
    spans = page.get_by_role("group", name="Time span", exact=True)
    spans.get_by_role("button", name="1d", exact=True).click()
    page.wait_for_url(re.compile("span=1d"))
    page.get_by_role("button", name="Time span: 1d").wait_for()
    expect(page.locator("[popover]:popover-open")).to_have_count(0)
