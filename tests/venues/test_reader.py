"""What readers share: one way in, answers by their names, and what was left out."""

import json

import msgspec
import pytest

from powderkeg.errors import WireError
from powderkeg.events import HOUR, Link
from powderkeg.instruments import Instrument
from powderkeg.venues.base import Channel, Deduplicator
from powderkeg.venues.reader import (
    UNREADABLE,
    EnvelopeDecoder,
    Reader,
    VenueAdapter,
    decoder,
    of_each,
    op,
    resubscribe,
)

ONE = Instrument("x:Y", "Y", "x", "perpetual", True, 1.0, 0.1)


class SkipCounter(EnvelopeDecoder):
    """Decoder of one instrument and of the clock."""

    STATE_FIELDS = ("instruments", "intervals", "tiers")

    def __init__(self):
        super().__init__(
            "x", {"clock": (decoder(int), self.clock), "one": (decoder(str), self.one)}
        )

    def clock(self, _, value, __):
        self.server_time = value
        return []

    def one(self, symbol, value, seen):
        self.instruments[symbol], self.intervals[symbol] = ONE, HOUR
        return [Link(value, seen, seen, "up", symbol)]


class Venue(VenueAdapter[SkipCounter]):
    """A venue whose frames are words."""

    __slots__ = ("ids",)
    STATE_FIELDS = ("ids",)
    name = "x"

    def __init__(self):
        super().__init__(SkipCounter())
        self.ids = Deduplicator()

    def _live(self, raw, seen):  # noqa: ARG002  # of the base
        return self._skip(msgspec.json.decode(raw, type=str), 2)


class Plain(Reader):
    """A venue whose answers need no object of their own."""

    __slots__ = ()
    name = "plain"

    def __init__(self):
        super().__init__({"number": (decoder(float), lambda symbol, value, _: [symbol, value])})

    def _live(self, raw, seen):  # noqa: ARG002  # of the base
        raise RecursionError


def coded(data, code="0", msg=""):
    return json.dumps({"code": code, "msg": msg, "data": data}).encode()


def test_an_answer_is_read_by_the_first_half_of_its_name_and_is_of_the_symbol_in_the_second():
    assert Plain().read(b'"1.5"', 9, "number:Y:Z") == ["Y:Z", 1.5]


def test_an_answer_without_a_decoder_is_counted_under_its_name():
    for venue in (Plain(), Venue()):
        assert venue.read(coded(1), 9, "weather:" + "Y" * 40) == []
        assert venue.skipped == {"answer to weather:YYYYYYYYYYYYYYYY": 1}


@pytest.mark.parametrize(("message", "reason"), [("no " * 99, ("no " * 99)[:120]), ("", "code 7")])
def test_a_refusal_is_a_link_with_its_message_or_else_its_code(message, reason):
    assert Venue().read(coded(None, "7", message), 9, "one:Y") == [
        Link("x", 9, 9, "refused", reason)
    ]


@pytest.mark.parametrize(
    ("venue", "raw", "channel"),
    [
        (Venue(), b"{", ""),
        (Venue(), b"1", ""),
        (Venue(), coded(1), "one:Y"),
        (Venue(), b"{}", "clock"),
        (Plain(), b"[]", "number"),
        (Plain(), b"", ""),
    ],
)
def test_what_cannot_be_read_is_a_wire_error_that_names_the_venue(venue, raw, channel):
    with pytest.raises(WireError, match=venue.name):
        venue.read(raw, 9, channel)


def test_what_is_left_out_is_counted_by_reason():
    venue = Venue()
    assert venue.read(b'"late"', 9) == venue.read(b'"late"', 9) == []
    assert venue._skip("never", 0) == []
    assert venue.skipped == {"late": 4}


def test_answers_fill_the_readers_own_tables():
    venue = Venue()
    assert venue.read(coded("z"), 9, "one:Y") == [Link("z", 9, 9, "up", "Y")]
    venue.read(coded(5), 9, "clock")
    assert (venue.instruments, venue.tiers, venue.server_time) == ({"Y": ONE}, {}, 5)
    assert (venue._answers.interval("Y"), venue._answers.interval("Z")) == (HOUR, 8 * HOUR)


def test_a_restored_reader_continues_as_the_other_would():
    one, other = Venue(), Venue()
    one.read(coded("z"), 9, "one:Y")
    assert one.state_dict() == {
        "ids": one.ids,
        "answers": {"instruments": {"Y": ONE}, "intervals": {"Y": HOUR}, "tiers": {}},
    }
    other.load_state(one.state_dict())
    assert (other.instruments, other.ids) == ({"Y": ONE}, one.ids)
    other.read(coded("z"), 9, "one:Z")
    assert set(other.instruments) == {"Y", "Z"}, "instruments of later answers are included"


def test_by_default_a_frame_needs_no_reply():
    assert Venue().reply(b"{}") == b""


def test_channels_are_of_every_symbol_and_kind():
    value = Venue()._channels(["Y", "Z"], {"book": 5, "oi": 0})
    assert value == tuple(
        Channel(f"x:{symbol}", kind, expected_interval)
        for symbol in "YZ"
        for kind, expected_interval in (("book", 5), ("oi", 0))
    )


def test_resubscribing_ends_the_subscription_first():
    assert op("subscribe", ["a"]) == b'{"op":"subscribe","args":["a"]}'
    assert resubscribe(["a"]) == (op("unsubscribe", ["a"]), op("subscribe", ["a"]))


def test_by_default_a_venue_has_no_account_polls():
    assert Venue().watch(("0x0",)) == []


def test_an_unreadable_row_is_skipped_and_counted():
    venue = Plain()
    rows = venue._rows(int)
    assert rows.decode(b'[1,"2"]') == [1, 2]
    assert venue.skipped == {}
    assert rows.decode(b'[1,"x",{"y":2},3]') == [1, 3]
    assert venue.skipped == {UNREADABLE: 2}


@pytest.mark.parametrize("raw", [b'["x"]', b"{}", b"[1", b'{"1":1}'])
def test_rows_of_which_none_can_be_read_are_an_error(raw):
    venue = Plain()
    with pytest.raises(msgspec.MsgspecError):
        venue._rows(int).decode(raw)
    assert venue.skipped == {}


def test_of_rows_in_rows_those_that_cannot_be_read_are_counted_also_where_none_can_be():
    venue = Plain()
    assert venue._rows(int).readable([msgspec.Raw(b"1"), msgspec.Raw(b"[]")]) == [1]
    assert venue._rows(int).readable([msgspec.Raw(b"[]")]) == []
    assert venue.skipped == {UNREADABLE: 2}


def test_an_invalid_row_is_skipped_unless_all_are_invalid():
    venue = Plain()
    make = lambda text: [float(text)]  # noqa: E731
    assert of_each(["1", "x", "2"], make, venue._skip) == [1.0, 2.0]
    assert venue.skipped == {UNREADABLE: 1}
    with pytest.raises(ValueError, match="could not convert string"):
        of_each(["x", "y"], make, venue._skip)
    assert of_each([], make, venue._skip) == []
    assert venue.skipped == {UNREADABLE: 1}
