"""``powderkeg watch``: records to lines of text, the connection, the screen."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import math
import socket
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from rich.text import Text
from websockets.asyncio.server import serve

from powderkeg.cli.watch.command import ladder_query
from powderkeg.cli.watch.connection import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Connected,
    Lost,
    Refused,
    Server,
    updates,
)
from powderkeg.cli.watch.ladder import (
    compact,
    followed,
    ladder_lines,
    scrolled,
    walls_by_row,
)
from powderkeg.cli.watch.once import plain, received
from powderkeg.cli.watch.panels import header, problem_line, read_lines, seconds, tape_lines
from powderkeg.cli.watch.state import WatchState
from powderkeg.errors import ConfigError, RequestError
from powderkeg.events import SECOND
from powderkeg.maps.flow.ladder import Ladder, WallRow
from powderkeg.maps.flow.queries import LadderQuery
from powderkeg.maps.flow.read import Read, ReadRow
from powderkeg.maps.flow.tape import Tape
from powderkeg.serve.answers.compose import flat
from powderkeg.serve.answers.flow import FLOW_ANSWERS, FlowEnvelope
from powderkeg.serve.codec import pack

AT = 1_767_225_600 * SECOND
ROWS = 20
FIRST = 990
QUERY = LadderQuery(rows=ROWS)


def zeros(**at):
    """Return an array of the ladder's rows with some of them set."""
    out = np.zeros(ROWS, np.float32)
    for row, value in at.items():
        out[int(row.removeprefix("r")) - FIRST] = value
    return out


def wall(side, price, state="standing"):
    return WallRow("binance:BTCUSDT", side, price, 50.0, AT, 0.0, 0.0, state, None)


def ladder(**changed):
    """Return a ladder of rows 990 to 1009, each 50 high, last traded in row 1000."""
    fields = {
        "step": 50.0, "first": FIRST, "rows": ROWS, "last": 50_010.0,
        "bid": zeros(r999=12.5, r998=50), "ask": zeros(r1001=25),
        "bought": zeros(r1000=3), "sold": zeros(r1000=1.5), "largest": zeros(),
        "stacked": zeros(r999=-4), "fuel_long": zeros(r995=3e6), "fuel_short": zeros(r1005=1e6),
        "fired_long": zeros(), "fired_short": zeros(),
        "window": 60, "traded_since": AT, "best_bid": 49_990.0, "best_ask": 50_010.0,
        "spread": 20.0, "depth": [], "walls": [wall("bid", 49_900.0)], "books": [],
    } | changed  # fmt: skip
    return Ladder(**fields)


def tape(*rows):
    """Return a tape of (notional, signed size, mark) a second apart."""
    count = len(rows)
    return Tape(
        markets=["binance:BTCUSDT"], time=AT + SECOND * np.arange(count, dtype=np.float64),
        market=np.zeros(count, np.uint16), price=np.full(count, 50_000.0),
        size=np.array([row[1] for row in rows], np.float32),
        notional=np.array([row[0] for row in rows], np.float32),
        count=np.ones(count, np.uint16), mark=np.array([row[2] for row in rows], np.uint8),
        large=1e5, counted=9, merged_within=0.1,
    )  # fmt: skip


def read_row(name, state, **changed):
    fields = {
        "name": name, "state": state, "word": "volume heavy", "figure": 4.5, "unit": "multiple",
        "threshold": 3.0, "need": "3 times the usual volume", "n": 241, "n_of": "minutes",
        "age": 2.0, "detail": "delta +$1M",
    } | changed  # fmt: skip
    return ReadRow(**fields)


def read():
    unknown = read_row("crowd", "unknown", figure=math.nan, unit="percentile", age=None)
    rows = [
        read_row("where", "not met", unit="fraction of price", figure=0.0021, threshold=0.0015),
        read_row("whether", "waiting", unit="ratio", figure=0.25, threshold=0.5),
        read_row("when", "met"),
        unknown,
    ]
    return Read(rows=rows, met=1, version=1, clusters=[])


def message(name, view, seq=0):
    about = FlowEnvelope(
        coin="BTC", source="simulated", note="", as_of=AT, now=AT + SECOND, price=50_010.0, seq=seq
    )
    return pack(flat(FLOW_ANSWERS[name], about, view))


MESSAGES = (
    message("tape", tape((2e3, 0.04, 0), (2e5, -4.0, 1), (5e4, 1.0, 2)), 0),
    message("read", read(), 1),
    message("ladder", ladder(), 2),
)


