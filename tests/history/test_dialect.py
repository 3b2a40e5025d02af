"""How text files write their tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.history.files.dialect import Dialect, sniff


def test_excel_of_europe_writes_semicolons_and_decimal_commas():
    head = "\ufeffZeit;Open;Close\n01.01.2025 00:00;93500,0;93509,3\n".encode()
    assert sniff(head) == Dialect(";", ",", 0, ("Zeit", "Open", "Close"), {})


def test_semicolons_alone_do_not_make_a_decimal_comma():
    assert sniff(b"a;b\n1.5;2.5\n").decimal == "."
    assert sniff(b"a;b\n1;2\n").decimal == "."


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_header_is_the_first_line_with_the_names_wanted(delimiter):
    head = delimiter.join(("t", "p")) + "\n" + delimiter.join(("1", "2")) + "\n"
    found = sniff(b"https://www.example.com\n" + head.encode(), ("p", "t"))
    assert (found.delimiter, found.header, found.first) == (delimiter, 1, 2)


def test_a_header_may_be_found_by_its_shape_below_other_lines():
    found = sniff(b"https://www.CryptoDataDownload.com\nUnix,Open\n1735858800000,93970\n")
    assert (found.header, found.names) == (1, ("Unix", "Open"))


@pytest.mark.parametrize(
    "line",
    ["#ts,2026-08-29,px,78640.5", "# ts: 2026-08-29, px: 78640.5", "# ts=2026-08-29,px=78640.5"],
)
def test_comment_lines_above_the_header_are_constants(line):
    found = sniff(f"{line}\naddr,size\n0x1,2\n".encode(), ("ts", "addr"))
    assert found.constants == {"ts": "2026-08-29", "px": "78640.5"}
    assert found.names == ("addr", "size")


def test_rows_without_a_header_are_numbered():
    assert sniff(b"1,2.5,3\n4,5,6\n") == Dialect(",", ".", None, ("0", "1", "2"), {})
    assert sniff(b"1,2\n", ("t",)).header is None


def test_quotes_hold_separators_together():
    assert sniff(b'"a,b",c\n"1,5",2\n').names == ("a,b", "c")


@given(st.binary(max_size=300), st.lists(st.text(max_size=3), max_size=3))
def test_any_text_has_a_dialect(head, wanted):
    found = sniff(head, wanted)
    assert found.first >= 0
    assert len(found.names) <= 4096
