"""Full-account positions: what every account of a venue holds, and where it would be liquidated.

All fills and payments of all accounts but one, the market maker, are replayed in order of time.

- **Cash** is what was paid in, less what was bought, plus what was sold; so cash and positions at
  the last price are the account's value, without an average entry being needed. Fees and funding
  are not in the data; at liquidations our account values agree with the reported ones without them.
- **Liquidation price** in cross margin: that of one coin, all other prices held still, at which
  the account's value is MAINTENANCE of its whole notional. Linear in the price, so in closed form.
- **A forced close** is a row of a liquidated account at that moment. The position goes to another
  account at the *bankruptcy* price, up to 12 % off the market: no price and no print of a market.
- **Prints** are what a public tape would have shown, each once. A row of a taker is one. A row of
  a resting order is one too, on the other side, unless the taker's row is there: without it the
  market maker was the taker. A trade of two accounts has two rows of one time, price and size.
- **Open interest** counts each contract once, the maker holding the difference of both sides.

The maintenance rate is measured on the liquidations: the 26 cross accounts reported until 19 April
2023 were worth 0.28 to 1.00 % of their notional. Isolated margin is not reported, and is taken as
cross.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.errors import DataError
from powderkeg.events import Floats
from powderkeg.history.series.positions import AccountKind, tables
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.table import Table
from powderkeg.history.sources import Source

MAINTENANCE = 0.01
"""Of notional, of every account, at this venue in 2023."""
DUST = 1.0
"""Positions of less than this many dollars are ignored."""
BROKE = 0.05
OWED = 5.0
"""An account that owes more than this share of its notional and these dollars had cash that is not
in the data: stale prices and slippage of a liquidation explain no more."""

Row: TypeAlias = tuple[int, str, float, float]
"""Time, coin, price and signed size: what the two rows of one trade have in common."""


class Fill(Struct, frozen=True, gc=False):
    """One account's part in one trade."""

    at: int
    account: str
    coin: str
    price: float
    size: float
    """Base coin, below 0 where the account sold."""
    print: float
    """Size as a public tape shows it, below 0 where a seller took; 0 where another row shows it."""
    forced: bool
    """Whether this is either side of a liquidation."""
    liquidated: bool
    """Whether it is the account that was liquidated."""


class Payment(Struct, frozen=True, gc=False):
    """Dollars paid in, or out where below 0."""

    at: int
    account: str
    delta: float


class Forced(Struct, frozen=True, gc=False):
    """A liquidated account, as the venue reports it."""

    at: int
    account: str
    value: float
    """Dollars of position at the mark."""
    equity: float


class Standing(Struct, frozen=True, eq=False):
    """Positions of one coin at one moment, of accounts whose cash is known; shape (n,) each."""

    accounts: tuple[str, ...]
    sizes: Floats
    """Base coin, below 0 for shorts."""
    prices: Floats
    """Liquidation prices; NaN where there is none."""
    known: float
    """Dollars of these positions."""
    open: float
    """Dollars of the positions of all accounts."""


class World(Struct, frozen=True):
    """A full-account dataset, in order of time."""

    rows: tuple[Fill | Payment, ...]
    forced: tuple[Forced, ...]


def read_world(source: Source) -> World:
    """Return the fills, payments and forced closes of a source.

    Raises:
        DataError: It has no fills, or no payments.
    """
    report = ReadReport()
    payments = [
        Payment(at, str(account), float(delta))
        for at, account, delta in _rows(source, "ledger", report, ("account", "delta"))
    ]
    forced = tuple(
        Forced(at, str(account), float(value), float(equity))
        for at, account, value, equity in _rows(
            source, "liquidated", report, ("account", "value", "equity")
        )
    )
    fills = _fills(source, report, {(each.at, each.account) for each in forced})
    for what, found in (("fills", fills), ("ledger", payments)):
        if not found:
            raise DataError(source.path.name, 1, f"expected a series of kind {what!r} with rows")
    rows: list[Fill | Payment] = [*payments, *fills]
    return World(tuple(sorted(rows, key=lambda row: row.at)), forced)


