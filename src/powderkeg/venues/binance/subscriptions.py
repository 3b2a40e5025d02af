"""Binance: sockets and REST requests for USD-M futures, COIN-M futures and spot.

Traps:
- Futures sockets are routed since 2026-03: books and quotes come over ``/public``, the rest over
  ``/market``. A stream on the wrong route connects and stays silent, as do the old ``/ws`` and
  ``/stream``, and names in capitals.
- A socket is closed after 24 hours. 1,024 streams are allowed on one; we put 200.
- ``depth`` without a limit gives 500 levels; 1,000 are the most there are.
- COIN-M statistics (``/futures/data``) are asked by pair, not by symbol.
- ``openInterestHist`` reaches back one month, and an older start is an error.

Source: Binance USD-M, COIN-M and spot API docs, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.venues.base import ChannelKind, Limits, Poll, Stream, channels, chunks, time_chunks

_Topics: TypeAlias = tuple[tuple[str, tuple[tuple[ChannelKind, int], ...]], ...]
"""Streams of a symbol, and what comes over each with its longest normal silence."""
_BOOK: _Topics = (("depth@100ms", (("book", 5 * SECOND),)), ("bookTicker", ()))
_TAPE: _Topics = (("aggTrade", (("trades", MINUTE),)),)
_MARKET: _Topics = (
    *_TAPE,
    ("markPrice@1s", (("mark", 5 * SECOND), ("funding", 5 * SECOND))),
    ("forceOrder", (("liquidations", 0),)),
)
_MOST = 200
"""Streams on one socket."""


class Site(Struct, frozen=True):
    """One of Binance's three kinds of market."""

    suffix: str
    """What follows the coin in a symbol."""
    socket: str
    rest: str
    path: str
    routes: tuple[tuple[str, _Topics], ...]
    bars: int
    """Candles in one answer."""
    weights: tuple[int, int, int]
    """Of 1,000 levels of a book, of so many candles, of 1,000 trades."""
    limits: Limits
    futures: bool = True


_HEADER = "X-MBX-USED-WEIGHT-1M"
_FUTURES = (("/public/stream", _BOOK), ("/market/stream", _MARKET))


def _futures(suffix: str, socket: str, rest: str, path: str) -> Site:
    limits = Limits(2400, MINUTE, _HEADER)
    return Site(suffix, socket, rest, path, _FUTURES, 1500, (20, 10, 20), limits)


SITES = {
    "binance": _futures(
        "USDT", "wss://fstream.binance.com", "https://fapi.binance.com", "/fapi/v1"
    ),
    "binance-coin": _futures(
        "USD_PERP", "wss://dstream.binance.com", "https://dapi.binance.com", "/dapi/v1"
    ),
    "binance-spot": Site(
        "USDT", "wss://stream.binance.com:9443", "https://api.binance.com", "/api/v3",
        (("/stream", (*_BOOK, *_TAPE)),), 1000, (50, 2, 4), Limits(6000, MINUTE, _HEADER),
        futures=False,
    ),
}  # fmt: skip
"""By the first half of a market id."""


def streams(name: str, symbols: Sequence[str]) -> list[Stream]:
    """Return the sockets of a site that carry all channels of these symbols."""
    site, out = SITES[name], list[Stream]()
    for route, topics in site.routes:
        most = _MOST // len(topics)
        carried: dict[ChannelKind, int] = dict(pair for _, kinds in topics for pair in kinds)
        for part in chunks(symbols, most):
            asked = "/".join(f"{symbol.lower()}@{topic}" for symbol in part for topic, _ in topics)
            url = f"{site.socket}{route}?streams={asked}"
            out.append(Stream(url, channels(name, part, carried), max_age=24 * HOUR))
    return out


def polls(name: str, symbols: Sequence[str]) -> list[Poll]:
    """Return the repeated requests: instruments first."""
    site = SITES[name]
    root = site.rest + site.path
    listed = channels(name, symbols, {"instruments": HOUR})
    clock = channels(name, symbols, {"clock": MINUTE})
    weight = 1 if site.futures else 20
    out = [
        Poll("instruments", f"{root}/exchangeInfo", every=HOUR, weight=weight, channels=listed),
        Poll("clock", f"{root}/time", every=MINUTE, channels=clock),
    ]
    if not site.futures:
        return out
    out.append(Poll("fundingInfo", f"{root}/fundingInfo", every=HOUR))
    for symbol in symbols:
        interest = f"{root}/openInterest?symbol={symbol}"
        ratio = f"{_statistics(name, 'globalLongShortAccountRatio', symbol)}&period=5m&limit=1"
        oi = channels(name, [symbol], {"oi": 10 * SECOND})
        share = channels(name, [symbol], {"ratio": 10 * MINUTE})
        out.append(Poll(f"openInterest:{symbol}", interest, every=5 * SECOND, channels=oi))
        out.append(Poll(f"ratio:{symbol}", ratio, every=5 * MINUTE, channels=share))
    return out


def past(name: str, symbol: str, since: int, until: int) -> list[Poll]:
    """Return the requests for candles, open interest and funding, each oldest first."""
    site = SITES[name]
    root, of = site.rest + site.path, f"?symbol={symbol}"
    klines = f"{root}/klines{of}&interval=1m"
    out = _paged(f"candles:{symbol}", klines, (since, until, MINUTE), site.bars, site.weights[1])
    if not site.futures:
        return out
    kind = "&contractType=PERPETUAL" if name == "binance-coin" else ""
    interest = f"{_statistics(name, 'openInterestHist', symbol)}{kind}&period=5m"
    month = max(since, until - 30 * DAY + HOUR)
    out += _paged(f"interest:{symbol}", interest, (month, until, 5 * MINUTE), 500, 1)
    paid = f"{root}/fundingRate{of}"
    return out + _paged(f"funding:{symbol}", paid, (since, until, HOUR), 1000, 1)


def recent(name: str, symbol: str) -> list[Poll]:
    """Return the request for the latest trades."""
    site = SITES[name]
    url = f"{site.rest}{site.path}/aggTrades?symbol={symbol}&limit=1000"
    return [Poll(f"trades:{symbol}", url, weight=site.weights[2])]


def snapshot(name: str, symbol: str) -> Poll:
    """Return the request for a whole book."""
    site = SITES[name]
    url = f"{site.rest}{site.path}/depth?symbol={symbol}&limit=1000"
    return Poll(f"depth:{symbol}", url, weight=site.weights[0])


def _statistics(name: str, what: str, symbol: str) -> str:
    of = f"pair={symbol.partition('_')[0]}" if name == "binance-coin" else f"symbol={symbol}"
    return f"{SITES[name].rest}/futures/data/{what}?{of}"


def _paged(
    channel: str, url: str, span: tuple[int, int, int], rows: int, weight: int
) -> list[Poll]:
    since, until, step = span
    return [
        Poll(
            channel,
            f"{url}&startTime={start // 1000}&endTime={end // 1000 - 1}&limit={rows}",
            weight=weight,
        )
        for start, end in time_chunks(since, until, step, rows)
    ]
