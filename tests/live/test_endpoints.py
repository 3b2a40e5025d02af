"""Where a venue is reached, and whether it is spoken to in the clear."""

from __future__ import annotations

import pytest

from powderkeg.errors import ConfigError
from powderkeg.live.network.endpoints import parse, resolve

VENUES = ("binance", "okx", "bybit-inverse")
SOCKET, ASKED = "wss://ws.okx.com:8443/ws/v5/public?a=1", "https://www.okx.com/api/v5/public/time"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", {}),
        (" , ", {}),
        ("127.0.0.1:9", {"*": "127.0.0.1:9"}),
        ("okx=a:1, binance=b", {"okx": "a:1", "binance": "b"}),
        ("okx.ws=a,okx.rest=b", {"okx.ws": "a", "okx.rest": "b"}),
        ("bybit-inverse=[::1]:80", {"bybit-inverse": "[::1]:80"}),
        ("proxy,okx=a", {"*": "proxy", "okx": "a"}),
    ],
)
def test_a_setting_names_one_host_or_one_a_venue(text, hosts):
    assert parse(text, VENUES) == hosts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kraken=a", "expected hosts of binance, okx, bybit-inverse, found 'kraken=a'"),
        ("okx.http=a", "found 'okx.http=a'"),
        ("okx=", "expected HOST or HOST:PORT, found ''"),
        ("https://a.com", "found 'https://a.com'"),
        ("a b", "found 'a b'"),
    ],
)
def test_what_is_neither_is_refused_with_what_it_was(text, words):
    with pytest.raises(ConfigError, match="expected") as reported:
        parse(text, VENUES)
    assert words in str(reported.value)


def test_without_a_setting_a_venue_is_where_it_documents():
    assert resolve(SOCKET, "okx", {}) == SOCKET
    assert resolve(ASKED, "okx", {"binance": "x"}) == ASKED


def test_another_host_keeps_path_and_query_and_speaks_tls():
    assert resolve(SOCKET, "okx", {"*": "a.b:9"}) == "wss://a.b:9/ws/v5/public?a=1"
    assert resolve(ASKED, "okx", {"okx": "a.b"}) == "https://a.b/api/v5/public/time"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost:9", "[::1]:9", "[::1]"])
def test_loopback_is_spoken_to_in_the_clear(host):
    assert resolve(SOCKET, "okx", {"*": host}) == f"ws://{host}/ws/v5/public?a=1"
    assert resolve(ASKED, "okx", {"*": host}) == f"http://{host}/api/v5/public/time"


@pytest.mark.parametrize("host", ["127.0.0.1.evil.com", "localhost.a:9", "10.0.0.1:80", "[::2]:9"])
def test_nothing_else_is(host):
    assert resolve(SOCKET, "okx", {"*": host}).startswith("wss://")
    assert resolve(ASKED, "okx", {"*": host}).startswith("https://")


def test_the_nearest_name_wins():
    hosts = {"*": "all", "okx": "venue", "okx.ws": "sockets"}
    assert resolve(SOCKET, "okx", hosts).startswith("wss://sockets/")
    assert resolve(ASKED, "okx", hosts).startswith("https://venue/")
    assert resolve(ASKED, "binance", hosts).startswith("https://all/")
