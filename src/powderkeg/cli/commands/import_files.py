"""``import``: recognise stored data, write a source file for it, and replay it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from powderkeg.cli.commands.replay import files_table, run, summary
from powderkeg.desk import Desk
from powderkeg.errors import ConfigError, DataError, PowderkegError
from powderkeg.history import sources
from powderkeg.history.archive import LAYOUTS
from powderkeg.history.importing.gather import Group, ScanResult, scan
from powderkeg.history.importing.missing import missing
from powderkeg.history.importing.source_file import source_text
from powderkeg.history.layouts.layout import Ask
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import RatioColumn, Source

PARTLY = 3
_SHOWN = 12
"""Files listed per reason."""


class _Replayed(NamedTuple):
    """Result of replaying one coin."""

    coin: str
    answer: dict[str, Any]
    refused: dict[str, str]
    """Why series could not be read, by their files."""

    @property
    def rows(self) -> int:
        return self.answer.get("rows", 0) + self.answer.get("frames", 0)


def import_data(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    out: Annotated[
        Path | None, typer.Option(help="The source file to write; its folder's name by default.")
    ] = None,
    coin: Annotated[
        str, typer.Option(help="Only this coin; of files that name no market, the coin.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Overwrite the source file.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is there; write and play nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recognise stored data in any usual format, write a source file for it, and replay it.

    Exit code 3: only some of it could be used.
    """
    found = _recognise(paths, coin.upper())
    target = out or Path(f"{found.root.name or 'data'}.toml")
    answer = _described(found)
    if not as_json:
        _show(found)
    if found.groups and not dry_run:
        if target.exists() and not yes:
            raise ConfigError(f"{target}: there is such a file; say --yes or --out NAME.toml")
        replayed = _write_and_play(found, target)
        answer |= {"source": str(target), "replays": [_replay_answer(each) for each in replayed]}
        if not as_json:
            _show_replayed(target, replayed)
        code = _code(found, replayed)
    else:
        code = 1 if not found.groups else PARTLY if found.unknown else 0
    if as_json:
        print(json.dumps(answer | {"exit": code}, default=str))
    if code:
        raise SystemExit(code)


def _recognise(paths: list[Path], coin: str) -> ScanResult:
    console = Console(stderr=True)
    with console.status("looking at files") as status:
        return scan(
            paths,
            Ask(coin),
            lambda done, total: status.update(f"looking at files: {done:,} of {total:,}"),
        )


def _write_and_play(found: ScanResult, target: Path) -> list[_Replayed]:
    """Write the source file and replay each coin; unreadable series are left out of both."""
    _write(found, target)
    out: list[_Replayed] = []
    for coin in found.coins():
        replayed = _play(found, target, coin)
        if replayed.refused:
            _write(found, target)
        out.append(replayed)
    return out


def _write(found: ScanResult, target: Path) -> None:
    folder = target.resolve().parent
    try:
        root = Path(os.path.relpath(found.root, folder)).as_posix()
        _ = target.write_text(source_text(target.stem, root, found.groups), encoding="utf-8")
    except (OSError, ValueError) as why:
        raise ConfigError(f"{target}: the source file cannot be written: {why}") from why


def _play(found: ScanResult, target: Path, coin: str) -> _Replayed:
    """Replay one coin; a file in another format drops its series, not the others."""
    refused: dict[str, str] = {}
    while any(group.series.coin in {coin, ""} for group in found.groups):
        desk, report = Desk(coin), ReadReport()
        try:
            stored = _loaded(found, target)
            seconds = run(desk, stored, report, [], None)
        except PowderkegError as why:
            bad = _failed_group(found, coin, why)
            refused |= dict.fromkeys(bad.series.files, str(why))
            found.groups.remove(bad)
            continue
        return _Replayed(coin, summary(desk, report, seconds), refused)
    return _Replayed(coin, {"coin": coin}, refused)


def _loaded(found: ScanResult, target: Path) -> Source:
    """Return the source as written, restricted to its own root folder."""
    return msgspec.structs.replace(sources.load(target), root=found.root)


def _failed_group(found: ScanResult, coin: str, why: PowderkegError) -> Group:
    """Return the series an error is about, by default the first of the coin."""
    mine = [group for group in found.groups if group.series.coin in {coin, ""}]
    file = Path(why.file).name if isinstance(why, DataError) else str(why)
    for group in mine:
        for glob in group.series.files:
            for path in found.root.glob(glob):
                if path.name in file or file.startswith(path.name) or path.name in str(why):
                    return group
    return mine[0]


def _code(found: ScanResult, replayed: list[_Replayed]) -> int:
    rows = sum(each.rows for each in replayed)
    bad = sum(each.answer.get("bad_rows", 0) for each in replayed)
    if not rows or bad > 9 * rows:
        return 1
    return PARTLY if found.unknown or any(each.refused for each in replayed) or bad > rows else 0


