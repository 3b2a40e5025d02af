"""HTTP: every view, in both encodings; what is refused, and how."""

from __future__ import annotations

import re

import msgspec
import numpy as np
import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from powderkeg.events import SECOND
from powderkeg.live.timekeeping.clock import now as clock
from powderkeg.maps.heatmap.scale import DOLLARS
from powderkeg.maps.views.queries import HeatmapQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.app import make_app
from powderkeg.serve.codec import cells_of, pack
from powderkeg.serve.responses import compress
from powderkeg.serve.session import Session
from powderkeg.serve.startup.simulated import prepare
from powderkeg.serve.workers import WAITING
from powderkeg.settings import Settings

PACKED = {"accept": "application/vnd.msgpack"}
ASK = {"cell": "?price=100000"}


@pytest.fixture
def client(session, hub):
    with TestClient(make_app(session, hub)) as client:
        yield client


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_answers_in_both_encodings_and_says_what_it_rests_on(client, name):
    address = f"/v1/BTC/{name}{ASK.get(name, '')}"
    plain = client.get(address).json()
    packed = msgspec.msgpack.decode(client.get(address, headers=PACKED).content)
    assert packed.pop("coding", "rows-delta") == "rows-delta"
    for answer in (plain, packed):
        assert answer["kind"] == name
        assert answer["source"] == "simulated"
        assert {"as_of", "age", "model", "coverage"} <= set(answer)
    assert set(plain) == set(packed)


def test_a_heatmap_is_bytes_of_its_stated_shape(client):
    heat = msgspec.msgpack.decode(client.get("/v1/BTC/heatmap?span=12h", headers=PACKED).content)
    cells = cells_of(heat)
    assert cells.shape == (heat["cols"], heat["rows"])
    assert len(heat["ohlc"]) == heat["cols"] * 5 * 4
    assert (cells > 0).mean() > 0.05


def test_venues_add_up_to_the_aggregate(client):
    whole = client.get("/v1/BTC/bars?reach=0.1").json()
    parts = [
        client.get(f"/v1/BTC/bars?reach=0.1&venues={v}").json() for v in ("binance", "bybit", "okx")
    ]
    assert sum(p["long"] for p in parts) == pytest.approx(whole["long"], rel=1e-9)
    assert sum(p["short"] for p in parts) == pytest.approx(whole["short"], rel=1e-9)