def filled(*more):
    """Return a state that has received one message of each kind, and more."""
    state = WatchState()
    state.begin()
    for raw in (*MESSAGES, *more):
        state.take(raw, 10.0)
    return state


def row_of(lines, price):
    (found,) = [line.plain for line in lines if price in line.plain]
    return found


def test_a_row_shows_fuel_book_and_trades_at_its_price():
    lines = ladder_lines(filled(), FIRST, 80, ROWS)
    assert len(lines) == ROWS + 1
    assert "$3.0M█" in row_of(lines, "49,750")
    assert "$1.0M▒" in row_of(lines, "50,250")
    assert "█■  50.0" in row_of(lines, "49,900")
    assert row_of(lines, "49,950").split() == ["-4.00", "██", "12.5", "49,950"]
    assert row_of(lines, "50,000").split() == ["1.50", "▶", "50,000", "3.00", "1.50"]


def test_prices_fall_from_top_to_bottom():
    text = "\n".join(line.plain for line in ladder_lines(filled(), FIRST, 80, ROWS))
    assert text.index("50,450") < text.index("50,000") < text.index("49,500")


@pytest.mark.parametrize("width", [80, 110, 200])
def test_no_row_is_wider_than_the_screen_and_all_are_equally_wide(width):
    lines = ladder_lines(filled(), FIRST, width, ROWS)
    assert {line.cell_len for line in lines} == {62 + (width - 62) // 3 * 3}


def test_fuel_of_the_last_map_stays_beside_ladders_without_one():
    none = np.zeros(0, np.float32)
    state = filled(message("ladder", ladder(fuel_long=none, fuel_short=none), 3))
    assert "$3.0M" in row_of(ladder_lines(state, FIRST, 80, ROWS), "49,750")


def test_fuel_of_another_height_of_row_is_dropped():
    none = np.zeros(0, np.float32)
    state = filled(message("ladder", ladder(step=20.0, fuel_long=none, fuel_short=none), 3))
    assert state.fuel is None


def test_bid_walls_round_down_and_ask_walls_up_and_only_some_ends_are_marked():
    walls = [
        wall("bid", 49_930.0), wall("ask", 50_060.0), wall("ask", 50_110.0, "pulled"),
        wall("bid", 49_800.0, "traded"),
    ]  # fmt: skip
    assert walls_by_row(ladder(walls=walls)) == {
        ("bid", 998): "■", ("ask", 1002): "■", ("ask", 1003): "×",
    }  # fmt: skip


def test_the_screen_moves_only_as_price_nears_its_end():
    lowest = followed(ladder(), 10, None)
    assert lowest == 995
    assert followed(ladder(last=50_100.0), 10, lowest) == lowest
    assert followed(ladder(last=50_200.0), 10, lowest) == 999


def test_scrolling_ends_where_the_ladder_does():
    assert scrolled(ladder(), 10, 995, 500) == FIRST + ROWS - 10
    assert scrolled(ladder(), 10, 995, -500) == FIRST
    assert scrolled(ladder(), 50, 995, 1) == FIRST


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, ""), (0.012, "0.012"), (12.34, "12.3"), (-4560, "-4.56K"), (999.96, "1.00K"),
     (123_456, "123K"), (7.1e6, "7.10M")],
)  # fmt: skip
def test_an_amount_has_three_figures_and_at_most_six_characters(amount, text):
    assert compact(amount) == text


def test_the_tape_has_the_newest_first_and_tags_large_prints_and_liquidations():
    heading, newest, large, oldest = tape_lines(filled(), 0.0, 60, 9)
    assert heading.plain.startswith("time")
    assert newest.plain.endswith("LIQ long")
    assert large.plain.endswith("*")
    assert "-4.00" in large.plain
    assert oldest.plain.startswith("00:00:00 binance")


def test_the_tape_leaves_out_prints_below_the_smallest():
    assert len(tape_lines(filled(), 1e5, 60, 9)) == 2


def test_each_state_of_the_read_has_a_sign_beside_its_colour():
    lines = [line.plain for line in read_lines(filled(), 200)]
    assert [line[0] for line in lines] == ["○", "◷", "✓", "?"]
    assert "0.21% of 0.15%" in lines[0]
    assert "4.5x of 3.0x n 241" in lines[2]
    assert "2.0 s needs 3 times the usual volume" in lines[2]
    assert "– of 3" in lines[3]
    assert "no data" in lines[3]


def test_a_line_of_the_read_ends_with_an_ellipsis_where_it_does_not_fit():
    assert {line.cell_len for line in read_lines(filled(), 80)} == {80}


