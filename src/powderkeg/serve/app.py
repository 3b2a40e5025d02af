"""HTTP routes: find the desk, read the query, call the view, encode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.params import FromPath, FromQuery

from powderkeg import __version__
from powderkeg.errors import BusyError, RequestError
from powderkeg.evaluation.live import Scorecard
from powderkeg.history import fixings
from powderkeg.log import get_logger
from powderkeg.maps.views.queries import Query, SpanQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.access.failures import unexpected_error_handler
from powderkeg.serve.access.hosts import Names
from powderkeg.serve.access.middleware import AccessGuard
from powderkeg.serve.answers.compose import flat
from powderkeg.serve.answers.envelope import CoinHealth, StreamedEnvelope
from powderkeg.serve.answers.liquidation import PositionQuery, liquidation_prices
from powderkeg.serve.answers.server import Coins, ErrorAnswer, Health, ScoresAnswer
from powderkeg.serve.codec import JSON, read_query, text
from powderkeg.serve.exports.routes import make_exports
from powderkeg.serve.flow.plan import make_plan
from powderkeg.serve.flow.portfolio import make_portfolio
from powderkeg.serve.flow.routes import make_flow
from powderkeg.serve.metrics import exposition
from powderkeg.serve.openapi.document import Document, Reference, Served
from powderkeg.serve.openapi.parameters import operation
from powderkeg.serve.page import make_page
from powderkeg.serve.responses import (
    Encoded,
    accepted,
    encoded,
    lane_of,
    respond,
    small,
    unless_disconnected,
)
from powderkeg.serve.screener import Screener
from powderkeg.serve.session import Session
from powderkeg.serve.startup.progress import progress_of
from powderkeg.serve.stream.hub import Hub
from powderkeg.serve.stream.socket import make_stream
from powderkeg.serve.workers import beside

log = get_logger("serve")

AGAIN = 2
"""Seconds after which a client may retry when the server is busy."""


def _make_view(session: Session, hub: Hub, name: str, kind: type[Query]) -> HTTPRouteHandler:
    """Return the route of one view."""

    @get(
        f"/v1/{{where:str}}/{name}",
        operation_class=operation(name, kind),
        operation_id=name,
        media_type=MediaType.JSON,
    )
    async def view(where: FromPath[str], request: Request[Any, Any, State]) -> Response[Any]:
        coin, _, moment = where.partition("@")
        raw = dict(request.query_params.items())
        if moment:
            raw["at"] = moment
        query = read_query(raw, kind)
        session.desk(coin)
        form = accepted(request)

        async def compute() -> Encoded:
            async with session.workers.turn(lane_of(query, form)):
                job = session.job(coin, name, query)
                place = hub.place(coin, query) if isinstance(query, SpanQuery) else ("", 0)
                answer = await beside(job)
                if isinstance(answer, StreamedEnvelope):
                    answer.stream, answer.seq = place
                return await beside(encoded, answer, form)

        asked = coin, name, query, form
        return respond(
            request, await unless_disconnected(request, session.workers.once(asked, compute))
        )

    return view


def _refuse(_: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    """Answer an invalid request: what was expected, what was found."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    words = error.detail if isinstance(error, HTTPException) else str(error)
    return Response(text(ErrorAnswer(words)), status_code=status, media_type=JSON)


def _busy(_: Request[Any, Any, State], error: BusyError) -> Response[bytes]:
    """Answer when too busy: when to retry."""
    return Response(
        text(ErrorAnswer(str(error))), status_code=429, media_type=JSON,
        headers={"retry-after": str(AGAIN)},
    )  # fmt: skip


