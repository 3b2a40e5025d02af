"""Files of recorders: Tardis, cryptofeed, and lines of recorded frames (hftbacktest, ours).

Traps: trades and liquidations of Tardis have the same columns, only the name differs; sizes are
as the venue counts. `side` of a liquidation is the order's with both, but Bybit's is the
position's in cryptofeed, which passes on the venue's value.

Source: docs.tardis.dev, "Downloadable CSV files"; cryptofeed, types.pyx; hftbacktest, data
preparation.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from powderkeg.history.importing.head import Peek
from powderkeg.history.layouts.layout import Ask, FileLayout, Found, Part, Unknown, from_path
from powderkeg.history.layouts.market import market, venue_of
from powderkeg.history.sources import Series

_TARDIS = "docs.tardis.dev, downloadable CSV files: "
_FEED = "cryptofeed, types.pyx: "
_FILL = {"price": "price", "size": "amount", "side": "side", "id": "id"}
_KEYED: dict[str, Any] = {
    "time": "timestamp", "symbol": "symbol", "exchange": "exchange",
}  # fmt: skip
_LOCAL = ("exchange", "symbol", "local_timestamp")


def _bybit(peek: Peek) -> bool:
    return {str(v).lower() for v in peek.column("exchange")} == {"bybit"}


def _not_bybit(peek: Peek) -> bool:
    return "bybit" not in {str(v).lower() for v in peek.column("exchange")}


TARDIS = (
    FileLayout(
        "Tardis: trades",
        _TARDIS + "trades",
        (Part("trades", _FILL),),
        needs=_LOCAL,
        path="trades",
        unless="liquidations",
        **_KEYED,
    ),
    FileLayout(
        "Tardis: liquidations",
        _TARDIS + "liquidations",
        (Part("liquidations", _FILL),),
        needs=_LOCAL,
        path="liquidations",
        **_KEYED,
    ),
    FileLayout(
        "Tardis: trades or liquidations",
        _TARDIS + "trades, liquidations",
        (),
        needs=(*_LOCAL, "id", "side", "price", "amount"),
        note="trades and liquidations of Tardis have the same columns: name the file as Tardis "
        "does, with trades or liquidations in it",
        refused=True,
    ),
    FileLayout(
        "Tardis: derivative ticker",
        _TARDIS + "derivative_ticker",
        (
            Part("mark", {"price": "mark_price", "index": "index_price"}),
            Part("open_interest", {"size": "open_interest"}),
            Part("funding", {"rate": "funding_rate"}, span="8h"),
        ),
        needs=(*_LOCAL, "last_price", "funding_timestamp"),
        note="funding is taken for a payment each 8 hours: change span where it is not",
        **_KEYED,
    ),
    FileLayout(
        "Tardis: books",
        _TARDIS + "book_snapshot_5, book_snapshot_25",
        (),
        needs=(*_LOCAL, "asks[0].price", "bids[0].price"),
        note="books one column a level: books are read from JSON lines or recorded frames only",
    ),
    FileLayout(
        "Tardis: changes of books",
        _TARDIS + "incremental_book_L2",
        (),
        needs=(*_LOCAL, "is_snapshot"),
        note="books in changes: books are read from JSON lines or recorded frames only",
    ),
    FileLayout(
        "Tardis: quotes",
        _TARDIS + "quotes",
        (),
        needs=(*_LOCAL, "ask_price", "bid_price"),
        note="best bid and ask only: they have no event",
    ),
)
CRYPTOFEED = (
    FileLayout(
        "cryptofeed: trades",
        _FEED + "Trade",
        (Part("trades", _FILL),),
        needs=("type",),
        lacks=("local_timestamp",),
        **_KEYED,
    ),
    FileLayout(
        "cryptofeed: liquidations of Bybit",
        _FEED + "Liquidation",
        (
            Part(
                "liquidations",
                {"price": "price", "size": "quantity", "holder": "side", "bankruptcy": True},
            ),
        ),
        needs=("status",),
        fits=_bybit,
        **_KEYED,
    ),
    FileLayout(
        "cryptofeed: liquidations",
        _FEED + "Liquidation",
        (Part("liquidations", {"price": "price", "size": "quantity", "side": "side"}),),
        needs=("status",),
        fits=_not_bybit,
        **_KEYED,
    ),
    FileLayout(
        "cryptofeed: funding",
        _FEED + "Funding",
        (
            Part("funding", {"rate": "rate"}, span="8h"),
            Part("mark", {"price": "mark_price"}),
        ),
        needs=("next_funding_time",),
        note="funding is taken for a payment each 8 hours: change span where it is not",
        **_KEYED,
    ),
    FileLayout(
        "cryptofeed: open interest",
        _FEED + "OpenInterest",
        (Part("open_interest", {"size": "open_interest"}),),
        lacks=("last_price", "mark_price"),
        **_KEYED,
    ),
    FileLayout(
        "cryptofeed: candles",
        _FEED + "Candle",
        (Part("candles", {n: n for n in ("open", "high", "low", "close", "volume")}),),
        time="start",
        means="from",
        needs=("stop", "closed"),
        symbol="symbol",
        exchange="exchange",
    ),
)
FORMS = TARDIS + CRYPTOFEED


def frames(peek: Peek, ask: Ask) -> Found | Unknown | None:
    """Return recorded frames: lines of a stamp in µs or ns and what the venue sent."""
    if peek.form != "wire":
        return None
    stamp = str(peek.rows[0]["stamp"])
    venue = venue_of(peek.path) or _sender(bytes(peek.rows[0]["frame"]))
    named = from_path(peek.path, venue, "")
    places = [named] if named else [market(venue, symbol) for symbol in _symbols(peek)]
    if not places and ask.coin:
        places = [market(venue, ask.coin)]
    if not venue or not places:
        return Unknown(_NO_SENDER)
    mine = [place for place in places if ask.coin in {place.coin, ""}]
    series = tuple(
        Series(
            place.venue,
            place.symbol,
            "wire",
            (peek.path.as_posix(),),
            coin=place.coin,
            stamp="ns" if len(stamp) >= 18 else "us",
        )
        for place in mine
    )
    return Found("recorded frames", series, "" if mine else f"no frames of {ask.coin} are in it")


_NO_SENDER = (
    "recorded frames whose venue or market is unknown: put them into a folder such as binance, "
    "and name the file after the market"
)
_SYMBOL = re.compile(rb'"(?:s|symbol|instId|instrument_name|coin)":\s*"([A-Za-z0-9_-]+)"')


def _symbols(peek: Peek) -> list[str]:
    """Return the symbols of the frames, without those of which there is hardly one."""
    found = Counter(
        symbol[1].decode().upper()
        for row in peek.rows
        if (symbol := _SYMBOL.search(bytes(row["frame"])))
    )
    return sorted(symbol for symbol, n in found.items() if n * 100 >= len(peek.rows))


def _sender(frame: bytes) -> str:
    """Return the venue of a frame, where only one sends such."""
    for venue, sign in (
        ("binance", b'"stream":'), ("bybit", b'"topic":"publicTrade'), ("okx", b'"instId"'),
        ("deribit", b'"jsonrpc"'), ("hyperliquid", b'"channel":"l2Book"'),
    ):  # fmt: skip
        if sign in frame:
            return venue
    return ""
