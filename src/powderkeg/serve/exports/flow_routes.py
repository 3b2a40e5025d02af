"""HTTP routes of order flow as tables."""

from __future__ import annotations

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from powderkeg.maps.flow.queries import FlowQuery
from powderkeg.maps.flow.views import FLOW_VIEWS
from powderkeg.serve.codec import pack, read_query
from powderkeg.serve.exports import tables
from powderkeg.serve.exports.context import (
    Asked,
    ExportContext,
    Money,
    attached,
    own_of,
    split,
    where_of,
)
from powderkeg.serve.exports.flow_tables import FLOW_TABLES, Answer
from powderkeg.serve.flow.routes import flow_answer
from powderkeg.serve.openapi.parameters import operation
from powderkeg.serve.responses import unless_disconnected
from powderkeg.serve.workers import beside


def make_flow_tables(context: ExportContext) -> list[HTTPRouteHandler]:
    """Return the routes of the tables of order flow, one for each and form."""
    return [_make_table(context, name, form) for name in FLOW_TABLES for form in tables.TYPES]


async def _decoded(context: ExportContext, coin: str, name: str, query: FlowQuery) -> Answer:
    """Return a view as a client would read it, detached from the desk."""
    answer = await flow_answer(context.session, coin, name, query)
    return await beside(lambda: msgspec.msgpack.decode(pack(answer)))


def _make_table(context: ExportContext, name: str, form: tables.Form) -> HTTPRouteHandler:
    kind, make = FLOW_VIEWS[name].query, FLOW_TABLES[name]

    @get(
        f"/v1/{{where:str}}/{name}.{form}",
        operation_class=operation(f"{name}.{form}", kind, Money),
        operation_id=f"{name}.{form}",
        media_type=tables.TYPES[form],
    )
    async def table(where: FromPath[str], request: Asked) -> Stream:
        coin, raw = where_of(where, request)
        own, rest = split(raw, Money)
        money: Money = own_of(own, Money)
        query = read_query(rest, kind)
        answer = await unless_disconnected(request, _decoded(context, coin, name, query))
        schema, batches = make(answer, money.ccy, context.table)
        pieces = context.send(tables.write(form, schema, batches))
        headers = attached(coin, name, getattr(query, "span", ""), answer["as_of"], form)
        return Stream(pieces, media_type=tables.TYPES[form], headers=headers)

    return table
