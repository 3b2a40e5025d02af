"""Order flow as tables: the numbers of the views, in three forms that read back alike."""

from __future__ import annotations

import asyncio
import csv
import io
import math
import re

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from litestar.testing import TestClient

from powderkeg.events import Trade
from powderkeg.feed.drive import drive
from powderkeg.history import fixings
from powderkeg.history.snapshots import CODEC
from powderkeg.maps.flow.views import FLOW_VIEWS
from powderkeg.serve.app import make_app
from powderkeg.serve.codec import pack, read_query
from powderkeg.serve.exports import tables
from powderkeg.serve.exports.flow_tables import FLOW_TABLES, MARKS
from powderkeg.serve.flow.routes import flow_answer
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import Hub

FORMS = tuple(tables.TYPES)
SPOT = "binance-spot:BTCUSDT"


@pytest.fixture(scope="module")
def running(prepared):
    """Return a desk's session after prints and books of perpetuals, and two prints of spot."""
    market, desk = prepared[0].copy(), CODEC.unpack(CODEC.pack(prepared[1]))
    for _ in range(100):
        drive(desk, market.step(0.1))
    at = desk.now
    drive(desk, [Trade(SPOT, at, at, 100_000.0, 0.1, "buy")])
    drive(desk, [Trade(SPOT, at, at, 100_000.0, 2.5, "sell")])
    for _ in range(20):
        drive(desk, market.step(0.1))
    return Session("simulated", {"BTC": desk}, lambda: desk.now)


def answer(session, name, **raw):
    query = read_query(raw, FLOW_VIEWS[name].query)
    return msgspec.msgpack.decode(pack(asyncio.run(flow_answer(session, "BTC", name, query))))


def read(session, name, form, ccy="USD", **raw):
    """Return columns by name, and what the table says of itself."""
    schema, batches = FLOW_TABLES[name](answer(session, name, **raw), ccy, fixings.shipped())
    body = b"".join(tables.write(form, schema, batches))
    if form == "csv":
        lines = body.decode().splitlines()
        head = [line[2:].partition(": ") for line in lines if line.startswith("#")]
        rows = list(csv.reader(line for line in lines if line[0] != "#"))
        return dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True)), {
            key: value for key, _, value in head
        }
    table = (
        pq.read_table(io.BytesIO(body))
        if form == "parquet"
        else pa.ipc.open_stream(body).read_all()
    )
    assert all(field.metadata[b"unit"] for field in table.schema)
    return table.to_pydict(), {k.decode(): v.decode() for k, v in table.schema.metadata.items()}


def numbers(column):
    return np.array([math.nan if x in ("", None) else float(x) for x in column])


def singles(raw):
    return np.frombuffer(raw, "<f4").astype(float)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FLOW_TABLES)
def test_every_table_says_what_it_is(running, form, name):
    _, said = read(running, name, form)
    assert (said["coin"], said["table"], said["source"]) == ("BTC", name, "simulated")
    assert said["as_of"].endswith("Z")
    assert "observed, not a forecast" in said["caution"]
    assert ("estimate" in said["caution"]) == (name == "ladder")
    assert ("binance:BTCUSDT" in said["markets"]) == (name != "profile")


@pytest.mark.parametrize("form", FORMS)
def test_a_ladder_has_a_row_for_each_price(running, form):
    ladder = answer(running, "ladder", rows="40")
    columns, said = read(running, "ladder", form, rows="40")
    assert numbers(columns["price"]) == pytest.approx(
        (ladder["first"] + np.arange(40)) * ladder["step"]
    )
    for name in ("bid", "ask", "bought", "sold", "largest", "stacked"):
        assert numbers(columns[name]) == pytest.approx(singles(ladder[name]))
    assert numbers(columns["fuel_long_usd"]) == pytest.approx(singles(ladder["fuel_long"]))
    assert numbers(columns["bid"]).sum() > 0
    assert said["window_s"] == "3600"


def test_a_ladder_of_spot_alone_has_no_estimate_rather_than_that_of_others(running):
    columns, _ = read(running, "ladder", "arrow", venues="binance-spot")
    assert set(columns["fuel_long_usd"]) == {None}


@pytest.mark.parametrize("form", FORMS)
def test_a_tape_has_the_prints_of_the_view_in_order(running, form):
    tape = answer(running, "tape", limit="300")
    columns, said = read(running, "tape", form, limit="300")
    assert numbers(columns["time_us"]).tolist() == np.frombuffer(tape["time"], "<f8").tolist()
    assert numbers(columns["size"]) == pytest.approx(singles(tape["size"]))
    assert numbers(columns["usd"]) == pytest.approx(singles(tape["notional"]))
    assert set(columns["market"]) == set(tape["markets"])
    assert set(columns["mark"]) <= set(MARKS)
    assert said["merged_within_s"] == "0.05"


