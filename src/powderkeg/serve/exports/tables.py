"""The maps as tidy tables in CSV, Parquet and Arrow, with metadata.

Every function takes the decoded MessagePack answer of a view, so that a command asking a server and
the server itself write the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from powderkeg.errors import RequestError
from powderkeg.events import Floats, Times
from powderkeg.history.currencies import DOLLAR, RateTable
from powderkeg.maps.heatmap.scale import DOLLARS, FLOOR
from powderkeg.serve.codec import cells_of

# pyarrow ships no types.
Schema: TypeAlias = Any
Batches: TypeAlias = Iterator[Any]
Table: TypeAlias = tuple[Schema, Batches]
Form: TypeAlias = Literal["csv", "parquet", "arrow"]
TYPES: dict[Form, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
CHUNK = 32
"""Columns of the heatmap written at a time: bounded memory, whatever the span."""
LINES = 2_000
"""Lines of CSV written at a time: each is a dozen Python objects, and memory for many at once is
not returned."""
CAUTION = "estimate: fuel, not a magnet"
_DIGITS = 10
"""Significant digits of numbers in CSV."""


def iso(at: int) -> str:
    """Return a time as ``2026-02-05T14:30:00Z``."""
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def grade_of(answer: dict[str, Any]) -> str:
    """Return the letter of an answer's grade; past answers have none."""
    return answer["grade"]["letter"] if answer["grade"] else "not known of the past"


def about(answer: dict[str, Any], ccy: str, table: RateTable) -> dict[str, str]:
    """Return the metadata of a table, by name."""
    venues = answer["venues"]
    named = list(venues) if isinstance(venues, dict) else [v["name"] for v in venues if v["on"]]
    out = {
        "coin": answer["coin"],
        "table": answer["kind"],
        "as_of": iso(answer["as_of"]),
        "source": answer["source"],
        "model": answer["model"],
        "venues": ", ".join(dict.fromkeys(named)),
        "grade": grade_of(answer),
        "ccy": ccy,
        "caution": CAUTION,
    }
    return out if ccy == DOLLAR else out | rate_words(ccy, answer["as_of"], table)


def rate_words(ccy: str, at: int, table: RateTable) -> dict[str, str]:
    """Return what a table in another currency says of its rates, by name; `at` in µs UTC."""
    rate = table.rate(ccy, at)
    fixed = iso(rate.day)[:10] + (" (stale)" if rate.stale else "")
    return {
        "rate": f"{rate.value:.6g} {ccy} a dollar, fixing of {fixed}, {table.source}",
        "rate_rule": "each amount by the fixing of its own day; USDT and USDC as US dollars",
    }


def schema_of(fields: list[tuple[str, Any, str]], said: dict[str, str]) -> Schema:
    """Return a schema of name, type and unit of each column, and what is said of the table."""
    return pa.schema(
        [
            pa.field(name, kind, nullable=True, metadata={"unit": unit})
            for name, kind, unit in fields
        ],
        metadata=said,
    )


def heat_batches(heat: dict[str, Any], ccy: str, table: RateTable) -> Table:
    """Return the schema of a heatmap's table and its rows, a batch for every few columns.

    Args:
        heat: The decoded answer of the heatmap view, one plane of money.
        ccy: Currency of the amounts; each column by the rate of its day.
        table: Rates.

    Raises:
        RequestError: It is not one plane of money, or there is no rate.
    """
    cells = cells_of(heat)
    if cells.ndim != 2 or heat.get("planes", "sum") == "difference":
        raise RequestError("expected planes=sum: a table holds one plane of money")
    schema = schema_of(
        [
            ("time_us", pa.int64(), "start of the column, µs UTC"),
            ("price_low", pa.float64(), "quote currency"),
            ("price_high", pa.float64(), "quote currency"),
            (ccy.lower(), pa.float64(), f"{ccy}, above 0"),
        ],
        about(heat, ccy, table)
        | {"span": heat["span"], "step_us": str(heat["step"]), "precision": "within 2.3 %"},
    )
    times = heat["t0"] + np.arange(heat["cols"]) * heat["step"]
    edges = np.exp(heat["p0"] + np.arange(heat["rows"] + 1) * heat["dp"])
    rates = table.rates(ccy, times) * (heat["vmin"] / FLOOR)
    return schema, _heat_rows(cells, times, edges, rates, schema)


def _heat_rows(
    cells: NDArray[np.uint8], times: Times, edges: Floats, rates: Floats, schema: Schema
) -> Batches:
    """Yield rows column by column; `rates` are of a unit of the money scale."""
    for start in range(0, len(times), CHUNK):
        part = cells[start : start + CHUNK]
        column, row = np.nonzero(part)
        money = DOLLARS[part[column, row]] * rates[start + column]
        yield pa.record_batch(
            [pa.array(x) for x in (times[start + column], edges[row], edges[row + 1], money)],
            schema=schema,
        )


