"""``replay``: run stored data through the engine, and report the result."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.table import Table

from powderkeg.desk import Desk, Market
from powderkeg.errors import ConfigError
from powderkeg.evaluation.range_tracker import RangeTracker, range_tracker_of
from powderkeg.events import Event
from powderkeg.feed.drive import drive
from powderkeg.frames import Started, markets_of, read_control
from powderkeg.history import snapshots, sources
from powderkeg.history.playback import PlaybackCursor, Recorded, Stored
from powderkeg.history.replay import remaining
from powderkeg.history.series.report import ReadReport
from powderkeg.instruments import coin_called
from powderkeg.serve.exports.formatting import significant
from powderkeg.serve.trust import model, prior_only
from powderkeg.store.folder import Store

_FILES = 30
"""Files listed one by one."""


def parse_time(text: str) -> int:
    """Return an ISO date or time (UTC) as µs.

    Raises:
        ConfigError: It is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as why:
        raise ConfigError(
            f"expected a date or time such as 2026-02-04T12:00, found {text!r}"
        ) from why
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000_000)


def replay(
    source: Annotated[Path, typer.Argument(help="A source file (TOML), or a folder recorded in.")],
    coin: Annotated[str, typer.Option(help="Which coin; the source's first by default.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    until: Annotated[str, typer.Option(help="Stop before this time (UTC).")] = "",
    save: Annotated[Path | None, typer.Option(help="Write the desk's snapshot here.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue from this snapshot.")] = None,
    mass: Annotated[
        list[str] | None,
        typer.Option(help="Follow the mass of a price range: SIDE LOW HIGH FROM TO, times UTC."),
    ] = None,
    serve: Annotated[bool, typer.Option(help="Show the end in the page.")] = False,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to serve on; 0 takes a free one.")] = 8788,
    token: Annotated[
        str | None, typer.Option(envvar="POWDERKEG_TOKEN", help="Secret clients send.")
    ] = None,
    allow: Annotated[
        str, typer.Option(envvar="POWDERKEG_ALLOW", help="Names it may be asked by, by comma.")
    ] = "",
) -> None:
    """Replay stored data or a live recording through a desk, and report the result."""
    end = parse_time(until) if until else None
    cursor = None
    if source.is_dir():
        desk, answer, cursor = recorded(source, coin, end, with_playback=serve)
    else:
        desk, answer, cursor = _stored(source, coin, end, resume, mass, with_playback=serve)
    if save:
        snapshots.save(desk, save)
    _print(answer, as_json=as_json)
    if serve:
        _serve(desk, cursor, host, port, token, allow)
    if answer["exit_code"] == 1:
        why = f"expected rows of {answer['coin']}, found hardly any that could be taken"
        Console(stderr=True).print(f"{source}: {why}", markup=False, highlight=False)
    if answer["exit_code"]:
        raise typer.Exit(answer["exit_code"])


def _stored(
    source: Path, coin: str, until: int | None, resume: Path | None, mass: list[str] | None, *,
    with_playback: bool,
) -> tuple[Desk, dict[str, Any], PlaybackCursor | None]:  # fmt: skip
    """Replay a source file; a replay from a snapshot has no playback."""
    stored = sources.load(source)
    chosen = coin_called(coin) if coin else stored.coins()[0]
    if chosen not in stored.coins():
        raise ConfigError(f"{source}: expected one of {', '.join(stored.coins())}, found {chosen}")
    desk = snapshots.load(resume) if resume else Desk(chosen)
    if desk.coin != chosen:
        raise ConfigError(f"{resume}: expected a snapshot of {chosen}, found one of {desk.coin}")
    report = ReadReport()
    passages = [range_tracker_of(spec, parse_time) for spec in (*stored.passages, *(mass or ()))]
    cursor = None
    if with_playback and not resume:
        desk, cursor, report, seconds = _with_playback(stored, chosen, passages, until)
    else:
        seconds = run(desk, stored, report, passages, until)
    answer = summary(desk, report, seconds) | {"passages": [p.result() for p in passages]}
    return desk, answer, cursor


def _with_playback(
    stored: sources.Source, coin: str, passages: list[RangeTracker], until: int | None
) -> tuple[Desk, PlaybackCursor, ReadReport, float]:
    """Replay bar by bar with playback, so that any time can be shown."""

    def watch(now: Desk, event: Event) -> None:
        for passage in passages:
            passage.watch(now, event)

    before = time.process_time()
    first = Stored(stored, coin, until=until, watch=watch if passages else None)
    cursor = PlaybackCursor(first, lambda raw: Stored(stored, coin, raw, until=until))
    with Console(stderr=True).status(f"replay {coin}") as status:
        desk = cursor.play_through(
            lambda now: status.update(f"replay {coin} {_words('at', now.now)}")
        )
    return desk, cursor, first.report, time.process_time() - before


def _print(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer))
    else:
        _show(answer)


def recorded(
    folder: Path, coin: str, until: int | None = None, *, with_playback: bool = False
) -> tuple[Desk, dict[str, Any], PlaybackCursor | None]:
    """Replay a recording of `up` or `record`; the desk ends as the live one did.

    Args:
        folder: Folder of the recording.
        coin: A recorded coin; empty takes the first.
        until: Time to stop before, µs.
        with_playback: Return a playback cursor too, which keeps the folder open.

    Raises:
        ConfigError: There is no recording, or the coin is not in it.
    """
    if not (folder / "meta.db").exists():
        raise ConfigError(f"{folder}: expected a folder that `powderkeg record` has written to")
    store = Store(folder, write=False)
    cursor = None
    try:
        coins = _coins(store)
        chosen = coin_called(coin) if coin else next(iter(coins), "")
        if chosen not in coins:
            raise ConfigError(f"{folder}: expected a coin of {', '.join(coins)}, found {coin!r}")
        before = time.process_time()
        first = Recorded(store.read, chosen, until=until)
        if with_playback:
            cursor = PlaybackCursor(
                first, lambda raw: Recorded(store.read, chosen, raw, until=until)
            )
            desk = cursor.play_through()
        else:
            first.advance(first.END)
            desk = first.desk
        report = ReadReport()
        report.rows = first.feed.seq
        report.bad.update(first.feed.unread)
        report.notes += [hole.words for hole in store.log.holes()]
        answer = summary(desk, report, time.process_time() - before)
        return desk, answer | {"frames": first.feed.seq, "passages": []}, cursor
    finally:
        if cursor is None:
            store.close()


def _coins(store: Store) -> list[str]:
    """Return the coins of the first start in the recording."""
    for batch in store.read():
        for frame in batch:
            if not frame.venue and isinstance(message := read_control(frame.raw), Started):
                return list(dict.fromkeys(markets_of(message).values()))
    return []


def run(
    desk: Desk,
    stored: sources.Source,
    report: ReadReport,
    passages: list[RangeTracker],
    until: int | None,
) -> float:
    """Replay with a progress bar on the error stream, and return CPU seconds."""
    console = Console(stderr=True)
    columns = ("[bold]{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    before = time.process_time()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"replay {desk.coin}")

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        def watch(now: Desk, event: Event) -> None:
            for passage in passages:
                passage.watch(now, event)

        rest = remaining(desk, stored, report=report, until=until, progress=progress)
        drive(desk, rest, watch if passages else None)
    return time.process_time() - before


def summary(desk: Desk, report: ReadReport, seconds: float) -> dict[str, Any]:
    """Return the summary of a replay."""
    audits = [market.estimate.exposure.audit() for market in desk.estimated()]
    facts = desk.counts.trades + desk.counts.bars + desk.counts.events
    return {
        "coin": desk.coin,
        "as_of": desk.now,
        "events": desk.counts.events,
        "trades": desk.counts.trades,
        "bars": desk.counts.bars,
        "bars_assumed": desk.counts.assumed,
        "events_per_s": round(facts / max(seconds, 1e-9)),
        "cpu_s": round(seconds, 3),
        "rows": report.rows,
        "bad_rows": sum(report.bad.values()),
        "bad": report.bad,
        "notes": report.notes[:20],
        "kinds": report.kinds,
        "files": report.table(),
        "exit_code": report.code,
        "gaps": desk.counts.gaps,
        "conservation_residual": max((a.residual for a in audits), default=0.0),
        "wrong_side": max((a.wrong_side for a in audits), default=0.0),
        "liquidations": desk.counts.liquidations,
        "prior_only": prior_only(desk),
        "model": model(desk),
        "price": None if math.isnan(desk.price) else desk.price,
        "markets": {m.name: _market(m) for m in desk.markets.values()},
        "digest": snapshots.digest(desk),
    }


def _market(market: Market) -> dict[str, Any]:
    estimate = market.estimate
    return {
        "trades": market.tape.count,
        "trades_held_back": market.tape.dropped,
        "book": market.book.status,
        "book_counts": dict(market.book.counts),
        "quotes_matched": market.quotes.matched,
        "quotes_differed": market.quotes.differed,
        "oi": estimate.oi if estimate and estimate.oi > 0 else None,
        "mark": estimate.mark if estimate and not math.isnan(estimate.mark) else None,
    }


def _show(answer: dict[str, Any]) -> None:
    """Print the summary as a table."""
    table = Table(show_header=False, box=None, title=f"replay of {answer['coin']}")
    for key, value in answer.items():
        if key not in ("markets", "notes", "passages", "coin", "files", "kinds"):
            table.add_row(key.replace("_", " "), _words(key, value))
    for note in answer["notes"]:
        table.add_row("note", note)
    Console().print(table)
    if answer["files"]:
        Console().print(files_table(answer["files"]))
    for passage in answer["passages"]:
        table = Table(show_header=False, box=None, title="what became of a price range, dollars")
        for key, value in passage.items():
            table.add_row(key.replace("_", " "), _words(key, value))
        Console().print(table)


def files_table(files: list[dict[str, Any]], title: str = "rows by file") -> Table:
    """Return the files read as a table, those with unreadable rows first."""
    table = Table(box=None, title=title, title_justify="left")
    for name in ("file", "taken", "duplicate", "foreign", "unreadable", "moved", "gaps"):
        table.add_column(name, justify="left" if name == "file" else "right", overflow="fold")
    if any(row["example"] for row in files):
        table.add_column("first not taken", overflow="fold")
    shown = len(table.columns)
    worst = sorted(files, key=lambda row: -row["unreadable"])
    for row in worst[:_FILES]:
        counts = [f"{value:,}" for value in list(row.values())[1:-1]]
        cells = (escape(Path(row["file"]).name), *counts, escape(row["example"]))
        table.add_row(*cells[:shown])
    if len(worst) > _FILES:
        rest = worst[_FILES:]
        sums = [f"{sum(row[key] for row in rest):,}" for key in list(rest[0])[1:-1]]
        table.add_row(f"{len(rest)} more files", *sums)
    return table


def _words(key: str, value: object) -> str:
    """Format a value: times in UTC, prices in six figures."""
    if key in ("as_of", "since", "at") and isinstance(value, int):
        return datetime.fromtimestamp(value / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, int):
        return f"{value:,}"
    if key in ("price", "mark") and isinstance(value, float):
        return significant(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 or not value else f"{value:.3g}"
    return str(value)


def _serve(
    desk: Desk, cursor: PlaybackCursor | None, host: str, port: int, token: str | None, allow: str
) -> None:
    """Serve a finished replay; with playback, any time of it."""
    from powderkeg.cli.serve import serve  # noqa: PLC0415  the page is only wanted here
    from powderkeg.live.timekeeping.clock import now as clock  # noqa: PLC0415
    from powderkeg.serve.session import Session  # noqa: PLC0415
    from powderkeg.serve.stream.hub import Hub  # noqa: PLC0415

    session = Session("replay", {desk.coin: desk}, clock)
    session.ready = True
    if cursor is not None:
        session.cursors[desk.coin] = cursor
    hub = Hub(session)
    serve(session, hub, host, port, token, hub.run, json_ready=False, allow=allow)
