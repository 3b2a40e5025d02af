"""What a newcomer waits for: a fresh clone, an empty home, `make run`, the page; timed and filmed.

Usage: python scripts/first_run.py [--json] [--film FOLDER] [--caches] [--seconds 180]

Times are seconds from the typing of the command. `set_up_s`: the server listens. `first_words_s`:
the page says something. `first_market_s`: the map of the coin in sight is lit. `all_ready_s`: every
market has joined. Downloads are kept from one run to the next with `--caches`. No venue is asked.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

import numpy as np
from look import CHROMIUM, FLAGS
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
SIZES = {"390": (390, 844), "1440": (1440, 900)}
FILM_EVERY = 5.0
LIT = 0.01
"""Share of colourful pixels from which a map counts as lit."""


def _environment(home: Path, *, caches: bool) -> dict[str, str]:
    kept = {
        "PIP_CACHE_DIR": str(Path.home() / ".cache" / "pip"),
        "npm_config_cache": str(Path.home() / ".npm"),
    }
    own = {"HOME": str(home), "POWDERKEG_OFFLINE": "1"}
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("POWDERKEG", "XDG", "PYTHON"))
    }
    return clean | own | (kept if caches else {})


def _address(said: IO[str], found: list[str]) -> None:
    """Read what the command says until it names its address, and on, so that it never waits."""
    for line in said:
        print(f"  {line.rstrip()}", file=sys.stderr, flush=True)
        if match := re.search(r"on (http://127\.0\.0\.1:\d+/)", line):
            found.append(match[1])


def _pixels(page: Page, part: str = "body") -> np.ndarray:
    shot = page.locator(part).first.screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=np.float64)


def _lit(page: Page) -> bool:
    if page.locator(".stage canvas").count() == 0:
        return False
    pixels = _pixels(page, ".stage")
    return bool((pixels.max(axis=2) - pixels.min(axis=2) > 60).mean() > LIT)


def _watch(url: str, began: float, seconds: float, film: Path | None) -> dict[str, Any]:
    """Open the page at both sizes; return when what was seen, and how many pictures were black."""
    seen: dict[str, float] = {"set_up_s": time.monotonic() - began}
    black, shot_at = 0, 0.0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = {}
        for name, (width, height) in SIZES.items():
            pages[name] = browser.new_page(viewport={"width": width, "height": height})
            pages[name].goto(url, wait_until="commit")
        end = began + seconds
        while time.monotonic() < end and "all_ready_s" not in seen:
            page, at = pages["1440"], time.monotonic() - began
            if "first_words_s" not in seen and re.search(r"\w{3}", page.inner_text("body")):
                seen["first_words_s"] = at
            if "first_market_s" not in seen and _lit(page):
                seen["first_market_s"] = time.monotonic() - began
            answer = page.request.get(f"{url}v1/starting").json()
            if answer["ready"] and "first_market_s" in seen:
                seen["all_ready_s"] = time.monotonic() - began
            if at - shot_at >= FILM_EVERY or "all_ready_s" in seen:
                shot_at = at
                for name, each in pages.items():
                    raw = each.screenshot()
                    black += Image.open(io.BytesIO(raw)).convert("L").getextrema()[1] < 40
                    if film:
                        (film / f"{name}-{at:05.1f}s.png").write_bytes(raw)
            page.wait_for_timeout(200)
        browser.close()
    return {name: round(at, 1) for name, at in seen.items()} | {"black_pictures": black}


def main() -> None:
    """Run once and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--film", type=Path)
    parser.add_argument("--caches", action="store_true", help="use the downloads of earlier runs")
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    if options.film:
        options.film.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="powderkeg-first-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        clone = folder / "powderkeg"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)  # noqa: S603, S607
        began = time.monotonic()
        process = subprocess.Popen(
            ["make", "run"],  # noqa: S607
            cwd=clone, env=_environment(folder / "home", caches=options.caches), text=True,
            stderr=subprocess.STDOUT, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            figures = _measured(process, began, options)
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
    print(
        json.dumps(figures) if options.json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )


def _measured(
    process: subprocess.Popen[str], began: float, options: argparse.Namespace
) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101  for the type checker
    found: list[str] = []
    threading.Thread(target=_address, args=(process.stdout, found), daemon=True).start()
    while not found:
        if process.poll() is not None or time.monotonic() - began > options.seconds:
            raise SystemExit("expected the server's address, found none")
        time.sleep(0.05)
    return _watch(found[0], began, options.seconds, options.film)


if __name__ == "__main__":
    main()
