"""Is anyone there? One request to each venue, all at once."""

from __future__ import annotations

import asyncio
import errno
from typing import Final

import aiohttp

from powderkeg.errors import WireError
from powderkeg.live.network import bounded
from powderkeg.live.network.endpoints import where
from powderkeg.live.network.headers import date
from powderkeg.live.timekeeping.clock import now
from powderkeg.live.timekeeping.discipline import settled
from powderkeg.venues import VENUES
from powderkeg.venues.base import Poll

WITHIN: Final = 10.0
"""Seconds a venue has to answer."""
SECOND_VOICE: Final = 5.0
"""Seconds to wait for another venue where the first says that our clock is wrong."""
LITTLE: Final = 1 << 20
"""Bytes an answer about the time may have."""
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
    heard: dict[str, str] | None = None, clocks: dict[str, int] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Return for each venue why it cannot be reached; empty where it answers, or `MADE`.

    Unless `everyone` is waited for, returns as soon as one answers and it is known which time it
    is: those that are still silent then are said not to be heard yet.

    Args:
        venues: Whom to ask.
        hosts: Where they are.
        everyone: Wait for all of them.
        heard: Given each answer as it comes.
        clocks: Given by how much each venue's clock is ahead of ours, µs.
    """
    ahead: dict[str, int] = {} if clocks is None else clocks
    async with bounded.session(WITHIN) as session:
        tasks = {name: asyncio.ensure_future(_ask(session, name, hosts, ahead)) for name in venues}
        try:
            await _until(tasks, {} if heard is None else heard, ahead, everyone=everyone)
            return {
                name: task.result() if task.done() else "not heard yet"
                for name, task in tasks.items()
            }
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _until(
    tasks: dict[str, asyncio.Task[str]], heard: dict[str, str], ahead: dict[str, int], *,
    everyone: bool,
) -> None:  # fmt: skip
    """Wait until one has answered and the time is settled, or nobody is left to wait for."""
    loop, waiting = asyncio.get_running_loop(), set(tasks.values())
    end: float | None = None
    while waiting and (end is None or loop.time() < end):
        rest = None if end is None else end - loop.time()
        _, waiting = await asyncio.wait(waiting, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        heard |= {name: task.result() for name, task in tasks.items() if task.done()}
        if not everyone and any(why in ("", MADE) for why in heard.values()):
            if settled(ahead, len(tasks)):
                return
            end = loop.time() + SECOND_VOICE if end is None else end


async def _ask(
    session: aiohttp.ClientSession, name: str, hosts: dict[str, str], ahead: dict[str, int]
) -> str:
    poll = probe(name)
    url = where(poll.url, name, hosts)
    method = "POST" if poll.body else "GET"
    headers = {"content-type": "application/json"} if poll.body else None
    sent = now()
    try:
        async with session.request(
            method, url, data=poll.body or None, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status == 200:
                told = await _time(answer, name, poll)
                if told is not None:
                    ahead[name] = told - (sent + now()) // 2
                return MADE if answer.headers.get(SIGN) else ""
            return f"HTTP {answer.status} {_WORDS.get(answer.status, '')}".strip()
    except TimeoutError:
        return "no answer"
    except bounded.Unfit as why:
        return str(why)
    except (aiohttp.ClientError, OSError) as why:
        return _plain(why)


async def _time(answer: aiohttp.ClientResponse, name: str, poll: Poll) -> int | None:
    """Return what time it is at a venue, µs: as it says, or else as its server dates the answer."""
    if poll.channel == "clock":
        venue = VENUES[name]("")
        try:
            venue.read(await bounded.read(answer, LITTLE), now(), poll.channel)
        except WireError:
            return date(answer.headers.get("date", ""))
        if venue.server_time:
            return venue.server_time
    return date(answer.headers.get("date", ""))


def _plain(why: BaseException) -> str:
    """Return an error in few words."""
    if isinstance(why, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not valid: is the clock of this machine right?"
    if isinstance(why, aiohttp.ClientConnectorDNSError):
        return "the name is not known here"
    if isinstance(why, aiohttp.ClientConnectorError):
        return "connection refused" if why.os_error.errno == errno.ECONNREFUSED else "unreachable"
    return type(why).__name__
