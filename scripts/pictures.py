"""Take the pictures of the README and the docs, so that they show what the product shows now.

Usage: python scripts/pictures.py [NAME ...]
Starts `powderkeg demo BTC ETH SOL` on a free port, waits for its thirty days, and writes every
picture of PICTURES into docs/img (1440 by 900; those of a phone 390 by 844, two pixels to one),
docs/img/map.png by `powderkeg map BTC --png`, and those of STORED from a replay of real stored
data, where there is some (POWDERKEG_DATA, or the folder that the source file names): a market with
history shows more than one that was made a minute ago. With names, only those. No picture is larger
than 250 kB.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Page, ViewportSize

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
POWDERKEG = [sys.executable, "-c", "from powderkeg.cli.main import main; main()"]
ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "img"
SOURCE = ROOT / "tests" / "sources" / "btc_2026.toml"
UNTIL = "2026-02-08"
READY_WITHIN = 420
"""Seconds a made past, or a replay, may take."""
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
WELL_WITHIN = 60
"""Seconds to wait for every venue to be up; the pictures are taken then, and say how it is."""
MAP_WITHIN = 20_000
SETTLE = 2_500
"""Milliseconds for fonts, candles and labels to come to rest."""
MOST = 250_000
"""Bytes of a picture."""


def _cursor(page: Page) -> None:
    """Leave the cursor in the past, above the price, where there is heat."""
    for _ in range(24):
        page.keyboard.press("ArrowLeft")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")


def _sheet(key: str) -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        page.keyboard.press(key)
        page.get_by_role("dialog").wait_for()

    return opened


@dataclass(frozen=True)
class Picture:
    """One picture of the page."""

    query: str = ""
    theme: str = "dark"
    phone: bool = False
    act: Callable[[Page], None] = lambda _: None


PICTURES = {
    "cumulative": Picture("view=cumulative"),
    "venues": Picture("view=venues"),
    "screener": Picture(act=_sheet("/")),
    "share": Picture(act=_sheet("s")),
}
STORED = {
    "desktop": Picture("span=5d"),
    "phone": Picture("span=3d", phone=True),
    "light": Picture("span=5d", theme="light"),
    "light-phone": Picture("span=3d", theme="light", phone=True),
    "readout": Picture("span=5d", act=_cursor),
    "levels": Picture("view=levels"),
    "ratio": Picture("view=ratio"),
    "trust": Picture(act=_sheet("t")),
    "playback": Picture("at=2026-02-05T21:00Z&span=7d"),
}
"""Pictures of real data."""


@contextmanager
def _served(*words: str) -> Generator[str | None]:
    """Run a command that serves the page; its address once it answers, or None where it ends."""
    server = subprocess.Popen(  # noqa: S603  our own command
        [*POWDERKEG, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield _address(server)
    finally:
        server.terminate()
        server.wait()


def _address(server: subprocess.Popen[str]) -> str | None:
    assert server.stdout is not None  # noqa: S101  it was asked for
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            # What it says later must go somewhere, or it would stand still when the pipe is full.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            _await(f"{found[0]}/")
            return f"{found[0]}/"
        sys.stderr.write(line)
    return None


def _await(url: str) -> None:
    """Wait until the server has its past."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}v1/coins") as answer:  # noqa: S310  our own server
                if json.load(answer)["ready"]:
                    return
        except OSError:
            pass  # It says its address before it listens.
        time.sleep(1)
    sys.exit(f"{url} was not ready within {READY_WITHIN} s")


def _well(url: str) -> None:
    """Wait for every venue to be up: a busy machine drops one now and then."""
    until = time.monotonic() + WELL_WITHIN
    while time.monotonic() < until:
        with urllib.request.urlopen(f"{url}v1/health") as answer:  # noqa: S310  our own server
            coins = json.load(answer)["coins"].values()
        if all(v["state"] == "up" for coin in coins for v in coin["venues"]):
            return
        time.sleep(1)


def _shoot(browser: Browser, url: str, name: str, picture: Picture) -> None:
    size = PHONE if picture.phone else DESK
    page = browser.new_page(
        viewport=size,
        device_scale_factor=2 if picture.phone else 1,
        is_mobile=picture.phone,
        has_touch=picture.phone,
    )
    kept = json.dumps({"theme": picture.theme})
    page.add_init_script(f"localStorage.setItem('powderkeg', '{kept}')")
    _well(url)
    page.goto(f"{url}?{picture.query}")
    page.locator("[data-age]").first.wait_for(timeout=MAP_WITHIN)
    page.wait_for_timeout(SETTLE)
    picture.act(page)
    page.wait_for_timeout(SETTLE)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    _lighten(path)


def _lighten(path: Path) -> None:
    """Write a picture in full colour where that is small enough, else with a palette that is."""
    with Image.open(path) as opened:
        full = opened.convert("RGB")
    full.save(path, optimize=True)
    for colours in (256, 128, 64):
        if path.stat().st_size <= MOST:
            break
        full.quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB\n")
    sys.stdout.flush()


def _made(browser: Browser, names: list[str]) -> None:
    """Take what the made market shows."""
    with _served("demo", "BTC", "ETH", "SOL", "--port", "0", "--json-ready") as url:
        if url is None:
            sys.exit("expected an address of the demo, got none")
        for name in names:
            if name in PICTURES:
                _shoot(browser, url, name, PICTURES[name])
        if "map" in names:
            words = ["map", "BTC", "--url", url, "--png", str(IMAGES / "map.png")]
            subprocess.run(  # noqa: S603  our own command
                [*POWDERKEG, *words], check=True, stdout=subprocess.DEVNULL
            )
            _lighten(IMAGES / "map.png")


def _played(browser: Browser, names: list[str]) -> None:
    """Take what stored data show; without the data the old pictures stay."""
    with _served("replay", str(SOURCE), "--until", UNTIL, "--serve", "--port", "0") as url:
        if url is None:
            sys.stdout.write(f"no stored data: {', '.join(names)} stay as they were\n")
            return
        for name in names:
            _shoot(browser, url, name, STORED[name])


def main(names: list[str]) -> None:
    """Take the pictures."""
    known = [*PICTURES, "map", *STORED]
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"expected names among {', '.join(known)}, found {', '.join(unknown)}")
    names = names or known
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if made := [name for name in names if name not in STORED]:
            _made(browser, made)
        if played := [name for name in names if name in STORED]:
            _played(browser, played)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
