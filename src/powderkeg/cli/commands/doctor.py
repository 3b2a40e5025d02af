"""``doctor``: what works, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from powderkeg.cli.commands.store import home
from powderkeg.cli.commands.up import Hosts, Venues, parse_choice
from powderkeg.desk import Desk
from powderkeg.errors import StoreError
from powderkeg.live.collector import Collector
from powderkeg.live.network.endpoints import parse
from powderkeg.live.network.listing import find_symbols
from powderkeg.live.network.reachability import SIMULATED_VENUES, probe_venues
from powderkeg.live.timekeeping.clock import SKEW
from powderkeg.serve.startup.up import offline
from powderkeg.store.folder import Store
from powderkeg.venues import VENUES

LISTEN = 8.0
"""Seconds to listen to the venues."""
ROOM = 2_000_000_000
"""Bytes that should be free where recordings go."""
LATE = 5.0
"""Seconds."""
SILENT = ("liquidations", "ratio", "trades")
"""Channels that may be silent for minutes."""


class Check(msgspec.Struct, frozen=True):
    """One check and its result."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def doctor(
    url: Annotated[
        str, typer.Option(help="A running powderkeg to look at.")
    ] = "http://127.0.0.1:8788",
    venues: Venues = "",
    hosts: Hosts = "",
    coin: Annotated[str, typer.Option(help="The coin to listen for.")] = "BTC",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check clock, disk, each venue's requests and sockets, first messages, lag and limits."""
    (wanted,), names = parse_choice([coin], venues)
    places = parse(hosts, tuple(VENUES))
    running = _running(url)
    if running and not places:
        places = running["feed"]["hosts"] if running.get("feed") else {}
    checks = [_disk(home()), *_recordings(home()), *_server(url, running)]
    why = offline()
    report: dict[str, Any] = {}
    if why and not places:
        checks.append(Check("venues", ok=True, found=f"not asked: {why}"))
    else:
        unreachable, report = asyncio.run(_listen(wanted, names, places))
        simulated = [name for name in names if unreachable[name] == SIMULATED_VENUES]
        if simulated:
            checks.append(Check("simulated venues", ok=True, found=", ".join(simulated)))
        reached = unreachable | dict.fromkeys(simulated, "")
        checks += [each for name in names for each in _venue(name, reached[name], report)]
    answer = {
        "ok": all(check.ok for check in checks),
        "checks": [msgspec.to_builtins(check) for check in checks],
        "running": running and {"url": url, **running},
        "venues": _rows(report, names),
    }
    if as_json:
        print(json.dumps(answer))
    else:
        _show(checks)
    if not answer["ok"]:
        raise SystemExit(1)


def _running(url: str) -> dict[str, Any] | None:
    """Return the health of a running server, or None."""
    address = f"{url.rstrip('/')}/v1/health"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  a person's own
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _server(url: str, running: dict[str, Any] | None) -> list[Check]:
    """Return the checks of a running server."""
    if running is None:
        return [Check("server", ok=True, found=f"none at {url}")]
    words = "ready" if running["ready"] else "not ready yet"
    feed = running.get("feed") or {}
    return [Check("server", ok=True, found=f"{url}: {running['source']}, {words}")] + [
        _channel_problem(row, feed["problems"])
        for row in feed.get("channels", [])
        if row["state"] in ("down", "stale")
    ]


def _channel_problem(row: dict[str, Any], problems: dict[str, str]) -> Check:
    """Return the check of a channel of a running server that is down or stale."""
    advice = problems.get(row["market"].partition(":")[0], "it comes back by itself")
    return Check(f"server: {row['market']} {row['channel']}", False, row["state"], advice)


def _disk(folder: Path) -> Check:
    """Check the free space for recordings."""
    here = folder
    while not here.exists():
        here = here.parent
    free = shutil.disk_usage(here).free
    advice = "" if free > ROOM else f"make room, or set another folder than {folder} with --data"
    return Check(
        "disk", ok=free > ROOM, found=f"{free / 1e9:.1f} GB free at {folder}", advice=advice
    )


