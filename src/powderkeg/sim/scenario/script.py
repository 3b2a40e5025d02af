"""The format of a scenario: prices at moments, clusters, volume, takers and resting actors.

A TOML file says what happens; between the moments price goes straight, with noise of a seed. Times
are minutes from the start. `docs/signals.md` describes every key.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from powderkeg.errors import ConfigError

SCENARIOS: Final = Path(__file__).parent / "files"
"""Folder of the scenarios that come with the package."""


class ScriptedCluster(Struct, frozen=True, forbid_unknown_fields=True):
    """Positions that will be liquidated."""

    side: Literal["long", "short"]
    floor: float
    top: float
    notional: float
    """Quote currency, spread evenly from floor to top."""
    opened: float = 450.0
    """Open interest that rises for it in the days before, over its notional: few of those who open
    are liquidated there. Chosen so that the map of a desk holds about the notional."""


class ScriptedActor(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who rests orders around a price and refills them."""

    side: Literal["bid", "ask"]
    price: float
    band: float
    """Distance from `price` within which takers meet the orders."""
    share: float
    """Of what takers trade, the part that meets them."""
    refill: float
    """Of what was taken, the part that comes back."""
    start: float
    """Minutes."""
    end: float
    """Minutes."""


class Stretch(Struct, frozen=True, array_like=True):
    """A value from one minute to another."""

    start: float
    """Minutes."""
    end: float
    """Minutes."""
    value: float


class ScriptedPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """A trade of the scenario."""

    side: Literal["long", "short"]
    entry: float
    stop: float
    target: float


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """A scripted market."""

    name: str
    title: str
    coin: str
    currency: str
    begins: str
    """UTC, ISO 8601: the start of the script."""
    seed: int
    price: tuple[tuple[float, float], ...]
    """Minute and price, in order of time; the first is minute 0."""
    noise: float
    """Standard deviation of price in a second, quote currency."""
    volume: float
    """Usual volume of a second, quote currency."""
    depth: float
    """Resting orders within one percent of price, each side, quote currency."""
    clusters: tuple[ScriptedCluster, ...]
    opposing: tuple[ScriptedCluster, ...] = ()
    """Clusters beyond the price path."""
    volume_times: tuple[Stretch, ...] = ()
    """Multiples of the usual volume."""
    sell_share: tuple[Stretch, ...] = ()
    """Share of takers that sell; half elsewhere."""
    actors: tuple[ScriptedActor, ...] = ()
    order: float = 0.0
    """Size of a market order that starts it, base coin."""
    funding: float = 50.0
    """Percentile of funding."""
    note: str = ""
    """What the crowd expects, as the story has it."""
    plan: ScriptedPlan | None = None

    @property
    def minutes(self) -> float:
        """Length of the script."""
        return self.price[-1][0]


def read_scenario(path: Path) -> Scenario:
    """Return the scenario of a file.

    Raises:
        ConfigError: There is no such file, or a key is missing, unknown or of the wrong kind.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        scenario = msgspec.convert(raw, Scenario, strict=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as why:
        raise ConfigError(f"{path}: expected a scenario: {why}") from why
    moments = [at for at, _ in scenario.price]
    if len(moments) < 2 or moments[0] != 0 or moments != sorted(set(moments)):
        raise ConfigError(
            f"{path}: expected moments of `price` that begin at minute 0 and rise, found {moments}"
        )
    return scenario


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with the package, by name."""
    return {path.stem: path for path in sorted(SCENARIOS.glob("*.toml"))}


def named(name: str) -> Scenario:
    """Return a shipped scenario by its name, or the one of a file.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    known = shipped()
    if name in known:
        return read_scenario(known[name])
    if name.endswith(".toml"):
        return read_scenario(Path(name))
    raise ConfigError(f"expected a scenario, one of {', '.join(known)} or a file, found {name}")
