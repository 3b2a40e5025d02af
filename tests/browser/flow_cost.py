"""What a ladder frame costs the page: main-thread CPU of 20 updates a second, and its longest task.

Usage: python tests/browser/flow_cost.py URL [SECONDS [SHARE]]
Prints one JSON line. SHARE of the sizes changes with each ladder, all by default.
Answers of the server at URL are varied and sent again by a socket of the
page's own at 20 a second, ladder and prints in turn; the cost of the page without them is taken
away. `rows` prints are then on the tape while its filter is moved, and the longest task is timed.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import urllib.request
from array import array
from typing import TYPE_CHECKING, Any

import msgspec
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
DESK = {"width": 1440, "height": 900}
RATE = 20
ROWS = 1_000_000
BATCH = 100_000
SLOWER = 6

SOCKET = """
const Own = WebSocket;
window.flowSockets = [];
window.WebSocket = class extends EventTarget {
  constructor(url) {
    if (!String(url).includes('topic=flow')) return new Own(url);
    super();
    this.readyState = 1;
    window.flowSockets.push(this);
    setTimeout(() => this.give('open', new Event('open')));
  }
  give(kind, event) { this.dispatchEvent(event); this['on' + kind]?.(event); }
  send() {}
  close() { this.readyState = 3; }
};
Object.assign(window.WebSocket, {CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3});
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
const give = data =>
  window.flowSockets.at(-1).give('message', new MessageEvent('message', {data}));
