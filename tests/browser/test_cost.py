"""Main-thread CPU a frame, a live tick, and a heap that stays flat."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .conftest import DRAWN
from .cost import DESK, MOVES, SPAN, Meter

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser]

FRAME, TICK = 16.0, 5.0
"""Milliseconds of main thread a frame: of a move, and of a screen that is only watched."""
SECONDS = float(os.environ.get("POWDERKEG_HEAP", "20"))
"""How long the heap is watched; 600 is the long form."""
GROWTH = 1.5
"""MB that may come in that time: caches of text and shapes fill."""


@pytest.fixture
def meter(browser: Browser, page_url: str):
    page = browser.new_page(viewport=DESK)
    page.goto(page_url + SPAN)
    page.locator(DRAWN).first.wait_for(timeout=20_000)
    page.wait_for_timeout(1_000)
    yield Meter(page)
    page.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("move", MOVES)
def test_a_frame_of_every_move_fits_the_budget(meter: Meter, move: str):
    # The lesser of two: another process on the machine can only add to it.
    assert min(meter.frame(MOVES[move]) for _ in range(2)) <= FRAME


@pytest.mark.timeout(240)
def test_a_frame_of_the_live_map_fits_the_budget(meter: Meter):
    assert min(meter.tick(4.0) for _ in range(2)) <= TICK


@pytest.mark.timeout(SECONDS + 240)
def test_the_heap_stays_flat(meter: Meter):
    meter.tick(15.0)
    before = meter.heap()
    meter.tick(SECONDS)
    assert meter.heap() - before <= GROWTH
