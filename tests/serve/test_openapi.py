"""The OpenAPI document says what is answered, and what is asked for by it is."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys

import jsonschema_rs
import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from powderkeg.maps.views.queries import SpanQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.access.connections import server
from powderkeg.serve.access.middleware import ALLOW
from powderkeg.serve.answers.stream import Rebase
from powderkeg.serve.app import make_app
from powderkeg.serve.openapi.document import ERRORS

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
        schema = each["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
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


def refers(document, schema):
    """Return a validator of a schema of the document."""
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


ADDRESSES = [f"/v1/{{where}}/{name}{ASK.get(name, '')}" for name in VIEWS] + [
    f"/v1/{name}"
    for name in (
        "coins", "starting", "health", "scores", "proof", "screener", "rates?ccy=NZD",
        "{coin}/liquidation-price?entry=105000&leverage=25",
        "{coin}/plan?equity=50000&leverage=10&stop=1&base_rate=0.3",
        "portfolio?positions=BTC:long:1",
        "{where}/ladder", "{where}/flow", "{where}/profile", "{where}/tape",
        "{where}/zones", "{where}/overshoot", "{where}/signals", "{where}/wick", "read/{where}",
    )
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_is_what_the_document_says(client, document, address):
    get = document["paths"][address.partition("?")[0]]["get"]
    content = get["responses"]["200"]["content"]["application/json"]
    answer = client.get(address.replace("{where}", "BTC").replace("{coin}", "BTC"))
    assert answer.status_code == 200
    refers(document, content["schema"]).validate(answer.json())


def test_every_address_that_answers_json_is_checked_here(document):
    asked = {address.partition("?")[0] for address in ADDRESSES}
    for path, item in document["paths"].items():
        content = item["get"]["responses"]["200"]["content"]
        assert ("application/json" in content) == (path in asked), path


@pytest.mark.parametrize("query", ["bands=1", "at={past}", "model=static"])
def test_answers_of_other_forms_are_what_the_document_says(client, document, session, query):
    past = session.desks["BTC"].now - 3_600_000_000
    get = document["paths"]["/v1/{where}/levels"]["get"]
    content = get["responses"]["200"]["content"]["application/json"]
    answer = client.get(f"/v1/BTC/levels?{query.format(past=past)}").json()
    refers(document, content["schema"]).validate(answer)


def test_a_refusal_is_what_the_document_says(client, document):
    schema = document["components"]["responses"]["400"]["content"]["application/json"]["schema"]
    answer = client.get("/v1/XYZ/bars")
    assert answer.status_code == 400
    refers(document, schema).validate(answer.json())


def test_messages_of_the_stream_are_what_the_document_says(document, hub):
    stream, reader = hub.join("BTC", SpanQuery(span="12h"))
    stream._send(Rebase())
    asyncio.run(hub.beat())
    sent = [msgspec.msgpack.decode(raw) for raw in reader._queue]
    hub.leave(stream, reader)
    kinds = set()
    for message in sent:
        kind, schema = message_schema(document, message["kind"])
        kinds.add(message["kind"])
        as_json = {
            name: np.frombuffer(value, form["x-dtype"]).tolist()
            if isinstance(value, bytes) and (form := schema["properties"][name])
            else value
            for name, value in message.items()
        }
        refers(document, {"$ref": kind}).validate(as_json)
    assert kinds == {"hello", "column", "rebase", "levels", "status"}


def message_schema(document, kind):
    """Return the reference to the schema of a message, and the schema."""
    for each in document["x-stream"]["messages"]:
        schema = document["components"]["schemas"][each["$ref"].rsplit("/", 1)[1]]
        if schema["properties"]["kind"]["enum"] == [kind]:
            return each["$ref"], schema
    raise AssertionError(f"no message of the kind {kind}")


UNIT = re.compile(
    r"dollars?\b|µs|\bseconds?\b|\bfractions?\b|\bprice\b|base coin|\bnumber\b|% of price|ratio"
    r"|\bfactor\b|percentile|\bindex\b|version|natural log|quote currency|events per second",
    re.IGNORECASE,
)


def is_number(schema):
    """Return whether a field is a number, or holds nothing but numbers."""
    if any(is_number(each) for each in schema.get("anyOf", ())):
        return True
    kind = schema.get("type")
    if kind == "object":
        return is_number(schema.get("additionalProperties") or {})
    if kind == "array":
        inner = schema.get("prefixItems") or [schema.get("items") or {}]
        return all(is_number(each) for each in inner)
    return kind in ("number", "integer") or kind == ["number", "null"]


def test_every_field_is_described_and_every_number_has_its_unit(document):
    lacking = [
        f"{name}.{field}: {schema.get('description')}"
        for name, form in document["components"]["schemas"].items()
        for field, schema in form.get("properties", {}).items()
        if not schema.get("description")
        or (is_number(schema) and not UNIT.search(schema["description"]))
    ]
    assert lacking == []


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
    # Which times are kept, and on which side of the price a stop lies, is known only while a map is
    # served: no document can list them.
    known = {"at": [0, session.desks["BTC"].now - 3_600_000_000]}
    of_plan = {"side": ["long"], "entry": [0], "stop": [1], "venue": [""], "leverage": [0, 9.5]}
    for path, item in document["paths"].items():
        enums = known | (of_plan | {"wins": [0]} if path.endswith("/plan") else {})
        for each in item["get"].get("parameters", []):
            if each["name"] in enums:
                each["schema"] = {"enum": enums[each["name"]]}
                each["required"] = each["name"] == "stop"
            if each["name"] == "positions":  # what one is made of no schema can list
                each["schema"]["items"] = {"type": "string", "enum": ["BTC:long:1", "BTC:short:2"]}
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
