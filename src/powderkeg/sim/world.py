"""Parameters of a simulated market: one frozen record, whose defaults are calibrated."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from powderkeg.errors import ConfigError


class World(Struct, frozen=True, kw_only=True):
    """Parameters of one coin's market. Rates are per second, sizes those of a 100,000 coin.

    The accuracy figures were measured with the defaults; changing one requires new figures.
    """

    coin: str = "BTC"
    symbol: str = "BTCUSDT"
    price: float = 100_000.0
    """Price of the first step."""
    tick: float = 0.1
    """Every published price is a multiple of it."""
    scale: float = 1.0
    """Factor from the agents' sizes to published sizes; prices are unaffected."""
    venues: tuple[str, ...] = ("binance", "bybit", "okx")
    shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    """Share of all traders and flow, in the order of `venues`; they sum to 1."""
    censor: bool = False
    """Let binance report only the latest liquidation of each second, as the real one does."""
    warm: float = 0.0
    """Warm-up days before the first published step, so that open interest does not start at 0."""
    day_volatility: float = 0.022
    """From news alone; order flow adds about a third."""
    trend: float = 0.0
    """Deviation of the slow drift, fraction per day; it turns over in a day and a half."""
    jump_rate: float = 1 / 40_000
    jump_size: float = 0.004
    noise_rate: float = 3.0
    """Orders per second of fast accounts that hold nothing for long."""
    noise_size: float = 0.022
    """Mean size of such an order."""
    open_rate: float = 0.12
    """Traders who open a position."""
    patience: float = 0.35
    """Share of orders that wait in the book instead of taking."""
    depth: float = 0.85
    """Size per half basis point, far from the mid."""
    refill: float = 12.0
    """Time constant of refilling consumed depth, s."""
    pull: float = 1 / 30
    """How fast the last price returns to the index."""
    impact: float = 1 / 900
    """How fast the index follows the last price: the lasting part of a trade's impact."""
    thinning: float = 2.0
    """How much the book thins when news is fast."""
    waiting_share: float = 0.3
    """Share of every taken size that waiting traders may fill before market makers do."""
    liquidations: bool = True
    stops: bool = True
    topups: float = 1.0
    """Factor on the share of traders who add margin near liquidation."""
    momentum: float = 1.0
    """How much openers follow the last hour's move."""
    mix: tuple[float, float, float] = (0.38, 0.595, 0.025)
    """Weights of gamblers, swing traders and funds among openers."""
    sessions: bool = False
    """Whether hours of the UTC day and weekdays differ in activity."""
    mark_every: float = 1.0
    """Seconds between published marks when live."""
    oi_every: float = 5.0
    book_every: float = 1.0
    funding_every: float = 60.0
    book_levels: int = 20
    """Levels of each side of a published book."""
    actors: bool = False
    """Whether book actors rest and take in it when live: see `powderkeg.sim.actors`."""

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            ConfigError: Venues and shares do not match, or a size, price or share is not positive.
        """
        if not self.venues or len(self.venues) != len(self.shares):
            raise ConfigError(
                f"expected one share per venue, found {len(self.shares)} for {self.venues}"
            )
        if len(self.venues) > 8:
            raise ConfigError(f"expected eight venues at most, found {self.venues}")
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-9:
            raise ConfigError(f"expected positive shares that sum to 1, found {self.shares}")
        for name in ("price", "tick", "scale", "mark_every", "oi_every", "book_every"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"expected {name} > 0, found {getattr(self, name)}")
        if self.funding_every <= 0 or self.warm < 0:
            raise ConfigError("expected funding_every > 0 and warm >= 0")
        if self.book_levels < 1:
            raise ConfigError(f"expected book_levels >= 1, found {self.book_levels}")

    @property
    def markets(self) -> tuple[str, ...]:
        """Market ids, in the order of `venues`."""
        return tuple(f"{venue}:{self.symbol}" for venue in self.venues)


CALM: Final = World(day_volatility=0.012, jump_size=0.002, mix=(0.30, 0.595, 0.025))
"""A calm stress world: few forced closes to learn from."""
THIN: Final = World(depth=0.35, refill=25.0)
"""A stress world whose book is shallow and slow: cascades are self-reinforcing."""

_DEMO: Final = World(
    censor=True,
    warm=4.0,
    day_volatility=0.017,
    trend=0.012,
    sessions=True,
    noise_rate=9.0,
    noise_size=0.022 / 3,
    book_every=0.5,
    book_levels=60,
    actors=True,
)
DEMO: Final[dict[str, World]] = {
    "BTC": replace(_DEMO, coin="BTC", symbol="BTCUSDT", scale=60.0),
    "ETH": replace(_DEMO, coin="ETH", symbol="ETHUSDT", price=4_000.0, tick=0.01, scale=35.0),
    "SOL": replace(_DEMO, coin="SOL", symbol="SOLUSDT", price=200.0, tick=0.01, scale=12.0),
}
"""Demo markets: censored as real venues are, trending, with realistic open interest."""
