"""HTTP of what is taken away: names, types, refusals."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from litestar.testing import TestClient
from PIL import Image

from powderkeg.serve.app import make_app
from powderkeg.serve.exports import tables

FILES = [f"{name}.{form}" for name in tables.KINDS for form in tables.TYPES]


@pytest.fixture
def client(session, hub):
    with TestClient(make_app(session, hub)) as client:
        yield client


@pytest.mark.parametrize("file", FILES)
def test_every_table_is_a_download_with_a_name(client, file):
    answer = client.get(f"/v1/BTC/{file}?span=12h&ccy=NZD&side=long")
    assert answer.status_code == 200, answer.text
    name, _, form = file.partition(".")
    assert answer.headers["content-type"].startswith(tables.TYPES[form])
    assert re.search(
        rf'filename="powderkeg-BTC-{name}-12h-\d{{8}}T\d{{4}}Z.{form}"',
        answer.headers["content-disposition"],
    )
    assert len(answer.content) > 1000


def test_a_picture_takes_filters_size_and_currency(client):
    address = "/v1/BTC/heatmap.png?span=12h&width=640&height=400&tiers=50,25&side=long&ccy=EUR"
    answer = client.get(address)
    assert answer.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (640, 400)
    assert "tiers 50, 25 · longs only" in image.text["Description"]
    assert "EUR a dollar" in image.text["Description"]


def test_a_picture_of_the_past_is_asked_for_like_a_view(client, session):
    at = session.desks["BTC"].now - 3_600_000_000
    answer = client.get(f"/v1/BTC@{at}/heatmap.png?span=12h")
    words = datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    assert words in Image.open(io.BytesIO(answer.content)).text["Description"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("BTC/heatmap.png?width=10", "Expected `int` >= 320 - at `$.width`; of its own it takes"),
        ("BTC/heatmap.png?height=9999", "Expected `int` <= 2560"),
        ("BTC/heatmap.png?palette=jet", "Invalid enum value 'jet'"),
        ("BTC/heatmap.png?zone=Mars", "expected a zone such as Pacific/Auckland"),
        ("BTC/heatmap.png?planes=tiers", "expected planes=sum"),
        ("BTC/heatmap.csv?planes=difference&span=3d", "expected planes=sum"),
        ("BTC/levels.csv?ccy=XXX", "expected a currency of USD, EUR, NZD"),
        ("BTC/levels.csv?colour=red", "unknown field `colour`; this view takes"),
        ("XYZ/levels.csv", "expected one of BTC"),
        ("rates?ccy=XXX", "expected a currency of"),
        ("rates?since=soon", "expected a day such as"),
    ],
)
def test_a_refusal_says_what_would_be_right(client, address, words):
    answer = client.get(f"/v1/{address}")
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_levels_for_tradingview_are_plain_text(client):
    answer = client.get("/v1/BTC/tradingview?side=short")
    assert answer.headers["content-type"].startswith("text/plain")
    assert re.match(r"as_of,BTC,\d{4}-\d\d-\d\dT\d\d:\d\dZ;", answer.text)
    assert ",long," not in answer.text


def test_rates_are_a_daily_series_that_begins_with_the_one_that_holds(client):
    answer = client.get("/v1/rates?ccy=NZD&since=2025-12-07&until=2025-12-10").json()
    # The seventh of December 2025 was a Sunday.
    assert answer["days"] == ["2025-12-05", "2025-12-08", "2025-12-09", "2025-12-10"]
    assert len(answer["values"]) == 4
    assert answer["currencies"] == ["USD", "EUR", "NZD"]
    assert "European Central Bank" in answer["source"]
    assert "USDT" in answer["unit"]


def test_the_openapi_document_knows_every_export_and_its_own_parameters(client):
    paths = client.get("/docs/openapi.json").json()["paths"]
    picture = {p["name"] for p in paths["/v1/{where}/heatmap.png"]["get"]["parameters"]}
    assert {"ccy", "palette", "width", "height", "zone", "span", "venues"} <= picture
    for file in FILES:
        assert f"/v1/{{where}}/{file}" in paths
