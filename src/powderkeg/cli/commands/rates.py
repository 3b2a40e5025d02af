"""``rates``: display currencies, and updates of their fixings."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from powderkeg.errors import ConfigError
from powderkeg.history import fixings
from powderkeg.live.timekeeping.clock import now
from powderkeg.serve.codec import text
from powderkeg.serve.exports.routes import rates_answer
from powderkeg.serve.startup.up import offline

TIMEOUT = 30
"""Seconds the bank is given to answer."""


def rates(
    refresh: Annotated[
        str, typer.Option(help="A newer eurofxref-hist file (CSV or zip), or its address.")
    ] = "",
    ccy: Annotated[str, typer.Option(help="Which currency to show.")] = "NZD",
    as_json: Annotated[bool, typer.Option("--json", help="Print the last year as JSON.")] = False,
) -> None:
    """Show what a US dollar is worth by the fixings of the ECB, or load newer ones.

    Nothing is fetched unless an address is given: the bank documents
    https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip
    """
    if refresh:
        fixings.keep(_read(refresh), refresh)
    answer = rates_answer(fixings.table(), ccy, "", "", now())
    if as_json:
        print(text(answer).decode())
        return
    stale = ", stale: see --refresh" if answer.stale else ""
    print(f"1 USD = {answer.rate:.4f} {ccy}, fixing of {answer.days[-1]}{stale}")
    print(f"currencies: {', '.join(answer.currencies)}")
    print(f"source: {answer.source}; USDT and USDC are taken as US dollars")


def _read(place: str) -> bytes:
    """Return the content of a file or an address.

    Raises:
        ConfigError: It cannot be read, or the network must not be used.
    """
    if urllib.parse.urlsplit(place).scheme not in ("http", "https"):
        try:
            return Path(place).read_bytes()
        except OSError as why:
            raise ConfigError(f"expected a file or an http address: {why}") from why
    if why := offline():
        raise ConfigError(f"expected a file, found {place}: {why}")
    try:
        with urllib.request.urlopen(place, timeout=TIMEOUT) as answer:  # noqa: S310  checked
            return answer.read()
    except (urllib.error.URLError, OSError) as why:
        raise ConfigError(f"expected {place} to answer: {why}") from why
