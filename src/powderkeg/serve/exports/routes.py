"""HTTP routes of exports: pictures, tables, levels for TradingView, rates, the screener."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakSet

import msgspec
import numpy as np
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from msgspec import Struct

from powderkeg.errors import RequestError
from powderkeg.events import DAY
from powderkeg.history.currencies import Rate, RateTable
from powderkeg.history.fixings import day_number
from powderkeg.maps.heatmap.coin_view import TIER_NAMES
from powderkeg.maps.views.queries import Query, SpanQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.answers.server import Rates
from powderkeg.serve.codec import pack, read_query
from powderkeg.serve.exports import tables
from powderkeg.serve.exports.context import (
    ExportContext,
    Money,
    attached,
    own_of,
    split,
    where_of,
)
from powderkeg.serve.exports.flow_routes import make_flow_tables
from powderkeg.serve.exports.pictures import PictureStyle, heatmap_png
from powderkeg.serve.openapi.parameters import operation
from powderkeg.serve.responses import unless_disconnected
from powderkeg.serve.session import Session
from powderkeg.serve.workers import beside

Answer: TypeAlias = Callable[[Request[Any, Any, State], Struct], Response[bytes]]


async def decoded(context: ExportContext, coin: str, name: str, query: Query) -> dict[str, Any]:
    """Return a view as a client would read it, detached from the desk."""
    async with context.session.workers.turn("long"):
        answer = await beside(context.session.job(coin, name, query))
        mark = {"planes": getattr(query, "planes", "sum")} if name == "heatmap" else {}
        return await beside(lambda: msgspec.msgpack.decode(pack(answer)) | mark)


async def _picture(
    context: ExportContext, coin: str, query: Query, chart: Query, look: PictureStyle
) -> _Picture:
    """Return a heatmap as PNG, with its span and time."""
    heat = await decoded(context, coin, "heatmap", query)
    levels = await decoded(context, coin, "levels", chart)
    rate = context.table.rate(look.ccy, heat["as_of"])
    async with context.session.workers.turn("long"):
        body = await beside(heatmap_png, heat, levels, look, rate, filters_of(query))
    return _Picture(body, heat["span"], heat["as_of"])


class _Picture(NamedTuple):
    body: bytes
    span: str
    at: int
    """µs UTC."""


def filters_of(query: Query) -> str:
    """Return a description of the filters of a map besides venues; empty without filters."""
    parts: list[str] = []
    if set(query.tiers) != set(TIER_NAMES):
        parts.append("tiers " + ", ".join(str(tier) for tier in query.tiers))
    if query.side != "both":
        parts.append(f"{query.side}s only")
    return " · ".join(parts)


def _make_picture(context: ExportContext) -> HTTPRouteHandler:
    kind = VIEWS["heatmap"][0]

    @get(
        "/v1/{where:str}/heatmap.png",
        operation_class=operation("heatmap.png", kind, PictureStyle),
        operation_id="heatmap.png",
        media_type="image/png",
    )
    async def picture(where: FromPath[str], request: Request[Any, Any, State]) -> Response[bytes]:
        coin, raw = where_of(where, request)
        own, rest = split(raw, PictureStyle)
        look: PictureStyle = own_of(own, PictureStyle)
        query = read_query(rest, kind)
        if getattr(query, "planes", "sum") != "sum":
            raise RequestError("expected planes=sum: a picture shows one plane of money")
        made = await unless_disconnected(
            request, _picture(context, coin, query, _levels(rest), look)
        )
        named = attached(coin, "heatmap", made.span, made.at, "png")
        inline = named["content-disposition"].replace("attachment", "inline")
        return Response(
            made.body, media_type="image/png", headers=named | {"content-disposition": inline}
        )

    return picture


def _levels(raw: dict[str, str]) -> Query:
    """Return the query of the level chart with bands, from that of any table."""
    kind = VIEWS["levels"][0]
    names = {field.name for field in msgspec.structs.fields(kind)}
    return read_query({k: v for k, v in raw.items() if k in names} | {"bands": "1"}, kind)


def _make_table(context: ExportContext, name: str, form: tables.Form) -> HTTPRouteHandler:
    view, make = tables.KINDS[name]
    kind = VIEWS[view][0]

    @get(
        f"/v1/{{where:str}}/{name}.{form}",
        operation_class=operation(f"{name}.{form}", kind, Money),
        operation_id=f"{name}.{form}",
        media_type=tables.TYPES[form],
    )
    async def table(where: FromPath[str], request: Request[Any, Any, State]) -> Stream:
        coin, raw = where_of(where, request)
        own, rest = split(raw, Money)
        money: Money = own_of(own, Money)
        query = read_query(rest, kind)
        asked = decoded(context, coin, view, _levels(rest) if view == "levels" else query)
        answer = await unless_disconnected(request, asked)
        schema, batches = make(answer, money.ccy, context.table)
        pieces = context.send(tables.write(form, schema, batches))
        headers = attached(coin, name, query.span, answer["as_of"], form)
        return Stream(pieces, media_type=tables.TYPES[form], headers=headers)

    return table


def _make_tradingview(context: ExportContext) -> HTTPRouteHandler:
    @get(
        "/v1/{where:str}/tradingview",
        operation_class=operation("tradingview", SpanQuery),
        operation_id="tradingview",
        media_type=MediaType.TEXT,
    )
    async def tradingview(where: FromPath[str], request: Request[Any, Any, State]) -> Response[str]:
        coin, raw = where_of(where, request)
        _, rest = split(raw, Money)
        query = read_query(rest, SpanQuery)
        levels = await unless_disconnected(request, decoded(context, coin, "levels", query))
        text = tables.tradingview(levels)
        return Response(text, media_type=MediaType.TEXT, headers={"cache-control": "no-cache"})

    return tradingview


def rates_answer(table: RateTable, ccy: str, since: str, until: str, now: int) -> Rates:
    """Return the fixings of a currency as a daily series, and the current one.

    Args:
        table: All fixings.
        ccy: The currency.
        since: First day, such as 2026-02-05; empty for a year before `until`.
        until: Last day; empty for today.
        now: µs UTC.

    Raises:
        RequestError: There is no such currency, or a day is none.
    """
    last = day_number(until) if until else now // DAY
    first = day_number(since) if since else last - 366
    days, values = table.series(ccy)
    # The fixing before the first day holds on it where it has none of its own.
    start = max(int(np.searchsorted(days, first, side="right")) - 1, 0)
    stop = int(np.searchsorted(days, last, side="right"))
    rate: Rate = table.rate(ccy, now)
    return Rates(
        ccy=ccy,
        currencies=list(table.names()),
        unit=f"{ccy} a US dollar; USDT and USDC are taken as US dollars",
        as_of=rate.day,
        rate=rate.value,
        stale=rate.stale,
        source=table.source,
        days=[str(day) for day in days[start:stop].astype("datetime64[D]")],
        values=values[start:stop],
    )


def _make_rates(context: ExportContext, answer: Answer) -> HTTPRouteHandler:
    @get("/v1/rates", sync_to_thread=False)
    def rates(
        request: Request[Any, Any, State],
        ccy: FromQuery[str] = "NZD",
        since: FromQuery[str] = "",
        until: FromQuery[str] = "",
    ) -> Response[bytes]:
        """Return what a US dollar was worth by day, by the fixings of the ECB."""
        now = context.session.clock()
        return answer(request, rates_answer(context.table, ccy, since, until, now))

    return rates


def make_exports(session: Session, table: RateTable, answer: Answer) -> list[HTTPRouteHandler]:
    """Return the routes of pictures, tables, levels for TradingView, rates and order flow.

    Args:
        session: The desks.
        table: Rates of the display currencies.
        answer: Encodes what is JSON or MessagePack.
    """
    context = ExportContext(session, table, WeakSet())
    files = [_make_table(context, name, form) for name in tables.KINDS for form in tables.TYPES]
    own = [_make_picture(context), _make_tradingview(context), _make_rates(context, answer)]
    return own + files + make_flow_tables(context)
