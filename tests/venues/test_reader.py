"""A reader is composed: one way in, answers by their names, and one state of both decoders."""

import json

import msgspec
import pytest

from powderkeg.errors import WireError
from powderkeg.events import HOUR, Link
from powderkeg.instruments import Instrument
from powderkeg.venues import VENUES
from powderkeg.venues.base import Deduplicator, Limits
from powderkeg.venues.reader import (
    UNREADABLE,
    RefusalError,
    VenueReader,
    VenueState,
    coded,
    decoder,
    of_each,
    op,
    resubscribe,
)

ONE = Instrument("x:Y", "Y", "x", "perpetual", True, 1.0, 0.1)


class State(VenueState):
    """What is known of a venue whose frames are words."""

    __slots__ = ("ids", "steps")
    STATE_FIELDS = ("_ids",)
    ANSWER_FIELDS = ("_steps", "instruments", "intervals")

    def __init__(self):
        super().__init__("x")
        self.ids, self.steps = Deduplicator(), {}


def made(**parts):
    """Return a reader of one instrument, of the clock, and of words, with other parts."""
    state = State()

    def word(raw, _):
        said = msgspec.json.decode(raw, type=str)
        if said == "no":
            raise RefusalError(said)
        if said == "deep":
            raise RecursionError
        return state.skip(said, 2)

    def clock(_, value, __):
        state.server_time = value
        return []

    def one(symbol, value, seen):
        state.instruments = state.instruments | {symbol: ONE}
        state.intervals[symbol] = HOUR
        return [Link(value, seen, seen, "up", symbol)]

    def none(*_):
        return []

    answers = {"clock": (decoder(int), clock), "one": (decoder(str), one)}
    parts = {"unwrap": coded("0"), "answers": answers} | parts
    return VenueReader(
        name="x", limits=Limits(1, 1), state=state, stream=word, symbol=str,
        streams=none, polls=none, past=none, recent=none, snapshot=none, **parts,
    )  # fmt: skip


def answer(data, code="0", msg=""):
    return json.dumps({"code": code, "msg": msg, "data": data}).encode()


def test_an_answer_is_read_by_the_first_half_of_its_name_and_is_of_the_symbol_in_the_second():
    (event,) = made().read(answer("z"), 9, "one:Y:Z")
    assert event == Link("z", 9, 9, "up", "Y:Z")


def test_an_answer_without_an_envelope_is_decoded_as_it_is():
    number = {"number": (decoder(float), lambda symbol, value, _: [symbol, value])}
    venue = VenueReader(
        **{
            name: getattr(made(answers=number), name)
            for name in VenueReader.__struct_fields__
            if name != "unwrap"
        }
    )
    assert venue.read(b'"1.5"', 9, "number:Y") == ["Y", 1.5]


def test_an_answer_without_a_decoder_is_counted_under_its_name():
    venue = made()
    assert venue.read(answer(1), 9, "weather:" + "Y" * 40) == []
    assert venue.state.skipped == {"answer to weather:YYYYYYYYYYYYYYYY": 1}


@pytest.mark.parametrize(("message", "reason"), [("no " * 99, ("no " * 99)[:120]), ("", "code 7")])
def test_a_refusal_is_a_link_with_its_message_or_else_its_code(message, reason):
    refused = Link("x", 9, 9, "refused", reason)
    assert made().read(answer(None, "7", message), 9, "one:Y") == [refused]


def test_a_refused_subscription_is_a_link_too():
    assert made().read(b'"no"', 9) == [Link("x", 9, 9, "refused", "no")]


@pytest.mark.parametrize(
    ("raw", "channel"),
    [(b"{", ""), (b"1", ""), (b'"deep"', ""), (answer(1), "one:Y"), (b"{}", "clock")],
)
def test_what_cannot_be_read_is_a_wire_error_that_names_the_venue(raw, channel):
    with pytest.raises(WireError, match="x: "):
        made().read(raw, 9, channel)


def test_what_is_left_out_is_counted_by_reason():
    venue = made()
    assert venue.read(b'"late"', 9) == venue.read(b'"late"', 9) == []
    assert venue.state.skip("never", 0) == []
    assert venue.state.skipped == {"late": 4}


