"""Events as columns for sealed hours: what later queries need without decoding frames again.

Books stay in the frames only: a day of one busy book is 267 million level changes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from powderkeg.events import (
    Event,
    Funding,
    Gap,
    Liquidation,
    Mark,
    OpenInterest,
    Trade,
    Trades,
)

KINDS = ("trades", "liquidations", "mark", "funding", "oi", "gaps")


class Columns:
    """Events by kind and venue, as columns."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[tuple[str, str], dict[str, list[Any]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(self, event: Event) -> None:
        """Add an event; kinds that are not stored are ignored."""
        match event:
            case Trades():
                self._run(event)
            case Trade():
                size = event.size if event.taker == "buy" else -event.size
                self._put("trades", event, price=event.price, size=size)
            case Liquidation():
                signed = event.size if event.position_side == "long" else -event.size
                known = int(event.bankruptcy)
                self._put("liquidations", event, price=event.price, size=signed, bankruptcy=known)
            case Mark():
                index = float("nan") if event.index is None else event.index
                self._put("mark", event, price=event.price, index=index)
            case Funding():
                self._put("funding", event, rate=event.rate, interval=event.interval)
            case OpenInterest():
                self._put("oi", event, size=event.size)
            case Gap():
                self._put("gaps", event, since=event.since, reason=event.reason)
            case _:
                pass

    def tables(self) -> dict[tuple[str, str], dict[str, list[Any]]]:
        """Return the columns of each kind and venue."""
        return {key: dict(columns) for key, columns in self._rows.items()}

    def _put(self, kind: str, event: Any, **values: object) -> None:
        columns = self._rows[kind, event.market.partition(":")[0]]
        for name, value in (
            ("market", event.market), ("at", event.event_time),
            ("seen", event.received_time), *values.items(),
        ):  # fmt: skip
            columns[name].append(value)

    def _run(self, event: Trades) -> None:
        columns = self._rows["trades", event.market.partition(":")[0]]
        n = len(event.times)
        columns["market"].extend([event.market] * n)
        columns["at"].extend(event.times.tolist())
        columns["seen"].extend([event.received_time] * n)
        columns["price"].extend(event.prices.tolist())
        columns["size"].extend(event.sizes.tolist())