def _rows(
    source: Source, kind: AccountKind, report: ReadReport, names: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Return rows as tuples: the time, then the columns named."""
    for table in tables(source, kind, report):
        columns = [table.columns[name].tolist() for name in names]
        yield from zip(table.times.tolist(), *columns, strict=True)


def _fills(source: Source, report: ReadReport, forced: set[tuple[int, str]]) -> list[Fill]:
    """Return all fills, marked as prints or as liquidations."""
    found = list(tables(source, "fills", report))
    takers: Counter[Row] = Counter()
    closes: Counter[Row] = Counter()
    for table in found:
        for at, account, coin, price, size, took in _each(table):
            if took:
                takers[at, coin, price, size] += 1
            elif (at, account) in forced:
                closes[at, coin, price, -size] += 1
    return [
        fill for table in found for fill in _fills_of(table, takers.copy(), closes.copy(), forced)
    ]


def _fills_of(
    table: Table,
    takers: Counter[Row],
    closes: Counter[Row],
    forced: set[tuple[int, str]],
) -> Iterator[Fill]:
    """Return the fills of a table; `takers` and `closes` count rows still without a partner."""
    for at, account, coin, price, size, took in _each(table):
        if took:
            close = closes[at, coin, price, size] > 0
            closes[at, coin, price, size] -= close
            yield Fill(
                at, account, coin, price, size, 0.0 if close else size, close, liquidated=False
            )
            continue
        matched = takers[at, coin, price, -size] > 0
        takers[at, coin, price, -size] -= matched
        close = (at, account) in forced
        printed = 0.0 if close or matched else -size
        yield Fill(at, account, coin, price, size, printed, close, close)


def _each(table: Table) -> Iterator[tuple[int, str, str, float, float, bool]]:
    column = table.columns
    sizes = column["size"] * column["side"]
    yield from zip(
        table.times.tolist(), column["account"].tolist(), column["coin"].tolist(),
        column["price"].tolist(), sizes.tolist(), column["taker"].tolist(), strict=True,
    )  # fmt: skip


class Accounts:
    """The cash and positions of all accounts, at the prices last seen."""

    __slots__ = ("cash", "known", "prices", "sizes")

    def __init__(self, known: frozenset[str] | None = None) -> None:
        """Start empty; `known` are the accounts whose cash is known, None for all."""
        self.cash: defaultdict[str, float] = defaultdict(float)
        self.sizes: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """By coin, then by account, base coin."""
        self.prices: dict[str, float] = {}
        self.known = known

    def take(self, row: Fill | Payment) -> None:
        """Add a payment or a fill."""
        if isinstance(row, Payment):
            self.cash[row.account] += row.delta
            return
        held = self.sizes[row.coin]
        held[row.account] = held.get(row.account, 0.0) + row.size
        self.cash[row.account] -= row.size * row.price
        if not row.forced:
            self.prices[row.coin] = row.price

    def of(self, account: str) -> dict[str, float]:
        """Return the positions of an account in dollars, below 0 for shorts, without dust."""
        out: dict[str, float] = {}
        for coin, held in self.sizes.items():
            dollars = held.get(account, 0.0) * self.prices.get(coin, 0.0)
            if abs(dollars) >= DUST:
                out[coin] = dollars
        return out

    def worth(self, account: str) -> tuple[float, float]:
        """Return an account's value and its whole notional, dollars."""
        held = self.of(account)
        return self.cash[account] + sum(held.values()), sum(map(abs, held.values()))

    def open_interest(self, coin: str) -> float:
        """Return base coin open, each contract once: the larger side, the maker has the rest."""
        sizes = self.sizes[coin].values()
        longs = sum(size for size in sizes if size > 0)
        return max(longs, longs - sum(sizes))

    def standing(self, coin: str) -> Standing:
        """Return the positions of a coin and where they would be liquidated."""
        price = self.prices.get(coin, math.nan)
        held = {a: size for a, size in self.sizes[coin].items() if abs(size * price) >= DUST}
        accounts = tuple(a for a in held if self.known is None or a in self.known)
        sizes = np.array([held[account] for account in accounts])
        prices = [liquidation_price(held[a], price, *self.worth(a)) for a in accounts]
        return Standing(
            accounts, sizes, np.array(prices), float(np.abs(sizes).sum() * price),
            sum(map(abs, held.values())) * price,
        )  # fmt: skip


def liquidation_price(size: float, price: float, value: float, notional: float) -> float:
    """Return the price of one coin at which a cross account is worth its maintenance margin.

    At price x the account is worth ``value + size (x - price)``, and its notional is
    ``notional + |size| (x - price)``; all other prices hold still.

    Args:
        size: Position in the coin, base coin, below 0 for a short.
        price: Of the coin now.
        value: Of the account now, dollars.
        notional: Of the account now, all coins, dollars.

    Returns:
        The price; NaN where there is none above 0.
    """
    slope = size - MAINTENANCE * abs(size)
    found = price - (value - MAINTENANCE * notional) / slope
    return found if found > 0 else math.nan


def with_known_cash(world: World) -> frozenset[str]:
    """Return the accounts that paid in before they traded and never had a negative value.

    Others had payments that are not in the ledger. This uses the whole dataset at once, which is
    fine for the truth, but not for an estimate.
    """
    accounts = Accounts()
    good: set[str] = set()
    bad: set[str] = set()
    for row in world.rows:
        accounts.take(row)
        if isinstance(row, Payment):
            if row.delta > 0:
                good.add(row.account)
            continue
        if row.account not in good:
            bad.add(row.account)
        value, notional = accounts.worth(row.account)
        if value < -BROKE * notional - OWED:
            bad.add(row.account)
    return frozenset(good - bad)


class Check(Struct, frozen=True):
    """How well the replay agrees with the liquidations the venue reports."""

    liquidations: int
    residual_zero: float
    """Share after which nothing was left of the positions closed."""
    notional_within_5pct: float
    """Share whose positions at our last price are worth what was reported."""
    notional_ratio: float
    """Median of ours over the reported notional."""
    equity_over_value: float
    """Median reported account value over reported notional: the maintenance rate."""
    equity_gap: float | None
    """Median |our account value at the reported mark - the reported one| over notional, of closes
    of one position by an account whose cash is known; None where there is none."""


def check(world: World, known: frozenset[str]) -> Check | None:
    """Return how well the replay agrees with reported liquidations, None where there are none."""
    reported = {(each.at, each.account): each for each in world.forced}
    accounts = Accounts()
    ratios: dict[tuple[int, str], float] = defaultdict(float)
    gaps: dict[tuple[int, str], float] = {}
    left: dict[tuple[int, str], float] = defaultdict(float)
    for row in world.rows:
        key = row.at, row.account
        if isinstance(row, Fill) and row.liquidated:
            each = reported[key]
            price = accounts.prices.get(row.coin, row.price)
            ratios[key] += abs(row.size) * price / each.value
            if row.account in known and len(accounts.of(row.account)) == 1:
                mark = each.value / abs(row.size)
                value = accounts.worth(row.account)[0] - row.size * (mark - price)
                gaps[key] = abs(value - each.equity) / each.value
        accounts.take(row)
        if isinstance(row, Fill) and row.liquidated:
            left[key] = max(left[key], abs(accounts.sizes[row.coin][row.account] * row.price))
    if not reported:
        return None
    found = np.array([ratios.get(key, 0.0) for key in reported])
    return Check(
        liquidations=len(reported),
        residual_zero=float(np.mean([left.get(key, math.inf) < DUST for key in reported])),
        notional_within_5pct=float((np.abs(found - 1) < 0.05).mean()),
        notional_ratio=float(np.median(found)),
        equity_over_value=float(np.median([each.equity / each.value for each in world.forced])),
        equity_gap=float(np.median(list(gaps.values()))) if gaps else None,
    )