def test_answers_fill_the_state_of_the_reader():
    venue = made()
    venue.read(answer("z"), 9, "one:Y")
    venue.read(answer(5), 9, "clock")
    state = venue.state
    assert (state.instruments, state.tiers, state.server_time) == ({"Y": ONE}, {}, 5)
    assert (state.interval("Y"), state.interval("Z")) == (HOUR, 8 * HOUR)


def test_a_restored_reader_continues_as_the_other_would():
    one, other = made(), made()
    one.read(answer("z"), 9, "one:Y")
    saved = one.state.state_dict()
    assert saved == {
        "_ids": one.state.ids,
        "answers": {"_steps": {}, "instruments": {"Y": ONE}, "intervals": {"Y": HOUR}},
    }
    other.state.load_state(saved)
    assert (other.state.instruments, other.state.ids) == ({"Y": ONE}, one.state.ids)
    other.read(answer("z"), 9, "one:Z")
    assert set(other.state.instruments) == {"Y", "Z"}, "instruments of later answers are included"


def test_a_state_without_answers_is_stored_without_them():
    assert VenueState("x").state_dict() == {}


@pytest.mark.parametrize("missing", ["_ids", "answers"])
def test_a_stored_state_that_lacks_a_key_is_not_restored(missing):
    saved = made().state.state_dict()
    del saved[missing]
    with pytest.raises(KeyError, match=missing):
        made().state.load_state(saved)


BYBIT = {"_closes", "instruments", "intervals", "tiers"}, "_liquidated _depths _ids _index _mark"
BINANCE = None, "_ids _known instruments"
STORED = {
    "binance": BINANCE, "binance-coin": BINANCE, "binance-spot": BINANCE,
    "bitget": ({"_ratios", "instruments", "intervals", "tiers"}, "_liquidated _ids"),
    "bybit": BYBIT, "bybit-inverse": BYBIT,
    "deribit": (None, "_last instruments"),
    "hyperliquid": (None, "_held _ids _newest instruments tiers"),
    "okx": ({"_ratios", "_steps", "instruments", "intervals", "marks", "tiers"},
            "_chains _liquidated _index _newest"),
}  # fmt: skip


@pytest.mark.parametrize("name", VENUES)
def test_the_keys_of_stored_states_stay_as_recorded(name):
    saved, (answers, own) = VENUES[name].reader("").state.state_dict(), STORED[name]
    assert set(saved.pop("answers", {})) == (answers or set())
    assert set(saved) == set(own.split())


def test_by_default_a_frame_needs_no_reply_and_no_accounts_are_watched():
    assert made().reply(b"{}") == b""
    assert made().watch(("0x0",)) == []


def test_resubscribing_ends_the_subscription_first():
    assert op("subscribe", ["a"]) == b'{"op":"subscribe","args":["a"]}'
    assert resubscribe(["a"]) == (op("unsubscribe", ["a"]), op("subscribe", ["a"]))


def test_an_unreadable_row_is_skipped_and_counted():
    venue = VenueState("x")
    rows = venue.rows(int)
    assert rows.decode(b'[1,"2"]') == [1, 2]
    assert venue.skipped == {}
    assert rows.decode(b'[1,"x",{"y":2},3]') == [1, 3]
    assert venue.skipped == {UNREADABLE: 2}


@pytest.mark.parametrize("raw", [b'["x"]', b"{}", b"[1", b'{"1":1}'])
def test_rows_of_which_none_can_be_read_are_an_error(raw):
    venue = VenueState("x")
    with pytest.raises(msgspec.MsgspecError):
        venue.rows(int).decode(raw)
    assert venue.skipped == {}


def test_of_rows_in_rows_those_that_cannot_be_read_are_counted_also_where_none_can_be():
    venue = VenueState("x")
    assert venue.rows(int).readable([msgspec.Raw(b"1"), msgspec.Raw(b"[]")]) == [1]
    assert venue.rows(int).readable([msgspec.Raw(b"[]")]) == []
    assert venue.skipped == {UNREADABLE: 2}


def test_an_invalid_row_is_skipped_unless_all_are_invalid():
    venue = VenueState("x")
    make = lambda text: [float(text)]  # noqa: E731
    assert of_each(["1", "x", "2"], make, venue.skip) == [1.0, 2.0]
    assert venue.skipped == {UNREADABLE: 1}
    with pytest.raises(ValueError, match="could not convert string"):
        of_each(["x", "y"], make, venue.skip)
    assert of_each([], make, venue.skip) == []
    assert venue.skipped == {UNREADABLE: 1}
