"""Blocks of text as columns, fast where they fit, row by row where they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import DataError
from powderkeg.history.files.columns import Layout, read_csv, read_jsonl
from powderkeg.history.files.lines import Block
from powderkeg.history.series.report import ReadReport

TYPES = {"t": "float", "p": "float", "side": "text", "m": "flag", "id": "id"}
HEAD = b"t,p,side,m,id,other\n"


def csv(text, types=TYPES, names=()):
    report = ReadReport()
    parts = list(read_csv(iter([Block("f", 1, text)]), Layout(types, names), report))
    return parts, report


def jsonl(text, types=TYPES):
    report = ReadReport()
    return list(read_jsonl(iter([Block("f", 1, text)]), Layout(types), report)), report


def test_csv_columns_come_typed_with_line_numbers():
    (part,), report = csv(HEAD + b"1,2.5,B,true,7,x\n2,3,A,False,8,y\n")
    assert part.lines.tolist() == [2, 3]
    assert part.data["t"].tolist() == [1, 2]
    assert part.data["p"].tolist() == [2.5, 3.0]
    assert part.data["side"].tolist() == ["B", "A"]
    assert part.data["m"].tolist() == [True, False]
    assert part.data["id"].tolist() == [7, 8]
    assert (report.bad, report.notes) == ({}, [])


def test_a_missing_number_is_not_a_number_and_not_an_error():
    (part,), report = csv(HEAD + b"1,,B,true,7,x\n")
    assert np.isnan(part.data["p"]).tolist() == [True]
    assert report.bad == {}


def test_a_missing_column_is_named_with_the_header_line():
    with pytest.raises(DataError, match="f:1: expected a column 'p', found t,side"):
        csv(b"t,side\n1,B\n", {"t": "float", "p": "float"})


def test_a_header_with_a_byte_order_mark_and_spaces_is_read():
    (part,), _ = csv(b"\xef\xbb\xbft, p\n1,2\n", {"t": "float", "p": "float"})
    assert part.data["p"].tolist() == [2.0]


@pytest.mark.parametrize(
    "row",
    [
        b"x,2.5,B,true,7,x",
        b"1,abc,B,true,7,x",
        b"1,2.5,B,maybe,7,x",
        b"1,2.5,B,true,7",
        b"",
        b"1,2.5,\xff,true,7,x",
    ],
)
def test_a_row_that_does_not_fit_is_named_and_the_others_kept(row):
    good = b"1,2.5,B,true,7,x\n"
    (part,), report = csv(HEAD + good + row + b"\n" + good)
    assert part.lines.tolist() == [2, 4]
    assert part.data["p"].tolist() == [2.5, 2.5]
    assert report.bad == {"unreadable row": 1}
    assert report.notes[0].startswith("f:3: unreadable row: ")


def test_the_slow_way_reads_what_the_fast_way_reads():
    rows = b"1,2.5,B,true,7,x\n2,,A,0,abc,y\n3e0,null,A,1,9,y\n"
    (part,), report = csv(HEAD + rows)
    assert part.data["t"].tolist() == [1, 2, 3]
    assert np.isnan(part.data["p"]).tolist() == [False, True, True]
    assert part.data["id"].tolist() == ["7", "abc", "9"]
    assert part.data["m"].tolist() == [True, False, True]
    assert report.bad == {}


def test_a_file_without_a_header_takes_the_names_it_is_given_and_one_with_it_too():
    names = ("t", "p")
    for text, first in ((b"1,2\n3,4\n", 1), (b"t,p\n1,2\n3,4\n", 2)):
        (part,), _ = csv(text, {"t": "float", "p": "float"}, names)
        assert part.data["t"].tolist() == [1, 3]
        assert part.lines.tolist() == [first, first + 1]


def test_each_file_has_its_own_header():
    blocks = [Block("a", 1, b"t,p\n1,2\n"), Block("a", 3, b"3,4\n"), Block("b", 1, b"p,t\n5,6\n")]
    parts = list(read_csv(iter(blocks), Layout({"t": "float", "p": "float"}), ReadReport()))
    assert [part.data["t"].tolist() for part in parts] == [[1], [3], [6]]


def test_a_file_of_a_header_alone_has_no_rows():
    assert csv(HEAD)[0] == []


def test_json_lines_come_typed_and_quoted_numbers_are_numbers():
    text = b'{"t":1,"p":"2.5","side":"B","m":true,"id":"a","z":[1]}\n'
    (part,), report = jsonl(text + b'{"t":2,"p":null,"side":null,"m":false,"id":7}\n')
    assert part.data["p"][0] == 2.5
    assert np.isnan(part.data["p"][1])
    assert part.data["side"].tolist() == ["B", ""]
    assert part.data["id"].tolist() == ["a", "7"]
    assert (part.lines.tolist(), report.bad) == ([1, 2], {})


def test_a_bad_json_line_is_named_and_the_others_kept():
    good = b'{"t":1,"p":2}\n'
    types = {"t": "float", "p": "float"}
    (part,), report = jsonl(good + b'{"t":1,"p"\n' + b"\n" + b'{"t":3}\n' + good, types)
    assert part.lines.tolist() == [1, 5]
    assert report.bad == {"unreadable row": 3}
    assert report.notes[1].startswith("f:3: ")


def test_blank_json_lines_do_not_shift_the_numbers_of_the_others():
    (part,), report = jsonl(b'{"t":1}\n\n{"t":2}\n', {"t": "float"})
    assert part.lines.tolist() == [1, 3]
    assert report.bad == {"unreadable row": 1}


def test_a_first_line_without_a_key_is_a_wrong_source_file():
    with pytest.raises(DataError, match=r"f:1: .*missing required field `p`.*in b.*\"t\":1"):
        jsonl(b'{"t":1}\n', {"t": "float", "p": "float"})


def test_book_levels_come_as_they_are():
    (part,), _ = jsonl(b'{"b":[[1.0,2],["3","4"]]}\n', {"b": "levels"})
    assert part.data["b"].tolist() == [((1.0, 2.0), (3.0, 4.0))]


STAMPED = {"t": "stamp", "p": "float"}
AT = 1_735_689_600_000_000  # 2025-01-01


@pytest.mark.parametrize("good", ["2025-01-01", "1735689600000", "1735689600000.5"])
@pytest.mark.parametrize("bad", ["yesterday", "", "17", "99999999999999999999", "2025-02-30"])
def test_a_row_without_a_time_is_named_with_what_was_found(good, bad):
    (part,), report = csv(f"t,p\n{good},1\n{bad},2\n{good},3\n".encode(), STAMPED)
    assert part.data["p"].tolist() == [1.0, 3.0]
    assert report.bad == {"no time": 1}
    assert report.notes == [
        f"f:3: no time: expected t to be a time from 2009 to 2100, found {bad!r}"
    ]


def test_a_file_without_any_time_is_refused_with_what_was_found():
    with pytest.raises(DataError, match=r"f:2: expected t to be a time .*, found '1st of May'"):
        csv(b"t,p\n1st of May,1\n2nd of May,2\n", STAMPED)
    with pytest.raises(DataError, match=r"f:1: expected t to be a time .*, found"):
        jsonl(b'{"t":"soon","p":1}\n', STAMPED)


def test_an_ambiguous_date_is_refused_with_the_key_that_decides():
    with pytest.raises(DataError, match=r"02/03/2025 may be two days: say time\.day_first"):
        csv(b"t,p\n02/03/2025,1\n", STAMPED)


def test_constants_in_comments_above_the_header_hold_for_every_row():
    text = b"#t,2025-01-01T00:00:00Z,n,2\np\n1\n2\n"
    (part,), _ = csv(text, STAMPED)
    assert part.data["t"].tolist() == [AT, AT]
    assert part.lines.tolist() == [3, 4]


def test_numbers_are_read_as_exports_write_them():
    text = b't;p\n2025-01-01;1.234,5\n2025-01-02;"2,5"\n2025-01-03;7\n'
    (part,), report = csv(text, STAMPED)
    assert (part.data["p"].tolist(), report.bad) == ([1234.5, 2.5, 7.0], {})
    text = b't,p\n2025-01-01,"$1,234.50"\n2025-01-02,1.5K\n2025-01-03,-\n'
    (part,), report = csv(text, STAMPED)
    assert part.data["p"].tolist()[:2] == [1234.5, 1500.0]
    assert np.isnan(part.data["p"][2])


def test_empty_ids_are_words_that_say_nothing():
    (part,), report = csv(b"t,id\n1735689600,\n1735689601,7\n", {"t": "stamp", "id": "id"})
    assert (part.data["id"].tolist(), report.bad) == (["", "7"], {})


def test_only_the_first_notes_are_kept_but_all_are_counted():
    report = ReadReport()
    for n in range(100):
        report.reject("f", n, "bad", "x")
    report.reject("f", 1, "worse", "y", 3)
    assert report.bad == {"bad": 100, "worse": 3}
    assert len(report.notes) == 51


@given(st.binary(max_size=200))
def test_any_text_is_rows_or_complaints(text):
    parts, report = csv(HEAD + b"1,2.5,B,true,7,x\n" + text)
    rows = sum(len(part.lines) for part in parts)
    assert rows >= 1
    assert rows + report.bad.get("unreadable row", 0) >= 1 + text.count(b"\n")
