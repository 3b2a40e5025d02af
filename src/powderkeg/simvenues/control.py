"""The simulator's control API: true state, log of what was sent, and faults on request."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from aiohttp import web
from msgspec import Struct

from powderkeg.errors import RequestError
from powderkeg.sim import Truth
from powderkeg.simvenues.faults import Fault
from powderkeg.simvenues.host import Host
from powderkeg.simvenues.market.feed import Coin, Fill, LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.wire import encode

_KEPT: Final = 200_000
_TOP: Final = 20

Sides: TypeAlias = dict[str, list[list[float]]]


class Row(Struct, frozen=True):
    """One print or forced close as it was published. Sizes are base coin."""

    n: int
    """Index in the log."""
    venue: str
    symbol: str
    kind: str
    """``trade`` or ``liquidation``."""
    id: int
    """Trade id; 0 for a forced close."""
    at: int
    """When it happened, µs."""
    sent: int
    """When it was published, µs by the machine's clock."""
    price: float
    size: float
    side: str
    """Of the taker, or of the liquidated position: buy, sell, long, short."""
    bankruptcy: float = 0.0
    silent: bool = False
    """Whether the venue was silent at that time."""


class Log:
    """The last rows of all venues."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque(maxlen=_KEPT)
        self._count = 0

    def record(
        self,
        market: Market,
        market_update: MarketUpdate,
        liquidations: list[LiquidationFill],
        silent: bool,
    ) -> None:
        """Log what is being published, and add it to the market's totals."""
        sent = market.sent
        for fill in market_update.fills:
            side = "buy" if fill.buy else "sell"
            row = self._add(market, fill, side, silent)
            sent.trades += 1
            sent.base += row.size
            sent.last_trade = row.id
        for liquidation in liquidations:
            self._add(market, liquidation, "long" if liquidation.long else "short", silent)
            sent.liquidations += 1
        if market_update.change:
            sent.last_update = market_update.change.last

    def _add(self, market: Market, what: Fill | LiquidationFill, side: str, silent: bool) -> Row:
        spec = market.spec
        price = round(what.ticks * spec.tick, 8)
        trade = isinstance(what, Fill)
        self._count += 1
        row = Row(
            n=self._count,
            venue=spec.venue,
            symbol=spec.symbol,
            kind="trade" if trade else "liquidation",
            id=what.id if trade else 0,
            at=what.at,
            sent=time.time_ns() // 1000,
            price=price,
            size=spec.base(what.lots, price),
            side=side,
            bankruptcy=what.bankruptcy,
            silent=silent,
        )
        self.rows.append(row)
        return row

    def since(self, n: int, venue: str, symbol: str) -> list[Row]:
        """Return rows after the `n`-th, of one venue or symbol where named."""
        return [
            row
            for row in self.rows
            if row.n > n and venue in {"", row.venue} and symbol in {"", row.symbol}
        ]


class Control:
    """The control API of all hosts."""

    def __init__(self, hosts: dict[str, Host], coins: list[Coin], log: Log) -> None:
        """Control these hosts and coins."""
        self.hosts = hosts
        self.coins = coins
        self.log = log

    def app(self) -> web.Application:
        """Return the control application."""
        app = web.Application()
        app.router.add_get("/truth", self._truth)
        app.router.add_get("/log", self._log)
        app.router.add_get("/state", self._state)
        app.router.add_post("/faults", self._fault)
        app.router.add_post("/stop", self._stop)
        app.router.add_post("/start", self._start)
        return app

    def truth(self, venue: str, symbol: str) -> dict[str, Any]:
        """Return the true state of one market.

        Raises:
            RequestError: The venue or symbol is not simulated.
        """
        host = self._host(venue)
        market = host.wire.find(symbol)
        if market is None:
            raise RequestError(f"expected a symbol of {list(host.wire.markets)}, found {symbol!r}")
        return {
            "book": book_of(market),
            "sent": market.sent,
            "positions": self._positions(venue, market),
            "mark": market.mark,
            "index": market.index,
            "open_interest": market.oi,
            "funding": market.rate,
            "at": market.now,
        }

    def _host(self, venue: str) -> Host:
        host = self.hosts.get(venue)
        if host is None:
            raise RequestError(f"expected a venue of {list(self.hosts)}, found {venue!r}")
        return host

    def _positions(self, venue: str, market: Market) -> dict[str, float]:
        if market.truth is None:  # spot
            return {"count": 0, "long": 0.0, "short": 0.0}
        coin = next(coin for coin in self.coins if coin.name == market.spec.coin)
        truth: Truth = coin.simulation.truth()
        here = truth.venues == coin.simulation.world.venues.index(venue)
        longs = here & (truth.sides > 0)
        return {
            "count": int(np.count_nonzero(here)),
            "long": float(truth.sizes[longs].sum()),
            "short": float(truth.sizes[here & ~longs].sum()),
        }

    async def _truth(self, request: web.Request) -> web.Response:
        return _json(
            lambda: self.truth(request.query.get("venue", ""), request.query.get("symbol", ""))
        )

    async def _log(self, request: web.Request) -> web.Response:
        query = request.query
        rows = self.log.since(
            int(query.get("since", "0")), query.get("venue", ""), query.get("symbol", "")
        )
        return _json(lambda: rows)

    async def _state(self, _request: web.Request) -> web.Response:
        return _json(
            lambda: {
                name: {
                    "port": host.port,
                    "listening": host.listening,
                    "sockets": len(host.sockets),
                    "frames": host.frames,
                    "faults": host.faults.running(),
                }
                for name, host in self.hosts.items()
            }
        )

    async def _fault(self, request: web.Request) -> web.Response:
        body = await request.read()

        def begin() -> dict[str, Any]:
            try:
                asked = msgspec.json.decode(body, type=Fault)
            except msgspec.MsgspecError as why:
                raise RequestError(f"expected a fault, found {body[:80]!r}: {why}") from why
            host = self._host(asked.venue)
            host.fault(asked)
            return host.faults.running()

        return _json(begin)

    async def _stop(self, request: web.Request) -> web.Response:
        host = self._host_of(await request.read())
        await host.stop()
        return _json(lambda: {"listening": host.listening})

    async def _start(self, request: web.Request) -> web.Response:
        host = self._host_of(await request.read())
        await host.start()
        return _json(lambda: {"listening": host.listening, "port": host.port})

    def _host_of(self, body: bytes) -> Host:
        try:
            return self._host(msgspec.json.decode(body, type=dict[str, str]).get("venue", ""))
        except (msgspec.MsgspecError, RequestError) as why:
            raise web.HTTPBadRequest(text=str(why)) from why


def book_of(market: Market) -> dict[str, Any]:
    """Return the best levels of a market as numbers in the venue's units, with their update id."""
    what, sim_book = market.spec, market.sim_book
    return {
        "bids": [
            [float(what.price(t)), float(what.size(n))] for t, n in sim_book.bids.rows(True, _TOP)
        ],
        "asks": [
            [float(what.price(t)), float(what.size(n))] for t, n in sim_book.asks.rows(False, _TOP)
        ],
        "update": sim_book.last,
        "at": sim_book.at,
    }


def _json(make: Any) -> web.Response:
    """Return the result of a call as JSON, or status 400 with the reason."""
    try:
        body, status = encode(make()), 200
    except RequestError as why:
        body, status = encode({"error": str(why)}), 400
    return web.Response(body=body, status=status, content_type="application/json")
