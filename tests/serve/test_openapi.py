"""The OpenAPI document says what is answered, and what is asked for by it is."""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import pytest
from litestar.testing import TestClient

from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.access.connections import server
from powderkeg.serve.access.middleware import ALLOW
from powderkeg.serve.app import make_app
from powderkeg.serve.openapi.document import ALWAYS, ERRORS

ASK = {"cell": "?price=100000"}


@pytest.fixture
def client(session, hub):
    with TestClient(make_app(session, hub)) as client:
        yield client


@pytest.fixture
def document(client):
    return client.get("/docs/openapi.json").json()


def parameters(document, path):
    """Return the schemas of an operation's parameters by name."""
    return {p["name"]: p["schema"] for p in document["paths"][path]["get"]["parameters"]}


def test_coins_currencies_and_zones_are_those_there_are(document):
    reported = parameters(document, "/v1/{where}/heatmap.png")
    assert reported["where"]["enum"] == ["BTC"]
    assert {"USD", "NZD", "EUR"} <= set(reported["ccy"]["enum"])
    assert {"", "UTC", "Pacific/Auckland"} <= set(reported["zone"]["enum"])
    assert reported["planes"]["enum"] == ["sum"]
    assert parameters(document, "/v1/scores")["coin"]["enum"] == ["", "BTC"]


def test_every_error_has_its_form_and_says_what_to_do_next(document):
    reported = document["components"]["responses"]
    assert set(reported) == set(ERRORS)
    for each in reported.values():
        assert each["content"]["application/json"]["schema"]["required"] == ["error"]
    assert reported["405"]["headers"]["allow"]["example"] == ALLOW["allow"]
    assert "retry-after" in reported["429"]["headers"]
    for item in document["paths"].values():
        assert set(ERRORS) < set(item["get"]["responses"])


def test_files_are_reported_as_what_they_are(document):
    for name, media in (
        ("heatmap.png", "image/png"), ("levels.parquet", "application/vnd.apache.parquet"),
        ("clusters.csv", "text/csv"),
    ):  # fmt: skip
        reported = document["paths"][f"/v1/{{where}}/{name}"]["get"]["responses"]["200"]["content"]
        assert set(reported) == {media}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_answers_the_fields_that_are_reported(client, document, name):
    get = document["paths"][f"/v1/{{where}}/{name}"]["get"]
    own, always = get["responses"]["200"]["content"]["application/json"]["schema"]["allOf"]
    assert always["required"] == list(ALWAYS)
    form = document["components"]["schemas"][own["$ref"].rsplit("/", 1)[1]]
    answer = client.get(f"/v1/BTC/{name}{ASK.get(name, '')}").json()
    assert {*ALWAYS, *form["properties"]} <= set(answer)


def test_a_token_is_reported_where_one_is_asked_for(session, hub, document):
    assert "security" not in document
    with TestClient(make_app(session, hub, token="sesame")) as client:
        reported = client.get("/docs/openapi.json?token=sesame").json()
    assert reported["security"] == [{"bearer": []}, {"token": []}]


async def ask(document, folder, port, *words):
    """Make requests from a document against a server; return how it ended and what was said."""
    (folder / "api.json").write_text(json.dumps(document))
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "schemathesis.cli", "run", "api.json", "--url",
        f"http://127.0.0.1:{port}", "--generation-deterministic", "--no-color", *words,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await running.communicate()
    return running.returncode, said.decode()


SMALL = ("--include-operation-id-regex", "^(bars|cell|tradingview|V1.*)$")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--phases", "fuzzing", "-n", "2", *SMALL), id="small ones at random"),
        pytest.param(
            ("--phases", "fuzzing", "-n", "10"),
            id="each operation at random", marks=pytest.mark.slow,
        ),
        pytest.param(
            ("--phases", "coverage", *SMALL), id="edges of small ones", marks=pytest.mark.slow
        ),
    ],
)  # fmt: skip
async def test_requests_made_from_the_document_are_answered_as_it_says(
    session, hub, document, tmp_path, words
):
    pytest.importorskip("schemathesis", reason="it is among the tools of requirements/dev.txt")
    # Which times are kept is known only while a map is served: no document can list them.
    known = [0, session.desks["BTC"].now - 3_600_000_000]
    for item in document["paths"].values():
        for each in item["get"].get("parameters", []):
            if each["name"] == "at":
                each["schema"]["enum"] = known
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        one = server(make_app(session, hub))
        task = asyncio.ensure_future(one.serve(sockets=[bound]))
        while not one.started:  # noqa: ASYNC110  it has no event
            await asyncio.sleep(0.01)
        code, said = await ask(document, tmp_path, bound.getsockname()[1], *words)
        one.should_exit = True
        await task
    assert code == 0, said
    assert "No issues found" in said
