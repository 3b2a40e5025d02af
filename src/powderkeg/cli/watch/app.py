"""The screen: Textual draws the lines, and keys change what is asked for."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import ClassVar, Final, TypeAlias

import msgspec
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.widgets import Footer, Static

from powderkeg.cli.watch.connection import Connected, Lost, Refused, Server, Update, updates
from powderkeg.cli.watch.ladder import followed, ladder_lines, scrolled
from powderkeg.cli.watch.panels import (
    TAPE_WIDTH,
    header,
    problem_line,
    read_lines,
    tape_lines,
)
from powderkeg.cli.watch.state import WatchState
from powderkeg.errors import RequestError
from powderkeg.flow.tape.traded import step_for
from powderkeg.maps.flow.queries import LadderQuery

WINDOWS: Final = (60, 300, 900, 3_600, 14_400)
"""Seconds of traded volume that `w` goes through."""
LEAST: Final = (0.0, 1e3, 1e4, 1e5, 1e6)
"""Smallest prints that `t` goes through, quote currency."""
STEPS: Final = {1: 2.0, -1: 0.4}
"""Factor to the next coarser and finer row, before it is rounded up to 1, 2 or 5."""
WIDE: Final = 120
"""Columns from which there is a tape beside the ladder."""
PARTS: Final = ("header", "problem", "ladder", "tape", "read")
Source: TypeAlias = Callable[[Server, str, LadderQuery], AsyncIterator[Update]]


class WatchApp(App[None]):
    """Ladder, tape and read of one coin."""

    CSS = f"""
    Static {{ text-wrap: nowrap; text-overflow: ellipsis; }}
    #header, #problem {{ height: 1; }}
    #read {{ height: 4; }}
    #flow {{ height: 1fr; }}
    #ladder {{ width: 1fr; height: 100%; }}
    #tape {{ width: {TAPE_WIDTH + 1}; height: 100%; padding-left: 1; }}
    .narrow #tape {{ display: none; }}
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("c", "centre", "Centre"),
        Binding("plus,equals_sign", "row(1)", "Coarser", key_display="+"),
        Binding("minus", "row(-1)", "Finer", key_display="-"),
        Binding("w", "window", "Window"),
        Binding("t", "least", "Smallest print"),
        Binding("up", "scroll(1)", show=False),
        Binding("down", "scroll(-1)", show=False),
        Binding("pageup", "scroll(10)", show=False),
        Binding("pagedown", "scroll(-10)", show=False),
    ]

    def __init__(
        self, server: Server, coin: str, query: LadderQuery, source: Source = updates
    ) -> None:
        """Start with nothing received; `source` yields the updates of a server."""
        # with colours of its own, Textual would turn them into greys and still send those
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.server, self.coin, self.query_asked, self.source = server, coin, query, source
        self.state = WatchState()
        self.parts = {name: Static(id=name) for name in PARTS}
        """Held, not looked up: a last message may be drawn while the screen is taken down."""
        self.least = LEAST[0]
        self._lowest: int | None = None
        self._scrolled = 0

    def compose(self) -> ComposeResult:
        """Lay out the header, the problem, the ladder and tape, the read, and the keys."""
        parts = self.parts
        yield parts["header"]
        yield parts["problem"]
        yield Horizontal(parts["ladder"], parts["tape"], id="flow")
        yield parts["read"]
        yield Footer()

    def on_mount(self) -> None:
        """Connect, and keep the age current while nothing arrives."""
        self._connect()
        self.set_interval(1.0, self.draw)

    def on_resize(self, event: Resize) -> None:
        """Leave out the tape where it does not fit."""
        self.screen.set_class(event.size.width < WIDE, "narrow")
        self.call_after_refresh(self.draw)

    def _connect(self) -> None:
        """Begin to receive what is asked for now, instead of what was."""
        self.run_worker(self._receive(), exclusive=True)

    async def _receive(self) -> None:
        async for update in self.source(self.server, self.coin, self.query_asked):
            if self._take(update):
                self.draw()

    def _take(self, update: Update) -> bool:
        """Add an update; return whether to draw: prints and reads are, with the next ladder."""
        match update:
            case Connected():
                self.state.begin()
            case Lost(why=why, pause=pause):
                self.state.interrupted(f"next attempt in {pause:g} s: {why}")
            case Refused(why=why):
                self.state.interrupted(f"refused: {why}")
            case _:
                return self._take_message(update)
        return True

    def _take_message(self, raw: bytes) -> bool:
        try:
            return self.state.take(raw, time.monotonic()) == "ladder"
        except RequestError as why:
            self.state.problem = str(why)
            return True

    def draw(self) -> None:
        """Draw everything from the state."""
        width = self.size.width
        now, state = time.monotonic(), self.state
        self._show("header", [header(state, self.coin, self.query_asked, self.least, now)])
        wrong = problem_line(state, width)
        self.parts["problem"].display = bool(wrong)
        self._show("problem", [wrong])
        self._show("read", read_lines(state, width))
        tape = self.parts["tape"].size
        self._show("tape", tape_lines(state, self.least, tape.width, tape.height))
        self._draw_ladder()

    def _draw_ladder(self) -> None:
        size, ladder = self.parts["ladder"].size, self.state.ladder
        height, lowest = max(size.height - 1, 1), 0
        if ladder is not None:
            self._lowest = followed(ladder, height, self._lowest)
            lowest = scrolled(ladder, height, self._lowest, self._scrolled)
            self._scrolled = lowest - self._lowest if self._scrolled else 0
        self._show("ladder", ladder_lines(self.state, lowest, size.width, height))

    def _show(self, name: str, lines: Sequence[Text]) -> None:
        self.parts[name].update(Text("\n", no_wrap=True).join(lines), layout=False)

    def action_centre(self) -> None:
        """Centre the last price."""
        self._lowest, self._scrolled = None, 0
        self.draw()

    def action_scroll(self, rows: int) -> None:
        """Scroll the ladder; up is positive."""
        self._scrolled += rows
        self.draw()

    def action_row(self, direction: int) -> None:
        """Ask for the next coarser (1) or finer (-1) rows."""
        if self.state.ladder is None:
            return
        self._ask(row=step_for(self.state.ladder.step, STEPS[direction]))

    def action_window(self) -> None:
        """Ask for the next window of traded volume."""
        self._ask(window=_next(WINDOWS, self.query_asked.window))

    def action_least(self) -> None:
        """Show only larger prints; after the largest limit all of them."""
        self.least = _next(LEAST, self.least)
        self.draw()

    def _ask(self, **changed: float) -> None:
        self.query_asked = msgspec.structs.replace(self.query_asked, **changed)
        self._lowest, self._scrolled = None, 0
        self._connect()


def _next(choices: Sequence[float], now: float) -> float:
    """Return the next larger choice, after the last the first."""
    return next((choice for choice in choices if choice > now), choices[0])
