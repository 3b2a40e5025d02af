"""Hours of frames read into columns: what is known of sizes, whatever the hour holds."""

from __future__ import annotations

import json

import pytest

from powderkeg.events import HOUR, SECOND, Gap
from powderkeg.frames import Boot, Frame, word
from powderkeg.live.keep import Gatherer
from powderkeg.store.columns import Columns

T = 1_767_225_600 * SECOND
MARKET = "okx:BTC-USDT-SWAP"
LISTED = {
    "instType": "SWAP", "instId": "BTC-USDT-SWAP", "instFamily": "BTC-USDT", "uly": "BTC-USDT",
    "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear", "settleCcy": "USDT",
    "tickSz": "0.1", "lotSz": "0.01", "minSz": "0.01", "state": "live", "lever": "100",
}  # fmt: skip
INSTRUMENTS = json.dumps({"code": "0", "msg": "", "data": [LISTED]}).encode()


def trade(number, at, contracts="100"):
    row = {
        "instId": "BTC-USDT-SWAP", "tradeId": str(number), "px": "50000", "sz": contracts,
        "side": "buy", "ts": str(at // 1000), "count": "1",
    }  # fmt: skip
    arg = {"channel": "trades", "instId": "BTC-USDT-SWAP"}
    return json.dumps({"arg": arg, "data": [row]}).encode()


class Hour:
    """An hour of frames."""

    def __init__(self, n):
        self.now = T + n * HOUR
        self.frames = []

    def put(self, raw, channel=""):
        self.now += SECOND
        self.frames.append(Frame(len(self.frames) + 1, self.now, "okx", channel, raw))
        return self

    def say(self, said):
        self.frames.append(word(len(self.frames) + 1, self.now, said))
        return self

    def trades(self, *numbers):
        for number in numbers:
            self.put(trade(number, self.now))
        return self

    def read(self, gather):
        columns = Columns()
        gather(lambda: iter([self.frames]), columns)
        return columns.tables().get(("trades", "okx"), {}).get("size", [])


@pytest.fixture
def gather():
    return Gatherer()


def test_sizes_are_known_wherever_in_the_hour_the_instruments_were_told(gather):
    hour = Hour(0).trades(1).put(INSTRUMENTS, "instruments").trades(2)
    assert hour.read(gather) == [1.0, 1.0]


def test_an_hour_without_instruments_goes_by_those_of_the_hour_before(gather):
    Hour(0).put(INSTRUMENTS, "instruments").read(gather)
    assert Hour(1).trades(1, 2).read(gather) == [1.0, 1.0]
    assert Hour(1).trades(1, 2).read(Gatherer()) == []


def test_a_start_in_the_middle_of_an_hour_costs_only_what_was_not_told(gather):
    boot = Boot(T, {"BTC": (MARKET,)})
    hour = Hour(0).put(INSTRUMENTS, "instruments").trades(1).say(boot)
    hour.put(INSTRUMENTS, "instruments").trades(2)
    assert hour.read(gather) == [1.0, 1.0]


def test_answers_about_the_past_are_no_events_of_the_hour(gather):
    rows = [json.loads(trade(n, T))["data"][0] for n in (1, 2)]
    answer = json.dumps({"code": "0", "msg": "", "data": rows}).encode()
    hour = Hour(0).put(INSTRUMENTS, "instruments").put(answer, "trades:BTC-USDT-SWAP").trades(3)
    assert hour.read(gather) == [1.0]


def test_gaps_are_kept(gather):
    columns = Columns()
    hour = Hour(0).say(Gap(MARKET, T + 9, T + 9, T, "cut"))
    gather(lambda: iter([hour.frames]), columns)
    assert columns.tables()["gaps", "okx"]["since"] == [T]
