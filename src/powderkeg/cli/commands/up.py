"""``up``, ``demo`` and ``record``: collect from real or simulated venues; serve or record."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from msgspec.structs import replace

from powderkeg.cli.commands.store import DISK, home, parse_size
from powderkeg.cli.serve import PORT, serve
from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.instruments import coin_called
from powderkeg.live.collector import Collector
from powderkeg.live.maintenance import StoreMaintenance
from powderkeg.live.network.endpoints import parse
from powderkeg.live.network.listing import find_symbols
from powderkeg.live.network.reachability import probe_venues
from powderkeg.live.timekeeping.discipline import correct_clock
from powderkeg.log import get_logger
from powderkeg.serve.startup.staged import SPEED, staged
from powderkeg.serve.startup.staged import VENUES as VENUES_OF_SCENARIO
from powderkeg.serve.startup.up import SEED, Plan, Up, offline
from powderkeg.serve.startup.venues import simulated_venues
from powderkeg.settings import LIVE, Settings
from powderkeg.sim import DEMO
from powderkeg.simvenues.market.world import SPOT
from powderkeg.store.folder import Store
from powderkeg.venues import VENUES, default_venues

log = get_logger("cli")

COINS = ("BTC", "ETH", "SOL")
Coins: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        help="Such as BTC ETH SOL, which are the default; xyz:TSLA of a Hyperliquid exchange."
    ),
]
_COIN = re.compile("([a-z0-9]{1,20}:)?[A-Z0-9]{1,20}")
Venues: TypeAlias = Annotated[
    str, typer.Option(help="Venues, by comma. The six with most open interest by default.")
]
Hosts: TypeAlias = Annotated[
    str,
    typer.Option(
        envvar="POWDERKEG_HOSTS",
        help="Where venues are reached: HOST[:PORT] for all, or venue=HOST[:PORT],... .",
    ),
]
Data: TypeAlias = Annotated[
    Path | None, typer.Option(envvar="POWDERKEG_STORE", help="Folder to record in.")
]
Disk: TypeAlias = Annotated[
    str,
    typer.Option(
        envvar="POWDERKEG_DISK",
        help="What recordings may take, such as 500MB or 20GB; the oldest hours go first.",
    ),
]
Host: TypeAlias = Annotated[str, typer.Option(help="Address to serve on.")]
Port: TypeAlias = Annotated[int, typer.Option(help="Port to serve on; 0 takes a free one.")]
Token: TypeAlias = Annotated[
    str | None, typer.Option(envvar="POWDERKEG_TOKEN", help="Secret clients send.")
]
Allow: TypeAlias = Annotated[
    str,
    typer.Option(
        envvar="POWDERKEG_ALLOW",
        help="Names the server may be asked by, by comma, beside loopback and the address.",
    ),
]
Accounts: TypeAlias = Annotated[
    str,
    typer.Option(
        envvar="POWDERKEG_ACCOUNTS",
        help="Hyperliquid addresses, by comma, whose real positions are shown beside the map.",
    ),
]
Ready: TypeAlias = Annotated[bool, typer.Option(help="Print the address as JSON.")]
Browse: TypeAlias = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="Of the simulated market.")]
Rate: TypeAlias = Annotated[
    int, typer.Option(help="Least messages per second of simulated venues.")
]


def parse_choice(coins: list[str] | None, venues: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the coins and venues of the options.

    Raises:
        ConfigError: An unknown venue, spot alone, or not the name of a coin.
    """
    names = tuple(filter(None, (name.strip() for name in venues.split(",")))) or default_venues()
    unknown = [name for name in names if name not in VENUES]
    if unknown:
        raise ConfigError(f"expected venues of {', '.join(VENUES)}, found {', '.join(unknown)}")
    if not any(VENUES[name].leveraged for name in names):
        found = ", ".join(names)
        raise ConfigError(f"expected a venue with leverage beside spot, found {found}")
    wanted = tuple(dict.fromkeys(_coin(coin) for coin in coins or COINS))
    odd = [coin for coin in wanted if not _COIN.fullmatch(coin)]
    if odd:
        raise ConfigError(f"expected coins such as BTC or xyz:TSLA, found {', '.join(odd)}")
    return wanted, names


def _coin(text: str) -> str:
    """Return the coin meant: PEPE also for 1000PEPE, kPEPE or pepe."""
    dex, colon, name = text.rpartition(":")
    return dex.lower() + colon + coin_called(coin_called(name).upper())


def up(  # noqa: PLR0913, PLR0917  a command has as many as it has options
    coins: Coins = None,
    venues: Venues = "",
    hosts: Hosts = "",
    data: Data = None,
    disk: Disk = DISK,
    accounts: Accounts = "",
    host: Host = "127.0.0.1",
    port: Port = PORT,
    token: Token = None,
    allow: Allow = "",
    seed: Seed = SEED,
    rate: Rate = 0,
    browse: Browse = False,
    json_ready: Ready = False,
) -> None:
    """Collect coins live and show their maps; simulated venues where no real one answers."""
    wanted, names = parse_choice(coins, venues)
    plan = Plan(
        wanted, names, hosts=parse(hosts, tuple(VENUES)), simulate=offline(),
        data=data or home(), seed=seed, rate=rate, disk=parse_size(disk),
        settings=replace(LIVE, accounts=tuple(filter(None, accounts.split(",")))),
    )  # fmt: skip
    _show(plan, host, port, token, allow, json_ready=json_ready, browse=browse)


