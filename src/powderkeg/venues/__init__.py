"""The venues, each one entry here and one package beside this file."""

from __future__ import annotations

from powderkeg.venues.binance.stream import binance_reader
from powderkeg.venues.bitget.stream import bitget_reader
from powderkeg.venues.bybit.stream import bybit_reader
from powderkeg.venues.deribit.stream import deribit_reader
from powderkeg.venues.hyperliquid.stream import hyperliquid_reader
from powderkeg.venues.okx.stream import okx_reader
from powderkeg.venues.reader import VenueReader
from powderkeg.venues.spec import VenueSpec

VENUES: dict[str, VenueSpec] = {
    "binance": VenueSpec(
        label="Binance", liquidations="sample", liquidated_per_reported=2.8, default=True,
        dark="#f2c14e", light="#b07d00", reader=lambda symbol: binance_reader("binance", symbol),
    ),
    "bybit": VenueSpec(
        label="Bybit", default=True, dark="#b79cff", light="#6b46c1",
        reader=lambda _: bybit_reader("linear"),
    ),
    "okx": VenueSpec(
        label="OKX", liquidations="sample", liquidated_per_reported=1.5, default=True,
        margin_fee=0.0005,  # taker fee of the first tier
        dark="#e8ecf5", light="#1d2433", reader=lambda _: okx_reader(),
    ),
    "bitget": VenueSpec(
        label="Bitget", liquidations="sample", liquidated_per_reported=2.8, default=True,
        margin_fee=0.0006,  # as above
        dark="#3fb68b", light="#00613f", reader=lambda _: bitget_reader(),
    ),
    "deribit": VenueSpec(
        label="Deribit", kind="inverse", default=True, dark="#8f9bb3", light="#79849a",
        reader=lambda _: deribit_reader(),
    ),
    "hyperliquid": VenueSpec(
        label="Hyperliquid", liquidations="none", default=True, dark="#ff7fb0", light="#cf3b86",
        reader=lambda _: hyperliquid_reader(),
    ),
    "binance-coin": VenueSpec(
        label="Binance coin-M", kind="inverse", liquidations="sample", liquidated_per_reported=2.8,
        reader=lambda symbol: binance_reader("binance-coin", symbol),
    ),
    "bybit-inverse": VenueSpec(
        label="Bybit inverse", kind="inverse", reader=lambda _: bybit_reader("inverse"),
    ),
    "binance-spot": VenueSpec(
        label="Binance spot", kind="spot", liquidations="none",
        reader=lambda symbol: binance_reader("binance-spot", symbol),
    ),
}  # fmt: skip
"""By the first half of a market id. Those collected by default come first, in this order."""

_SPOT = "-spot"
"""Suffix of spot markets known from files only."""


def spec_of(venue: str) -> VenueSpec:
    """Return what is known of a venue; of one that is read from files only, what its name says."""
    known = VENUES.get(venue)
    if known is not None:
        return known
    name = venue.removesuffix(_SPOT)
    label = name[:1].upper() + name[1:]
    return (
        VenueSpec(label=f"{label} spot", kind="spot") if name != venue else VenueSpec(label=label)
    )


def default_venues() -> tuple[str, ...]:
    """Return the venues that are collected where nobody chooses."""
    return tuple(name for name, spec in VENUES.items() if spec.default)


__all__ = ["VENUES", "VenueReader", "VenueSpec", "default_venues", "spec_of"]
