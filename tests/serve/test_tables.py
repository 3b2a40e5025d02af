"""Tables: the same numbers as the views, in three forms that read back alike."""

from __future__ import annotations

import csv
import io
import math

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from powderkeg.errors import RequestError
from powderkeg.history import fixings
from powderkeg.maps.heatmap.scale import DOLLARS
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.codec import cells_of, pack, read_query
from powderkeg.serve.exports import tables

FORMS = tuple(tables.TYPES)


def answer(session, name, **raw):
    query = read_query({"span": "12h", **raw}, VIEWS[name][0])
    return msgspec.msgpack.decode(pack(session.answer("BTC", name, query)))


def body(session, name, form, ccy="USD", **raw):
    view, make = tables.KINDS[name]
    extra = {"bands": "1"} if view == "levels" else {}
    schema, batches = make(answer(session, view, **extra, **raw), ccy, fixings.shipped())
    return b"".join(tables.write(form, schema, batches))


def read(form, raw):
    """Return columns by name, and what the table says of itself."""
    if form == "csv":
        lines = raw.decode().splitlines()
        head = [line[2:].partition(": ") for line in lines if line.startswith("#")]
        rows = list(csv.DictReader(io.StringIO("\n".join(x for x in lines if x[0] != "#"))))
        return {k: [row[k] for row in rows] for k in rows[0]}, {k: v for k, _, v in head}
    table = (
        pq.read_table(io.BytesIO(raw)) if form == "parquet" else pa.ipc.open_stream(raw).read_all()
    )
    said = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    return table.to_pydict(), said


def numbers(column):
    return np.array([math.nan if x in ("", None) else float(x) for x in column])


@pytest.mark.parametrize("form", FORMS)
def test_a_heatmap_reads_back_as_its_cells(session, form):
    heat = answer(session, "heatmap")
    columns, said = read(form, body(session, "heatmap", form))
    cells = cells_of(heat)
    money = np.zeros(cells.shape)
    col = ((numbers(columns["time_us"]) - heat["t0"]) / heat["step"]).round().astype(int)
    low, high = numbers(columns["price_low"]), numbers(columns["price_high"])
    row = ((np.log(low) - heat["p0"]) / heat["dp"]).round().astype(int)
    money[col, row] = numbers(columns["usd"])
    assert np.allclose(money, DOLLARS[cells], rtol=1e-8)
    assert np.allclose(np.log(high / low), heat["dp"], rtol=1e-4)
    assert (numbers(columns["usd"]) > 0).all()
    assert said["span"] == "12h"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", tables.KINDS)
def test_every_table_says_what_it_is(session, form, name):
    _, said = read(form, body(session, name, form))
    assert (said["coin"], said["table"], said["source"]) == ("BTC", name, "simulated")
    assert said["as_of"].endswith("Z")
    assert "estimate" in said["caution"]
    assert "binance" in said["venues"]
    assert said["model"]


@pytest.mark.parametrize("form", FORMS)
def test_levels_add_up_to_the_view(session, form):
    levels = answer(session, "levels")
    columns, _ = read(form, body(session, "levels", form))
    money, side = numbers(columns["usd"]), np.array(columns["side"])
    for name in ("long", "short"):
        whole = np.frombuffer(levels[name], "<f4").sum(dtype=float)
        assert money[side == name].sum() == pytest.approx(whole, rel=1e-6)
    assert (numbers(columns["low80"]) <= money * (1 + 1e-6)).all()
    assert (numbers(columns["high80"]) >= money * (1 - 1e-6)).all()


@pytest.mark.parametrize("form", FORMS)
def test_clusters_are_those_of_the_view(session, form):
    found = answer(session, "levels")["clusters"]
    columns, _ = read(form, body(session, "clusters", form))
    assert found
    assert list(columns["side"]) == [c["side"] for c in found]
    assert numbers(columns["usd"]).tolist() == pytest.approx([c["notional"] for c in found])
    assert numbers(columns["price_low"]).tolist() == pytest.approx([c["floor"] for c in found])


@pytest.mark.parametrize("form", FORMS)
def test_another_currency_is_the_rate_of_the_day_times_the_dollars(session, form):
    at = answer(session, "levels")["as_of"]
    rate = fixings.shipped().rate("NZD", at)
    dollars, _ = read(form, body(session, "levels", form))
    columns, said = read(form, body(session, "levels", form, "NZD"))
    assert numbers(columns["nzd"]) == pytest.approx(numbers(dollars["usd"]) * rate.value, rel=1e-6)
    assert said["ccy"] == "NZD"
    assert "fixing of" in said["rate"]
    assert "USDT and USDC as US dollars" in said["rate_rule"]


def test_each_column_of_a_heatmap_takes_the_rate_of_its_own_day(session):
    dollars, _ = read("arrow", body(session, "heatmap", "arrow", span="7d"))
    euros, _ = read("arrow", body(session, "heatmap", "arrow", "EUR", span="7d"))
    reported = np.array(euros["eur"]) / np.array(dollars["usd"])
    each = fixings.shipped().rates("EUR", np.array(dollars["time_us"]))
    assert reported == pytest.approx(each)


def test_bands_of_the_past_are_null(session):
    at = session.desks["BTC"].now - 3_600_000_000
    columns, _ = read("parquet", body(session, "levels", "parquet", at=str(at)))
    assert set(columns["low80"]) == {None}
    assert sum(columns["usd"]) > 0


@pytest.mark.parametrize("planes", ["tiers", "difference"])
def test_a_table_of_several_planes_is_refused(session, planes):
    heat = answer(session, "heatmap", span="3d", planes=planes) | {"planes": planes}
    with pytest.raises(RequestError, match="expected planes=sum"):
        tables.heat_batches(heat, "USD", fixings.shipped())


def test_columns_carry_their_unit(session):
    schema = pa.ipc.open_stream(body(session, "heatmap", "arrow")).schema
    assert {f.name: f.metadata[b"unit"] for f in schema}["time_us"] == (
        "start of the column, µs UTC".encode()
    )


def test_levels_for_tradingview_say_of_when_they_are_and_fit_the_field(session):
    levels = answer(session, "levels")
    head, *rows = tables.tradingview(levels).split(";")
    assert head == f"as_of,BTC,{tables.iso(levels['as_of'])[:16]}Z"
    assert rows
    sizes = [float(row.split(",")[2]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert {row.split(",")[1] for row in rows} <= {"long", "short"}
    assert len(tables.tradingview(levels)) < 4096


def test_a_heatmap_of_a_thin_coin_has_as_many_rows_and_its_own_dollars(session):
    heat = answer(session, "heatmap")
    thin = heat | {"vmin": heat["vmin"] / 1e3, "vmax": heat["vmax"] / 1e3}
    made = [tables.heat_batches(each, "USD", fixings.shipped())[1] for each in (heat, thin)]
    ours, theirs = (np.concatenate([batch.column(3) for batch in each]) for each in made)
    assert theirs == pytest.approx(ours / 1e3)


def test_prices_for_a_script_are_written_out_however_small():
    cluster = {"peak": 2.6134e-6, "side": "long", "notional": 1234.5}
    text = tables.tradingview({"clusters": [cluster], "coin": "TINY", "as_of": 0})
    assert text.endswith(";0.0000026134,long,1234")
