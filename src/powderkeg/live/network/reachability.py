"""Reachability of venues: one request to each, all at once."""

from __future__ import annotations

import asyncio
import errno
from typing import Final

import aiohttp

from powderkeg.errors import WireError
from powderkeg.live.network import bounded
from powderkeg.live.network.endpoints import resolve
from powderkeg.live.network.headers import date
from powderkeg.live.timekeeping.clock import now
from powderkeg.live.timekeeping.discipline import time_is_known
from powderkeg.venues import VENUES
from powderkeg.venues.base import Poll

WITHIN: Final = 10.0
"""Seconds a venue has to answer."""
SECOND_VOICE: Final = 5.0
"""Seconds to wait for another venue if the first says that our clock is wrong."""
LITTLE: Final = 1 << 20
"""Bytes the answer to a time request may have."""
SIMULATED_HEADER: Final = "x-powderkeg-simulated"
"""Header that simulated venues send."""
SIMULATED_VENUES: Final = "simulated venues"
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
    venue = VENUES[name].reader("")
    polls = venue.polls((venue.symbol("BTC"),))
    return next((poll for poll in polls if poll.channel == "clock"), polls[0])


async def probe_venues(
    venues: tuple[str, ...], hosts: dict[str, str], *, wait_for_all: bool = False,
    answers: dict[str, str] | None = None, clocks: dict[str, int] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Return why each venue cannot be reached: empty if it answers, or `SIMULATED_VENUES`.

    Unless `wait_for_all`, returns as soon as one venue answers and the time is known; venues that
    have not answered by then are reported as "not heard yet".

    Args:
        venues: Venues to ask.
        hosts: Hosts to use instead of the documented ones.
        wait_for_all: Wait for all of them.
        answers: Filled with each result as it comes.
        clocks: Filled with how far each venue's clock is ahead of ours, µs.
    """
    ahead: dict[str, int] = {} if clocks is None else clocks
    async with bounded.session(WITHIN) as session:
        tasks = {name: asyncio.ensure_future(_ask(session, name, hosts, ahead)) for name in venues}
        try:
            await _until(
                tasks, {} if answers is None else answers, ahead, wait_for_all=wait_for_all
            )
            return {
                name: task.result() if task.done() else "not heard yet"
                for name, task in tasks.items()
            }
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _until(
    tasks: dict[str, asyncio.Task[str]], answers: dict[str, str], ahead: dict[str, int], *,
    wait_for_all: bool,
) -> None:  # fmt: skip
    """Wait until one venue has answered and the time is known, or all have."""
    loop, waiting = asyncio.get_running_loop(), set(tasks.values())
    end: float | None = None
    while waiting and (end is None or loop.time() < end):
        rest = None if end is None else end - loop.time()
        _, waiting = await asyncio.wait(waiting, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        answers |= {name: task.result() for name, task in tasks.items() if task.done()}
        if not wait_for_all and any(why in ("", SIMULATED_VENUES) for why in answers.values()):
            if time_is_known(ahead, len(tasks)):
                return
            end = loop.time() + SECOND_VOICE if end is None else end


async def _ask(
    session: aiohttp.ClientSession, name: str, hosts: dict[str, str], ahead: dict[str, int]
) -> str:
    poll = probe(name)
    url = resolve(poll.url, name, hosts)
    method = "POST" if poll.body else "GET"
    headers = {"content-type": "application/json"} if poll.body else None
    sent = now()
    try:
        async with session.request(
            method, url, data=poll.body or None, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status == 200:
                server_time = await _time(answer, name, poll)
                if server_time is not None:
                    ahead[name] = server_time - (sent + now()) // 2
                return SIMULATED_VENUES if answer.headers.get(SIMULATED_HEADER) else ""
            return f"HTTP {answer.status} {_WORDS.get(answer.status, '')}".strip()
    except TimeoutError:
        return "no answer"
    except bounded.InvalidResponse as why:
        return str(why)
    except (aiohttp.ClientError, OSError) as why:
        return _plain(why)


async def _time(answer: aiohttp.ClientResponse, name: str, poll: Poll) -> int | None:
    """Return a venue's server time, µs: from its answer, else from the ``Date`` header."""
    if poll.channel == "clock":
        venue = VENUES[name].reader("")
        try:
            venue.read(await bounded.read(answer, LITTLE), now(), poll.channel)
        except WireError:
            return date(answer.headers.get("date", ""))
        if venue.state.server_time:
            return venue.state.server_time
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
