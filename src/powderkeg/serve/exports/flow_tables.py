"""Order flow as tidy tables: ladder, tape, minutes and volume profile.

Every function takes the decoded MessagePack answer of a view, as those of the map do, and the forms
are written by the same code. What is said of a table stands in its metadata; of order flow only the
column of estimated liquidations is an estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from powderkeg.events import Floats
from powderkeg.history.currencies import DOLLAR, RateTable
from powderkeg.serve.exports.tables import CAUTION, Table, iso, rate_words, schema_of, table_batch

Answer: TypeAlias = dict[str, Any]
MARKS: Final = ("print", "large print", "liquidated long", "liquidated short")
"""What a row of the tape is, by its number."""
OBSERVED: Final = "observed, not a forecast"
_COIN: Final = "base coin"
_QUOTE: Final = "quote currency"


def about(answer: Answer, markets: list[str], ccy: str, table: RateTable) -> dict[str, str]:
    """Return the metadata of a table, by name; `markets` are those that are in it."""
    out = {
        "coin": answer["coin"],
        "table": answer["kind"],
        "as_of": iso(answer["as_of"]),
        "source": answer["source"],
        "markets": ", ".join(markets),
        "ccy": ccy,
        "caution": OBSERVED,
    }
    return out if ccy == DOLLAR else out | rate_words(ccy, answer["as_of"], table)


def _singles(raw: bytes) -> Floats:
    """Return 32-bit numbers in the shortest digits that name them: 0.1, not 0.10000000149."""
    return np.array([float(str(each)) for each in np.frombuffer(raw, "<f4")])


def _doubles(raw: bytes) -> Floats:
    return np.frombuffer(raw, "<f8").astype(float)


def ladder_batches(ladder: Answer, ccy: str, table: RateTable) -> Table:
    """Return the schema and rows of a ladder, rising in price.

    Args:
        ladder: The decoded answer of the ladder view.
        ccy: Currency of the estimated liquidations.
        table: Rates.
    """
    rate = table.rate(ccy, ladder["as_of"]).value
    rows = ladder["rows"]
    coins = ("bid", "ask", "bought", "sold", "largest", "stacked")
    fuel = [_singles(ladder[name]) * rate for name in ("fuel_long", "fuel_short")]
    columns = [
        (ladder["first"] + np.arange(rows)) * ladder["step"],
        *(_singles(ladder[name]) for name in coins),
        *(each if len(each) else np.full(rows, np.nan) for each in fuel),
    ]
    money, window = ccy.lower(), f"last {ladder['window']} s"
    words = f"{ccy}, estimated; null where the map is not known"
    schema = schema_of(
        [
            ("price", pa.float64(), f"{_QUOTE}: bids from it up, asks from it down, prints up"),
            ("bid", pa.float64(), f"{_COIN}, resting"),
            ("ask", pa.float64(), f"{_COIN}, resting"),
            ("bought", pa.float64(), f"{_COIN}, {window}"),
            ("sold", pa.float64(), f"{_COIN}, {window}"),
            ("largest", pa.float64(), f"{_COIN}, largest print, {window}"),
            ("stacked", pa.float64(), f"{_COIN} added less cancelled, last minute"),
            (f"fuel_long_{money}", pa.float64(), words),
            (f"fuel_short_{money}", pa.float64(), words),
        ],
        about(ladder, [book["market"] for book in ladder["books"]], ccy, table)
        | {
            "step": f"{ladder['step']:g}",
            "window_s": str(ladder["window"]),
            "books": ", ".join(f"{b['market']} {b['state']}" for b in ladder["books"]),
            "caution": f"{OBSERVED}; liquidations are an {CAUTION}",
        },
    )
    return schema, iter([table_batch(columns, schema)])


def tape_batches(tape: Answer, ccy: str, table: RateTable) -> Table:
    """Return the schema and rows of a tape, newest last.

    Args:
        tape: The decoded answer of the tape view.
        ccy: Currency of the notional; each row by the rate of its day.
        table: Rates.
    """
    times = _doubles(tape["time"]).astype(np.int64)
    markets = [tape["markets"][n] for n in np.frombuffer(tape["market"], "<u2")]
    marks = [MARKS[n] for n in np.frombuffer(tape["mark"], np.uint8)]
    columns = [
        times,
        markets,
        marks,
        _doubles(tape["price"]),
        _singles(tape["size"]),
        _singles(tape["notional"]) * _rates(ccy, times, table),
        np.frombuffer(tape["count"], "<u2").astype(np.int64),
    ]
    schema = schema_of(
        [
            ("time_us", pa.int64(), "end of the prints merged, µs UTC"),
            ("market", pa.string(), "venue and symbol"),
            ("mark", pa.string(), ", ".join(MARKS)),
            ("price", pa.float64(), f"{_QUOTE}, mean paid; of a liquidation as reported"),
            ("size", pa.float64(), f"{_COIN}, negative where a seller took"),
            (ccy.lower(), pa.float64(), f"{ccy}, price times size"),
            ("prints", pa.int64(), "number merged; 0 of a liquidation"),
        ],
        about(tape, tape["markets"], ccy, table)
        | {
            "large_from": f"{tape['large']:.10g} in {_QUOTE}",
            "merged_within_s": f"{tape['merged_within']:g}",
        },
    )
    return schema, iter([table_batch(columns, schema)])


def minute_batches(flow: Answer, ccy: str, table: RateTable) -> Table:
    """Return the schema and rows of order flow by minute, oldest first.

    Args:
        flow: The decoded answer of the view of order flow.
        ccy: Currency of delta and CVD; each minute by the rate of its day.
        table: Rates.
    """
    times = flow["t0"] + np.arange(flow["cols"]) * flow["step"]
    rates, money = _rates(ccy, times, table), ccy.lower()
    kinds = {each["kind"]: each for each in flow["delta"]}
    columns: list[Any] = [times]
    fields: list[tuple[str, Any, str]] = [("time_us", pa.int64(), "start of the minute, µs UTC")]
    for kind, words in (("perp", "perpetuals"), ("spot", "spot")):
        known = kinds.get(kind)
        for name, read in (("delta", _singles), ("cvd", _doubles)):
            columns.append(_since(known, read, name, times, flow["step"]) * rates)
            fields.append(
                (f"{kind}_{name}_{money}", pa.float64(), f"{ccy}, {_SUMS[name]}, {words}")
            )
    columns += [_doubles(flow[name]) for name in ("oi", "funding", "basis")]
    fields += [
        ("oi", pa.float64(), f"{_COIN} at the end of the minute; null before the first reading"),
        ("funding", pa.float64(), "fraction of notional in 8 hours, weighted by open interest"),
        ("basis", pa.float64(), "mark over index less 1, a fraction"),
    ]
    markets = [each["market"] for each in flow["by_market"]]
    said = about(flow, markets, ccy, table) | {"step_us": str(flow["step"])}
    schema = schema_of(fields, said)
    return schema, iter([table_batch(columns, schema)])


_SUMS: Final = {
    "delta": "bought less sold in the minute",
    "cvd": "running sum of delta in dollars from the first minute of the table",
}


def _since(
    known: Answer | None, read: Callable[[bytes], Floats], name: str, times: NDArray[Any], step: int
) -> Floats:
    """Return a column of a kind of market, NaN before its first print."""
    if known is None or known["since"] is None:
        return np.full(len(times), np.nan)
    return np.where(times + step > known["since"], read(known[name]), np.nan)


def profile_batches(profile: Answer, ccy: str, table: RateTable) -> Table:
    """Return the schema and rows of a volume profile, rising in price, empty rows left out.

    Args:
        profile: The decoded answer of the profile view.
        ccy: Display currency, which no column is in: volume is in coins.
        table: Rates.
    """
    bought, sold = _singles(profile["bought"]), _singles(profile["sold"])
    some = np.flatnonzero(bought + sold)
    prices, step = (profile["first"] + some) * profile["step"], profile["step"]
    low, high = profile["value_low"], profile["value_high"]
    middle = prices + step / 2
    inside = (middle > low) & (middle < high) if low is not None else np.zeros(len(some), bool)
    schema = schema_of(
        [
            ("price_low", pa.float64(), _QUOTE),
            ("price_high", pa.float64(), _QUOTE),
            ("bought", pa.float64(), f"{_COIN}, taken by buyers"),
            ("sold", pa.float64(), f"{_COIN}, taken by sellers"),
            ("in_value_area", pa.bool_(), "whether the value area holds the row"),
        ],
        about(profile, [], ccy, table)
        | {
            "step": f"{step:g}",
            "window_s": str(profile["window"]),
            "poc": _price(profile["poc"]),
            "value_area": f"{_price(low)} to {_price(high)}",
            "naked": ", ".join(map(_price, profile["naked"])),
        },
    )
    columns = [prices, prices + step, bought[some], sold[some], inside]
    return schema, iter([table_batch(columns, schema)])


def _price(price: float | None) -> str:
    return "not known" if price is None or np.isnan(price) else f"{price:.10g}"


def _rates(ccy: str, times: NDArray[Any], table: RateTable) -> Floats:
    return table.rates(ccy, times) if len(times) else np.ones(0)


FLOW_TABLES: Final[dict[str, Callable[[Answer, str, RateTable], Table]]] = {
    "ladder": ladder_batches,
    "tape": tape_batches,
    "flow": minute_batches,
    "profile": profile_batches,
}
"""The function that makes each table, by the name of its view."""
