"""What a set of series lacks for a map, and where to get it."""

from __future__ import annotations

from powderkeg.history.importing.gather import ScanResult
from powderkeg.venues import spec_of

_PRICES = {"trades", "candles", "mark", "wire"}
_INTEREST = {
    "binance": "Binance publishes it as metrics-*.zip under data/futures/um/daily/metrics",
    "binance-coin": "Binance publishes it as metrics-*.zip under data/futures/cm/daily/metrics",
    "bybit": "Bybit answers it back to the listing at /v5/market/open-interest",
    "bybit-inverse": "Bybit answers it back to the listing at /v5/market/open-interest",
    "okx": "OKX answers it at /api/v5/rubik/stat/contracts/open-interest-history",
    "deribit": "Tardis sells it as derivative_ticker; Deribit itself keeps no past of it",
    "hyperliquid": "record it live, or take the asset contexts of Hyperliquid's archive",
    "bitget": "Bitget keeps no past of it: record it live, or take CoinGlass with unit=coin",
}
_ELSEWHERE = "CoinGlass answers it at futures/open-interest/history with unit=coin"


def missing(found: ScanResult) -> list[str]:
    """Return one sentence for each thing that a coin's map lacks."""
    out: list[str] = []
    for coin in found.coins():
        groups = [group for group in found.groups if group.series.coin in {coin, ""}]
        kinds = {kind for group in groups for kind in group.kinds}
        venues = [group.series.venue for group in groups]
        if kinds <= {"positions", "fills", "ledger"}:
            continue
        if not kinds & _PRICES:
            out.append(f"no prices of {coin}: add candles or trades of a market of it")
        if not any(spec_of(venue).leveraged for venue in venues):
            out.append(f"only spot markets of {coin}: they have no liquidations; add futures")
        elif not kinds & {"open_interest", "wire"}:
            hint = next((_INTEREST[v] for v in venues if v in _INTEREST), _ELSEWHERE)
            out.append(f"no open interest of {coin}, so its map has no sizes: {hint}")
    return out
