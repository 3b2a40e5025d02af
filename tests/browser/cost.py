"""What the page costs: main-thread CPU a frame while the map is moved, a live tick, and the heap.

Usage: python tests/browser/cost.py URL [SECONDS]
Prints one JSON line: milliseconds of main thread a frame of a pan, a zoom and a drag of the legend,
of the live run, and the heap before and after SECONDS of live run (60 by default) in MB.
Chromium runs without a GPU, as in continuous integration: the worst case for a canvas.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

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
SPAN = "?span=5d"
"""The widest of maps: 1,440 columns of 800 rows."""
FRAMES = 90
FRAMES_PER_SECOND = 60

# One event a frame: the same events a hand makes, without the waits of a driver.
_SEND = """
const send = (kind, where, x, y, more = {}) => where.dispatchEvent(
  new (kind === 'wheel' ? WheelEvent : kind[0] === 'p' ? PointerEvent : MouseEvent)(kind, {
    clientX: x, clientY: y, bubbles: true, cancelable: true, view: window, button: 0, pointerId: 1,
    isPrimary: true, buttons: kind.endsWith('up') ? 0 : 1, ...more}));
const frames_of = (frames, each) => new Promise(done => {
  let n = 0;
  const step = () => { if (n >= frames) return done(n); each(n++); requestAnimationFrame(step); };
  requestAnimationFrame(step);
});
"""
PAN = f"""async frames => {{ {_SEND}
  const at = document.elementFromPoint(500, 450), x = n => 500 + 220 * Math.sin(n / 9);
  send('mousedown', at, x(0), 450);
  const move = n => send('mousemove', at, x(n), 450 + 20 * Math.sin(n / 5));
  const drawn = await frames_of(frames, move);
  send('mouseup', at, x(drawn), 450);
  return drawn;
}}"""
ZOOM = f"""async frames => {{ {_SEND}
  const at = document.elementFromPoint(500, 450);
  return frames_of(frames, n => send('wheel', at, 500, 450, {{deltaY: n % 40 < 20 ? -60 : 60}}));
}}"""
LEGEND = f"""async frames => {{ {_SEND}
  const knob = document.querySelector('[role=slider][aria-label="Hide below"]');
  const box = knob.getBoundingClientRect(), y = box.y + box.height / 2, x0 = box.x + box.width / 2;
  const x = n => x0 + 40 * Math.abs(Math.sin(n / 9));
  send('pointerdown', knob, x0, y);
  const drawn = await frames_of(frames, n => send('pointermove', knob, x(n), y));
  send('pointerup', knob, x(drawn), y);
  return drawn;
}}"""


class Meter:
    """Main-thread clock and heap of one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._wire: CDPSession = page.context.new_cdp_session(page)
        self._wire.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _clock(self) -> float:
        rows = self._wire.send("Performance.getMetrics")["metrics"]
        return float(next(row["value"] for row in rows if row["name"] == "TaskDuration"))

    def frame(self, move: str, frames: int = FRAMES) -> float:
        """Return milliseconds of main thread a frame of a move."""
        self._page.evaluate(move, 20)  # colours the textures and warms the compiler
        before = self._clock()
        drawn = self._page.evaluate(move, frames)
        return round((self._clock() - before) * 1e3 / drawn, 2)

    def tick(self, seconds: float = 8.0) -> float:
        """Return milliseconds of main thread a frame of the screen while nothing is touched.

        Columns come about ten times a second, frames sixty times.
        """
        before = self._clock()
        self._page.wait_for_timeout(seconds * 1000)
        return round((self._clock() - before) * 1e3 / (seconds * FRAMES_PER_SECOND), 2)

    def heap(self) -> float:
        """Return the live script heap, MB."""
        for _ in range(2):
            self._wire.send("HeapProfiler.collectGarbage")
        return round(self._wire.send("Runtime.getHeapUsage")["usedSize"] / 1e6, 2)


def measured(page: Page) -> dict[str, float]:
    """Return the cost of each way to move the map that `page` shows."""
    meter = Meter(page)
    return {name: meter.frame(move) for name, move in MOVES.items()} | {"tick": meter.tick()}


MOVES = {"pan": PAN, "zoom": ZOOM, "legend": LEGEND}


def main(url: str, seconds: float) -> None:
    """Print the cost for the page at `url`."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=DESK)
        page.goto(url + SPAN)
        page.locator(".tag").first.wait_for(timeout=15_000)
        page.wait_for_timeout(1_000)
        out = measured(page)
        meter = Meter(page)
        page.reload()
        page.locator(".tag").first.wait_for(timeout=15_000)
        page.wait_for_timeout(15_000)
        out["heap_mb"] = meter.heap()
        page.wait_for_timeout(seconds * 1000)
        out["heap_mb_after"] = meter.heap()
        sys.stdout.write(json.dumps(out | {"seconds": seconds}) + "\n")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1].rstrip("/") + "/", float(sys.argv[2]) if len(sys.argv) == 3 else 60.0)
