"""Which markets trade a coin: asked of the venues, since a symbol may stand for thousands of it.

``PEPE`` is 1000PEPEUSDT at Binance and Bybit, PEPE-USDT-SWAP at OKX, kPEPE at Hyperliquid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, TypeAlias

import aiohttp

from powderkeg.errors import ConfigError, WireError
from powderkeg.instruments import spellings
from powderkeg.live.network import bounded
from powderkeg.live.network.endpoints import where
from powderkeg.live.timekeeping.clock import now
from powderkeg.venues import VENUES, Venue
from powderkeg.venues.base import Poll
from powderkeg.venues.reader import PARTIAL

Symbols: TypeAlias = dict[str, dict[str, str]]
"""Symbol of each coin, by venue."""
WITHIN: Final = 10.0
"""Seconds a venue has to answer. Where it does not, it is taken to trade coins one by one."""
PLAIN: Final = frozenset({"BTC", "ETH", "SOL"})
"""Coins that every venue lists one by one: nobody is asked for them."""
LISTED: Final = "instruments"


def usual(venue: Venue, coins: Sequence[str]) -> dict[str, str]:
    """Return the symbols a venue has for coins that it trades one by one."""
    return {coin: venue.symbol(coin) for coin in coins}


def picked(venue: Venue, coins: Sequence[str]) -> dict[str, str]:
    """Return the symbols of coins among what a venue has told it lists, without those it lacks."""
    out: dict[str, str] = {}
    for coin in coins:
        names = (venue.symbol(name) for name in spellings(coin))
        found = next((name for name in names if name in venue.instruments), None)
        if found is not None:
            out[coin] = found
    return out


async def listing(
    venues: Sequence[str], coins: Sequence[str], hosts: dict[str, str]
) -> tuple[Symbols, list[str]]:
    """Return the symbols of coins at each venue, and in words which coins which venues lack.

    Args:
        venues: Whom to ask.
        coins: What to ask for.
        hosts: Where the venues are, when not where they document.

    Raises:
        ConfigError: All venues said what they list, and none lists any of the coins.
    """
    readers = {name: VENUES[name]("") for name in venues}
    if PLAIN.issuperset(coins):
        return {name: usual(venue, coins) for name, venue in readers.items()}, []
    async with bounded.session(WITHIN) as session:
        asked = (_ask(session, venue, coins, hosts) for venue in readers.values())
        told = dict(zip(venues, await asyncio.gather(*asked), strict=True))
    if not any(told.values()):
        found = ", ".join(coins)
        raise ConfigError(f"expected coins that {', '.join(venues)} list, found {found}")
    return told, [
        f"{name}: lists no {', '.join(lacking)}"
        for name, symbols in told.items()
        if (lacking := [coin for coin in coins if coin not in symbols])
    ]


async def _ask(
    session: aiohttp.ClientSession, venue: Venue, coins: Sequence[str], hosts: dict[str, str]
) -> dict[str, str]:
    """Ask one venue what it lists."""
    symbols = usual(venue, coins)
    polls = [p for p in venue.polls(tuple(symbols.values())) if _lists(p)]
    answers = [await _answer(session, venue, poll, hosts) for poll in polls]
    if all(answers) and PARTIAL not in venue.skipped:
        return picked(venue, coins)
    return symbols | picked(venue, coins)  # who did not tell all may have the others too


def _lists(poll: Poll) -> bool:
    return poll.channel.partition(":")[0] == LISTED


async def _answer(
    session: aiohttp.ClientSession, venue: Venue, poll: Poll, hosts: dict[str, str]
) -> bool:
    """Let a reader read the answer to one request; return whether it could."""
    method = "POST" if poll.body else "GET"
    kind = {"content-type": "application/json"} if poll.body else None
    url = where(poll.url, venue.name, hosts)
    try:
        async with session.request(
            method, url, data=poll.body or None, headers=kind, allow_redirects=False
        ) as answer:
            body = await bounded.read(answer)
            return answer.status == 200 and not venue.read(body, now(), poll.channel)
    except (aiohttp.ClientError, TimeoutError, OSError, bounded.Unfit, WireError):
        return False
