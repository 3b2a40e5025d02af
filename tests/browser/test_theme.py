"""Light and dark, little motion, forced colours, and the map for those who do not see it."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import VIEWPORTS, Size, go, slow
from .waits import hold_back, rest, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
SIZES: tuple[Size, ...] = ("phone", "desk")
READ_EVERY = 10_000
"""Milliseconds between two readings of the clusters."""
THEMES = ("dark", "light")
LUMINANCE = """() => {
  const lin = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
  return 0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(b);
}"""
DURATIONS = """() => [...document.querySelectorAll('*')].flatMap(e => {
  const s = getComputedStyle(e);
  return [...s.transitionDuration.split(','), ...s.animationDuration.split(',')].map(parseFloat);
}).filter(seconds => seconds > 0).length"""
PAINT = {"light": "rgb(255, 255, 255)", "dark": "rgb(7, 8, 13)"}


@pytest.fixture
def worn(browser: Browser, page_url: str) -> Iterator[Callable[..., Page]]:
    """Open the page in a theme; the system is light, "dark", "still" or "forced"."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(
        size: Size, theme: str | None, query: str = "", system: str = "", held: int = 0
    ) -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        if held:
            hold_back(page, held)
        page.emulate_media(
            color_scheme="dark" if system == "dark" else "light",
            reduced_motion="reduce" if system == "still" else "no-preference",
            forced_colors="active" if system == "forced" else "none",
        )
        pages.append(page)
        page.on("pageerror", lambda why: threw.append(str(why)))
        if theme:
            kept = json.dumps({"theme": theme})
            page.add_init_script(f"localStorage.setItem('powderkeg', '{kept}')")
        go(page, page_url + query)
        return page

    yield opener
    for page in pages:
        page.close()
    assert threw == []


def _axe(page: Page, where: str) -> list[str]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page.evaluate(AXE.read_text())  # the page allows no script but its own
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{where}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


def _pixels(page: Page) -> np.ndarray:
    shot = page.locator(".stage").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=np.float64)


def _colourful(pixels: np.ndarray) -> float:
    """Share of pixels that are not grey."""
    return float((pixels.max(axis=2) - pixels.min(axis=2) > 40).mean())


def _luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.2126, 0.7152, 0.0722])


def _dark(pixels: np.ndarray) -> float:
    """Share of pixels that are almost black."""
    return float((_luma(pixels) < 25).mean())


@pytest.mark.parametrize("size", ["phone", *slow("desk")])
def test_views_and_sheets_are_accessible_in_the_light_theme(
    worn: Callable[..., Page], page_url: str, size: Size
):
    """The dark one is looked at by test_fit."""
    page = worn(size, "light")
    faults = []
    for view in VIEWS:
        go(page, f"{page_url}?view={view}")
        faults += _axe(page, view)
    for label, title in (("Settings", "Settings"), ("Filters", "Filters")):
        button = page.get_by_role("button", name=re.compile(label)).first
        if label == "Filters" and size == "desk":
            continue
        button.click()
        sheet = page.get_by_role("dialog", name=title)
        sheet.wait_for()
        rest(page)
        faults += _axe(page, label)
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")  # a key pressed while it closes is its own
    page.keyboard.press("/")
    page.get_by_role("dialog", name="Market").locator("[data-grade]").first.wait_for()
    rest(page)
    faults += _axe(page, "coin")
    assert faults == []


@pytest.mark.parametrize("size", ["desk", *slow("phone")])
def test_light_is_ink_on_paper_and_dark_is_light_on_black(worn: Callable[..., Page], size: Size):
    light, dark = worn(size, "light"), worn(size, "dark")
    assert light.evaluate(LUMINANCE) > 0.9
    assert dark.evaluate(LUMINANCE) < 0.01
    # Heat is coloured on either ground: neither bare paper nor bare night.
    ink, lit = (
        until(page, lambda page=page: _pixels(page), lambda seen: 0.05 < _colourful(seen) < 0.9)
        for page in (light, dark)
    )
    assert np.median(_luma(ink)) > np.median(_luma(lit))
    assert (_luma(ink) > 235).mean() > 0.1
    assert _dark(lit) > 0.1


@pytest.mark.parametrize(
    ("theme", "system", "worn_theme"),
    [
        ("light", "dark", "light"),
        ("dark", "light", "dark"),
        ("auto", "light", "light"),
        ("auto", "dark", "dark"),
        (None, "light", "dark"),
    ],
)
def test_the_first_paint_has_the_colour_of_the_theme(
    browser: Browser, page_url: str, theme: str | None, system: str, worn_theme: str
):
    page = browser.new_page(color_scheme="light" if system == "light" else "dark")
    # The page's own script and style sheet never arrive: this is all that is painted before them.
    page.route(re.compile(r"/assets/"), lambda route: route.abort())
    if theme:
        kept = json.dumps({"theme": theme})
        page.add_init_script(f"localStorage.setItem('powderkeg', '{kept}')")
    page.goto(page_url, wait_until="domcontentloaded")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bars = page.locator("meta[name=theme-color]").get_attribute("content")
    page.close()
    assert ground == PAINT[worn_theme]
    assert bars == {"light": "#ffffff", "dark": "#07080d"}[worn_theme]


