"""Answers beside the loop: in turn, equal questions once, and nothing for those who left."""

from __future__ import annotations

import asyncio
import threading

import pytest

from powderkeg.errors import BusyError
from powderkeg.serve.workers import WAITING, Workers, beside


async def test_work_runs_in_another_thread():
    assert await beside(threading.get_ident) != threading.get_ident()


async def test_who_is_cancelled_waits_for_its_thread():
    began, go = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go.wait(30)

    task = asyncio.ensure_future(beside(work))
    await asyncio.to_thread(began.wait, 30)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_lane_serves_one_at_a_time_and_a_short_answer_waits_for_no_long_one():
    workers, order = Workers(), []
    free = asyncio.Event()

    async def ask(lane, name, until=None):
        async with workers.turn(lane):
            if until is not None:
                await until.wait()
            order.append(name)

    long = [asyncio.ensure_future(ask("long", "first", free))]
    await asyncio.sleep(0)
    long.append(asyncio.ensure_future(ask("long", "second")))
    await ask("short", "short")
    assert order == ["short"]
    free.set()
    await asyncio.gather(*long)
    assert order == ["short", "first", "second"]


async def test_more_than_may_wait_are_turned_away_and_those_who_waited_are_served():
    workers, free, served = Workers(), asyncio.Event(), []

    async def ask():
        async with workers.turn("long"):
            await free.wait()
            served.append(1)

    waiting = [asyncio.ensure_future(ask()) for _ in range(WAITING["long"])]
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="ask later"):
        await ask()
    async with asyncio.timeout(30):
        free.set()
        await asyncio.gather(*waiting)
        await ask()
    assert len(served) == WAITING["long"] + 1


async def test_equal_questions_are_answered_once():
    workers, free, made = Workers(), asyncio.Event(), []

    async def work():
        made.append(1)
        await free.wait()
        return object()

    asked = [asyncio.ensure_future(workers.once("same", work)) for _ in range(3)]
    await asyncio.sleep(0)
    free.set()
    answers = await asyncio.gather(*asked)
    assert answers[0] is answers[1] is answers[2]
    assert len(made) == 1
    await workers.once("same", work)
    assert len(made) == 2


async def test_a_question_is_dropped_when_the_last_who_asked_has_left_and_not_before():
    workers, ended = Workers(), []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    one, other = (asyncio.ensure_future(workers.once("same", work)) for _ in range(2))
    await asyncio.sleep(0.01)
    one.cancel()
    await asyncio.sleep(0.01)
    assert not ended
    other.cancel()
    await asyncio.gather(one, other, return_exceptions=True)
    await asyncio.sleep(0)
    assert ended


async def test_who_asks_right_after_the_last_has_left_is_answered():
    workers = Workers()

    async def never():
        await asyncio.Event().wait()

    async def now():
        return 1

    left = asyncio.ensure_future(workers.once("same", never))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert await workers.once("same", now) == 1
