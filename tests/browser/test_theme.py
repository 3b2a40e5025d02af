"""Light and dark, little motion, forced colours, and the map for those who do not see it."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from .conftest import MAP_WITHIN, VIEWPORTS, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
SIZES: tuple[Size, ...] = ("phone", "desk")
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

    def opener(size: Size, theme: str | None, query: str = "", system: str = "") -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
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
        _go(page, page_url + query)
        return page

    yield opener
    for page in pages:
        page.close()
    assert threw == []


def _go(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("[data-age]").first.wait_for(timeout=MAP_WITHIN)
    page.wait_for_timeout(2_000)


def _axe(page: Page, where: str) -> list[str]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page.evaluate(AXE.read_text())  # the page allows no script but its own
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{where}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


def _pixels(page: Page) -> np.ndarray:
    shot = page.locator(".stage").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=np.float64)


def _luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("size", SIZES)
def test_views_and_sheets_are_accessible_in_the_light_theme(
    worn: Callable[..., Page], page_url: str, size: Size
):
    """The dark one is looked at by test_fit."""
    page = worn(size, "light")
    faults = []
    for view in VIEWS:
        _go(page, f"{page_url}?view={view}")
        faults += _axe(page, view)
    for label, title in (("Settings", "Settings"), ("Filters", "What the map counts")):
        button = page.get_by_role("button", name=re.compile(label)).first
        if label == "Filters" and size == "desk":
            continue
        button.click()
        sheet = page.get_by_role("dialog", name=title)
        sheet.wait_for()
        faults += _axe(page, label)
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")  # a key pressed while it closes is its own
    page.keyboard.press("/")
    page.get_by_role("dialog", name="Market").wait_for()
    page.wait_for_timeout(800)
    faults += _axe(page, "coin")
    assert faults == []


@pytest.mark.parametrize("size", SIZES)
def test_light_is_ink_on_paper_and_dark_is_light_on_black(worn: Callable[..., Page], size: Size):
    light, dark = worn(size, "light"), worn(size, "dark")
    assert light.evaluate(LUMINANCE) > 0.9
    assert dark.evaluate(LUMINANCE) < 0.01
    ink, lit = _pixels(light), _pixels(dark)
    assert np.median(_luma(ink)) > np.median(_luma(lit))
    # Heat is coloured on either ground: neither bare paper nor bare night.
    for pixels in (ink, lit):
        colourful = (pixels.max(axis=2) - pixels.min(axis=2) > 40).mean()
        assert 0.05 < colourful < 0.9
    assert (_luma(ink) > 235).mean() > 0.1
    assert (_luma(lit) < 25).mean() > 0.1


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
    page.wait_for_timeout(400)
    assert np.median(_luma(_pixels(page))) > before
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAINT["light"]
    assert page.evaluate("window.same") is True
    assert page.get_by_label("Darkest at").count() == 1
    _go(page, page_url)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_auto_follows_the_system_while_the_page_is_open(worn: Callable[..., Page]):
    page = worn("desk", "auto", system="dark")
    dark = (_luma(_pixels(page)) < 25).mean()
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(400)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert (_luma(_pixels(page)) < 25).mean() < dark
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(400)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


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
    assert (_pixels(page).max(axis=2) - _pixels(page).min(axis=2) > 40).mean() > 0.05


def test_more_contrast_draws_stronger_lines(worn: Callable[..., Page]):
    line = "getComputedStyle(document.documentElement).getPropertyValue('--line')"
    for theme in THEMES:
        page = worn("desk", theme)
        plain = page.evaluate(line)
        page.emulate_media(contrast="more")
        assert page.evaluate(line) != plain


def _usd(words: str) -> float:
    found = re.fullmatch(r"\$([\d.,]+)([KMBT]?)", words)
    assert found, words
    units = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    return float(found[1].replace(",", "")) * units[found[2]]


@pytest.mark.parametrize("size", SIZES)
def test_a_hidden_table_tells_the_nearest_clusters_as_the_api_does(
    worn: Callable[..., Page], page_url: str, size: Size
):
    page = worn(size, None)
    table = page.get_by_role("table", name=re.compile("Nearest clusters of BTC"))
    table.wait_for(state="attached")
    with urllib.request.urlopen(f"{page_url}v1/BTC/levels?span=3d") as answer:  # noqa: S310
        levels = json.load(answer)
    rows = [row.inner_text().split("\t") for row in table.locator("tbody tr").all()]
    assert {row[0] for row in rows} <= {"longs", "shorts"}
    matched = 0
    for side, reach, distance, usd, band in rows:
        low, high = (float(end.replace(",", "")) for end in reach.split(" to "))
        own = [
            c
            for c in levels["clusters"]
            if f"{c['side']}s" == side and c["floor"] < high and c["top"] > low
        ]
        assert re.fullmatch(r"[+−]\d+\.\d\d%", distance)
        assert band == "unknown" or re.fullmatch(r"\$[\d.]+\w?–\$[\d.]+\w?", band)
        # A live market moves between two looks: sizes within a tenth are the same cluster.
        matched += any(abs(_usd(usd) / c["mass"] - 1) < 0.1 for c in own)
    assert matched >= max(1, len(rows) - 2)
    status = page.locator("[data-near]")
    assert status.get_attribute("role") == "status"
    said = status.inner_text()
    assert re.match(r"Price [\d,.]+; estimated nearest shorts: .+; nearest longs: .+ old\.", said)
    page.wait_for_timeout(3_000)
    assert status.inner_text() == said


@pytest.mark.parametrize("view", VIEWS[1:])
def test_every_drawn_picture_has_a_text_with_numbers(worn: Callable[..., Page], view: str):
    page = worn("desk", None, f"?view={view}")
    labels = page.locator("main [role=img]").evaluate_all(
        "all => all.filter(e => e.querySelector('canvas')).map(e => e.getAttribute('aria-label'))"
    )
    assert labels
    assert [label for label in labels if not re.search(r"\$[\d.]+", label)] == []