def test_the_theme_changes_at_once_and_is_remembered(worn: Callable[..., Page], page_url: str):
    page = worn("desk", None)
    page.evaluate("window.same = true")
    before = np.median(_luma(_pixels(page)))
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("group", name="Theme").get_by_role("button", name="Light").click()
    page.keyboard.press("Escape")
    until(page, lambda: np.median(_luma(_pixels(page))), lambda now: now > before)
    expect(page.locator("body")).to_have_css("background-color", PAINT["light"])
    assert page.evaluate("window.same") is True
    expect(page.get_by_label("Darkest at")).to_have_count(1)
    go(page, page_url)
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_auto_follows_the_system_while_the_page_is_open(worn: Callable[..., Page]):
    page = worn("desk", "auto", system="dark")
    dark = _dark(_pixels(page))
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    until(page, lambda: _dark(_pixels(page)), lambda now: now < dark)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_moves_by_itself_where_little_motion_is_asked_for(
    worn: Callable[..., Page], view: str
):
    page = worn("desk", None, f"?view={view}", system="still")
    assert page.evaluate(DURATIONS) == 0
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate(DURATIONS) == 0


def test_forced_colours_keep_borders_the_pressed_state_and_the_drawn_map(
    worn: Callable[..., Page],
):
    page = worn("desk", None, system="forced")
    said = page.evaluate("""() => {
      const style = (s) => getComputedStyle(document.querySelector(s));
      const pressed = style('[aria-pressed=true]');
      return [pressed.outlineStyle, parseFloat(pressed.outlineWidth),
              parseFloat(style('button').borderTopWidth), style('canvas').forcedColorAdjust];
    }""")
    assert said == ["solid", 3, 1, "none"]
    until(page, lambda: _colourful(_pixels(page)), lambda share: share > 0.05)


def test_more_contrast_draws_stronger_lines(worn: Callable[..., Page]):
    line = "getComputedStyle(document.documentElement).getPropertyValue('--line')"
    for theme in THEMES:
        page = worn("desk", theme)
        plain = page.evaluate(line)
        page.emulate_media(contrast="more")
        page.wait_for_function(f"plain => {line} !== plain", arg=plain)


def _usd(words: str) -> float:
    found = re.fullmatch(r"\$([\d.,]+)([KMBT]?)", words)
    assert found, words
    units = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    return float(found[1].replace(",", "")) * units[found[2]]


def _matched(rows: list[list[str]], clusters: list[dict[str, Any]]) -> int:
    """Count the rows that are a cluster: a live market moves, so sizes within a tenth are one."""
    matched = 0
    for side, reach, _, usd, _ in rows:
        low, high = (float(end.replace(",", "")) for end in reach.split(" to "))
        own = [
            c for c in clusters if f"{c['side']}s" == side and c["floor"] < high and c["top"] > low
        ]
        matched += any(abs(_usd(usd) / c["notional"] - 1) < 0.1 for c in own)
    return matched


@pytest.mark.parametrize("size", SIZES)
def test_a_hidden_table_tells_the_nearest_clusters_as_the_api_does(
    worn: Callable[..., Page], page_url: str, size: Size
):
    page = worn(size, None)
    table = page.get_by_role("table", name=re.compile("Nearest clusters of BTC"))
    table.wait_for(state="attached")

    def seen() -> tuple[list[list[str]], list[dict[str, Any]]]:
        with urllib.request.urlopen(f"{page_url}v1/BTC/levels?span=3d") as answer:  # noqa: S310
            clusters = json.load(answer)["clusters"]
        rows = table.locator("tbody tr").all_inner_texts()
        return [row.split("\t") for row in rows], clusters

    rows, _ = until(page, seen, lambda both: _matched(*both) >= max(1, len(both[0]) - 2))
    for side, _, distance, _, band in rows:
        assert side in {"longs", "shorts"}
        assert re.fullmatch(r"[+−]\d+\.\d\d%", distance)
        assert band == "unknown" or re.fullmatch(r"\$[\d.]+\w?–\$[\d.]+\w?", band)


def test_the_nearest_clusters_are_said_politely_and_stand_still_while_prices_move(
    worn: Callable[..., Page],
):
    page = worn("desk", None, held=READ_EVERY)
    status = page.locator("[data-cluster-summary]")
    expect(status).to_have_role("status")
    words = re.compile(r"^Price [\d,.]+; estimated nearest shorts: .+; nearest longs: .+ old\.")
    expect(status).to_have_text(words)
    # They are read again when their time has come, which it never does here.
    said, table = status.inner_text(), page.locator("table", has_text="Nearest clusters of")
    rows = table.inner_text()
    price = page.locator(".price b")
    for _ in range(3):
        expect(price).not_to_have_text(price.inner_text())
    assert (status.inner_text(), table.inner_text()) == (said, rows)


@pytest.mark.parametrize("view", VIEWS[1:])
def test_every_drawn_picture_has_a_text_with_numbers(worn: Callable[..., Page], view: str):
    page = worn("desk", None, f"?view={view}")
    pictures = page.locator("main [role=img]", has=page.locator("canvas"))
    expect(pictures).not_to_have_count(0)
    for picture in pictures.all():
        # End prices are prices and no amounts.
        numbers = r"\$[\d.]+|^End prices: after a touch of \d[\d,.]+ half end beyond \d[\d,.]+"
        expect(picture).to_have_attribute("aria-label", re.compile(numbers))
