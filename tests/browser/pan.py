"""The cost of a pan: main-thread CPU a frame while the map is dragged to and fro.

Usage: python tests/browser/pan.py URL
Prints one JSON line: {"pan_ms_per_frame": 9.8, "script_ms_per_frame": 6.1, "frames": 90, ...}.
Chromium runs without a GPU, as in continuous integration: the worst case for a canvas.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
DESK = {"width": 1440, "height": 900}
FRAMES = 90

# One mouse move a frame: the same events a hand makes, without the waits of a driver.
_DRAG = """
frames => new Promise(done => {
  const at = document.elementFromPoint(500, 450);
  const x = n => 500 + 220 * Math.sin(n / 9), send = (kind, where, n) => where.dispatchEvent(
    new MouseEvent(kind, {clientX: x(n), clientY: 450 + 20 * Math.sin(n / 5), bubbles: true,
      cancelable: true, view: window, button: 0, buttons: kind === 'mouseup' ? 0 : 1}));
  send('mousedown', at, 0);
  let n = 0;
  const step = () => {
    if (n++ >= frames) { send('mouseup', at, n); done(n); return; }
    send('mousemove', at, n);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""


def pan_cost(page: Page, frames: int = FRAMES) -> dict[str, float]:
    """Return main-thread milliseconds a frame of a drag on the map that `page` shows."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def clock() -> dict[str, float]:
        rows = session.send("Performance.getMetrics")["metrics"]
        return {row["name"]: row["value"] for row in rows}

    page.evaluate(_DRAG, 20)  # colours the textures and warms the compiler
    before = clock()
    drawn = page.evaluate(_DRAG, frames)
    after = clock()
    session.detach()

    def each(name: str) -> float:
        return round((after[name] - before[name]) * 1e3 / drawn, 2)

    return {
        "pan_ms_per_frame": each("TaskDuration"),
        "script_ms_per_frame": each("ScriptDuration"),
        "frames": drawn,
    }


def main(url: str) -> None:
    """Print the cost for the page at `url`."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=DESK)
        page.goto(url)
        page.locator(".tag").first.wait_for(timeout=15_000)
        page.wait_for_timeout(1_000)
        sys.stdout.write(json.dumps(pan_cost(page)) + "\n")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
