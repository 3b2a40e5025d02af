"""Snapshots of desks: the complete state as one compressed file, restored bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
import pyarrow as pa

from powderkeg import __version__
from powderkeg.desk import Desk, Market
from powderkeg.engine.calibration.baselines import Baselines, MarkPath, NullModel
from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.forecasts import ForecastLog
from powderkeg.engine.calibration.pooling import PooledStats, PretrainedWeights
from powderkeg.engine.calibration.reporting import ReportingRate
from powderkeg.engine.calibration.sweeps import Hours, LiquidationLog, Sweeps
from powderkeg.engine.calibration.uncertainty import ModelError
from powderkeg.engine.calibration.weights import Fit
from powderkeg.engine.exposure.classes import Basis
from powderkeg.engine.exposure.concentration import EntryConcentration
from powderkeg.engine.exposure.exposure import Exposure, Spec
from powderkeg.engine.overshoot.path import OutwardPath
from powderkeg.engine.overshoot.survival import DepthSurvival
from powderkeg.errors import ConfigError
from powderkeg.events import Event
from powderkeg.feed.decoder import Feed
from powderkeg.flow.books.absorption import AbsorptionReads, Pressure
from powderkeg.flow.books.stacking import Stacking
from powderkeg.flow.books.walls import Wall, Walls
from powderkeg.flow.books.window import BookWindow
from powderkeg.flow.books.zones import LiquidityZones
from powderkeg.flow.coin import CoinFlow, Liquidated, MarketFlow
from powderkeg.flow.readings import Readings, Series
from powderkeg.flow.tape.delta import CumulativeDelta
from powderkeg.flow.tape.minutes import CandleVolumes
from powderkeg.flow.tape.print_ring import PrintRing
from powderkeg.flow.tape.prints import MergedPrint, MergedPrints, PrintMerger, SizeScale
from powderkeg.flow.tape.traded import Traded
from powderkeg.flow.thresholds import RULES
from powderkeg.instruments import Instrument, Tier, TierTable
from powderkeg.maps.heatmap.prices import PriceRing
from powderkeg.maps.heatmap.ring import Ring
from powderkeg.maps.risk.learning import AwaitedTouch, SweepLearner, WatchedSweep
from powderkeg.market.book import Book, Ladder
from powderkeg.market.carry import Carry
from powderkeg.market.counts import Counts
from powderkeg.market.guard import Guard
from powderkeg.market.quotes import QuoteCheck
from powderkeg.market.sightings import ObservedPosition, ObservedPositions
from powderkeg.market.tape import Tape
from powderkeg.settings import Settings
from powderkeg.signals.records import RECORDS
from powderkeg.state import Codec
from powderkeg.venues.base import Deduplicator, SequenceTracker
from powderkeg.venues.binance.state import Known

T = TypeVar("T")
CODEC = Codec(
    (
        Counts, Desk, Market, Settings, Ring, PriceRing, Tape, Carry, Guard, QuoteCheck, Book,
        Ladder, Estimate, Sweeps, Exposure, Spec, Basis, Fit, ModelError, ReportingRate,
        PretrainedWeights,
        PooledStats, ForecastLog, MarkPath, NullModel, Baselines, LiquidationLog, Hours,
        Deduplicator, SequenceTracker, Known,
        Instrument, TierTable, Tier, EntryConcentration, ObservedPositions, ObservedPosition,
        CoinFlow, MarketFlow, Liquidated, Readings, Series, BookWindow, Walls, Wall, Stacking,
        LiquidityZones, AbsorptionReads, Pressure, CumulativeDelta, MergedPrint, MergedPrints,
        PrintMerger, CandleVolumes, PrintRing, SizeScale, Traded, SweepLearner, AwaitedTouch,
        WatchedSweep, OutwardPath, DepthSurvival, *RULES, *RECORDS,
        *get_args(Event),
    )
)  # fmt: skip
"""Codec of every class in a desk."""


def digest(desk: Desk) -> str:
    """Return a hash of a desk's state: equal digests, equal desks."""
    return CODEC.digest(desk)


def pack_feed(feed: Feed) -> bytes:
    """Return the state of a feed, its desks and readers; no coin may wait for its backfill."""
    return pack_copy(copy_feed(feed))


def copy_feed(feed: Feed) -> Any:
    """Return a copy of a feed's state, to be packed while the feed continues: see `pack_copy`."""
    return CODEC.flat(
        {
            "version": __version__,
            "seq": feed.seq,
            "coins": feed.coins,
            "desks": dict(feed.desks),
            "readers": {name: reader.state.state_dict() for name, reader in feed.readers.items()},
        }
    )


def pack_copy(copied: Any) -> bytes:
    """Return the bytes of a copied feed, which is consumed.

    One coin after another: other threads wait while one is encoded, which takes 35 ms (measured).
    """
    desks = next(value for name, value in copied["dict"] if name == "desks")
    for pair in desks["dict"]:
        pair[1] = msgspec.Raw(msgspec.msgpack.encode(pair[1]))
    return msgspec.msgpack.encode(copied)


def unpack_feed(feed: Feed, raw: bytes) -> None:
    """Restore a feed's state into a new feed; coins it has no desk for are left out.

    Raises:
        ConfigError: The bytes are not a snapshot of this version. The feed is unchanged.
    """
    try:
        saved = CODEC.unpack(raw)
        version = saved["version"]
        if version == __version__:
            _restore(feed, saved)
    except (ValueError, LookupError, TypeError, AttributeError, MemoryError) as why:
        feed.readers.clear()
        raise ConfigError(f"expected a snapshot of the desks: {why!r}") from why
    if version != __version__:
        raise ConfigError(f"expected a snapshot of version {__version__}, found {version}")


def _restore(feed: Feed, saved: Any) -> None:
    """Restore saved state into a feed; all of it is checked before the first change to a desk."""
    desks = {coin: _kind(desk, Desk) for coin, desk in saved["desks"].items()}
    seq, coins = _kind(saved["seq"], int), dict(_kind(saved["coins"], dict))
    for name, memory in saved["readers"].items():
        feed.reader(name).state.load_state(memory)
    feed.desks.update({coin: desk for coin, desk in desks.items() if coin in feed.desks})
    feed.seq = seq
    feed.coins = {market: coin for market, coin in coins.items() if coin in feed.desks}


def _kind(value: Any, wanted: type[T]) -> T:
    if not isinstance(value, wanted):
        raise TypeError(f"expected {wanted.__name__}, found {type(value).__name__}")
    return value


def save(desk: Desk, path: Path) -> None:
    """Write a desk to a file atomically."""
    raw = CODEC.pack({"version": __version__, "desk": desk})
    part = path.with_suffix(path.suffix + ".part")
    with pa.output_stream(str(part), compression="zstd") as out:
        out.write(raw)
    part.replace(path)


def load(path: Path) -> Desk:
    """Return the desk of a file.

    Raises:
        ConfigError: There is no such file, or it is not a snapshot of this version.
    """
    try:
        with pa.input_stream(str(path), compression="zstd") as stream:
            saved = CODEC.unpack(stream.read())
    except (OSError, ValueError) as why:
        raise ConfigError(f"{path}: expected a desk's snapshot: {why}") from why
    if saved["version"] != __version__:
        raise ConfigError(f"{path}: expected version {__version__}, found {saved['version']}")
    return saved["desk"]
