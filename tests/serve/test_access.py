"""The way in: who is let in by which name, with which token, and what every answer says."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from litestar import Request, get
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from powderkeg.log import configure
from powderkeg.serve.access.headers import SECURITY, policy
from powderkeg.serve.access.hosts import names_of
from powderkeg.serve.access.middleware import ALLOW, BODY_SIZE, HEAD_SIZE
from powderkeg.serve.access.tokens import WRONG
from powderkeg.serve.app import make_app

HERE = "http://127.0.0.1:8788"
BEARER = {"authorization": "Bearer sesame"}


@pytest.fixture
def client(session, hub):
    """Return a client of a server on loopback."""
    names = names_of("127.0.0.1", "127.0.0.1", "map.example.com")
    with TestClient(make_app(session, hub, names=names), base_url=HERE) as client:
        yield client


@pytest.fixture
def locked(session, hub):
    """Return a client of a server that asks for a token."""
    with TestClient(make_app(session, hub, token="sesame"), base_url=HERE) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/v1/coins", "/docs", "/metrics", "/none"])
def test_a_name_that_is_not_ours_is_refused_on_every_path(client, path):
    answer = client.get(path, headers={"host": "evil.example"})
    assert answer.status_code == 403
    assert answer.json()["error"].startswith("expected a Host this server is known by")


@pytest.mark.parametrize("path", ["/v1/coins", "/v1/BTC/bars", "/metrics"])
@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}],
)
def test_pages_of_other_sites_make_the_server_do_no_work(client, path, headers):
    answer = client.get(path, headers=headers)
    assert answer.status_code == 403
    assert "own page" in answer.json()["error"]


def test_a_link_from_another_site_opens_the_page(client):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=headers).status_code == 200


def test_our_own_page_and_one_behind_another_server_are_answered(client):
    for origin in (HERE, "https://map.example.com"):
        assert client.get("/v1/coins", headers={"origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/v1/coins", "/v1/XYZ/bars", "/none", "/docs", "/metrics", "/sw.js"]
)
def test_every_answer_reports_browsers_what_not_to_do(client, path):
    answer = client.get(path)
    for name, value in SECURITY.items():
        if name != "content-security-policy":
            assert answer.headers[name] == value
    said = answer.headers["content-security-policy"]
    assert "default-src 'none'" in said
    assert "frame-ancestors 'none'" in said
    assert "script-src 'self'" in said
    assert "unsafe-eval" not in said


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_scripts_a_page_holds_may_run_and_no_others(client, path):
    answer = client.get(path)
    scripts = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert scripts
    allowed = answer.headers["content-security-policy"].split("script-src ")[1].split(";")[0]
    hashes = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert set(allowed.split()) == {"'self'", *(f"'sha256-{h}'" for h in hashes)}


def test_a_page_without_scripts_allows_none_of_its_own():
    assert "script-src 'self';" in policy(b"<p>none</p><script src=/a.js></script>")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/coins", "/v1/health", "/v1/scores", "/v1/rates", "/v1/screener", "/v1/BTC/bars",
        "/v1/BTC/heatmap", "/v1/BTC/levels.csv", "/v1/BTC/tradingview", "/metrics", "/docs",
    ],
)  # fmt: skip
def test_a_token_in_the_address_opens_every_route(locked, path):
    assert locked.get(path).status_code == 401
    assert locked.get(f"{path}?token=wrong").status_code == 401
    assert locked.get(f"{path}?token=sesame").status_code == 200
    assert locked.get(path, headers=BEARER).status_code == 200


def test_the_page_itself_needs_no_token(locked):
    assert locked.get("/").status_code == 200
    assert locked.get("/sw.js").status_code in (200, 404)  # 404 where no page was built


def test_a_token_that_nobody_asked_for_is_let_be(client):
    assert client.get("/v1/BTC/bars?token=any&reach=0.05").json()["reach"] == 0.05


def test_who_guesses_too_often_is_reported_when_to_come_again(locked):
    for _ in range(WRONG):
        assert locked.get("/v1/coins?token=wrong").status_code == 401
    answer = locked.get("/v1/coins", headers=BEARER)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "wrong tokens" in answer.json()["error"]
    assert locked.get("/v1/coins").status_code == 401  # it guesses nothing


def test_who_sends_no_token_guesses_nothing(locked):
    for _ in range(WRONG + 1):
        assert locked.get("/v1/coins").status_code == 401
    assert locked.get("/v1/coins", headers=BEARER).status_code == 200


def test_a_stream_asks_for_the_token_and_says_so_by_its_code(locked):
    with (
        locked.websocket_connect("/v1/stream?coin=BTC&token=wrong") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_bytes()
    assert closed.value.code == 4401
    with locked.websocket_connect("/v1/stream?coin=BTC&token=sesame") as socket:
        assert socket.receive_bytes()


@pytest.mark.parametrize("path", ["/", "/v1/coins", "/v1/BTC/heatmap", "/v1/BTC/levels.csv"])
def test_head_has_the_headers_of_get_and_no_body(client, path):
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_head_of_what_is_refused_has_no_body_either(client):
    assert client.head("/v1/XYZ/bars").status_code == 400
    answer = client.head("/v1/coins", headers={"host": "evil.example"})
    assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize("path", ["/", "/v1/coins", "/v1/BTC/bars"])
def test_other_methods_are_reported_which_there_are(client, path):
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, ALLOW["allow"])
        assert method in answer.json()["error"]
    answer = client.options(path)
    assert (answer.status_code, answer.headers["allow"]) == (204, ALLOW["allow"])


def test_what_is_larger_than_any_request_is_refused_and_its_line_closed(client):
    large = {"x-large": "a" * HEAD_SIZE}
    for answer, status in (
        (client.get("/v1/coins", headers=large), 431),
        (client.get("/v1/coins?" + "a" * HEAD_SIZE), 431),
        (client.request("GET", "/v1/coins", content=b"a" * (BODY_SIZE + 1)), 413),
        (client.request("GET", "/v1/coins", headers={"content-length": "9" * 5000}), 413),
        (client.request("GET", "/v1/coins", headers={"transfer-encoding": "chunked"}), 411),
    ):
        assert answer.status_code == status
        assert answer.headers["connection"] == "close"
        assert "at most" in answer.json()["error"] or status == 411


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/%00", 404), ("/assets/%00", 404), ("/assets/" + "a" * 5000, 404),
        ("/v1/BTC%00/bars", 400), ("/v1/BTC/cell?price=inf", 400), ("/v1/BTC/cell?price=nan", 400),
        ("/v1/BTC/cell?price=1e308", 400), ("/v1/BTC/cell?price=5e-324", 400),
        ("/v1/BTC/cell?price=1e12", 200), ("/v1/BTC/cell?price=1e-12", 200),
        ("/v1/rates?since=now", 400), ("/v1/rates?since=NaT", 400), ("/v1/rates?until=today", 400),
        ("/v1/rates?since=2026", 400), ("/v1/rates?since=99999-01-01", 400),
        ("/v1/BTC/heatmap.png?zone=%00", 400), ("/v1/BTC/levels?at=9223372036854775808", 400),
    ],
)  # fmt: skip
def test_odd_input_is_refused_and_never_an_error_of_ours(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]


def test_an_error_of_ours_is_reported_once_a_place_and_not_to_the_client(session, hub, capsys):
    @get("/v1/broken", sync_to_thread=False)
    def broken() -> None:
        raise ZeroDivisionError("a secret")

    app = make_app(session, hub)
    app.register(broken)
    with TestClient(app) as client:
        for _ in range(3):
            answer = client.get("/v1/broken")
            assert answer.status_code == 500
            assert "secret" not in answer.text
            assert answer.json()["error"].startswith("the server failed")
    reported = capsys.readouterr().err
    assert reported.count("Traceback") == 1
    assert "ZeroDivisionError: a secret" in reported


def test_a_failing_route_logs_one_json_line_with_its_traceback_and_no_token(
    session, hub, capsys, monkeypatch
):
    @get("/v1/broken", sync_to_thread=False)
    def broken(request: Request) -> None:
        raise ZeroDivisionError(f"{request.url} {request.headers.dict()}")

    monkeypatch.setenv("POWDERKEG_LOG", "json")
    configure()
    app = make_app(session, hub, token="open-sesame")
    app.register(broken)
    with TestClient(app) as client:
        headers = {"authorization": "Bearer open-sesame"}
        assert client.get("/v1/broken?token=open-sesame", headers=headers).status_code == 500
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["level"], line["event"]) == ("error", "request_failed")
    assert line["path"] == "/v1/broken"
    assert line["exception"].startswith("Traceback (most recent call last)")
    assert "ZeroDivisionError: http://" in line["exception"]
    assert "sesame" not in json.dumps(line)


def test_a_page_opened_with_the_token_keeps_it_and_shows_it_nowhere(locked):
    opened = locked.get("/?coin=BTC&token=sesame", follow_redirects=False)
    assert opened.status_code == 303
    assert opened.headers["location"] == "/?coin=BTC"
    assert locked.get("/v1/coins").status_code == 200
    with locked.websocket_connect("/v1/stream?coin=BTC") as socket:
        assert socket.receive_bytes()


def test_a_page_opened_with_a_wrong_token_is_reported_so(locked):
    assert locked.get("/?token=wrong").status_code == 401
    assert locked.get("/v1/coins").status_code == 401
