"""Is anyone there? One request to each venue, all at once."""

from __future__ import annotations

import asyncio
import errno
from typing import Final

import aiohttp

from powderkeg.live import bounded
from powderkeg.live.hosts import where
from powderkeg.venues import VENUES
from powderkeg.venues.base import Poll

WITHIN: Final = 10.0
"""Seconds a venue has to answer."""
SIGN: Final = "x-powderkeg-simulated"
"""Header by which made venues own up to being made."""
MADE: Final = "made venues"
_WORDS = {
    301: "sent to another address, which is not followed",
    302: "sent to another address, which is not followed",
    307: "sent to another address, which is not followed",
    308: "sent to another address, which is not followed",
    403: "forbidden from this address",
    451: "not served at this location",
}


def probe(name: str) -> Poll:
    """Return the cheapest request of a venue: its clock, else its instruments."""
    venue = VENUES[name]("")
    polls = venue.polls((venue.symbol("BTC"),))
    return next((poll for poll in polls if poll.channel == "clock"), polls[0])


async def contact(
    venues: tuple[str, ...], hosts: dict[str, str], *, everyone: bool = False,
    heard: dict[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Return for each venue why it cannot be reached; empty where it answers, or `MADE`.

    Unless `everyone` is waited for, returns as soon as one answers: those that are still silent
    then are said not to be heard yet. `heard` is given each answer as it comes.
    """
    async with bounded.session(WITHIN) as session:
        tasks = {name: asyncio.ensure_future(_ask(session, name, hosts)) for name in venues}
        waiting = set(tasks.values())
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if heard is not None:
                    heard |= {name: t.result() for name, t in tasks.items() if t.done()}
                if not everyone and any(task.result() in ("", MADE) for task in done):
                    break
            return {
                name: task.result() if task.done() else "not heard yet"
                for name, task in tasks.items()
            }
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def _ask(session: aiohttp.ClientSession, name: str, hosts: dict[str, str]) -> str:
    poll = probe(name)
    url = where(poll.url, name, hosts)
    method = "POST" if poll.body else "GET"
    headers = {"content-type": "application/json"} if poll.body else None
    try:
        async with session.request(
            method, url, data=poll.body or None, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status == 200:
                return MADE if answer.headers.get(SIGN) else ""
            return f"HTTP {answer.status} {_WORDS.get(answer.status, '')}".strip()
    except TimeoutError:
        return "no answer"
    except (aiohttp.ClientError, OSError) as why:
        return _plain(why)


def _plain(why: BaseException) -> str:
    """Return an error in few words."""
    if isinstance(why, aiohttp.ClientConnectorDNSError):
        return "the name is not known here"
    if isinstance(why, aiohttp.ClientConnectorError):
        return "connection refused" if why.os_error.errno == errno.ECONNREFUSED else "unreachable"
    return type(why).__name__
