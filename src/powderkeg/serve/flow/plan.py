"""The route of a plan: the map in a thread, the books on the loop."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from powderkeg.maps.risk.surroundings import surroundings, tightest_spread
from powderkeg.serve.answers.plan import PlanAnswer, PlanQuery, planned
from powderkeg.serve.codec import read_query
from powderkeg.serve.openapi.parameters import operation
from powderkeg.serve.responses import small
from powderkeg.serve.session import Session
from powderkeg.serve.workers import beside


def make_plan(session: Session) -> HTTPRouteHandler:
    """Return the route of a plan."""

    @get(
        "/v1/{coin:str}/plan",
        operation_class=operation("plan", PlanQuery),
        operation_id="plan",
        media_type=MediaType.JSON,
    )
    async def plan(coin: FromPath[str], request: Request[Any, Any, State]) -> Response[bytes]:
        """Return stop, size, liquidation and targets of a planned position."""
        query = read_query(dict(request.query_params.items()), PlanQuery)
        return small(request, await plan_answer(session, coin, query))

    return plan


async def plan_answer(session: Session, coin: str, query: PlanQuery) -> PlanAnswer:
    """Return the plans of a query.

    Raises:
        RequestError: As `planned`.
    """
    desk = session.desk(coin)
    frozen = session.frozen(coin).desk
    async with session.workers.turn("short"):
        around = await beside(surroundings, frozen, query.venues)
    return planned(session, coin, query, around, tightest_spread(list(desk.books())))
