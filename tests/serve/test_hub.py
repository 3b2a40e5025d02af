"""The stream: encoded once, numbered without holes, and never waiting for a slow reader."""

from __future__ import annotations

import asyncio
import copy

import msgspec
import numpy as np
import pytest

from powderkeg.events import ClockTick
from powderkeg.feed.drive import drive
from powderkeg.maps.views.queries import SPANS, HeatmapQuery, SpanQuery
from powderkeg.maps.views.views import heatmap
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import BACKLOG, QUICK, SLICE, Hub, Stream

QUERY = SpanQuery(span="12h")


def drain(reader):
    out = []
    while reader._queue:
        out.append(msgspec.msgpack.decode(reader._queue.popleft()))
    return out


def test_a_page_that_follows_the_stream_ends_with_the_map_a_fresh_one_fetches(hub, prepared):
    market, desk = prepared
    stream, reader = hub.join("BTC", QUERY)
    heat = heatmap(desk, HeatmapQuery(span="12h"))
    cells, first = heat.cells.copy(), heat.t0
    drain(reader)
    for _ in range(70):
        drive(desk, market.step(1.0))
        desk.apply(ClockTick(market.now))
        asyncio.run(hub.beat())
        for message in drain(reader):
            assert message["kind"] != "rebase"
            if message["kind"] != "column":
                continue
            while message["t"] >= first + heat.step * heat.cols:
                cells = np.concatenate((cells[1:], np.zeros((1, heat.rows), np.uint8)))
                first += heat.step
            column = cells[(message["t"] - first) // heat.step]
            values = np.frombuffer(message["v"], np.uint8)
            if message["full"]:
                column[:] = values
            else:
                column[np.frombuffer(message["r"], "<u2")] = values
    fresh = heatmap(desk, HeatmapQuery(span="12h"))
    assert fresh.t0 == first
    assert np.array_equal(fresh.cells[-2:], cells[-2:])
    hub.leave(stream, reader)


def test_where_the_money_scale_of_a_coin_changes_a_page_is_reported_to_fetch_the_map_anew(prepared):
    desk = copy.deepcopy(prepared[1])
    hub = Hub(Session("simulated", {"BTC": desk}, lambda: desk.now))
    stream, reader = hub.join("BTC", QUERY)
    assert drain(reader)[0]["vmin"] == heatmap(desk, HeatmapQuery(span="12h")).vmin
    for market in desk.estimated():
        market.rings[stream_step(stream)]._fit(4e6)
    asyncio.run(hub.beat())
    assert [message["kind"] for message in drain(reader)] == ["rebase"]
    assert msgspec.msgpack.decode(stream.hello()[0])["vmin"] == pytest.approx(10.0)
    assert heatmap(desk, HeatmapQuery(span="12h")).vmin == pytest.approx(10.0)


def stream_step(stream):
    return SPANS[stream.query.span][0]


def test_a_slow_reader_loses_what_it_did_not_read_and_gets_the_newest_column_whole(hub, prepared):
    market, desk = prepared
    stream, reader = hub.join("BTC", QUERY)
    for _ in range(20):
        drive(desk, market.step(1.0))
        asyncio.run(hub.beat())
        assert len(reader._queue) <= BACKLOG
    kept = drain(reader)
    seqs = [message["seq"] for message in kept]
    whole = kept[0]
    assert whole["kind"] == "column"
    assert whole["full"]
    assert whole["resync"]
    assert seqs == list(range(seqs[0], stream.seq + 1))
    hub.leave(stream, reader)


def test_streams_that_one_slice_of_time_does_not_serve_are_the_first_of_the_next(
    hub, prepared, monkeypatch
):
    market, desk = prepared
    clock = [100.0]
    monkeypatch.setattr("powderkeg.serve.stream.hub.time.monotonic", lambda: clock[0])
    moved = Stream.send_tail

    def slow(stream):
        moved(stream)
        clock[0] += 0.6 * SLICE

    monkeypatch.setattr(Stream, "send_tail", slow)
    joined = [hub.join("BTC", SpanQuery(span=span)) for span in ("1h", "4h", "12h", "1d")]
    drive(desk, market.step(1.0))
    reported = []
    for _ in range(2):
        before = [stream.seq for stream, _ in joined]
        hub.send_tail()
        reported.append([stream.seq > was for (stream, _), was in zip(joined, before, strict=True)])
        clock[0] += 1.0
    assert reported == [[True, True, False, False], [False, False, True, True]]
    for stream, reader in joined:
        hub.leave(stream, reader)


def test_the_more_readers_the_longer_between_two_quick_beats(hub, prepared, monkeypatch):
    market, desk = prepared
    clock = [100.0]
    monkeypatch.setattr("powderkeg.serve.stream.hub.time.monotonic", lambda: clock[0])
    joined = [hub.join("BTC", QUERY) for _ in range(1_000)]
    hub.send_tail()
    stream = joined[0][0]
    reported = [stream.seq]
    for _ in range(10):
        clock[0] += 0.1
        drive(desk, market.step(1.0))
        hub.send_tail()
        reported.append(stream.seq)
    assert reported[-1] - reported[0] <= 4
    for stream, reader in joined:
        hub.leave(stream, reader)


def test_a_message_is_encoded_once_for_all(hub, monkeypatch):
    joined = [hub.join("BTC", QUERY) for _ in range(50)]
    packed = []
    monkeypatch.setattr("powderkeg.serve.stream.hub.pack", lambda m: packed.append(m) or bytes(4))
    asyncio.run(hub.beat())
    sent = sum(len(reader._queue) - 2 for _, reader in joined)
    assert sent == 50 * len(packed)
    for stream, reader in joined:
        hub.leave(stream, reader)


def test_readers_of_one_map_share_a_stream_that_ends_with_the_last_of_them(hub):
    one, first = hub.join("BTC", QUERY)
    two, second = hub.join("BTC", QUERY)
    assert one is two
    hub.leave(one, first)
    assert hub.streams
    hub.leave(two, second)
    assert not hub.streams
    assert hub.place("BTC", QUERY)[1] == 0


async def test_a_reader_waits_until_there_is_something(hub):
    stream, reader = hub.join("BTC", QUERY)
    drain(reader)
    taker = asyncio.ensure_future(reader.take())
    await asyncio.sleep(0)
    assert not taker.done()
    await hub.beat()
    assert msgspec.msgpack.decode(await taker)["kind"] == "column"
    hub.leave(stream, reader)


def test_a_quick_beat_sends_the_newest_column_once_something_has_happened(hub, prepared):
    market, desk = prepared
    stream, reader = hub.join("BTC", QUERY)
    stream.send_tail()
    drain(reader)
    stream.send_tail()
    assert drain(reader) == []
    drive(desk, market.step(1.0))
    stream.send_tail()
    assert {message["kind"] for message in drain(reader)} == {"column"}
    hub.leave(stream, reader)


def test_quick_beats_are_numbered_with_the_slow_ones(hub, prepared):
    market, desk = prepared
    stream, reader = hub.join("BTC", QUERY)
    drain(reader)
    reported = []
    for n in range(6):
        drive(desk, market.step(1.0))
        asyncio.run(hub.beat()) if n % 2 else stream.send_tail()
        reported += [message["seq"] for message in drain(reader)]
    assert reported == list(range(1, len(reported) + 1))
    hub.leave(stream, reader)


def test_quick_beats_come_no_more_often_than_a_reader_can_follow(hub, prepared, monkeypatch):
    market, desk = prepared
    stream, reader = hub.join("BTC", QUERY)
    drain(reader)
    clock = [100.0]
    monkeypatch.setattr("powderkeg.serve.stream.hub.time.monotonic", lambda: clock[0])
    sent = 0
    for _ in range(20):
        clock[0] += QUICK / 10
        drive(desk, market.step(0.2))
        hub.send_tail()
        sent += bool(drain(reader))
    assert 1 <= sent <= 3
    hub.leave(stream, reader)


def test_nobody_watching_costs_a_quick_beat_nothing(hub, prepared):
    market, desk = prepared
    stream, reader = hub.join("BTC", QUERY)
    hub.leave(stream, reader)
    drive(desk, market.step(1.0))
    stream.send_tail()
    assert stream.seq == 0
