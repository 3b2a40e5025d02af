"""Take the README's pictures from the made market, so that they show what the product shows now.

Usage: python scripts/pictures.py
Starts `powderkeg demo BTC` on a free port, waits for its thirty days, and writes
docs/img/desktop.png (1440 by 900), docs/img/phone.png (390 by 844, two pixels to one), and
docs/img/map.png by `powderkeg map BTC --png`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
POWDERKEG = [sys.executable, "-c", "from powderkeg.cli.main import main; main()"]
IMAGES = Path(__file__).parents[1] / "docs" / "img"
READY_WITHIN = 180
"""Seconds a made past may take."""
MAP_WITHIN = 15_000
SETTLE = 2_500
"""Milliseconds for fonts, candles and labels to come to rest."""


def _wait(url: str) -> None:
    """Wait until the server has its past."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        with urllib.request.urlopen(f"{url}v1/coins") as answer:  # noqa: S310  our own server
            if json.load(answer)["ready"]:
                return
        time.sleep(1)
    sys.exit(f"{url} was not ready within {READY_WITHIN} s")


def _shoot(browser: Browser, url: str, name: str, *, phone: bool) -> None:
    size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
    page = browser.new_page(
        viewport=size, device_scale_factor=2 if phone else 1, is_mobile=phone, has_touch=phone
    )
    page.goto(url)
    page.locator("[data-age]").first.wait_for(timeout=MAP_WITHIN)
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=IMAGES / name)
    page.close()


def main() -> None:
    """Take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    demo = subprocess.Popen(  # noqa: S603  our own command
        [*POWDERKEG, "demo", "BTC", "--port", "0", "--json-ready"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stdout is not None  # noqa: S101  it was asked for
        url = json.loads(demo.stdout.readline())["url"]
        _wait(url)
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            _shoot(browser, url, "desktop.png", phone=False)
            _shoot(browser, url, "phone.png", phone=True)
            browser.close()
        words = ["map", "BTC", "--url", url, "--png", str(IMAGES / "map.png")]
        subprocess.run([*POWDERKEG, *words], check=True)  # noqa: S603  our own command
    finally:
        demo.terminate()
        demo.wait()


if __name__ == "__main__":
    main()
