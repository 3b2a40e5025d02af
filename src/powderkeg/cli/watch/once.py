"""One frame as plain text, for a file, a pipe or a test."""

from __future__ import annotations

import asyncio
import time

from rich.text import Text

from powderkeg.cli.watch.connection import Connected, Lost, Refused, Server, updates
from powderkeg.cli.watch.ladder import followed, ladder_lines, scrolled
from powderkeg.cli.watch.panels import header, read_lines, tape_lines
from powderkeg.cli.watch.state import WatchState
from powderkeg.errors import ConfigError, RequestError
from powderkeg.maps.flow.queries import LadderQuery

WAIT = 12.0
"""Seconds within which all messages of a frame must arrive."""
WIDTH, ROWS, PRINTS = 110, 24, 10


async def received(server: Server, coin: str, query: LadderQuery) -> WatchState:
    """Return the state once there is a ladder with its map, a read, and a tape.

    Raises:
        ConfigError: The server does not answer, or sends less than that in time.
        RequestError: It refuses, or sends messages of another form.
    """
    state = WatchState()
    try:
        async with asyncio.timeout(WAIT):
            async for update in updates(server, coin, query):
                match update:
                    case Connected():
                        state.begin()
                    case Lost(why=why):
                        raise ConfigError(why)
                    case Refused(why=why):
                        raise RequestError(f"{server.url}: {why}")
                    case _:
                        state.take(update, time.monotonic())
                if state.complete:
                    break
    except TimeoutError as why:
        raise ConfigError(
            f"expected ladder, tape and read of {coin} from {server.url} within {WAIT:g} s, "
            "found fewer of them; it may still be starting"
        ) from why
    return state


def plain(state: WatchState, coin: str, query: LadderQuery, now: float) -> str:
    """Return the frame without colours."""
    lowest = 0
    if state.ladder is not None:
        lowest = scrolled(state.ladder, ROWS, followed(state.ladder, ROWS, None), 0)
    blank = Text()
    lines = [
        header(state, coin, query, 0.0, now), blank,
        *ladder_lines(state, lowest, WIDTH, ROWS), blank,
        *read_lines(state, WIDTH), blank,
        *tape_lines(state, 0.0, WIDTH, PRINTS + 1),
    ]  # fmt: skip
    return "\n".join(line.plain.rstrip() for line in lines)
