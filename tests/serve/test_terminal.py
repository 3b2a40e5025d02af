"""What a start says in the terminal: what is done, what failed, and at the end one line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from powderkeg.serve.answers.progress import (
    CoinProgress,
    MarketProgress,
    MarketStreams,
    Progress,
)
from powderkeg.serve.startup import terminal
from powderkeg.serve.startup.terminal import show_start, words_of

URL = "http://127.0.0.1:8788/"


def market(name, state="ready", problem=""):
    venue = name.partition(":")[0]
    return MarketProgress(
        coin="BTC", market=name, venue=venue, state=state, requests=9, answered=9, share=1.0,
        left=0.0, problem=problem, next="", tries=1, streams=MarketStreams(),
    )  # fmt: skip


def answer(*markets, ready=True, doing="", share=1.0, left=0.0):
    coins = [CoinProgress("BTC", "map", share, left)] if markets else []
    return Progress(
        ready=ready, source="live", note="", since=0, now=0, took=14.2, doing=doing, share=share,
        left=left, coins=coins, markets=list(markets),
    )  # fmt: skip


def test_the_last_line_reports_what_is_there_what_is_missing_and_where_to_look():
    markets = market("binance:BTCUSDT"), market("okx:BTC-USDT-SWAP", "failed", "no answer")
    assert words_of(answer(*markets), URL) == (
        "ready in 14 s: 1 of 2 markets of 1 venues (live) · missing: okx:BTC-USDT-SWAP: no answer "
        f"· open {URL}"
    )
    assert words_of(answer(), URL) == f"ready (live) · open {URL}"


@pytest.fixture
def answers(monkeypatch):
    """Return what a start says, look after look."""
    monkeypatch.setattr(terminal, "EVERY", 0)
    name = "binance:BTCUSDT"
    steps = [
        answer(market(name, "waiting"), ready=False, doing="asking the venues", share=0, left=None),
        *(
            answer(
                market(name, "fetching"), ready=False, doing=f"fetching: {n} of 9",
                share=n / 10, left=9 - n,
            )
            for n in (1, 8)
        ),
        answer(market(name)),
    ]  # fmt: skip
    return lambda: steps.pop(0) if len(steps) > 1 else steps[0]


async def test_without_a_terminal_there_is_a_line_where_something_else_is_done(answers, capsys):
    await show_start(answers, URL, Console(file=io.StringIO(), force_terminal=False))
    assert capsys.readouterr().err.splitlines() == [
        "powderkeg: asking the venues",
        "powderkeg: fetching",
        f"powderkeg: ready in 14 s: 1 of 1 markets of 1 venues (live) · open {URL}",
    ]


async def test_in_a_terminal_there_are_bars_for_all_and_for_each_coin(answers, capsys):
    shown = io.StringIO()
    await show_start(answers, URL, Console(file=shown, force_terminal=True, width=120))
    text = shown.getvalue()
    assert "all" in text
    assert "BTC" in text
    assert "fetching: 8 of 9, about 1 s left" in text
    assert capsys.readouterr().err.startswith("powderkeg: ready in 14 s")