window.say = text => give(bytes(text));
let ready = [];
window.load = texts => { ready = texts.map(each => each.map(bytes)); };
// A frame: the handler, what the page draws of it, and layout.
window.play = every => new Promise(done => {
  const took = [];
  const timer = setInterval(async () => {
    const began = performance.now();
    ready[took.length].forEach(give);
    for (let n = 0; n < 5; n++) await null;
    document.body.offsetHeight;
    took.push(performance.now() - began);
    if (took.length === ready.length) { clearInterval(timer); done(took); }
  }, every);
});
window.longest = 0;
new PerformanceObserver(list => {
  for (const each of list.getEntries()) window.longest = Math.max(window.longest, each.duration);
}).observe({entryTypes: ['longtask']});
"""


def _answer(url: str) -> dict[str, Any]:
    asked = urllib.request.Request(url, headers={"accept": "application/vnd.msgpack"})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310  loopback
        return msgspec.msgpack.decode(answer.read())


def _packed(message: dict[str, Any]) -> str:
    return base64.b64encode(msgspec.msgpack.encode(message)).decode()


def _varied(ladder: dict[str, Any], seq: int, share: float) -> str:
    """Return a ladder with that share of its sizes changed."""
    sizes = {
        name: array(
            "f",
            [
                x * random.uniform(0.8, 1.2) if random.random() < share else x
                for x in memoryview(ladder[name]).cast("f")
            ],
        )
        for name in ("bid", "ask", "bought", "sold", "stacked", "largest")
    }
    own = {name: values.tobytes() for name, values in sizes.items()}
    if seq % RATE:
        own |= {"fuel_long": b"", "fuel_short": b""}
    return _packed({**ladder, **own, "seq": seq})


def _prints(tape: dict[str, Any], seq: int, start: float, count: int) -> str:
    """Return new prints, one in a hundred of them large."""
    own = {
        "time": array("d", [start + i for i in range(count)]).tobytes(),
        "market": array("H", [i % len(tape["markets"]) for i in range(count)]).tobytes(),
        "price": array("d", [tape["price"] + i % 7 for i in range(count)]).tobytes(),
        "size": array("f", [0.02 + i % 100 * 0.1 for i in range(count)]).tobytes(),
        "notional": array("f", [1e5 + i for i in range(count)]).tobytes(),
        "count": array("H", [1 + i % 3 for i in range(count)]).tobytes(),
        "mark": bytes(int(i % 100 == 99) for i in range(count)),
    }
    return _packed({**tape, **own, "seq": seq})


class Meter:
    """Main-thread clock of one page."""

    def __init__(self, page: Page) -> None:
        self._wire = page.context.new_cdp_session(page)
        self._wire.send("Performance.enable", {"timeDomain": "threadTicks"})

    def throttle(self, times: float) -> None:
        """Run the page so many times slower."""
        self._wire.send("Emulation.setCPUThrottlingRate", {"rate": times})

    def parts(self) -> dict[str, float]:
        """Return milliseconds so far: of all tasks, script, layout and styles."""
        rows = {r["name"]: r["value"] for r in self._wire.send("Performance.getMetrics")["metrics"]}
        names = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
        return {name: rows[name] * 1e3 for name in names}


def measured(page: Page, url: str, seconds: float, share: float) -> dict[str, float]:
    """Return the cost of a frame by part, ms, and the longest task while the tape is filtered.

    Throttled to a sixth of the speed for the latter: tasks under 50 ms are not reported.
    """
    ladder = _answer(f"{url}v1/BTC/ladder?rows=38")
    tape = _answer(f"{url}v1/BTC/tape?limit=50")
    tape["price"] = ladder["price"]
    frames = round(seconds * RATE)
    newest = float(ladder["now"])
    said = [
        [_varied(ladder, 2 * n, share), _prints(tape, 2 * n + 1, newest + n * 50_000, 3)]
        for n in range(1, frames + 1)
    ]
    meter = Meter(page)
    page.evaluate("t => window.say(t)", _packed({**_answer(f"{url}v1/read/BTC"), "seq": 0}))
    page.evaluate("t => window.load(t)", said[: RATE * 2])
    page.evaluate("every => window.play(every)", 1_000 / RATE)  # warms the compiler
    page.evaluate("t => window.load(t)", said)
    idle = _over(meter, lambda: page.wait_for_timeout(seconds * 1e3))
    took: list[float] = []
    busy = _over(
        meter, lambda: took.extend(page.evaluate("every => window.play(every)", 1_000 / RATE))
    )
    out = {name: round((busy[name] - idle[name]) / frames, 2) for name in busy}
    out |= {"frame_median": round(sorted(took)[frames // 2], 2)}
    out |= {"frame_p90": round(sorted(took)[frames * 9 // 10], 2)}
    later = newest + 1e12
    for n in range(ROWS // BATCH):
        text = _prints(tape, 10**6 + n, later + n * BATCH, BATCH)
        page.evaluate("t => window.say(t)", text)
    page.wait_for_timeout(500)
    meter.throttle(SLOWER)
    page.evaluate("window.longest = 0")
    page.wait_for_timeout(3_000)
    still = page.evaluate("window.longest")
    page.evaluate("window.longest = 0")
    slider = page.get_by_role("slider", name="Smallest print")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
        page.wait_for_timeout(200)
    page.wait_for_timeout(1_000)
    longest = page.evaluate("window.longest")
    meter.throttle(1)
    return out | {"longest_task": round(still, 1), "longest_task_filtering": round(longest, 1)}


def _over(meter: Meter, act: Any) -> dict[str, float]:
    before = meter.parts()
    act()
    return {name: value - before[name] for name, value in meter.parts().items()}


def main(url: str, seconds: float, share: float) -> None:
    """Print the cost for the page at `url`."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=DESK)
        page.add_init_script(SOCKET)
        page.goto(url + "?place=flow")
        page.get_by_role("region", name="Tape").wait_for(timeout=30_000)
        page.wait_for_timeout(2_000)
        sys.stdout.write(json.dumps(measured(page, url, seconds, share) | {"prints": ROWS}) + "\n")
        browser.close()


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    seconds, share = (
        (*map(float, sys.argv[2:]), 10.0, 1.0)[:2]
        if len(sys.argv) != 3
        else (
            float(sys.argv[2]),
            1.0,
        )
    )
    main(sys.argv[1].rstrip("/") + "/", seconds, share)
