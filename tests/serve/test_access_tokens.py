"""Tokens: which are taken, how they are told, and what guessing costs."""

from __future__ import annotations

import pytest

from powderkeg.errors import ConfigError
from powderkeg.serve.access.tokens import (
    ADDRESSES,
    WRONG,
    Guesses,
    cookie,
    split_token,
    token_matches,
    token_of,
    valid_token,
)


@pytest.fixture
def time():
    """Return a clock that is set by hand."""
    return {"now": 1000.0}


@pytest.fixture
def guesses(time):
    return Guesses(lambda: time["now"])


@pytest.mark.parametrize("token", ["", " ", "\t", "a b", "sésame", "a\n", "²"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(token):
    with pytest.raises(ConfigError, match="expected a token of ASCII") as why:
        valid_token(token)
    assert not token.strip() or token not in str(why.value)


def test_no_token_asks_for_nothing():
    assert valid_token(None) == ""
    assert token_matches("", "")
    assert valid_token("s3same!") == "s3same!"


def test_a_token_is_known_as_a_bearer_or_from_the_address():
    assert token_matches("sesame", token_of("Bearer sesame", "", ""))
    assert token_matches("sesame", token_of("", "sesame", ""))
    assert not token_matches("sesame", token_of("Bearer wrong", "sesame", ""))
    assert not token_matches("sesame", "sésame")


@pytest.mark.parametrize(
    ("query", "kept", "token"),
    [
        (b"", b"", ""),
        (b"token=a%2Bb", b"", "a+b"),
        (b"span=3d&token=x&tiers=5,10", b"span=3d&tiers=5,10", "x"),
        (b"%74oken=x&coin=BTC", b"coin=BTC", "x"),
        (b"tokens=x&token", b"tokens=x", ""),
    ],
)
def test_a_token_is_taken_out_of_the_address(query, kept, token):
    assert split_token(query) == (kept, token)


def test_twenty_wrong_tokens_within_a_minute_close_the_door_for_a_minute(guesses, time):
    for _ in range(WRONG - 1):
        guesses.add_wrong("127.0.0.1")
    assert guesses.wait("127.0.0.1") == 0
    guesses.add_wrong("127.0.0.1")
    assert guesses.wait("127.0.0.1") == 60
    assert guesses.wait("192.0.2.1") == 0
    time["now"] += 59
    assert guesses.wait("127.0.0.1") == 1
    time["now"] += 1
    assert guesses.wait("127.0.0.1") == 0


def test_wrong_tokens_spread_over_more_than_a_minute_close_nothing(guesses, time):
    for _ in range(3 * WRONG):
        guesses.add_wrong("192.0.2.1")
        time["now"] += 3.2
    assert guesses.wait("192.0.2.1") == 0


def test_an_ipv6_host_counts_as_one_whatever_address_of_its_network_it_takes(guesses):
    for i in range(WRONG):
        guesses.add_wrong(f"2001:db8::{i:x}")
    assert guesses.wait("2001:db8::ffff") > 0
    assert guesses.wait("2001:db8:0:1::1") == 0


def test_the_table_of_addresses_is_bounded(guesses):
    for i in range(2 * ADDRESSES):
        guesses.add_wrong(f"10.0.{i // 256}.{i % 256}")
    assert len(guesses._wrong) == ADDRESSES


@pytest.mark.parametrize("token", ["sesame", 'a;b,c="d"', "100%"])
def test_what_the_page_keeps_is_read_back_among_other_cookies(token):
    kept = cookie(token).partition(";")[0]
    assert token_of("", "", f"theme=dark; {kept}; more=1") == token


def test_no_script_and_no_other_site_sees_what_the_page_keeps():
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie("sesame").split("; "))