def level_batches(levels: dict[str, Any], ccy: str, table: RateTable) -> Table:
    """Return the schema and rows of a level chart: a row for each price and side above 0.

    Args:
        levels: The decoded answer of the levels view; with `bands` it has the 80 % band.
        ccy: Currency of the amounts.
        table: Rates.
    """
    rate = table.rate(ccy, levels["as_of"]).value
    edges = np.exp(levels["p0"] + np.arange(levels["rows"] + 1) * levels["dp"])
    rows: list[list[Any]] = [[], [], [], [], [], []]
    for side in ("long", "short"):
        money = np.frombuffer(levels[side], "<f4").astype(float)
        some = np.flatnonzero(money)
        ends = [np.frombuffer(end, "<f4") for end in levels["bands"].get(side, ())]
        low, high = ends or (np.full(len(money), np.nan),) * 2
        columns = (
            edges[some],
            edges[some + 1],
            [side] * len(some),
            *(x[some] * rate for x in (money, low, high)),
        )
        for held, more in zip(rows, columns, strict=True):
            held.extend(more)
    schema = schema_of(
        [
            ("price_low", pa.float64(), "quote currency"),
            ("price_high", pa.float64(), "quote currency"),
            ("side", pa.string(), "whose positions are liquidated: long, short"),
            (ccy.lower(), pa.float64(), ccy),
            ("low80", pa.float64(), f"{ccy}, end of the 80 % band; null where not known"),
            ("high80", pa.float64(), f"{ccy}, end of the 80 % band; null where not known"),
        ],
        about(levels, ccy, table),
    )
    return schema, iter([table_batch(rows, schema)])


def cluster_batches(levels: dict[str, Any], ccy: str, table: RateTable) -> Table:
    """Return the schema and rows of the clusters of a level chart, nearest first on each side."""
    rate = table.rate(ccy, levels["as_of"]).value
    found = levels["clusters"]
    plain = ("side", "floor", "top", "peak", "distance", "tier", "age", "measured")
    amounts = ("notional", "low", "high")
    columns = [[c[name] for c in found] for name in plain]
    money = [[np.nan if c[name] is None else c[name] * rate for c in found] for name in amounts]
    schema = schema_of(
        [
            ("side", pa.string(), "whose positions are liquidated: long, short"),
            ("price_low", pa.float64(), "quote currency"),
            ("price_high", pa.float64(), "quote currency"),
            ("price_peak", pa.float64(), "quote currency"),
            ("distance", pa.float64(), "fraction of the mark, negative below"),
            ("tier", pa.int64(), "effective leverage that holds most of it"),
            ("age_s", pa.float64(), "seconds; null where not known"),
            ("measured", pa.float64(), "share measured rather than prior; null where not known"),
            (ccy.lower(), pa.float64(), ccy),
            ("low80", pa.float64(), f"{ccy}, end of the 80 % band; null where not known"),
            ("high80", pa.float64(), f"{ccy}, end of the 80 % band; null where not known"),
        ],
        about(levels, ccy, table) | {"table": "clusters"},
    )
    return schema, iter([table_batch(columns + money, schema)])


def table_batch(columns: Sequence[Any], schema: Schema) -> Any:
    """Return columns as a batch, NaN as null."""
    arrays = [
        pa.array(column, schema.field(i).type, from_pandas=True) for i, column in enumerate(columns)
    ]
    return pa.record_batch(arrays, schema=schema)


KINDS = {
    "heatmap": ("heatmap", heat_batches),
    "levels": ("levels", level_batches),
    "clusters": ("levels", cluster_batches),
}
"""Each table by its name in the URL: its view, and the function that makes it."""


def write(form: Form, schema: Schema, batches: Batches) -> Iterator[bytes]:
    """Yield a table in one of the three forms, piece by piece."""
    match form:
        case "csv":
            yield from _csv(schema, batches)
        case "arrow":
            yield from _arrow(schema, batches)
        case "parquet":
            yield _parquet(schema, batches)


def _csv(schema: Schema, batches: Batches) -> Iterator[bytes]:
    """Yield comment lines, the names of the columns, and rows."""
    said = {k.decode(): v.decode() for k, v in (schema.metadata or {}).items()}
    units = [f"{f.name}: {(f.metadata or {})[b'unit'].decode()}" for f in schema]
    head = [f"# {name}: {value}" for name, value in said.items()]
    yield "\n".join(
        [*head, *(f"# column {each}" for each in units), ",".join(schema.names), ""]
    ).encode()
    for batch in batches:
        for start in range(0, batch.num_rows, LINES):
            yield _lines(batch.slice(start, LINES))


def _lines(batch: Any) -> bytes:
    out = io.StringIO()
    columns = [[_text(x) for x in column.to_pylist()] for column in batch.columns]
    csv.writer(out, lineterminator="\n").writerows(zip(*columns, strict=True))
    return out.getvalue().encode()


def _text(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else value


class _Pieces(io.RawIOBase):
    """A write-only file that returns what was written since the last `take`."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        out = bytes(self._written)
        self._written.clear()
        return out


def _arrow(schema: Schema, batches: Batches) -> Iterator[bytes]:
    """Yield an Arrow IPC stream; not compressed, since readers in browsers know no codec."""
    out = _Pieces()
    with pa.ipc.new_stream(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield out.take()
    yield out.take()


def _parquet(schema: Schema, batches: Batches) -> bytes:
    """Return a Parquet file; at most 1.2 million rows, a few MB."""
    out = io.BytesIO()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    return out.getvalue()


def tradingview(levels: dict[str, Any], most: int = 24) -> str:
    """Return the largest clusters as a string to paste into the Pine script of the docs.

    ``as_of,COIN,TIME;price,side,usd;...``: prices at the peak, whole dollars, largest first. A
    snapshot: it says of when it is, and nothing moves it.
    """
    found = sorted(levels["clusters"], key=lambda c: -c["notional"])[:most]
    rows = [f"{_plain(c['peak'])},{c['side']},{c['notional']:.0f}" for c in found]
    return ";".join([f"as_of,{levels['coin']},{iso(levels['as_of'])[:16]}Z", *rows])


def _plain(price: float) -> str:
    """Return a price in eight figures, never with an exponent, which scripts may not read."""
    return np.format_float_positional(price, precision=8, fractional=False, trim="-")
