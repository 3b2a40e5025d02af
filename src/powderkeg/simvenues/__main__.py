"""``python -m powderkeg.simvenues``: all venues on loopback, until interrupted.

Writes one line of JSON once all ports listen: the address of the control API and of each venue.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import pickle
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from powderkeg.events import MINUTE
from powderkeg.log import configure
from powderkeg.sim import MinuteHistory
from powderkeg.sim.scenario.script import named
from powderkeg.simvenues.market.world import Done, write_line
from powderkeg.simvenues.pace import Pace
from powderkeg.simvenues.server import EXCHANGES, Simulator, serve, serve_scenario


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="powderkeg.simvenues", description=__doc__)
    parser.add_argument("--coins", nargs="+", default=["BTC", "ETH", "SOL"])
    parser.add_argument("--venues", nargs="+", default=list(EXCHANGES))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=0, help="of the control; 0 for free ports")
    parser.add_argument("--rate", type=float, default=0.0, help="frames a second at least")
    parser.add_argument(
        "--recorded",
        type=Path,
        help="folder for each coin's history, announced as soon as it is written",
    )
    parser.add_argument("--scenario", default="", help="name of a scenario, or its file")
    parser.add_argument("--pace", default="", help="of a scenario, as JSON; see `simvenues.pace`")
    parser.add_argument("--lead", type=int, default=60, help="seconds before a scenario")
    parser.add_argument(
        "--with-parent", action="store_true", help="exit when standard input is closed"
    )
    return parser.parse_args(argv)


async def _parent_gone() -> None:
    """Return once standard input is closed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while await reader.read(4096):
            pass
    finally:
        pipe.close()


def _history_writer(folder: Path | None) -> Done | None:
    """Return a callback that writes a coin's history into a folder and announces it."""
    if folder is None:
        return None

    def write(coin: str, histories: list[MinuteHistory]) -> None:
        path = folder / f"{coin}.past"
        path.write_bytes(pickle.dumps(histories, protocol=5))
        write_line({"coin": coin, "past": str(path)})

    return write


async def _starting(options: argparse.Namespace) -> Simulator:
    if options.scenario:
        scenario = named(options.scenario)
        pace = (
            msgspec.json.decode(options.pace, type=Pace)
            if options.pace
            else Pace.ending_now(0, 1.0, MINUTE)
        )
        return await serve_scenario(
            scenario, pace, options.lead, port=options.port, venues=options.venues
        )
    return await serve(
        options.coins,
        port=options.port,
        seed=options.seed,
        days=options.days,
        venues=options.venues,
        rate=options.rate,
        done=_history_writer(options.recorded),
    )


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(stop.wait())]
    if options.with_parent:
        waiting.append(asyncio.ensure_future(_parent_gone()))
    try:
        starting = asyncio.ensure_future(_starting(options))
        await asyncio.wait([starting, *waiting], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return
        async with starting.result() as simulator:
            write_line({"control": simulator.control, "hosts": simulator.addresses})
            failure = asyncio.ensure_future(simulator.failed())
            done, _ = await asyncio.wait([failure, *waiting], return_when=asyncio.FIRST_COMPLETED)
            if failure in done:
                failure.result()
            failure.cancel()
    finally:
        for task in waiting:
            task.cancel()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted, or until the parent process has exited."""
    configure()
    asyncio.run(_serve(_options(sys.argv[1:] if argv is None else argv)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
