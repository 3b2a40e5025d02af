"""How long to wait: after failures, within a venue's limits, and by the venue's clock."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, SECOND
from powderkeg.live.network.backoff import CALM, FIRST, MOST, Backoff
from powderkeg.live.network.rest import SHARE, Budget
from powderkeg.live.timekeeping.clock import Offset, steady
from powderkeg.venues.base import Limits

T = 1_767_225_600 * SECOND


@given(st.integers())
def test_waits_double_and_stay_between_half_and_all_of_the_step(seed):
    backoff = Backoff(random.Random(seed))
    for n in range(15):
        step = min(FIRST * 2**n, MOST)
        assert step / 2 <= backoff.next() <= step


def test_a_link_that_held_begins_anew_and_one_that_did_not_goes_on():
    backoff = Backoff()
    for _ in range(10):
        backoff.next()
    backoff.connected_for(CALM - 1)
    assert backoff.next() > FIRST
    backoff.connected_for(CALM)
    assert backoff.next() <= FIRST


async def test_within_the_share_nothing_waits():
    budget = Budget(Limits(100, MINUTE))
    async with asyncio.timeout(30):
        for _ in range(9):
            await budget.spend(10)
    assert budget.used(steady()) == 90
    assert budget.wait(1, steady()) > 50


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 20)), max_size=60))
def test_no_window_ever_holds_more_than_our_share(requests):
    budget, at, spent = Budget(Limits(100, MINUTE)), T, []
    for weight, later in requests:
        at += later * SECOND
        while (wait := budget.wait(weight, at)) > 0:
            at += max(1, round(wait * SECOND))
        budget._used.append((at, weight))
        spent.append((at, weight))
    for end, _ in spent:
        assert sum(w for t, w in spent if end - MINUTE < t <= end) <= SHARE * 100


def test_a_request_heavier_than_the_share_is_asked_alone():
    budget = Budget(Limits(100, MINUTE))
    assert budget.wait(99, T) == 0
    budget._used.append((T, 99))
    assert budget.wait(99, T) == 60
    assert budget.wait(99, T + MINUTE) == 0


def test_what_the_venue_says_was_used_counts_where_it_is_more():
    budget = Budget(Limits(100, MINUTE))
    for reported in ("", "not a number", "-5"):
        budget.sync_usage(reported, T)
    assert budget.used(T) == 0
    budget.sync_usage("85", T)
    budget.sync_usage("20", T)
    assert budget.used(T) == 85
    assert budget.wait(6, T) == 60
    assert budget.used(T + MINUTE) == 0


def test_a_stop_holds_whatever_is_left():
    budget = Budget(Limits(100, MINUTE))
    budget.stop(30, T)
    budget.stop(10, T)
    assert budget.wait(1, T + 12 * SECOND) == 18
    assert budget.wait(1, T + 30 * SECOND) == 0


async def test_who_came_first_is_served_first_even_if_it_is_heavy():
    budget, order = Budget(Limits(100, 200_000)), []

    async def ask(name, weight):
        await budget.spend(weight)
        order.append(name)

    await ask("full", 60)
    async with asyncio.timeout(60):
        await asyncio.gather(ask("heavy", 80), ask("light", 1))
    assert order == ["full", "heavy", "light"]


def test_skew_is_the_median_of_what_the_venue_says():
    offset = Offset()
    assert offset.skew is None
    for reported in (T + 300_000, T + 310_000, T + 9 * SECOND):
        offset.add_answer(T - 50_000, reported, T + 50_000)
    assert offset.skew == 310_000


def test_delay_is_the_fastest_of_the_last_minute():
    offset = Offset()
    assert offset.delay(T) is None
    offset.add_event(T - 20_000, T)
    offset.add_event(T + 2 * SECOND - 90_000, T + 2 * SECOND)
    offset.add_event(T + 2 * SECOND - 40_000, T + 2 * SECOND + 1)
    assert offset.delay(T + 2 * SECOND) == 20_000
    assert offset.delay(T + 61 * SECOND) == pytest.approx(40_000, abs=2)
    assert offset.delay(T + 3 * MINUTE) is None
