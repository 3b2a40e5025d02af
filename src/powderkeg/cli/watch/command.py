"""``watch``: ladder, tape and read of a coin in the terminal, from a running server."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Annotated

import msgspec
import typer

from powderkeg.cli.origin import DEFAULT
from powderkeg.cli.watch.connection import Server
from powderkeg.cli.watch.once import plain, received
from powderkeg.errors import ConfigError
from powderkeg.maps.flow.queries import LadderQuery
from powderkeg.serve.access.tokens import valid_token

ROWS = 200
"""Rows asked for: more than a screen, so that it can be scrolled."""


def watch(
    coin: Annotated[str, typer.Argument(help="Such as BTC.")],
    url: Annotated[
        str, typer.Option(envvar="POWDERKEG_URL", help="Ask this running powderkeg.")
    ] = DEFAULT,
    token: Annotated[
        str | None, typer.Option(envvar="POWDERKEG_TOKEN", help="The token it was started with.")
    ] = None,
    row: Annotated[float, typer.Option(help="Height of a row; 0 chooses one.")] = 0.0,
    window: Annotated[int, typer.Option(help="Seconds of traded volume, 60 to 14400.")] = 3_600,
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
) -> None:
    """Watch order flow: ladder, tape and read of a coin that a running server collects.

    Where the output is no terminal, one frame is printed as plain text.
    """
    coin, server, query = coin.upper(), Server(url, valid_token(token)), ladder_query(row, window)
    server.address(coin, query)
    if once or not sys.stdout.isatty():
        state = asyncio.run(received(server, coin, query))
        print(plain(state, coin, query, time.monotonic()))
        return
    # imported here: no other command needs it, and it takes a tenth of a second
    from powderkeg.cli.watch.app import WatchApp  # noqa: PLC0415

    WatchApp(server, coin, query).run()


def ladder_query(row: float, window: int) -> LadderQuery:
    """Return the query of the ladder.

    Raises:
        ConfigError: A value is out of bounds.
    """
    try:
        return msgspec.convert({"row": row, "rows": ROWS, "window": window}, LadderQuery)
    except msgspec.ValidationError as why:
        raise ConfigError(f"--row and --window: {why}") from why
