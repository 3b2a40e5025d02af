"""Order-flow answers: now from the desks themselves, the past by playback."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from powderkeg.desk import Desk
from powderkeg.errors import RequestError
from powderkeg.maps.flow.queries import FlowQuery
from powderkeg.maps.heatmap import past
from powderkeg.maps.views.queries import Query
from powderkeg.serve.answers.compose import flat
from powderkeg.serve.answers.flow import (
    DESK_VIEWS,
    FLOW_ANSWERS,
    FlowEnvelope,
    GradedEnvelope,
    address,
)
from powderkeg.serve.codec import read_query
from powderkeg.serve.openapi.parameters import operation
from powderkeg.serve.responses import accepted, encoded, respond
from powderkeg.serve.session import Session
from powderkeg.serve.workers import beside


def make_flow(session: Session) -> list[HTTPRouteHandler]:
    """Return the routes of the order-flow views."""
    return [_make_view(session, name) for name in DESK_VIEWS]


def _make_view(session: Session, name: str) -> HTTPRouteHandler:
    kind = DESK_VIEWS[name].query

    @get(
        address(name).replace("{where}", "{where:str}"),
        operation_class=operation(name, kind),
        operation_id=name,
        media_type=MediaType.JSON,
    )
    async def view(where: FromPath[str], request: Request[Any, Any, State]) -> Response[Any]:
        coin, _, moment = where.partition("@")
        raw = dict(request.query_params.items())
        if moment:
            raw["at"] = moment
        answer = await flow_answer(session, coin, name, read_query(raw, kind))
        return respond(request, await beside(encoded, answer, accepted(request)))

    return view


async def flow_answer(session: Session, coin: str, name: str, query: FlowQuery) -> FlowEnvelope:
    """Return the answer of a view.

    Books and prints of now are read on the loop, which alone changes them; the map beside them is
    computed from a frozen desk in a thread, and so is what a view only copied.

    Raises:
        RequestError: No such coin, or a time to come.
        NotFoundException: A past time where none is stored.
    """
    desk, spec = session.desk(coin), DESK_VIEWS[name]
    stored = coin in session.cursors
    if not stored and query.at > (now := session.now(desk)):
        raise RequestError(f"expected `at` until {now}, the time now (µs UTC), found {query.at}")
    if not query.at or (spec.keeps_past and not stored):
        frozen = session.frozen(coin).desk
        async with session.workers.turn("short"):
            mapped = await beside(spec.beside, frozen, query.venues)
            found = spec.view(desk, query, mapped)
            if spec.finish is not None:
                found = await beside(spec.finish, found, query)
        return about(session, desk, name, found, query.at)
    if not stored:
        raise NotFoundException("past order flow is known in a replay of stored data only")

    def then(played: Desk) -> FlowEnvelope:
        mapped = spec.beside(played, query.venues)
        found = spec.view(played, query, mapped)
        if spec.finish is not None:
            found = spec.finish(found, query)
        return about(session, played, name, found, query.at)

    async with session.workers.turn("long"):
        return await beside(session.played_back, coin, query.at, then)


def about(
    session: Session, desk: Desk, name: str, view: Any, now: int = 0, seq: int = 0
) -> FlowEnvelope:
    """Return the answer that a view is part of."""
    kind = FLOW_ANSWERS[name]
    # A past time of a desk that stands at now: it was cut off there, not played back to it.
    cut = now > 0 and desk is session.desks[desk.coin]
    price = past.price_at(desk, now) if cut else desk.price
    own = FlowEnvelope(
        coin=desk.coin, source=session.source, note=session.note, as_of=now if cut else desk.now,
        now=now or session.now(desk), price=price, seq=seq,
    )  # fmt: skip
    if not issubclass(kind, GradedEnvelope):
        return flat(kind, own, view)
    mapped = not cut and any(True for _ in desk.estimated())
    whole = Query()
    grade = session.grade(desk, whole, session.venues(desk, whole, own.now)) if mapped else None
    return flat(kind, own, view, grade=grade)