def _recordings(folder: Path) -> list[Check]:
    """Check that recordings can be opened; `store check` reads all of them."""
    if not (folder / "meta.db").exists():
        return []
    try:
        store = Store(folder, write=False)
    except StoreError as why:
        advice = f"powderkeg store repair {folder}"
        return [Check("recordings", ok=False, found=str(why), advice=advice)]
    found = f"{store.last:,} frames in {folder}, {len(store.log.holes())} holes"
    store.close()
    return [Check("recordings", ok=True, found=found)]


async def _listen(
    coin: str, names: tuple[str, ...], hosts: dict[str, str]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Request every venue, then listen to all for some seconds."""
    unreachable = await probe_venues(names, hosts, wait_for_all=True)
    symbols, _ = await find_symbols(names, (coin,), hosts)
    collector = Collector({coin: Desk(coin)}, names, hosts=hosts, symbols=symbols, history=False)
    task = asyncio.ensure_future(collector.run())
    try:
        await asyncio.wait({task}, timeout=LISTEN)
        if task.done():
            task.result()
        return unreachable, msgspec.to_builtins(collector.health())
    finally:
        task.cancel()
        await asyncio.wait({task})


def _venue(name: str, unreachable: str, report: dict[str, Any]) -> list[Check]:
    """Return the checks of one venue."""
    if name not in report["venues"]:
        return [Check(f"{name}: requests", ok=True, found="lists no such coin")]
    facts = report["venues"][name]
    problem = report["problems"].get(name, "")
    rows = [row for row in report["channels"] if row["market"].startswith(f"{name}:")]
    quiet = [r["channel"] for r in rows if not r["count"] and r["channel"] not in SILENT]
    lag = max((row["lag"] for row in rows if row["channel"] == "trades"), default=0.0)
    skew, used = facts["skew"], f"{facts['weight_used']} of {facts['weight_limit']}"
    received = f"{sum(row['count'] for row in rows)} messages in {LISTEN:.0f} s"
    silent = f"nothing on {', '.join(quiet)}"
    late = abs(lag) >= LATE
    other = problem or "set another host or proxy for it"
    wait = problem or "wait, then look at the venue's status page"
    clock = "check this machine's clock and connection"
    within = facts["weight_used"] < facts["weight_limit"]
    out = [
        Check(
            f"{name}: requests",
            not unreachable,
            unreachable or "answers",
            other if unreachable else "",
        ),
        Check(f"{name}: socket", not quiet, silent if quiet else received, wait if quiet else ""),
        Check(f"{name}: limits", within, f"{used} in {facts['window']:.0f} s"),
        Check(f"{name}: lag", not late, f"{lag * 1000:.0f} ms", clock if late else ""),
    ]
    if skew is not None:
        ok = abs(skew) * 1e6 < SKEW
        advice = "" if ok else "set this machine's clock by NTP"
        out.append(Check(f"{name}: clock", ok=ok, found=f"{skew * 1000:+.0f} ms", advice=advice))
    return out


def _rows(report: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return each venue's channels, for programs."""
    channels = report.get("channels", [])
    return {
        name: {
            **report["venues"][name],
            "channels": {
                row["channel"]: {k: row[k] for k in ("count", "rate", "lag", "age", "state")}
                for row in channels
                if row["market"].startswith(f"{name}:")
            },
        }
        for name in names
        if name in report.get("venues", ())
    }


def _show(checks: list[Check]) -> None:
    table = Table(box=None)
    for title in ("", "check", "found", "what to do"):
        table.add_column(title)
    for check in checks:
        mark = "[green]✓" if check.ok else "[red]✗"
        table.add_row(mark, check.name, check.found, check.advice)
    Console().print(table)
