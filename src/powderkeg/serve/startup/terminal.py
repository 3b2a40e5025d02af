"""Progress of a start on the error stream: bars in a terminal, one line per change elsewhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from powderkeg.log import get_logger, log_format
from powderkeg.serve.answers.progress import CoinProgress, Progress

EVERY: Final = 0.2
"""Seconds between updates."""
log = get_logger("start")


def say(words: str) -> None:
    """Print a message to the error stream, as a log line where logs are JSON."""
    if log_format() == "json":
        log.info("message", text=words)
    else:
        sys.stderr.write(f"powderkeg: {words}\n")
        sys.stderr.flush()


async def show_start(starting: Callable[[], Progress], url: str, console: Console) -> None:
    """Show the progress of a start until all is ready, then the address in one line."""
    if console.is_terminal and log_format() == "text":
        await _bars(starting, console)
    else:
        await _lines(starting)
    say(words_of(starting(), url))


def words_of(answer: Progress, url: str) -> str:
    """Return the last line of a start: what is ready, what is missing, and the address."""
    markets = answer.markets
    if not markets:
        return f"ready ({answer.source}) · open {url}"
    ready = [m for m in markets if m.state == "ready"]
    venues = {m.venue for m in ready}
    out = [f"{m.market}: {m.problem or m.state}" for m in markets if m not in ready]
    missing = f" · missing: {'; '.join(out)}" if out else ""
    return (
        f"ready in {answer.took or 0:.0f} s: {len(ready)} of {len(markets)} markets of "
        f"{len(venues)} venues ({answer.source}){missing} · open {url}"
    )


async def _lines(starting: Callable[[], Progress]) -> None:
    """Print the current step whenever it changes, ignoring numbers."""
    last = ""
    while not (answer := starting()).ready:
        doing = answer.doing.partition(":")[0]
        if doing and doing != last:
            say(doing)
            last = doing
        await asyncio.sleep(EVERY)


async def _bars(starting: Callable[[], Progress], console: Console) -> None:
    columns = (
        TextColumn("{task.description:<14}"), BarColumn(bar_width=28),
        TextColumn("{task.fields[words]}"),
    )  # fmt: skip
    with Bars(*columns, console=console, transient=True) as progress:
        bars: dict[str, TaskID] = {}
        while not (answer := starting()).ready:
            for name, share, words in _rows(answer):
                if name not in bars:
                    bars[name] = progress.add_task(name, total=1.0, words="")
                progress.update(bars[name], completed=share, words=words)
            await asyncio.sleep(EVERY)


def _rows(answer: Progress) -> list[tuple[str, float, str]]:
    """Return name, share and text of the whole and of each coin."""
    left = answer.left
    soon = "" if left is None else f", about {left:.0f} s left"
    return [
        ("all", answer.share, f"{answer.doing}{soon}"),
        *((each.coin, each.share, _coin(answer, each)) for each in answer.coins),
    ]


def _coin(answer: Progress, coin: CoinProgress) -> str:
    own = [m for m in answer.markets if m.coin == coin.coin]
    ready = sum(m.state == "ready" for m in own)
    trouble = "; ".join(f"{m.venue}: {m.problem}" for m in own if m.problem)
    return f"{ready} of {len(own)} venues{' · ' + trouble if trouble else ''}"
