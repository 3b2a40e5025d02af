"""The route of open risk."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler

from powderkeg.serve.answers.portfolio import PortfolioQuery, portfolio_of
from powderkeg.serve.codec import read_query
from powderkeg.serve.openapi.parameters import operation
from powderkeg.serve.responses import small
from powderkeg.serve.session import Session


def make_portfolio(session: Session) -> HTTPRouteHandler:
    """Return the route of the open risk of several positions."""

    @get(
        "/v1/portfolio",
        operation_class=operation("portfolio", PortfolioQuery),
        operation_id="portfolio",
        media_type=MediaType.JSON,
        sync_to_thread=False,
    )
    def portfolio(request: Request[Any, Any, State]) -> Response[bytes]:
        """Return open risk in all, and of coins that move together."""
        query = read_query(dict(request.query_params.items()), PortfolioQuery)
        return small(request, portfolio_of(session, query))

    return portfolio