def test_sizes_are_written_in_the_digits_that_name_them(running):
    columns, _ = read(running, "tape", "csv", venues="binance-spot")
    assert columns["size"] == ("0.1", "-2.5")


def test_a_tape_without_a_print_is_a_table_without_a_row(running):
    for form in ("parquet", "arrow"):
        columns, _ = read(running, "tape", form, venues="nobody", ccy="NZD")
        assert columns["time_us"] == []


@pytest.mark.parametrize("form", FORMS)
def test_spot_and_perpetuals_have_columns_of_their_own(running, form):
    flow = answer(running, "flow", span="15m")
    columns, said = read(running, "flow", form, span="15m")
    perp, spot = flow["delta"]
    assert len(columns["time_us"]) == 15
    assert numbers(columns["perp_cvd_usd"])[-1] == pytest.approx(
        np.frombuffer(perp["cvd"], "<f8")[-1], rel=1e-9
    )
    assert numbers(columns["spot_cvd_usd"])[-1] == pytest.approx(-2.4 * 100_000.0)
    assert np.frombuffer(spot["cvd"], "<f8")[-1] == pytest.approx(-2.4 * 100_000.0)
    oi, view = numbers(columns["oi"]), np.frombuffer(flow["oi"], "<f8")
    assert (np.isnan(oi) == np.isnan(view)).all()
    assert SPOT in said["markets"]


def test_what_was_not_known_yet_is_null_and_not_zero(running):
    columns, _ = read(running, "flow", "arrow", span="15m")
    assert columns["spot_delta_usd"][0] is None
    assert columns["spot_delta_usd"][-1] is not None
    columns, _ = read(running, "flow", "arrow", span="15m", venues="binance")
    assert columns["spot_cvd_usd"] == [None] * 15


@pytest.mark.parametrize("form", FORMS)
def test_a_profile_has_the_rows_in_which_something_traded(running, form):
    profile = answer(running, "profile")
    columns, said = read(running, "profile", form)
    bought, sold = numbers(columns["bought"]), numbers(columns["sold"])
    assert bought.sum() == pytest.approx(singles(profile["bought"]).sum())
    assert ((bought + sold) > 0).all()
    inside = np.array([str(each) == "True" for each in columns["in_value_area"]])
    share = (bought + sold)[inside].sum() / (bought + sold).sum()
    assert share == pytest.approx(profile["share"], rel=1e-6)
    assert said["poc"] == f"{profile['poc']:.10g}"


def test_a_profile_of_nothing_says_that_nothing_is_known(running):
    columns, said = read(running, "profile", "arrow", venues="nobody")
    assert columns["price_low"] == []
    assert (said["poc"], said["value_area"]) == ("not known", "not known to not known")


def test_another_currency_is_the_rate_of_the_day_times_the_dollars(running):
    rate = fixings.shipped().rate("NZD", answer(running, "tape")["as_of"]).value
    for name, column in (("tape", "{}"), ("flow", "perp_delta_{}"), ("ladder", "fuel_short_{}")):
        dollars, _ = read(running, name, "arrow")
        others, said = read(running, name, "arrow", "NZD")
        money = numbers(dollars[column.format("usd")]) * rate
        assert numbers(others[column.format("nzd")]) == pytest.approx(money, nan_ok=True)
        assert "fixing of" in said["rate"]


@pytest.fixture
def client(running):
    with TestClient(make_app(running, Hub(running))) as client:
        yield client


@pytest.mark.parametrize("name", FLOW_TABLES)
@pytest.mark.parametrize("form", FORMS)
def test_every_table_is_a_download_with_a_name(client, name, form):
    answered = client.get(f"/v1/BTC/{name}.{form}?ccy=NZD&venues=binance,bybit")
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"].startswith(tables.TYPES[form])
    span = "4h-" if name == "flow" else ""
    assert re.search(
        rf'filename="powderkeg-BTC-{name}-{span}\d{{8}}T\d{{4}}Z.{form}"',
        answered.headers["content-disposition"],
    )
    parameters = client.get("/docs/openapi.json").json()["paths"][f"/v1/{{where}}/{name}.{form}"]
    assert {"ccy", "venues", "at"} <= {each["name"] for each in parameters["get"]["parameters"]}


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("BTC/ladder.csv?rows=1", 400, "Expected `int` >= 10"),
        ("BTC/tape.csv?limit=4001", 400, "Expected `int` <= 4000"),
        ("BTC/flow.csv?span=7d", 400, "span"),
        ("BTC/profile.csv?ccy=XXX", 400, "expected a currency of"),
        ("BTC/tape.csv?colour=red", 400, "unknown field `colour`"),
        ("XYZ/tape.csv", 400, "expected one of BTC"),
        ("BTC@1767225600000000/tape.csv", 404, "replay"),
    ],
)
def test_a_refusal_says_what_would_be_right(client, address, status, words):
    answered = client.get(f"/v1/{address}")
    assert (answered.status_code, words in answered.json()["error"]) == (status, True)
