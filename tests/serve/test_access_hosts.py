"""Names: by which a server may be asked, and from which pages."""

from __future__ import annotations

import pytest

from powderkeg.errors import ConfigError
from powderkeg.serve.access.hosts import Names, allowed, host_name, names_of


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8788", "localhost:8788", "LOCALHOST", "localhost.:80", "[::1]:8788", "127.0.0.9"],
)
def test_loopback_is_always_answered(host):
    assert Names().refusal(host) == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8788", "127.0.0.1.evil.example", "localhost.evil.example",
        "192.0.2.1", "", "a b", "127.0.0.1:8788@evil.example", "[::1", "localhost:80:80",
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused_and_the_way_out_is_reported(host):
    why = names_of("127.0.0.1", "127.0.0.1", "").refusal(host)
    assert why.startswith("expected a Host this server is known by")
    assert "--allow NAME" in why


def test_the_address_served_on_and_names_allowed_by_hand_are_answered():
    names = names_of("192.0.2.1", "192.0.2.1", "map.example.com, 198.51.100.7")
    for host in ("192.0.2.1:80", "map.example.com", "Map.Example.com:443", "198.51.100.7"):
        assert names.refusal(host) == "", host
    assert names.refusal("192.0.2.2")


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])  # noqa: S104
def test_on_all_interfaces_any_address_in_figures_is_ours_and_no_name_is(bound):
    names = names_of(bound, bound, "")
    assert names.refusal("192.0.2.1:8788") == ""
    assert names.refusal("[2001:db8::1]:8788") == ""
    assert names.refusal("evil.example:8788")


@pytest.mark.parametrize(
    ("origin", "site"),
    [("", ""), ("", "same-origin"), ("", "none"), ("http://127.0.0.1:8788", "same-origin")],
)
def test_our_own_page_and_programs_may_ask(origin, site):
    assert Names().foreign("127.0.0.1:8788", origin, site) == ""


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("http://evil.example", ""), ("null", ""), ("http://127.0.0.1:3000", ""),
        ("http://evil.example@127.0.0.1:8788", ""), ("file://", ""), ("chrome-extension://a", ""),
        ("", "cross-site"), ("", "same-site"), ("", "anything"),
    ],
)  # fmt: skip
def test_a_page_of_another_site_may_not(origin, site):
    why = Names().foreign("127.0.0.1:8788", origin, site)
    assert why.startswith("expected a request from this server's own page, found")


def test_behind_another_server_the_page_has_the_name_that_was_allowed():
    names = names_of("127.0.0.1", "127.0.0.1", "map.example.com")
    assert names.foreign("127.0.0.1:8788", "https://map.example.com", "same-origin") == ""
    assert names.foreign("127.0.0.1:8788", "https://map.example.com.evil", "")


def test_a_host_is_read_without_its_port():
    assert [host_name(h) for h in ("A.b:1", "[::1]:2", "x_y", "-a", "a..b")] == [
        "a.b", "::1", "x_y", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("words", ["*", "*.example.com", "http://a", "a/b", "a:80", "-a", "a b"])
def test_a_name_that_is_none_is_refused(words):
    with pytest.raises(ConfigError, match="without scheme or port"):
        allowed(f"map.example.com,{words}")