def _described(found: ScanResult) -> dict[str, Any]:
    return {
        "root": str(found.root),
        "series": [_series(group) for group in found.groups],
        "unknown": found.unknown,
        "unused": found.unused,
        "skipped": found.skipped,
        "missing": missing(found),
    }


def _series(group: Group) -> dict[str, Any]:
    series = group.series
    return {
        "market": series.id,
        "coin": series.coin,
        "kind": series.kind,
        "forms": group.forms,
        "files": group.files,
        "globs": series.files,
        "time": msgspec.to_builtins(series.time),
        "columns": msgspec.to_builtins(series.columns),
        "unit": series.unit,
        "where": series.where,
        "span": series.span or (series.time.every if series.time else ""),
        "first_rows": group.rows,
        "notes": group.notes,
    }


def _replay_answer(replayed: _Replayed) -> dict[str, Any]:
    return {"coin": replayed.coin, "refused": replayed.refused, **replayed.answer}


def _show(found: ScanResult) -> None:
    """Print each series as recognised, and what was not used and why."""
    console = Console()
    for group in found.groups:
        console.print(_table(group))
    for title, files in (("of no use", found.unused), ("not recognised", found.unknown)):
        by_why: dict[str, list[str]] = {}
        for name, why in files.items():
            by_why.setdefault(why, []).append(name)
        for why, names in by_why.items():
            shown = ", ".join(names[:_SHOWN])
            more = f" and {len(names) - _SHOWN:,} more" if names[_SHOWN:] else ""
            console.print(f"[bold]{title}[/]: {escape(shown)}{more}: {escape(why)}")
    if found.skipped:
        console.print(f"{found.skipped:,} files that are no data by their names were left alone")
    for line in missing(found):
        console.print(f"[bold]missing[/]: {escape(line)}")
    if not found.groups:
        Console(stderr=True).print("nothing was recognised")


def _table(group: Group) -> Table:
    series = group.series
    title = f"{series.id}: {', '.join(group.forms)} · {group.files:,} files"
    table = Table(title=title, title_justify="left", caption="\n".join(group.notes) or None)
    columns = _meanings(group)
    table.add_column(series.kind.replace("_", " "))
    table.add_column("column")
    for n in range(len(group.rows)):
        table.add_column(f"row {n + 1}")
    for ours, theirs in columns:
        cells = [escape(_cell(row.get(theirs, ""))) for row in group.rows]
        unit = series.unit.get(ours, "")
        table.add_row(ours, escape(theirs) + (f" ({unit})" if unit else ""), *cells)
    return table


def _meanings(group: Group) -> list[tuple[str, str]]:
    """Return our names beside the file's own."""
    series = group.series
    if series.kind == "wire":
        return [("stamp", "stamp"), ("frame", "frame")]
    if series.kind == "zip":
        return list(dict.fromkeys(pair for form in group.forms for pair in _archived(form)))
    out = [(f"time ({series.time.means})", series.time.column)] if series.time else []
    for ours, theirs in series.columns.items():
        text = f"{theirs.of} / {theirs.by}" if isinstance(theirs, RatioColumn) else str(theirs)
        out.append((ours, text))
    out += [(f"only {value}", name) for name, value in series.where.items()]
    return out


def _archived(form: str) -> list[tuple[str, str]]:
    """Return our names beside the columns of an archive file."""
    layout = LAYOUTS.get(form.rpartition(": ")[2])
    if layout is None:
        return []
    out = [("time", layout.stamp.column)]
    for kind, columns, _ in layout.series:
        words = kind.replace("_", " ")
        for ours, theirs in columns.items():
            text = f"{theirs.of} / {theirs.by}" if isinstance(theirs, RatioColumn) else str(theirs)
            out.append((f"{words}: {ours}", text))
    return out


def _cell(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= 28 else text[:27] + "…"


def _show_replayed(target: Path, replayed: list[_Replayed]) -> None:
    console = Console()
    table = Table(title=f"written to {target}, and played", title_justify="left")
    names = ("rows", "bad_rows", "trades", "bars", "events", "liquidations", "gaps", "price")
    for name in ("coin", *names):
        table.add_column(name.replace("_", " "), justify="right")
    for each in replayed:
        cells = [each.answer.get(name) for name in names]
        table.add_row(each.coin, *(f"{n:,.10g}" if n is not None else "" for n in cells))
    console.print(table)
    for each in replayed:
        for files, why in each.refused.items():
            console.print(f"[bold]could not be read[/]: {escape(files)}: {escape(why)}")
        for reason, n in each.answer.get("bad", {}).items():
            console.print(f"{each.coin}: {n:,} rows: {escape(reason)}")
        if files := each.answer.get("files"):
            console.print(files_table(files, f"rows of {each.coin} by file"))
    if sys.stdout.isatty():
        console.print(f"show it in the page: powderkeg replay {target} --serve")
