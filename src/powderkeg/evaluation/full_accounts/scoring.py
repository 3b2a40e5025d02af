"""The map against the complete true map of a venue whose every account is known.

The fills are reduced to public data, the accounts are hidden, and the estimate is drawn every hour
on its prior weights (`full_accounts.maps`). It is compared with the prices at which the accounts
would in fact be liquidated (`full_accounts.positions`).

- A **side-hour** is scored where at least one position is liquidated within reach of the price,
  from three days after a coin's first fill on. Its score is the earth-mover's distance of the two
  maps of the side, each scaled to one, in percent of price. Side-hours weigh the same. A map that
  is empty there is scored as a uniform one.
- **Naive** is the static map of four tiers. Every null is scored on the same side-hours.
- **Intervals** are the central 90 % of 400 draws of whole days, of all coins together. Positions
  outlast days, so they are rather too narrow.
- **Pooled** is the distance of the mean map to the mean truth: are distances right on average.
- **Hindsight** is the mean truth of all *other* days at each distance from the price, which no
  estimate may know. It shows how much of a distance is graininess: where a side holds one or two
  positions, every map that spreads their mass stands far from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict
from numpy.typing import NDArray

from powderkeg.errors import ConfigError
from powderkeg.evaluation import metrics
from powderkeg.evaluation.full_accounts.maps import MAPS, WIDTH, Market, truly_around
from powderkeg.evaluation.full_accounts.positions import (
    Accounts,
    Fill,
    Payment,
    World,
    check,
    read_world,
    with_known_cash,
)
from powderkeg.events import DAY, HOUR, Floats
from powderkeg.history.sources import Source

COINS = ("ARB", "SOL", "ETH")
"""Those with the most fills."""
REACHES = {"10pct": 40, "20pct": 80, "40pct": 160}
"""Score bins within reach; beyond it nothing is scored."""
SHOWN = "20pct"
WARM_UP = 3 * DAY
DRAWS = 400
SEED = 20230419
PERCENT = WIDTH * 100


class SideHour(Struct, frozen=True, eq=False):
    """The maps of one side of one coin at one hour, within reach."""

    coin: str
    side: int
    at: int
    holders: tuple[str, ...]
    """Accounts whose positions stand there."""
    truth: Floats
    """Scaled to one, shape (bins,)."""
    guesses: Floats
    """Each scaled to one, in the order of MAPS, shape (maps, bins)."""

    @property
    def day(self) -> int:
        """Days since 1970."""
        return self.at // DAY


class Hour(Struct, frozen=True, eq=False):
    """One coin at one hour: all maps and the truth."""

    coin: str
    at: int
    maps: Floats
    """In the order of MAPS, shape (maps, 2, 160)."""
    truth: Floats
    """Dollars, shape (2, 160)."""
    holders: tuple[str, ...]
    places: NDArray[np.int64]
    """Side and bin of each holder, -1 for none, shape (n, 2)."""
    known: float
    """Dollars open of accounts with known cash."""
    open: float
    """Dollars open of all accounts."""


def play(
    world: World, venue: str, coins: Sequence[str], known: frozenset[str],
    progress: Callable[[float], None],
) -> list[Hour]:  # fmt: skip
    """Return every coin at every full hour after its days of warming up."""
    accounts = Accounts(known)
    markets: dict[str, Market] = {}
    found: list[Hour] = []
    first, last = world.rows[0].at, world.rows[-1].at
    hour = first // HOUR * HOUR + HOUR
    for row in world.rows:
        while row.at > hour:
            for coin, market in markets.items():
                maps = market.maps(hour)
                if hour >= market.since + WARM_UP:
                    found.append(_hour(coin, hour, maps, market.price, accounts))
            progress((hour - first) / (last - first))
            hour += HOUR
        accounts.take(row)
        if isinstance(row, Payment) or row.coin not in coins:
            continue
        if row.coin not in markets:
            markets[row.coin] = Market(venue, row.coin, row.price, row.at)
        markets[row.coin].take(row, accounts.open_interest(row.coin))
    return found


def _hour(coin: str, at: int, maps: dict[str, Floats], mark: float, accounts: Accounts) -> Hour:
    standing = accounts.standing(coin)
    truth, places = truly_around(standing, mark)
    stacked = np.stack([maps[name] for name in MAPS])
    return Hour(coin, at, stacked, truth, standing.accounts, places, standing.known, standing.open)


def sides(hour: Hour, reach: int) -> list[SideHour]:
    """Return the sides of an hour on which anything true stands within `reach` bins."""
    out: list[SideHour] = []
    for side in range(2):
        truth = hour.truth[side, :reach]
        if not truth.sum() > 0:
            continue
        guesses = hour.maps[:, side, :reach]
        empty = ~(guesses.sum(axis=1, keepdims=True) > 0)
        guesses = np.where(empty, 1.0, guesses)
        here = (hour.places[:, 0] == side) & (hour.places[:, 1] < reach)
        holders = tuple(each for each, stands in zip(hour.holders, here, strict=True) if stands)
        scaled = guesses / guesses.sum(axis=1, keepdims=True)
        out.append(SideHour(hour.coin, side, hour.at, holders, truth / truth.sum(), scaled))
    return out


def ratio_interval(ours: Floats, theirs: Floats, days: NDArray[np.int64]) -> list[float]:
    """Return the central 90 % of the ratio of two means when whole days are drawn anew.

    Args:
        ours: Shape (n,).
        theirs: Shape (n,).
        days: Of each row, shape (n,).
    """
    chance = np.random.default_rng(SEED)
    _, where = np.unique(days, return_inverse=True)
    sums = np.stack([np.bincount(where, each) for each in (ours, theirs)])
    drawn = chance.integers(0, sums.shape[1], (DRAWS, sums.shape[1]))
    totals = sums[:, drawn].sum(axis=2)
    return [float(q) for q in np.quantile(totals[0] / totals[1], (0.05, 0.95))]


def hindsight(rows: Sequence[SideHour]) -> float | None:
    """Return the mean distance of the mean truth of all other days; None where there is one day."""
    days = np.array([row.day for row in rows])
    truths = np.stack([row.truth for row in rows])
    distances: list[float] = []
    for day in np.unique(days):
        others = truths[days != day]
        if not len(others):
            return None
        mean = others.mean(axis=0)
        distances += [metrics.earth_movers(mean, each, PERCENT) for each in truths[days == day]]
    return float(np.mean(distances))


def pooled(rows: Sequence[SideHour]) -> Floats:
    """Return the distance of each mean map to the mean truth, in the order of MAPS."""
    truth = np.mean([row.truth for row in rows], axis=0)
    guesses = np.mean([row.guesses for row in rows], axis=0)
    return np.array([metrics.earth_movers(guess, truth, PERCENT) for guess in guesses])


def summary(rows: Sequence[SideHour]) -> dict[str, object]:
    """Return the figures of some side-hours: each map's, and how ours compares."""
    if not rows:
        return {"side_hours": 0}
    days = np.array([row.day for row in rows])
    emd = np.array(
        [[metrics.earth_movers(guess, row.truth, PERCENT) for guess in row.guesses] for row in rows]
    )
    shared = np.mean([[metrics.overlap(g, row.truth) for g in row.guesses] for row in rows], axis=0)
    mean, averaged = emd.mean(axis=0), pooled(rows)
    place = {name: i for i, name in enumerate(MAPS)}
    ours, naive = place["ours"], place["static"]
    later = hindsight(rows)

    def against(name: str) -> dict[str, object]:
        i = place[name]
        return {
            "emd": float(mean[i]),
            "ratio_to_naive": float(mean[i] / mean[naive]),
            "ours_to_this": float(mean[ours] / mean[i]),
            "ours_to_this_interval": ratio_interval(emd[:, ours], emd[:, i], days),
            "overlap": float(shared[i]),
            "emd_pooled": float(averaged[i]),
        }

    return {
        "side_hours": len(rows),
        "days": len(np.unique(days)),
        "positions_per_side_hour": float(np.mean([len(row.holders) for row in rows])),
        "holders": len({(row.coin, row.side, who) for row in rows for who in row.holders}),
        "emd": float(mean[ours]),
        "emd_naive": float(mean[naive]),
        "emd_ratio_to_naive": float(mean[ours] / mean[naive]),
        "interval": ratio_interval(emd[:, ours], emd[:, naive], days),
        "emd_calibrated": float(mean[place["calibrated"]]),
        "calibrated_ratio_to_naive": float(mean[place["calibrated"]] / mean[naive]),
        "emd_hindsight": later,
        "hindsight_ratio_to_naive": None if later is None else later / float(mean[naive]),
        "overlap": float(shared[ours]),
        "overlap_naive": float(shared[naive]),
        "emd_pooled": float(averaged[ours]),
        "emd_pooled_naive": float(averaged[naive]),
        "nulls": {name: against(name) for name in MAPS if name not in {"ours", "calibrated"}},
    }


