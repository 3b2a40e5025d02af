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

from .conftest import CHOSEN, MAP_WITHIN, NARROW, SIZES, go
from .test_fit import axe_faults, faults_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
PICTURED = ("390", "1440")
VIEWS = ("heatmap", "levels", "ratio", "cumulative", "venues")
BLOCKS = 24
# Mean and greatest difference of block brightness, of 255: fonts and rounding move single blocks.
MEAN_WITHIN = 3.0
MOST_WITHIN = 60.0
LIT_WITHIN = 0.03
# Brighter than every ground of the page.
LIT = 40
LEAST_LIT = 0.05


def _signature(shot: bytes) -> tuple[np.ndarray, float]:
    """Brightness of BLOCKS x BLOCKS blocks, and the share of pixels that are lit."""
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=float)
    blocks = np.array_split(pixels, BLOCKS, axis=0)
    means = [[part.mean() for part in np.array_split(row, BLOCKS, axis=1)] for row in blocks]
    return np.array(means), float((pixels > LIT).mean())


@pytest.mark.parametrize("view", VIEWS)
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
    page.goto(f"{stored_url}?view={view}")
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


@pytest.mark.parametrize("size", CHOSEN)
def test_every_view_of_real_data_fits_and_is_lit(browser: Browser, stored_url: str, size: str):
    width, height = SIZES[size]
    touch = width <= NARROW
    page = browser.new_page(
        viewport={"width": width, "height": height}, is_mobile=touch, has_touch=touch
    )
    go(page, stored_url)
    faults: list[str] = []
    for key, view in enumerate(VIEWS, 1):
        page.keyboard.press(str(key))
        page.wait_for_timeout(1_500)
        faults += faults_of(page, view) + axe_faults(page, view)
        _, lit = _signature(page.locator(".view").screenshot())
        assert lit > LEAST_LIT, view
    page.close()
    assert faults == []