def _make_status(session: Session) -> list[HTTPRouteHandler]:
    """Return the routes about the server: coins, start, health, forecasts, screener, metrics."""
    board = Scorecard()
    screener = Screener(session)

    @get("/v1/coins", sync_to_thread=False)
    def coins(request: Request[Any, Any, State]) -> Response[bytes]:
        """Return the coins served and where their data comes from."""
        answer = Coins(
            list(session.desks), session.source, session.ready, session.progress, session.note,
            __version__,
        )  # fmt: skip
        return small(request, answer)

    @get("/v1/starting", sync_to_thread=False)
    def starting(request: Request[Any, Any, State]) -> Response[bytes]:
        """Return what the start is doing, by venue and market, and the time left."""
        return small(request, progress_of(session))

    @get("/v1/health", sync_to_thread=False)
    def health(request: Request[Any, Any, State]) -> Response[bytes]:
        """Return the events of each market and the time of the last one."""
        answer = {
            coin: flat(CoinHealth, session.about(desk, SpanQuery()), counts=desk.counts)
            for coin, desk in session.desks.items()
        }
        feed = session.collector.health() if session.collector else None
        return small(request, Health(session.source, session.note, session.ready, answer, feed))

    def scored(request: Request[Any, Any, State], coin: str) -> Response[bytes]:
        desks = {coin: session.desk(coin)} if coin else session.desks
        found = board.summary(desks)
        return small(request, flat(ScoresAnswer, found, source=session.source, note=session.note))

    @get("/v1/scores", sync_to_thread=False)
    def scores(request: Request[Any, Any, State], coin: FromQuery[str] = "") -> Response[bytes]:
        """Return the accuracy of each market's hourly forecasts so far."""
        return scored(request, coin)

    @get("/v1/proof", sync_to_thread=False, deprecated=True)
    def proof(request: Request[Any, Any, State], coin: FromQuery[str] = "") -> Response[bytes]:
        """Return `/v1/scores`, by its former name."""
        return scored(request, coin)

    @get("/v1/screener", sync_to_thread=False)
    def screened(request: Request[Any, Any, State]) -> Response[bytes]:
        """Return every coin at a glance."""
        return small(request, screener.answer())

    @get("/metrics", media_type=MediaType.TEXT, sync_to_thread=False, include_in_schema=False)
    def metrics() -> str:
        """Return the same for Prometheus."""
        return exposition(session)

    return [coins, starting, health, scores, proof, screened, metrics]


def _make_liquidation_price(session: Session) -> HTTPRouteHandler:
    """Return the route of the liquidation prices of a position."""

    @get(
        "/v1/{coin:str}/liquidation-price",
        operation_class=operation("liquidation-price", PositionQuery),
        operation_id="liquidation-price",
        media_type=MediaType.JSON,
        sync_to_thread=False,
    )
    def price(coin: FromPath[str], request: Request[Any, Any, State]) -> Response[bytes]:
        """Return where a position is force-closed on each venue of a coin."""
        query = read_query(dict(request.query_params.items()), PositionQuery)
        return small(request, liquidation_prices(session, coin, query))

    return price


def make_app(
    session: Session,
    hub: Hub,
    *,
    token: str = "",
    names: Names | None = None,
    work: Callable[[], Awaitable[None]] | None = None,
    ended: Callable[[], None] = lambda: None,
) -> Litestar:
    """Build the ASGI app of a session.

    Args:
        session: The desks.
        hub: Their streams.
        token: Token that clients must send; empty requires none.
        names: Host names of the server; None accepts all.
        work: Runs beside the server until it stops, such as the loop that feeds the desks.
        ended: Called if an error ends the work: the map then served is stale.
    """
    views = [_make_view(session, hub, name, kind) for name, (kind, _) in VIEWS.items()]
    table = fixings.table()
    exports = make_exports(session, table, small)
    served = Served(list(session.desks), list(table.names()), bool(token))
    app = Litestar(
        [
            *_make_status(session), _make_liquidation_price(session), make_stream(session, hub),
            *views, *make_flow(session), make_plan(session), make_portfolio(session), *exports,
            make_page(),
        ],
        exception_handlers={
            RequestError: _refuse, HTTPException: _refuse, BusyError: _busy,
            Exception: unexpected_error_handler(),
        },
        openapi_config=OpenAPIConfig(
            title="powderkeg", version=__version__, path="/docs",
            render_plugins=[Reference(served), Document(served)],
        ),
        lifespan=[_lifespan(session, work, ended)] if work else [],
        logging_config=None,  # configured in log.py
    )  # fmt: skip
    # Litestar runs middleware behind its routes: unknown addresses would bypass it.
    app.asgi_handler = AccessGuard(token, names).wrap(app.asgi_handler)
    return app


def _lifespan(
    session: Session, work: Callable[[], Awaitable[None]], ended: Callable[[], None]
) -> Any:
    """Return a context in which `work` runs beside the server; its failure is reported."""

    def report_end(task: asyncio.Future[None]) -> None:
        why = None if task.cancelled() else task.exception()
        if why is not None:
            session.ready = False
            session.failed = session.progress = f"the feed has stopped: {why!r}"
            log.error("feed_stopped", exc_info=why)
            ended()

    @asynccontextmanager
    async def run(_: Litestar) -> AsyncGenerator[None]:
        task = asyncio.ensure_future(work())
        task.add_done_callback(report_end)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    return run