def demo(
    coins: Coins = None,
    venues: Venues = "",
    host: Host = "127.0.0.1",
    port: Port = PORT,
    token: Token = None,
    allow: Allow = "",
    seed: Seed = SEED,
    rate: Rate = 0,
    scenario: Annotated[
        str, typer.Option(help="Play a scenario, by name or from a file; `signals` names them.")
    ] = "",
    speed: Annotated[float, typer.Option(help="Of a scenario: times faster than time.")] = SPEED,
    browse: Browse = False,
    json_ready: Ready = False,
) -> None:
    """Show simulated venues: nothing to configure, no network, and it says so on every page."""
    if scenario:
        play = staged(scenario, speed)
        wanted, names = parse_choice([play.scenario.coin], venues or ",".join(VENUES_OF_SCENARIO))
        why = f"{play.scenario.title}, a scenario, {speed:g} times faster until it is now"
        plan = Plan(wanted, names, simulate=why, seed=seed, staged=play)
        _show(plan, host, port, token, allow, json_ready=json_ready, browse=browse)
        return
    wanted, names = parse_choice(coins, venues or ",".join((*default_venues(), *SPOT)))
    odd = [coin for coin in wanted if coin not in DEMO]
    if odd:
        raise ConfigError(f"expected coins of {', '.join(DEMO)}, found {', '.join(odd)}")
    plan = Plan(wanted, names, simulate="asked for", seed=seed, rate=rate)
    _show(plan, host, port, token, allow, json_ready=json_ready, browse=browse)


def _show(
    plan: Plan, host: str, port: int, token: str | None, allow: str, *,
    json_ready: bool, browse: bool,
) -> None:  # fmt: skip
    work = Up(plan)
    serve(
        work.session, work.hub, host, port, token, work.run,
        json_ready=json_ready, browse=browse, allow=allow,
    )  # fmt: skip


def record(
    coins: Coins = None,
    venues: Venues = "",
    hosts: Hosts = "",
    data: Data = None,
    disk: Disk = DISK,
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0 runs on.")] = 0.0,
    simulate: Annotated[bool, typer.Option(help="Record simulated venues.")] = False,
    seed: Seed = SEED,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Store what the venues send, without a map. `replay FOLDER` reads it."""
    wanted, names = parse_choice(coins, venues)
    folder = data or home()
    plan = Plan(
        wanted, names, hosts=parse(hosts, tuple(VENUES)), data=folder, seed=seed,
        simulate="asked for" if simulate else offline(), disk=parse_size(disk),
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        report = asyncio.run(_record(plan, folder, seconds))
        print(json.dumps(report) if as_json else _words(report))


async def _record(plan: Plan, folder: Path, seconds: float) -> dict[str, Any]:
    """Record until the time is over; return a report."""
    async with contextlib.AsyncExitStack() as stack:
        hosts = plan.hosts
        if plan.simulate:
            log.info("simulated_market", reason=plan.simulate)
            hosts = await stack.enter_async_context(
                simulated_venues(plan.coins, plan.venues, plan.seed, plan.rate)
            )
        else:  # before anything is stamped
            clocks: dict[str, int] = {}
            await probe_venues(plan.venues, hosts, clocks=clocks)
            correct_clock(clocks, len(plan.venues))
        store = Store(folder)
        stack.callback(store.close)
        desks = {coin: Desk(coin, plan.settings) for coin in plan.coins}
        symbols, lacking = await find_symbols(plan.venues, plan.coins, hosts)
        for words in lacking:
            log.warning("coin_not_listed", reason=words)
        collector = Collector(desks, plan.venues, hosts=hosts, store=store, symbols=symbols)
        maintenance = StoreMaintenance(store, collector, Settings(disk=plan.disk))
        maintenance.report()
        started = time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds or None), asyncio.TaskGroup() as group:
                group.create_task(collector.run())
                group.create_task(maintenance.run())
        report = collector.health()
        return {
            "folder": str(folder),
            "seconds": round(time.monotonic() - started, 1),
            "frames": report.recorded_frames,
            "unread": report.unread_frames,
            "recording": report.recording,
            "markets": report.markets,
            "problems": report.problems,
        }


def _words(report: dict[str, Any]) -> str:
    """Format the report of a recording."""
    up_now = sum(state == "up" for state in report["markets"].values())
    frames, unread = report["frames"], report["unread"]
    lines = [f"{frames:,} frames in {report['folder']}, {unread:,} of them unread"]
    lines.append(f"{up_now} of {len(report['markets'])} markets were up at the end")
    lines += [f"{venue}: {why}" for venue, why in report["problems"].items()]
    return "\n".join(lines)