def score(
    source: Source,
    coins: Sequence[str] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, object]:
    """Return the scores of a full-account dataset, ready for JSON.

    Args:
        source: With series of kind fills and ledger, and liquidated where there is one.
        coins: Which to score; by default the three with most fills.
        progress: Called with the share that has been replayed, 0 to 1.

    Raises:
        ConfigError: A coin has no fills.
        DataError: The source has no fills or no payments.
    """
    world = read_world(source)
    wanted = tuple(coins or COINS)
    fills = [row for row in world.rows if isinstance(row, Fill)]
    traded = sorted({row.coin for row in fills})
    for coin in wanted:
        if coin not in traded:
            known_coins = ", ".join(traded)
            raise ConfigError(f"{source.path}: expected coins of {known_coins}, found {coin!r}")
    known = with_known_cash(world)
    venue = next(series.venue for series in source.series if series.kind == "fills")
    hours = play(world, venue, wanted, known, progress)
    found = {name: [s for h in hours for s in sides(h, reach)] for name, reach in REACHES.items()}
    shown, traders = found[SHOWN], {row.account for row in fills}
    agreed = check(world, known)
    dollars = sum(hour.open for hour in hours)
    return {
        "kind": "closed_world",
        "reach": SHOWN,
        **summary(shown),
        "coins": {coin: summary([row for row in shown if row.coin == coin]) for coin in wanted},
        "reaches": {name: summary(rows) for name, rows in found.items() if name != SHOWN},
        "accounts": len(traders),
        "accounts_with_known_cash": len(traders & known),
        "open_with_known_cash": sum(h.known for h in hours) / dollars if dollars else None,
        "liquidations_matched": None if agreed is None else asdict(agreed),
    }
