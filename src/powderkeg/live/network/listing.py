"""Symbols of coins at each venue, from its instruments: one contract may be a thousand coins.

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
from powderkeg.live.network.endpoints import resolve
from powderkeg.live.timekeeping.clock import now
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.base import Poll
from powderkeg.venues.reader import PARTIAL

Symbols: TypeAlias = dict[str, dict[str, str]]
"""Symbol of each coin, by venue."""
WITHIN: Final = 10.0
"""Seconds a venue has to answer; otherwise the default symbols are used."""
PLAIN: Final = frozenset({"BTC", "ETH", "SOL"})
"""Coins that every venue lists under the default symbol: no request is needed."""
LISTED: Final = "instruments"


def default_symbols(venue: VenueReader, coins: Sequence[str]) -> dict[str, str]:
    """Return the default symbols of coins: contracts of one coin."""
    return {coin: venue.symbol(coin) for coin in coins}


def listed_symbols(venue: VenueReader, coins: Sequence[str]) -> dict[str, str]:
    """Return the symbols of those coins that a venue lists, from its instruments."""
    out: dict[str, str] = {}
    for coin in coins:
        names = (venue.symbol(name) for name in spellings(coin))
        found = next((name for name in names if name in venue.state.instruments), None)
        if found is not None:
            out[coin] = found
    return out


async def find_symbols(
    venues: Sequence[str], coins: Sequence[str], hosts: dict[str, str]
) -> tuple[Symbols, list[str]]:
    """Return the symbols of coins at each venue, and messages about coins a venue lacks.

    Args:
        venues: Venues to ask.
        coins: Coins to find.
        hosts: Hosts to use instead of the documented ones.

    Raises:
        ConfigError: All venues answered, and none lists any of the coins.
    """
    readers = {name: VENUES[name].reader("") for name in venues}
    if PLAIN.issuperset(coins):
        return {name: default_symbols(venue, coins) for name, venue in readers.items()}, []
    async with bounded.session(WITHIN) as session:
        asked = (_ask(session, venue, coins, hosts) for venue in readers.values())
        symbols_by_venue = dict(zip(venues, await asyncio.gather(*asked), strict=True))
    if not any(symbols_by_venue.values()):
        found = ", ".join(coins)
        raise ConfigError(f"expected coins that {', '.join(venues)} list, found {found}")
    return symbols_by_venue, [
        f"{name}: lists no {', '.join(lacking)}"
        for name, symbols in symbols_by_venue.items()
        if (lacking := [coin for coin in coins if coin not in symbols])
    ]


async def _ask(
    session: aiohttp.ClientSession, venue: VenueReader, coins: Sequence[str], hosts: dict[str, str]
) -> dict[str, str]:
    """Return the symbols of one venue."""
    symbols = default_symbols(venue, coins)
    polls = [p for p in venue.polls(tuple(symbols.values())) if _lists(p)]
    answers = [await _answer(session, venue, poll, hosts) for poll in polls]
    if all(answers) and PARTIAL not in venue.state.skipped:
        return listed_symbols(venue, coins)
    return symbols | listed_symbols(venue, coins)  # an incomplete list may lack some


def _lists(poll: Poll) -> bool:
    return poll.channel.partition(":")[0] == LISTED


async def _answer(
    session: aiohttp.ClientSession, venue: VenueReader, poll: Poll, hosts: dict[str, str]
) -> bool:
    """Send one request and read its answer; return whether it was readable."""
    method = "POST" if poll.body else "GET"
    kind = {"content-type": "application/json"} if poll.body else None
    url = resolve(poll.url, venue.name, hosts)
    try:
        async with session.request(
            method, url, data=poll.body or None, headers=kind, allow_redirects=False
        ) as answer:
            body = await bounded.read(answer)
            return answer.status == 200 and not venue.read(body, now(), poll.channel)
    except (aiohttp.ClientError, TimeoutError, OSError, bounded.InvalidResponse, WireError):
        return False
