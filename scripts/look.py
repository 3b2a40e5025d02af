"""Pictures of the page at the two sizes we design for, to be looked at by a person.

Usage: python scripts/look.py URL [FOLDER]
Writes FOLDER/phone-*.png and FOLDER/desk-*.png (FOLDER is shots/ by default, git-ignored), prints
what the page said on its console, and ends with 1 when it threw.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
MAP_WITHIN = 15_000
SETTLE = 1_500


def _opened(browser: Browser, url: str, *, phone: bool, said: list[str]) -> Page:
    page = (
        browser.new_page(
            viewport={"width": 390, "height": 844},
            device_scale_factor=2,
            is_mobile=True,
            has_touch=True,
        )
        if phone
        else browser.new_page(viewport={"width": 1440, "height": 900})
    )
    page.on("pageerror", lambda why: said.append(f"threw: {why}"))
    page.on("console", lambda m: said.append(f"{m.type}: {m.text}") if m.type == "error" else None)
    page.goto(url)
    return page


def _shoot(page: Page, url: str, name: str, folder: Path) -> None:
    for view in VIEWS:
        page.goto(f"{url}?view={view}")
        page.locator("[data-age]").first.wait_for(timeout=MAP_WITHIN)
        page.wait_for_timeout(SETTLE)
        page.screenshot(path=folder / f"{name}-{view}.png")
    page.goto(url)
    page.locator(".tag").first.wait_for(timeout=MAP_WITHIN)
    page.wait_for_timeout(SETTLE)
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_timeout(200)
    page.screenshot(path=folder / f"{name}-cursor.png")


def main(url: str, folder: Path) -> int:
    """Take the pictures; return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, phone in (("phone", True), ("desk", False)):
            page = _opened(browser, url, phone=phone, said=said)
            _shoot(page, url, name, folder)
            page.close()
        browser.close()
    sys.stdout.write(("\n".join(said) or "the page said nothing") + "\n")
    return 1 if any(line.startswith("threw") for line in said) else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1].rstrip("/") + "/", Path(*sys.argv[2:3] or ["shots"])))
