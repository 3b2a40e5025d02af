"""The page comes back by itself: after its server, after sleep, and from nothing but its shell."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import READY_WITHIN, VIEWPORTS
from .waits import DRAWN, WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

AWAY = 70
"""Seconds without a server: more than one column of a minute."""
BACK = READY_WITHIN * 1000
"""Milliseconds in which the page is live again, on a machine that does much else."""
VENUES = ("binance", "bybit")


class Server:
    """`up` on made venues that go on by themselves, to be killed and started again."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.stack = stack
        self.up: subprocess.Popen[str] | None = None
        venues = self._start(
            "powderkeg.simvenues", "--with-parent", "--port", "0", "--coins", "BTC",
            "--venues", *VENUES, stdin=subprocess.PIPE,
        )  # fmt: skip
        hosts = self._said(venues)["hosts"]
        self.hosts = ",".join(f"{name}={host}" for name, host in hosts.items())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def _start(self, module: str, *words: str, **more: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, *words]
        # Every host is named, and all are on loopback.
        own = {k: v for k, v in os.environ.items() if k != "POWDERKEG_OFFLINE"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own, **more)
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        return process

    def _said(self, process: subprocess.Popen[str]) -> Any:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"expected a line of JSON, got exit {process.wait()}"
        return json.loads(line)

    def start(self) -> None:
        """Serve, and wait until the past is known."""
        self.up = self._start(
            "powderkeg", "up", "BTC", "--venues", ",".join(VENUES), "--hosts", self.hosts,
            "--port", self.port, "--json-ready",
        )  # fmt: skip
        self._said(self.up)
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            if self.get("v1/coins")["ready"]:
                return
            time.sleep(0.5)
        pytest.fail(f"expected a market within {READY_WITHIN} s")

    def kill(self) -> None:
        """End at once, as a machine does that loses its power."""
        assert self.up is not None
        self.up.kill()
        self.up.wait()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:  # noqa: S310 - loopback
            return json.load(answer)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of our own, since it is killed."""
    with contextlib.ExitStack() as stack:
        made = Server(stack)
        made.start()
        yield made


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page at its finest columns."""
    page = browser.new_page(viewport=VIEWPORTS["desk"])
    threw: list[str] = []
    page.on("pageerror", lambda why: threw.append(str(why)))
    page.goto(f"{server.url}?span=12h")
    page.locator(DRAWN).first.wait_for(timeout=WITHIN)
    yield page
    page.close()
    assert threw == []


def drawn(shot: bytes) -> float:
    """Share of pixels that are not of the commonest colour."""
    with Image.open(io.BytesIO(shot)) as opened:
        counts = (opened.convert("RGB").getcolors(maxcolors=1 << 24)) or []
    total = sum(n for n, _ in counts)
    return 1 - max(n for n, _ in counts) / total


def alive(page: Page) -> None:
    """Wait until the page is live again."""
    page.wait_for_function(
        """() => { const age = document.querySelector('[data-age]');
           return age && age.classList.contains('up') && Number(age.dataset.age) < 10; }""",
        timeout=BACK,
    )


def unexplained(heat: dict[str, Any], since: float) -> list[int]:
    """Columns from `since`, s, that hold nothing and are not told as gaps."""
    out: list[int] = []
    told = [*heat["gaps"], *heat["partial"]]
    for i, bar in enumerate(heat["ohlc"]):
        at = (heat["t0"] + i * heat["step"]) / 1e6
        if at >= since and bar[3] is None and not any(a <= i < b for a, b in told):
            out.append(i)
    return out


@pytest.mark.slow
def test_a_page_finds_its_server_again_with_no_hole_that_is_not_told(server: Server, page: Page):
    began = time.time()
    before = drawn(page.locator(".stage").screenshot())
    server.kill()
    page.locator("[data-disconnected]").wait_for(timeout=WITHIN)
    expect(page.locator(".chart.dim")).to_have_count(1)
    assert drawn(page.locator(".stage").screenshot()) > 0.5 * before > 0
    time.sleep(AWAY)
    server.start()
    alive(page)
    page.locator("[data-disconnected]").wait_for(state="hidden", timeout=WITHIN)
    expect(page.locator(".chart.dim")).to_have_count(0)
    heat = server.get("v1/BTC/heatmap?span=12h")
    assert unexplained(heat, began - 600) == []


def test_a_page_that_slept_ten_minutes_is_live_within_seconds(browser: Browser, page_url: str):
    page = browser.new_page(viewport=VIEWPORTS["phone"], is_mobile=True, has_touch=True)
    page.clock.install()
    page.goto(f"{page_url}?span=12h")
    page.locator(DRAWN).first.wait_for(timeout=WITHIN)
    alive(page)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    dead = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    line.send("Network.emulateNetworkConditions", dead)
    page.clock.fast_forward("10:00")
    expect(page.locator("[data-age].up")).to_have_count(0)
    whole = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", whole)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    alive(page)
    expect(page.locator(".chart.dim")).to_have_count(0)
    page.close()


def kept_by(page: Page, question: str) -> None:
    """Wait until a promise of the page is true: a promise itself would always seem so."""
    end = time.monotonic() + WITHIN / 1e3
    while not page.evaluate(question):
        assert time.monotonic() < end, question
        page.wait_for_timeout(200)


def test_without_a_line_the_shell_opens_with_the_last_map_dated(browser: Browser, page_url: str):
    context = browser.new_context(viewport=VIEWPORTS["phone"], is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(page_url)
    page.locator(DRAWN).first.wait_for(timeout=WITHIN)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    kept_by(page, "caches.open('powderkeg-shell').then(c => c.match('/')).then(Boolean)")
    kept = page.evaluate(
        "caches.open('powderkeg-shell').then(c => c.keys()).then(k => k.map(r => r.url))"
    )
    assert kept
    assert not any("/v1" in url for url in kept)
    page.evaluate(
        """() => { Object.defineProperty(document, 'visibilityState', {value: 'hidden',
           configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    kept_by(page, "caches.open('powderkeg-last').then(c => c.match('/last-map')).then(Boolean)")
    page.close()
    context.set_offline(True)
    again = context.new_page()
    again.goto(page_url)
    again.locator("figure img").wait_for(timeout=WITHIN)
    for words in ("not live", ":"):
        expect(again.locator("figcaption")).to_contain_text(words, use_inner_text=True)
    context.close()
