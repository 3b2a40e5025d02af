"""``score``: accuracy of the map on stored data, beside baselines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from powderkeg.cli.commands.replay import parse_time
from powderkeg.errors import ConfigError
from powderkeg.history import sources

LONG = ("models", "reliability", "blocks", "questions", "markets")
"""Keys whose rows are printed as a table each."""
COUNTED = "blocks_ahead_of_path_only"
"""Key of a count and its total."""


def score(
    source: Annotated[Path, typer.Argument(help="A source file (TOML), or a folder recorded in.")],
    coin: Annotated[str, typer.Option(help="Which coin; the source's first by default.")] = "",
    *,
    placebo: Annotated[bool, typer.Option(help="Score hours shuffled in time too.")] = False,
    questions: Annotated[bool, typer.Option(help="Answer the honest questions too.")] = False,
    first_days: Annotated[bool, typer.Option(help="Score first days instead of hours.")] = False,
    since: Annotated[str, typer.Option(help="Score hours from this time on (UTC).")] = "",
    until: Annotated[str, typer.Option(help="Score hours before this time (UTC).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score the map on stored data: hours, single liquidations or all positions."""
    from powderkeg.evaluation import score as proof  # noqa: PLC0415  as above
    from powderkeg.evaluation.hourly import first_days as days  # noqa: PLC0415  compiles, and only here
    from powderkeg.evaluation.live import from_ledger  # noqa: PLC0415  as above

    if (first_days or source.is_dir()) and (since or until or placebo or questions):
        what = "first days" if first_days else "a recorded folder"
        raise ConfigError(
            f"{source}: {what}: expected none of --since, --until, --placebo and --questions, which"
            " are for the hours of a source file"
        )
    if source.is_dir():
        _print(msgspec.to_builtins(from_ledger(source)), as_json=as_json)
        return
    stored = sources.load(source)
    if first_days:
        _print(days.score(stored, coin or next(iter(stored.coins()), "")), as_json=as_json)
        return
    low, high = (parse_time(text) if text else None for text in (since, until))
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"score {coin or source.stem}", total=1.0)
        answer = proof.score(
            stored, coin, placebo=placebo, ask=questions, since=low, until=high,
            progress=lambda share: bar.update(task, completed=share),
        )  # fmt: skip
    _print(answer, as_json=as_json)


def _print(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plain(answer), allow_nan=False))
    else:
        _show(answer)


def plain(value: Any) -> Any:
    """Return the value with None for NaN, which JSON lacks."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(answer: dict[str, Any]) -> None:
    """Print the single figures, then a table per list of rows."""
    console = Console()
    table = Table(show_header=False, box=None, title=f"{answer['kind']}: score of the map")
    for key, value in answer.items():
        if key not in LONG:
            words = " of ".join(map(str, value)) if key == COUNTED else _words(value)
            table.add_row(key.replace("_", " "), words)
    console.print(table)
    for key in LONG:
        if rows := answer.get(key):
            console.print(_rows(key, rows))


def _rows(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(*(name.replace("_", " ") for name in rows[0]), box=None, title=title)
    for row in rows:
        table.add_row(*(_words(value) for value in row.values()))
    return table


def _words(value: object) -> str:
    """Format a value."""
    if isinstance(value, Mapping):
        return "\n".join(f"{str(k).replace('_', ' ')}: {_words(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return " to ".join(_words(each) for each in value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