def test_the_header_tells_coin_price_source_and_age():
    text = header(filled(), "BTC", QUERY, 1e4, 12.5).plain
    assert text == (
        "BTC 50,010 · simulated · 3.5 s old · row 50 · window 3600 s · prints from $10.0K"
    )


def test_messages_that_never_came_are_counted():
    state = filled(message("read", read(), 7))
    assert state.missed == 4
    assert "4 messages missed" in header(state, "BTC", QUERY, 0.0, 10.0).plain


def test_a_new_connection_begins_the_tape_again():
    state = filled()
    state.begin()
    assert not state.prints
    assert not state.complete


@pytest.mark.parametrize("raw", [b"", b"\xc1", msgspec.msgpack.encode({"kind": "rebase"}), b"{}"])
def test_a_message_of_another_form_is_named_as_one(raw):
    with pytest.raises(RequestError, match="expected a message of ladder, tape, read, found"):
        WatchState().take(raw, 0.0)


def test_an_array_of_a_broken_length_is_a_message_of_another_form():
    whole = msgspec.msgpack.decode(MESSAGES[2])
    with pytest.raises(RequestError, match="another form"):
        WatchState().take(msgspec.msgpack.encode(whole | {"bid": b"123"}), 0.0)


def test_nothing_received_is_said():
    state = WatchState()
    assert ladder_lines(state, 0, 80, 5) == [Text("no ladder yet", style="dim")]
    assert read_lines(state, 80) == [Text("no read yet", style="dim")]
    assert problem_line(state, 80).plain == "! connecting"
    assert "BTC" in header(state, "BTC", QUERY, 0.0, 0.0).plain


def test_durations_have_units():
    assert [seconds(x) for x in (0.31, 12.4, 300, 9_000)] == ["0.3 s", "12 s", "5 min", "2 h"]


@pytest.mark.parametrize(("row", "window"), [(-1, 60), (0, 5), (0, 99_999)])
def test_rows_and_windows_out_of_bounds_are_refused(row, window):
    with pytest.raises(ConfigError, match="--row and --window: Expected"):
        ladder_query(row, window)


def test_the_address_has_what_differs_from_the_default():
    server = Server("https://host:1/base/")
    assert server.address("BTC", LadderQuery(row=50.0)) == (
        "wss://host:1/base/v1/stream?topic=flow&coin=BTC&row=50.0"
    )
    with pytest.raises(ConfigError, match="expected an http address"):
        Server("host:1").address("BTC", QUERY)


@contextlib.asynccontextmanager
async def serving(answer):
    """Serve sockets with a function on a free port of loopback; give the address."""
    async with serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Server(f"http://127.0.0.1:{port}", "secret")


async def take(count, server, pauses):
    """Return the first updates, with pauses noted and not waited for."""

    async def sleep(pause):
        pauses.append(pause)

    got = []
    async with contextlib.aclosing(updates(server, "BTC", QUERY, sleep)) as source:
        async for update in source:
            got.append(update)
            if len(got) == count:
                break
    return got


async def test_a_connection_that_closes_is_opened_again_and_said():
    sent = []

    async def answer(socket):
        sent.append(socket.request.headers["Authorization"])
        await socket.send(b"one")

    pauses = []
    async with serving(answer) as server:
        got = await take(5, server, pauses)
    assert got[:2] == [Connected(), b"one"]
    assert got[2] == Lost(f"{server.url} closed the connection", FIRST_PAUSE)
    assert got[3:] == [Connected(), b"one"]
    assert set(sent) == {"Bearer secret"}


async def test_a_connection_that_falls_silent_is_opened_again():
    async def answer(socket):
        await socket.wait_closed()

    async def sleep(_):
        pass

    async with serving(answer) as server:
        source = updates(server, "BTC", QUERY, sleep, silence=0.01)
        async with contextlib.aclosing(source):
            got = [await anext(source) for _ in range(3)]
    lost = Lost(f"expected a message of {server.url} within 0.01 s, found none", FIRST_PAUSE)
    assert got == [Connected(), lost, Connected()]


async def test_pauses_grow_while_nothing_answers():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server, pauses = Server(f"http://127.0.0.1:{free.getsockname()[1]}"), []
        got = await take(9, server, pauses)
    assert pauses == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    assert got[0].why.startswith(f"expected powderkeg to answer at {server.url}: ")


async def test_a_refusal_is_the_last_update():
    async def answer(socket):
        await socket.close(4400, "no coin X")

    async with serving(answer) as server:
        got = [each async for each in updates(server, "X", QUERY)]
    assert got == [Connected(), Refused("no coin X")]