def test_a_map_of_the_past_says_when_it_was_and_is_not_empty(client, session):
    desk = session.desks["BTC"]
    at = desk.now - 3_600_000_000
    past = client.get(f"/v1/BTC@{at}/levels").json()
    assert past["as_of"] == at
    assert sum(past["long"]) > 0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/v1/BTC/bars?reach=2", "Expected `float` <= 0.5 - at `$.reach`; this view takes"),
        ("/v1/BTC/levels?tiers=7", "Invalid enum value 7 - at `$.tiers[0]`; this view takes"),
        ("/v1/BTC/bars?rech=0.1", "Object contains unknown field `rech`; this view takes"),
        ("/v1/XYZ/bars", "expected one of BTC, found 'XYZ'"),
        ("/v1/BTC@yesterday/bars", "Expected `int`"),
    ],
)
def test_a_refusal_says_what_would_be_right(client, address, words):
    answer = client.get(address)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_an_unknown_address_is_a_404_with_words(client):
    answer = client.get("/v1/BTC/nothing")
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_an_answer_is_compressed_and_not_sent_twice(client, session, monkeypatch):
    desk = session.desks["BTC"]
    monkeypatch.setattr(session, "clock", lambda: desk.now)
    first = client.get("/v1/BTC/heatmap", headers={**PACKED, "accept-encoding": "br"})
    assert first.headers["content-encoding"] == "br"
    again = client.get(
        "/v1/BTC/heatmap", headers={**PACKED, "if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_cells_are_the_same_in_both_encodings_and_tier_by_tier(client):
    address = "/v1/BTC/heatmap?span=12h"
    packed = msgspec.msgpack.decode(client.get(address, headers=PACKED).content)
    assert np.array_equal(cells_of(packed), np.array(client.get(address).json()["cells"]))
    tiers = msgspec.msgpack.decode(client.get(f"{address}&planes=tiers", headers=PACKED).content)
    dollars = DOLLARS[cells_of(tiers)].sum(axis=0)
    whole = DOLLARS[cells_of(packed)]
    bright = whole > 1e6
    assert bright.any()
    assert np.allclose(dollars[bright], whole[bright], rtol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("planes", "most"), [("sum", 230_000), ("tiers", 350_000)])
def test_a_snapshot_of_1500_columns_stays_small(planes, most):
    desk = prepare("BTC", 7, 1_767_225_600 * SECOND, 6.0, Settings())[1]
    session = Session("simulated", {"BTC": desk}, clock)
    answer = session.answer("BTC", "heatmap", HeatmapQuery(span="5d", planes=planes))
    assert len(compress(pack(answer))) <= most


def test_the_openapi_document_knows_every_view_and_parameter(client):
    paths = client.get("/docs/openapi.json").json()["paths"]
    for name, (kind, _) in VIEWS.items():
        reported = {p["name"] for p in paths[f"/v1/{{where}}/{name}"]["get"]["parameters"]}
        assert {f.name for f in msgspec.structs.fields(kind)} <= reported


def test_health_counts_and_coins_name_the_source(client):
    assert client.get("/v1/coins").json()["source"] == "simulated"
    assert client.get("/v1/health").json()["coins"]["BTC"]["counts"]["events"] > 0


def test_a_token_is_asked_for_where_one_is_set(session, hub):
    with TestClient(make_app(session, hub, token="sesame")) as client:
        assert client.get("/v1/coins").status_code == 401
        assert client.get("/v1/coins?token=wrong").status_code == 401
        assert (
            client.get("/v1/coins", headers={"authorization": "Bearer sesame"}).status_code == 200
        )


def test_the_stream_says_hello_then_the_newest_column_then_changes(client, hub):
    with client.websocket_connect("/v1/stream?coin=BTC&span=12h") as socket:
        hello = msgspec.msgpack.decode(socket.receive_bytes())
        column = msgspec.msgpack.decode(socket.receive_bytes())
        assert (hello["kind"], column["kind"], column["full"]) == ("hello", "column", True)
        client.blocking_portal.call(hub.beat)
        kinds = [msgspec.msgpack.decode(socket.receive_bytes()) for _ in range(3)]
    assert [m["kind"] for m in kinds] == ["column", "levels", "status"]
    assert [m["seq"] for m in kinds] == [1, 2, 3]


def test_a_stream_of_an_unknown_coin_is_closed_with_words(client):
    with (
        client.websocket_connect("/v1/stream?coin=XYZ") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_bytes()
    assert closed.value.code == 4400


def test_a_feed_that_fails_is_reported_and_the_server_goes_on(session, hub, capsys):
    async def fail():
        raise RuntimeError("no more market")

    with TestClient(make_app(session, hub, work=fail)) as client:
        answer = client.get("/v1/coins").json()
    assert answer["ready"] is False
    assert "no more market" in answer["progress"]
    assert "no more market" in capsys.readouterr().err


def test_the_api_reference_needs_no_other_host(session, hub):
    with TestClient(make_app(session, hub)) as client:
        page = client.get("/docs").text
        hosts = set(re.findall(r"""(?:src|href)=["'](https?://[^"']+)""", page))
        files = re.findall(r"""(?:src|href)=["'](/reference/[^"']+)""", page)
        assert hosts == set()
        assert len(files) == 3
        for file in files:
            assert client.get(file).status_code == 200, file


def test_a_large_answer_comes_in_pieces_with_its_length(client):
    answer = client.get("/v1/BTC/heatmap?span=5d&planes=tiers", headers={"accept-encoding": ""})
    assert len(answer.content) > 1_000_000
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert np.array(answer.json()["cells"]).shape == (5, 1440, 800)


def test_too_many_long_questions_are_put_off(client, monkeypatch):
    monkeypatch.setitem(WAITING, "long", 0)
    answer = client.get("/v1/BTC/heatmap?span=30d&planes=tiers")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "ask later" in answer.json()["error"]
    assert client.get("/v1/BTC/levels").status_code == 200
