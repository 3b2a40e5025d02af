"""A served page, a browser, and the two sizes the page is designed for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect, sync_playwright

from .waits import NARROW, WITHIN, stands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.mark import ParameterSet
    from playwright.sync_api import Browser, Page, ViewportSize, WebSocketRoute

CHROMIUM = "/usr/bin/chromium"
UNUSED = (
    # Three quarters of the CPU time of a new page go into a hidden address bar.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    # The last list counts, so it repeats what Playwright switches off.
    "AimEnabled", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect",
)  # fmt: skip
"""Features of Chromium that are switched off."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=" + ",".join(UNUSED),
]
COMMAND = "from powderkeg.cli.main import main; main()"
Size = Literal["phone", "desk"]
VIEWPORTS: dict[Size, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "desk": {"width": 1440, "height": 900},
}
SIZES = {"360": (360, 740), "390": (390, 844), "768": (768, 1024), "1440": (1440, 900)}
"""The four sizes everything must fit."""
ENDS = ("360", "1440")
CHOSEN = tuple(SIZES) if os.environ.get("POWDERKEG_SIZES") == "all" else ENDS
"""The sizes that are looked at: the narrowest and the widest, or all on request."""
READY_WITHIN = 480
"""Seconds in which a server has lived through its past, on a machine that does much else."""
SOURCE = Path(__file__).parents[1] / "sources" / "btc_2026.toml"
STORED_UNTIL = "2026-02-08"
expect.set_options(timeout=WITHIN)


def slow(*values: str) -> list[ParameterSet]:
    """Return parameters that only `make test-all` looks at."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


@pytest.fixture(scope="package")
def page_url() -> Iterator[str]:
    """Address of a running page: POWDERKEG_PAGE, else a demo server of our own."""
    running = os.environ.get("POWDERKEG_PAGE")
    if running:
        yield running.rstrip("/") + "/"
        return
    server = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "demo", "BTC", "ETH", "--port", "0", "--json-ready"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            if not said:
                pytest.fail(f"expected one line of JSON from the demo, got exit {server.wait()}")
            url = str(json.loads(said)["url"]).rstrip("/") + "/"
            _await_market(url)
            yield url
        finally:
            server.terminate()


def _await_market(url: str) -> None:
    """Wait until every coin has lived through its past."""
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{url}v1/coins", timeout=60) as answer:  # noqa: S310 - loopback
            said = json.load(answer)
        if said.get("ready", True):
            return
        time.sleep(0.5)
    pytest.fail(f"expected a market within {READY_WITHIN} s, still {said.get('progress')}")


@pytest.fixture(scope="package")
def stored_url(data: Path) -> Iterator[str]:
    """Address of a served replay of real data, the fall of February 2026 at its end."""
    words = ["replay", str(SOURCE), "--until", STORED_UNTIL, "--serve", "--port", "0"]
    server = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "POWDERKEG_DATA": str(data), "POWDERKEG_OFFLINE": "1"},
    )
    with server:
        try:
            assert server.stderr is not None
            said = next((line for line in server.stderr if "http://" in line), "")
            if not said:
                pytest.fail(f"expected an address from the replay, got exit {server.wait()}")
            yield "http://" + said.split("http://")[1].split()[0]
        finally:
            server.terminate()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium without a GPU.

    Closed after this folder: while Playwright lives, its event loop counts as running in this
    process, and an asynchronous test that comes after it would be refused.
    """
    if not os.path.exists(CHROMIUM):  # noqa: PTH110
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Browser, page_url: str) -> Iterator[Callable[..., Page]]:
    """Open the page at a size and wait for its view; the test fails when the page threw."""
    pages: list[Page] = []
    threw: list[str] = []

    def opener(size: Size, query: str = "") -> Page:
        phone = size == "phone"
        page = browser.new_page(viewport=VIEWPORTS[size], is_mobile=phone, has_touch=phone)
        pages.append(page)
        page.on("pageerror", lambda why: threw.append(str(why)))
        go(page, page_url + query)
        return page

    yield opener
    for page in pages:
        page.close()
    assert threw == []


@pytest.fixture
def at(browser: Browser, page_url: str) -> Iterator[Callable[..., Page]]:
    """Open the page at one of the four sizes."""
    pages: list[Page] = []

    def opener(size: str, query: str = "") -> Page:
        width, height = SIZES[size]
        touch = width <= NARROW
        page = browser.new_page(
            viewport={"width": width, "height": height}, is_mobile=touch, has_touch=touch
        )
        pages.append(page)
        go(page, page_url + query)
        return page

    yield opener
    for page in pages:
        page.close()


def go(page: Page, url: str) -> None:
    """Go to an address and wait until its view stands."""
    page.set_default_timeout(WITHIN)
    page.goto(url)
    page.locator("[data-age]").first.wait_for()
    asked = re.search(r"[?&]view=(\w+)", url)
    stands(page, asked[1] if asked else "heatmap")


def relay(page: WebSocketRoute, rewrite: Callable[[bytes], bytes]) -> None:
    """Let a page hear its server's stream, each message as `rewrite` returns it."""
    server = page.connect_to_server()
    server.on_message(lambda raw: page.send(rewrite(raw) if isinstance(raw, bytes) else raw))
