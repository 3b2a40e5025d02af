"""``score``: how good the map was on stored data, beside maps that know less."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from powderkeg.history import sources

LONG = ("reliability", "blocks", "questions", "markets")
"""Lists of rows of one kind: a table each."""


def score(
    source: Annotated[Path, typer.Argument(help="A source file (TOML), or a folder recorded in.")],
    coin: Annotated[str, typer.Option(help="Which coin; the source's first by default.")] = "",
    *,
    placebo: Annotated[bool, typer.Option(help="Score hours shuffled in time too.")] = False,
    questions: Annotated[bool, typer.Option(help="Answer the honest questions too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score the map on stored data: hours, single liquidations or all positions, beside nulls."""
    from powderkeg.proof import score as proof  # noqa: PLC0415  compiles, and only here
    from powderkeg.proof.live import from_ledger  # noqa: PLC0415  as above

    if source.is_dir():
        _tell({"kind": "ledger", **from_ledger(source)}, as_json=as_json)
        return
    stored = sources.load(source)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"score {coin or source.stem}", total=1.0)
        answer = proof.score(
            stored, coin, placebo=placebo, ask=questions,
            progress=lambda share: bar.update(task, completed=share),
        )  # fmt: skip
    _tell(answer, as_json=as_json)


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plain(answer), allow_nan=False))
    else:
        _show(answer)


def plain(value: Any) -> Any:
    """Return the value with null for what no number was found for: JSON has no NaN."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(answer: dict[str, Any]) -> None:
    """Print the single figures, then a table for each list of rows."""
    console = Console()
    table = Table(show_header=False, box=None, title=f"{answer['kind']}: score of the map")
    for key, value in answer.items():
        if key not in LONG:
            table.add_row(key.replace("_", " "), _words(value))
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
    """Return a value as a person reads it."""
    if isinstance(value, Mapping):
        return "\n".join(f"{str(k).replace('_', ' ')}: {_words(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return " to ".join(_words(each) for each in value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