async def test_a_refused_handshake_is_a_refusal_with_its_words():
    async with serve(
        lambda _: None, "127.0.0.1", 0,
        process_request=lambda socket, _: socket.respond(403, "not this host"),
    ) as listening:  # fmt: skip
        port = listening.sockets[0].getsockname()[1]
        got = [each async for each in updates(Server(f"http://127.0.0.1:{port}"), "X", QUERY)]
    assert got == [Refused("the server answered 403: not this host")]


async def test_a_frame_is_plain_text_once_all_has_arrived():
    async def answer(socket):
        for raw in MESSAGES:
            await socket.send(raw)
        await socket.wait_closed()

    async with serving(answer) as server:
        state = await received(server, "BTC", QUERY)
    text = plain(state, "BTC", QUERY, state.received)
    assert text.startswith("BTC 50,010 · simulated")
    for words in ("▶    50,000", "✓ when", "LIQ long"):
        assert words in text


async def test_a_frame_that_nobody_sends_is_refused_with_the_reason():
    async def answer(socket):
        await socket.close(4400, "no coin X")

    async with serving(answer) as server:
        with pytest.raises(RequestError, match="no coin X"):
            await received(server, "X", QUERY)
    with pytest.raises(ConfigError, match="expected powderkeg to answer"):
        await received(server, "X", QUERY)


def test_textual_is_imported_by_no_other_command():
    code = "import sys, powderkeg.cli.main; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


needs_textual = pytest.mark.skipif(
    importlib.util.find_spec("textual") is None, reason="textual is not installed"
)


def shown(app, name):
    """Return the text of a part of the screen."""
    return str(app.query_one(f"#{name}").render())


@needs_textual
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_screen_shows_what_was_fed_and_keys_change_what_is_asked(size):
    from powderkeg.cli.watch.app import WatchApp  # noqa: PLC0415  where it is installed

    asked = []

    async def fed(_server, _coin, query):
        asked.append(query)
        yield Connected()
        for raw in MESSAGES:
            yield raw
        await asyncio.Event().wait()

    app = WatchApp(Server("http://127.0.0.1:1"), "BTC", QUERY, fed)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "BTC 50,010 · simulated" in shown(app, "header")
        assert "▶    50,000" in shown(app, "ladder")
        assert "✓ when" in shown(app, "read")
        assert app.query_one("#tape").display == (size[0] > 80)
        assert app.query_one("#read").size.height == 4
        await pilot.press("w", "plus", "t")
        await pilot.pause()
        assert (asked[-1].window, asked[-1].row) == (14_400, 100.0)
        assert "prints from $1.0K" in shown(app, "header")
        await pilot.press("q")
    assert app.return_code == 0


@needs_textual
async def test_the_screen_says_what_is_wrong_and_goes_on():
    from powderkeg.cli.watch.app import WatchApp  # noqa: PLC0415  where it is installed

    proceed, end = asyncio.Event(), asyncio.Event()

    async def fed(*_):
        yield Connected()
        yield b"{}"
        await proceed.wait()
        yield Lost("closed", 0.5)
        await end.wait()
        yield Refused("no coin X")

    app = WatchApp(Server("http://127.0.0.1:1"), "X", QUERY, fed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "! expected a message of ladder" in shown(app, "problem")
        proceed.set()
        await pilot.pause()
        assert "! next attempt in 0.5 s: closed" in shown(app, "problem")
        end.set()
        await pilot.pause()
        assert "! refused: no coin X" in shown(app, "problem")
        assert app.is_running


@needs_textual
async def test_the_screen_closes_while_messages_arrive():
    from powderkeg.cli.watch.app import WatchApp  # noqa: PLC0415  where it is installed

    async def fed(*_):
        yield Connected()
        while True:
            for raw in MESSAGES:
                yield raw
                await asyncio.sleep(0)

    app = WatchApp(Server("http://127.0.0.1:1"), "BTC", QUERY, fed)
    async with app.run_test(size=(130, 30)) as pilot:
        await pilot.press("q")
    assert app.return_code == 0


@needs_textual
def test_no_color_sends_no_colours(monkeypatch):
    from powderkeg.cli.watch.app import WatchApp  # noqa: PLC0415  where it is installed

    def filters():
        app = WatchApp(Server("http://127.0.0.1:1"), "BTC", QUERY)
        return {type(each).__name__ for each in app._filters}

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "NoColor" not in filters()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "NoColor" in filters()
