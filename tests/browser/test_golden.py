"""Golden pictures over a fixed replay: coarse brightness of each view, and how much is lit.

Renew after a change that is meant to be seen: POWDERKEG_GOLDEN=renew, then look at the pictures.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from .conftest import CHOSEN, SIZES, go, slow
from .test_fit import axe_faults, faults_of
from .waits import NARROW, VIEWS, lived, stands, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
PICTURED = ("390", "1440")
BLOCKS = 24
# Mean and greatest difference of block brightness, of 255, and the difference of the lit share:
# fonts and rounding move single blocks.
APART = (3.0, 60.0, 0.03)
# Brighter than every ground of the page.
LIT = 40
LEAST_LIT = 0.05


def _signature(shot: bytes) -> tuple[np.ndarray, float]:
    """Brightness of BLOCKS x BLOCKS blocks, and the share of pixels that are lit."""
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=float)
    blocks = np.array_split(pixels, BLOCKS, axis=0)
    means = [[part.mean() for part in np.array_split(row, BLOCKS, axis=1)] for row in blocks]
    return np.array(means), float((pixels > LIT).mean())


def _renew(page: Page, kept: Path) -> None:
    """Keep a picture once it stands: what is fitted to what has come is fitted every 3 s."""
    where = page.locator(".view")
    shot, before = where.screenshot(), b""
    while shot != before:
        lived(page, 3_100)
        shot, before = where.screenshot(), shot
    means, lit = _signature(shot)
    GOLDEN.mkdir(exist_ok=True)
    rounded = [[round(float(x)) for x in row] for row in means]
    kept.write_text(json.dumps({"lit": round(lit, 4), "blocks": rounded}) + "\n")


QUICK = ("heatmap", "levels")


@pytest.mark.parametrize("view", [*QUICK, *slow(*(view for view in VIEWS if view not in QUICK))])
@pytest.mark.parametrize("size", PICTURED)
def test_a_view_looks_as_it_did(browser: Browser, stored_url: str, size: str, view: str):
    width, height = SIZES[size]
    phone = width <= NARROW
    page = browser.new_page(
        viewport={"width": width, "height": height},
        is_mobile=phone,
        has_touch=phone,
        timezone_id="UTC",
    )
    go(page, f"{stored_url}?view={view}")
    kept = GOLDEN / f"{size}-{view}.json"
    if os.environ.get("POWDERKEG_GOLDEN") == "renew":
        _renew(page, kept)
    golden = json.loads(kept.read_text())

    def apart() -> tuple[float, float, float]:
        means, lit = _signature(page.locator(".view").screenshot())
        far = np.abs(means - np.array(golden["blocks"], dtype=float))
        return float(far.mean()), float(far.max()), abs(lit - golden["lit"])

    until(page, apart, lambda far: all(a <= most for a, most in zip(far, APART, strict=True)))
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("size", CHOSEN)
def test_every_view_of_real_data_fits_and_is_lit(browser: Browser, stored_url: str, size: str):
    width, height = SIZES[size]
    touch = width <= NARROW
    page = browser.new_page(
        viewport={"width": width, "height": height}, is_mobile=touch, has_touch=touch
    )
    go(page, stored_url)

    def lit() -> float:
        return _signature(page.locator(".view").screenshot())[1]

    faults: list[str] = []
    for key, view in enumerate(VIEWS, 1):
        page.keyboard.press(str(key))
        stands(page, view)
        faults += faults_of(page, view) + axe_faults(page, view)
        until(page, lit, lambda share: share > LEAST_LIT)
    page.close()
    assert faults == []
