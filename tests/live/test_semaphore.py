"""Who may ask next: so many at a time, lower ranks first, and no place is ever lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.live.network.semaphore import PrioritySemaphore


async def _passed(ranks: list[int], places: int) -> tuple[list[tuple[int, int]], int]:
    """Return (rank, number) in the order they went through, and how many were inside at most."""
    gate, order, inside, most = PrioritySemaphore(places), [], 0, 0

    async def work(number: int, rank: int) -> None:
        nonlocal inside, most
        async with gate.slot(rank):
            order.append((rank, number))
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work(n, rank) for n, rank in enumerate(ranks)))
    return order, most


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 5))
def test_lower_ranks_go_first_and_equal_ones_in_the_order_they_came(ranks, places):
    order, most = asyncio.run(_passed(ranks, places))
    assert most <= places
    assert order[places:] == sorted(order[places:])
    assert sorted(number for _, number in order) == list(range(len(ranks)))


async def test_who_is_cancelled_while_waiting_or_just_let_in_takes_no_place():
    gate = PrioritySemaphore(1)
    entered = []

    async def work(name, rank):
        async with gate.slot(rank):
            entered.append(name)

    async with gate.slot(0):
        waiting, let_in = (asyncio.ensure_future(work(n, r)) for n, r in (("a", 2), ("b", 1)))
        await asyncio.sleep(0)
        waiting.cancel()
    let_in.cancel()
    for task in (waiting, let_in):
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(60):
        await work("c", 5)
    assert entered == ["c"]
