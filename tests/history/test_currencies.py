"""Display currencies: the fixing of the day, and what is said where there is none."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from powderkeg.errors import ConfigError, DataError, RequestError
from powderkeg.events import DAY, HOUR
from powderkeg.history import fixings
from powderkeg.history.currencies import RateTable


def day(text):
    return int(np.datetime64(text, "D").astype(int)) * DAY


def made(rows, currencies=("USD", "NZD")):
    days = np.array([day(text) // DAY for text, *_ in rows])
    return RateTable("made", days, currencies, np.array([values for _, *values in rows]))


def test_usdt_88_000_at_1_7273_are_nzd_152_002():
    table = made([("2026-02-05", 1.0, 1.7273)])
    assert round(88_000 * table.rate("NZD", day("2026-02-05")).value) == 152_002


def test_a_frame_of_the_past_uses_the_stored_rate_of_its_day():
    shipped = fixings.shipped()
    # Of 5 February 2026 the bank fixed 1.1798 dollars and 1.9676 New Zealand dollars a euro.
    row = shipped.per_euro[shipped.days.tolist().index(day("2026-02-05") // DAY)]
    for hour in (0, 13, 23):
        rate = shipped.rate("NZD", day("2026-02-05") + hour * HOUR)
        assert rate.value == pytest.approx(row[1] / row[0], rel=1e-12)
        assert (rate.day, rate.stale) == (day("2026-02-05"), False)
    assert rate.value != shipped.rate("NZD", day("2026-02-06")).value


def test_the_shipped_table_agrees_with_itself_both_ways():
    shipped = fixings.shipped()
    assert shipped.names() == ("USD", "EUR", "NZD")
    at = day("2026-10-30")
    euro, zealand = shipped.rate("EUR", at).value, shipped.rate("NZD", at).value
    assert 1 / euro == pytest.approx(1.1172)
    assert zealand / euro == pytest.approx(1.9823)
    assert (np.diff(shipped.days) > 0).all()
    assert "European Central Bank" in shipped.source


def test_over_a_weekend_the_fixing_of_friday_holds():
    table = made([("2026-02-06", 1.0, 1.5), ("2026-02-09", 1.0, 1.6)])
    sunday = table.rate("NZD", day("2026-02-08") + 5 * HOUR)
    assert (sunday.value, sunday.day, sunday.stale) == (1.5, day("2026-02-06"), False)


def test_a_rate_is_stale_after_seven_days():
    table = made([("2026-02-06", 1.0, 1.5)])
    assert not table.rate("NZD", day("2026-02-13")).stale
    assert table.rate("NZD", day("2026-02-14")).stale


def test_before_the_first_fixing_there_is_no_rate():
    table = made([("2026-02-06", 1.0, 1.5)])
    with pytest.raises(RequestError, match="from 2026-02-06 on for NZD, found 2026-02-05"):
        table.rate("NZD", day("2026-02-05"))
    with pytest.raises(RequestError):
        table.rates("NZD", np.array([day("2026-02-06"), day("2026-02-05")]))


def test_a_currency_without_a_rate_is_refused_with_those_there_are():
    with pytest.raises(RequestError, match="expected a currency of USD, EUR, NZD, found 'XXX'"):
        made([("2026-02-06", 1.0, 1.5)]).rate("XXX", day("2026-02-06"))


def test_a_dollar_is_always_a_dollar_even_before_any_fixing():
    table = made([("2026-02-06", 1.2, 1.5)])
    assert table.rate("USD", 0).value == 1.0
    assert table.rates("USD", np.array([0, 1])).tolist() == [1.0, 1.0]


def test_rates_of_many_moments_are_those_of_each():
    shipped = fixings.shipped()
    times = day("2026-01-28") + np.arange(60) * 5 * HOUR
    each = [shipped.rate("NZD", int(at)).value for at in times]
    assert shipped.rates("NZD", times).tolist() == each
    assert len(set(each)) > 5


def test_a_day_on_which_a_currency_was_not_fixed_takes_the_one_before():
    table = made([("2026-02-05", 1.0, 1.5), ("2026-02-06", 1.0, np.nan)])
    assert table.rate("NZD", day("2026-02-06")).value == 1.5


BANK = "Date,USD,JPY,NZD,\n2026-11-20,1.10,170.5,2.0,\n2026-11-19,1.20,N/A,2.4,\n"


def zipped(text, *names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize("raw", [BANK.encode(), zipped(BANK, "eurofxref-hist.csv")])
def test_a_file_of_the_bank_wins_over_the_shipped_table(tmp_path, raw):
    fixings.keep(raw, "told", tmp_path)
    table = fixings.table(tmp_path)
    assert table.names() == ("USD", "EUR", "JPY", "NZD")
    assert table.rate("NZD", day("2026-11-21")).value == pytest.approx(2.0 / 1.1)
    assert table.rate("JPY", day("2026-11-20")).value == pytest.approx(155.0)
    with pytest.raises(RequestError):
        table.rate("JPY", day("2026-11-19"))


def test_an_older_file_is_refused_and_the_table_stays(tmp_path):
    with pytest.raises(ConfigError, match="expected fixings beyond 2026-10-30"):
        fixings.keep(b"Date,USD\n2020-01-02,1.1\n", "old.csv", tmp_path)
    assert fixings.table(tmp_path) is fixings.shipped()


def test_an_older_table_of_the_user_does_not_hide_a_newer_shipped_one(tmp_path):
    (tmp_path / fixings.NAME).write_text("date,USD,NZD\n2022-01-03,1.1,1.6\n")
    assert fixings.table(tmp_path) is fixings.shipped()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "x:1: expected columns date,USD"),
        (b"hello", "x:1: expected columns date,USD,..., found 'hello'"),
        (b"date,NZD\n2026-01-01,2", "x:1: expected columns date,USD"),
        (b"# a\ndate,USD\n", "x:2: expected fixings below the header, found none"),
        (b"# a\ndate,USD\n2026-01-01,1\nnever,2", "x:4: expected a day and rates"),
        (b"date,USD\n2026-01-01,-1", "x:2: expected 1 rates above 0"),
        (b"date,USD,NZD\n2026-01-01,1", "x:2: expected 2 rates above 0"),
        (b"\xff\xfe", "x:1: expected text"),
        (b"PK\x03\x04broken", "x:1: expected a zip archive"),
        (zipped(BANK, "a.csv", "b.csv"), "x:1: expected one CSV inside"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(raw, words):
    with pytest.raises(DataError) as why:
        fixings.parse(raw, "x")
    assert str(why.value).startswith(words)


@pytest.mark.parametrize(
    "text", ["soon", "now", "today", "NaT", "2026", "2026-02", "2026-02-30", "20260205", "", "²"]
)
def test_a_day_that_is_none_is_refused(text):
    assert fixings.day_number("1970-01-02") == 1
    with pytest.raises(RequestError, match="expected a day such as"):
        fixings.day_number(text)


def test_the_data_folder_is_where_recordings_go(monkeypatch, tmp_path):
    monkeypatch.setenv("POWDERKEG_STORE", str(tmp_path))
    assert fixings.folder() == tmp_path
    monkeypatch.delenv("POWDERKEG_STORE")
    assert fixings.folder().name == "powderkeg"
