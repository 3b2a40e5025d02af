# a script, in no package
"""Write the dated margin tiers that are shipped: src/powderkeg/data/tiers.json.gz.

    python scripts/make_tiers.py FOLDER

FOLDER holds Binance's bracket dumps and Bybit's risk limits, as named in `_FILES`. Tables known
only from venues' pages are written here, with the page. Format, one JSON object, gzip::

    {"format": 1, "tables": [{"venue", "symbol", "source", "valid_from": "2026-09-01", "slope",
     "tiers": [[cap, leverage, rate, deduction], ...]}]}

A tier starts where the one before ends. The same folder gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

Tiers = list[list[float]]

OUT = Path(__file__).parents[1] / "src" / "powderkeg" / "data" / "tiers.json.gz"
_FILES = {
    "binance_usdm_leverage_tiers_2026-09.json.gz": "2026-09-01",
    "binance_usdm_leverage_tiers_2024-10_majors.json": "2024-10-01",
}
_BYBIT = "bybit_btcperp_usdc_risk_limits_2025-12-29.json"

BYBIT_BTCUSDT = """
2e6 .005 100; 2.6e6 .0056 90; 3.2e6 .0063 80; 3.8e6 .0067 75; 4.4e6 .0071 70; 5e6 .0077 65;
5.6e6 .0091 55; 8.5e6 .01 50; 10e6 .013 45; 14e6 .015 40; 20e6 .016 35; 28e6 .02 30; 38e6 .025 25;
50e6 .029 20; 55e6 .03 19; 60e6 .035 18; 65e6 .036 17; 70e6 .038 16; 75e6 .04 15; 80e6 .045 14
"""
"""Cap, rate and leverage, from the risk-limit page of BTCUSDT."""
HYPERLIQUID = {"BTC": (150e6, 40, 20), "ETH": (100e6, 25, 15), "SOL": (70e6, 20, 10)} | {
    "XRP": (40e6, 20, 10),
    **dict.fromkeys(("DOGE", "SUI", "LINK"), (20e6, 10, 5)),
}
"""Edge of the two tiers in USDC and their leverages; the rate is half the initial margin."""
DERIBIT = {"BTC": (0.01, 0.00005), "ETH": (0.01, 0.000004)}
"""Rate, and its growth per coin of size."""


def continuous(rows: list[tuple[float, float, float]]) -> Tiers:
    """Return tiers of (cap, leverage, rate) with the deduction that leaves no step."""
    out: Tiers = []
    floor = rate_before = deduction = 0.0
    for cap, leverage, rate in rows:
        deduction += floor * (rate - rate_before) if out else 0.0
        out.append([cap, leverage, rate, round(deduction, 6)])
        floor, rate_before = cap, rate
    return out


def table(
    venue: str, symbol: str, day: str, source: str, tiers: Tiers, slope: float = 0.0
) -> dict[str, Any]:
    """Return one table as it is stored."""
    return {
        "venue": venue,
        "symbol": symbol,
        "source": source,
        "valid_from": day,
        "slope": slope,
        "tiers": tiers,
    }


def binance(folder: Path) -> list[dict[str, Any]]:
    """Return Binance's tables; the older dump has no deductions, so they are recomputed."""
    out: list[dict[str, Any]] = []
    for name, day in _FILES.items():
        raw = (folder / name).read_bytes()
        for pair, rows in json.loads(gzip.decompress(raw) if name.endswith(".gz") else raw).items():
            base, _, rest = pair.partition("/")
            quote, _, settle = rest.partition(":")
            _, _, delivery = settle.partition("-")
            symbol = f"{base}{quote}_{delivery}" if delivery else base + quote
            plain = [(row["cap"], row["max_leverage"], row["mmr"]) for row in rows]
            tiers = continuous(plain)
            for tier, row in zip(tiers, rows, strict=True):
                tier[3] = row.get("cum", tier[3])
            source = f"Binance USD-M brackets as packaged by freqtrade, {day[:7]}"
            out.append(table("binance", symbol, day, source, tiers))
    return out


def bybit(folder: Path) -> list[dict[str, Any]]:
    """Return Bybit's tables."""
    rows = [tuple(map(float, each.split())) for each in BYBIT_BTCUSDT.replace("\n", " ").split(";")]
    page = continuous([(cap, leverage, rate) for cap, rate, leverage in rows])
    stored = json.loads((folder / _BYBIT).read_bytes())
    limits = [
        [row["cap"], row["max_leverage"], row["mmr"], row["mm_deduction"]]
        for row in stored["tiers"]
    ]
    return [
        table("bybit", "BTCUSDT", "2026-05-27", "Bybit risk-limit page, read 2026-11", page),
        table("bybit", "BTCPERP", stored["as_of"], "Bybit v5 risk-limit answer", limits),
    ]


def others() -> list[dict[str, Any]]:
    """Return tables that are formulas, or are known from a page only."""
    page = "Hyperliquid docs, margin tiers, read 2026-11; start not told, taken as 2025"
    out = [
        table(
            "hyperliquid",
            coin,
            "2025-01-01",
            page,
            continuous([(edge, low, 0.5 / low), (1e12, high, 0.5 / high)]),
        )
        for coin, (edge, low, high) in HYPERLIQUID.items()
    ]
    first = "measured on all 62 liquidations to 2023-05-02: maintenance 1 %"
    out.append(table("hyperliquid", "*", "2023-02-26", first, [[1e12, 50.0, 0.01, 0.0]]))
    notice = "Deribit notice of 2022, standard margin; newer values not found"
    for coin, (rate, slope) in DERIBIT.items():
        tiers: Tiers = [[1e12, 50.0, rate, 0.0]]
        out.append(table("deribit", f"{coin}-PERPETUAL", "2022-01-01", notice, tiers, slope))
    return out


def main(folder: Path) -> None:
    """Write the file."""
    tables = sorted(
        binance(folder) + bybit(folder) + others(),
        key=lambda each: (each["venue"], each["symbol"], each["valid_from"]),
    )
    text = json.dumps({"format": 1, "tables": tables}, separators=(",", ":")).encode()
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, mtime=0) as file:
        file.write(text)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(packed.getvalue())
    size = len(packed.getvalue())
    _ = sys.stdout.write(f"{OUT.name}: {len(tables)} tables, {size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
