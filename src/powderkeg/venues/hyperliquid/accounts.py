"""What Hyperliquid tells of any account to anyone: its open positions, by address.

Traps:
- A coin the account has left is not named: it is told as held no more, once.
- `liquidationPx` is null where a cross account stands far from its end. Those of others move with
  all that the account holds.
- `szi` is signed, so a short is negative.
- An address nobody has ever used is answered like one that holds nothing.

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
"""Coins that each watched account held when last looked at."""


class _Position(Struct, gc=False, rename="camel"):
    coin: Annotated[str, Meta(min_length=1, max_length=40)]
    szi: _Signed
    entry_px: Positive
    liquidation_px: Amount | None = None


class _Holding(Struct):
    position: _Position


class State(Struct, rename="camel"):
    """All that an account holds."""

    asset_positions: list[_Holding]
    time: Millis


STATE: Decoder = decoder(State)


def watch(url: str, addresses: Sequence[str]) -> list[Poll]:
    """Return the requests that tell what accounts hold, each asked once a minute.

    Args:
        url: Where to ask.
        addresses: Of 0x and 40 hexadecimal digits.

    Raises:
        ConfigError: One is no address, or there are more than `MOST`.
    """
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise ConfigError(f"expected an address of 0x and 40 digits, found {address[:60]!r}")
    if len(addresses) > MOST:
        raise ConfigError(f"expected at most {MOST} accounts to watch, found {len(addresses)}")
    return [
        Poll(f"positions:{address}", url, _asked(address), MINUTE, WEIGHT)
        for address in dict.fromkeys(address.lower() for address in addresses)
    ]


def looks(venue: str, held: Held, account: str, told: State, seen: int) -> list[Event]:
    """Return a look at each coin an account holds, and at each it held when last asked.

    Args:
        venue: First half of the market ids.
        held: What was held before; told anew.
        account: Whose answer this is.
        told: The answer.
        seen: When it reached us, µs.
    """
    at = told.time * 1000
    rows = {each.position.coin: each.position for each in told.asset_positions}
    rows = {coin: row for coin, row in rows.items() if row.szi != 0}
    left = [coin for coin in held.get(account, ()) if coin not in rows]
    held[account] = tuple(rows)
    out: list[Event] = []
    for coin, row in rows.items():
        price = row.liquidation_px or math.nan
        columns = (_one(row.szi), _one(row.entry_px), _one(price))
        out.append(Positions(f"{venue}:{coin}", at, seen, (account,), *columns))
    return out + [_gone(f"{venue}:{coin}", at, seen, account) for coin in left]


def _gone(market: str, at: int, seen: int, account: str) -> Positions:
    none = np.zeros(0)
    return Positions(market, at, seen, (), none, none, none, (account,))


def _one(value: float) -> Floats:
    return np.array([value])


def _asked(address: str) -> bytes:
    return msgspec.json.encode({"type": "clearinghouseState", "user": address})
