"""Golden pictures over a fixed replay: coarse brightness of each view, and how much is lit.

Renew after a change that is meant to be seen: POWDERKEG_GOLDEN=renew, then look at the pictures.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
SOURCE = HERE.parents[0] / "sources" / "btc_2026.toml"
UNTIL = "2026-02-06"
COMMAND = "from powderkeg.cli.main import main; main()"
SIZES = {"phone": (390, 844), "desk": (1440, 900)}
REPLAY = ("replay", str(SOURCE), "--until", UNTIL, "--serve", "--port", "0")
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
BLOCKS = 24
UP_WITHIN = 240
MAP_WITHIN = 20_000
# Mean and greatest difference of block brightness, of 255: fonts and rounding move single blocks.
MEAN_WITHIN = 3.0
MOST_WITHIN = 60.0
LIT_WITHIN = 0.03
# Brighter than every ground of the page.
LIT = 40


@pytest.fixture(scope="module")
def replay_url(data: Path) -> Iterator[str]:
    """A server that stands at the end of a stored past."""
    server = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *REPLAY],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "POWDERKEG_DATA": str(data), "POWDERKEG_OFFLINE": "1"},
    )
    with server:
        try:
            yield _address(server)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    """Read what the server says until it names its address, and until that answers."""
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            url = f"http://127.0.0.1:{found[1]}/"
            # What it says later must go somewhere, or it would stand still when the pipe is full.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            _await(url)
            return url
    pytest.fail(f"expected an address of the replay, got {''.join(said)[-400:]}")


def _await(url: str) -> None:
    end = time.monotonic() + UP_WITHIN
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}v1/coins", timeout=5):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"expected {url} to answer within {UP_WITHIN} s")


def _signature(shot: bytes) -> tuple[np.ndarray, float]:
    """Brightness of BLOCKS x BLOCKS blocks, and the share of pixels that are lit."""
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=float)
    blocks = np.array_split(pixels, BLOCKS, axis=0)
    means = [[part.mean() for part in np.array_split(row, BLOCKS, axis=1)] for row in blocks]
    return np.array(means), float((pixels > LIT).mean())


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", SIZES)
def test_a_view_looks_as_it_did(browser: Browser, replay_url: str, size: str, view: str):
    width, height = SIZES[size]
    phone = size == "phone"
    page = browser.new_page(
        viewport={"width": width, "height": height},
        is_mobile=phone,
        has_touch=phone,
        timezone_id="UTC",
    )
    page.goto(f"{replay_url}?view={view}")
    page.locator("[data-source]").first.wait_for(timeout=MAP_WITHIN)
    page.wait_for_timeout(3_500)
    means, lit = _signature(page.locator(".view").screenshot())
    page.close()
    kept = GOLDEN / f"{size}-{view}.json"
    if os.environ.get("POWDERKEG_GOLDEN") == "renew":
        GOLDEN.mkdir(exist_ok=True)
        rounded = [[round(float(x)) for x in row] for row in means]
        kept.write_text(json.dumps({"lit": round(lit, 4), "blocks": rounded}) + "\n")
    golden = json.loads(kept.read_text())
    apart = np.abs(means - np.array(golden["blocks"], dtype=float))
    assert apart.mean() <= MEAN_WITHIN
    assert apart.max() <= MOST_WITHIN
    assert abs(lit - golden["lit"]) <= LIT_WITHIN
