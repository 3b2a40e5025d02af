"""Open positions of Hyperliquid accounts, which are public by address.

Traps:
- A position that was closed is missing from the answer: it is reported as closed, once.
- `liquidationPx` is null where a cross account is far from liquidation. In cross margin it
  depends on everything the account holds.
- `szi` is signed, so a short is negative.
- An address never used is answered like one without positions.

Source: Hyperliquid docs, "Info endpoint", clearinghouseState, and "Rate limits", read 2026-11. Not
recorded: no such answer is among the fixtures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta, Struct

from powderkeg.errors import ConfigError
from powderkeg.events import MINUTE, Event, Floats, Positions
from powderkeg.venues.base import BIG, Amount, Millis, Poll, Positive
from powderkeg.venues.reader import Decoder, decoder

MOST = 200
"""Accounts that may be watched: at 2 a minute each, a third of what one address may ask."""
WEIGHT = 2
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_Signed: TypeAlias = Annotated[float, Meta(gt=-BIG, lt=BIG)]
Held: TypeAlias = dict[str, tuple[str, ...]]
"""Coins each watched account had positions in at its last answer."""


class _Position(Struct, gc=False, rename="camel"):
    coin: Annotated[str, Meta(min_length=1, max_length=40)]
    szi: _Signed
    entry_px: Positive
    liquidation_px: Amount | None = None


class _Holding(Struct):
    position: _Position


class State(Struct, rename="camel"):
    """All positions of an account."""

    asset_positions: list[_Holding]
    time: Millis


STATE: Decoder = decoder(State)


def watch(url: str, addresses: Sequence[str]) -> list[Poll]:
    """Return the requests for the positions of accounts, each sent once a minute.

    Args:
        url: The info endpoint.
        addresses: 0x and 40 hexadecimal digits each.

    Raises:
        ConfigError: One is not an address, or there are more than `MOST`.
    """
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise ConfigError(f"expected an address of 0x and 40 digits, found {address[:60]!r}")
    if len(addresses) > MOST:
        raise ConfigError(f"expected at most {MOST} accounts to watch, found {len(addresses)}")
    return [
        Poll(f"positions:{address}", url, _request(address), MINUTE, WEIGHT)
        for address in dict.fromkeys(address.lower() for address in addresses)
    ]


def position_events(venue: str, held: Held, account: str, state: State, seen: int) -> list[Event]:
    """Return a snapshot of each position of an account, and of each closed since the last one.

    Args:
        venue: First half of the market ids.
        held: Coins of the last answer by account; updated in place.
        account: The account's address.
        state: The answer.
        seen: When it was received, µs.
    """
    at = state.time * 1000
    rows = {each.position.coin: each.position for each in state.asset_positions}
    rows = {coin: row for coin, row in rows.items() if row.szi != 0}
    closed = [coin for coin in held.get(account, ()) if coin not in rows]
    held[account] = tuple(rows)
    out: list[Event] = []
    for coin, row in rows.items():
        price = row.liquidation_px or math.nan
        columns = (_one(row.szi), _one(row.entry_px), _one(price))
        out.append(Positions(f"{venue}:{coin}", at, seen, (account,), *columns))
    return out + [_closed(f"{venue}:{coin}", at, seen, account) for coin in closed]


def _closed(market: str, at: int, seen: int, account: str) -> Positions:
    none = np.zeros(0)
    return Positions(market, at, seen, (), none, none, none, (account,))


def _one(value: float) -> Floats:
    return np.array([value])


def _request(address: str) -> bytes:
    return msgspec.json.encode({"type": "clearinghouseState", "user": address})
