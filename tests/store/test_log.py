"""What every log of frames must do: the journal, a whole store, and a twin that only remembers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from powderkeg.errors import GapError, StoreError
from powderkeg.frames import Frame
from powderkeg.store.database import Database
from powderkeg.store.journal import FrameLog

from .conftest import batches, frame


class MemoryLog:
    """The contract in its plainest form."""

    def __init__(self):
        self.batches = []
        self.last = 0

    @property
    def first(self):
        return self.batches[0][0].seq if self.batches else 0

    def append(self, frames):
        if not frames or frames[-1].seq <= self.last:
            return self.last
        if frames[0].seq != self.last + 1:
            raise StoreError(f"expected {self.last + 1}, found {frames[0].seq}")
        self.batches.append(list(frames))
        self.last = frames[-1].seq
        return self.last

    def read(self, after=0):
        if after and (self.first or self.last + 1) > after + 1:
            raise GapError(f"frames {after + 1} to {self.first - 1} are not kept")
        for batch in list(self.batches):
            if batch[-1].seq > after:
                yield batch

    def trim(self, upto):
        self.batches = [batch for batch in self.batches if batch[-1].seq > upto]


@pytest.fixture(params=["memory", "sqlite", "store"])
def log(request, tmp_path):
    """Return each kind of log, empty."""
    if request.param == "memory":
        yield MemoryLog()
    elif request.param == "sqlite":
        db = Database(tmp_path / "log.db")
        yield FrameLog(db)
        db.close()
    else:
        yield request.getfixturevalue("store").log


def test_an_empty_log_says_so(log):
    assert (log.first, log.last, list(log.read())) == (0, 0, [])


def test_batches_come_back_as_they_were_appended(log):
    parts = batches(3, 1, 2)
    assert [log.append(part) for part in parts] == [3, 4, 6]
    assert list(log.read()) == parts
    assert (log.first, log.last) == (1, 6)


def test_reading_begins_with_the_batch_that_holds_the_next_frame(log):
    parts = batches(3, 1, 2)
    for part in parts:
        log.append(part)
    assert [list(log.read(after)) for after in (2, 3, 4, 6)] == [
        parts, parts[1:], parts[2:], [],
    ]  # fmt: skip


def test_bytes_of_any_kind_survive(log):
    raws = [b"", b"\x00\xff" * 5, "Größe".encode(), bytes(range(256)) * 40]
    part = [Frame(i + 1, 2**60 + i, "okx", f"depth:{i}", raw) for i, raw in enumerate(raws)]
    log.append(part)
    assert list(log.read()) == [part]


def test_a_batch_that_was_kept_already_may_be_repeated(log):
    parts = batches(3, 2)
    for part in (*parts, parts[1], parts[0]):
        log.append(part)
    assert list(log.read()) == parts
    assert log.last == 5


def test_nothing_is_no_batch(log):
    assert log.append([]) == 0
    assert list(log.read()) == []


@pytest.mark.parametrize("first", [1, 2, 3, 5])
def test_a_batch_that_does_not_follow_is_refused_and_leaves_no_trace(log, first):
    log.append([frame(1), frame(2), frame(3)])
    with pytest.raises(StoreError):
        log.append([frame(first + i) for i in range(4)])
    assert log.last == 3
    log.append([frame(4)])
    assert [f.seq for batch in log.read() for f in batch] == [1, 2, 3, 4]


def test_trimming_forgets_whole_batches_only(log):
    parts = batches(3, 2, 2)
    for part in parts:
        log.append(part)
    log.trim(4)
    assert list(log.read()) == parts[1:]
    assert (log.first, log.last) == (4, 7)


def test_what_was_trimmed_cannot_be_asked_for(log):
    for part in batches(3, 2):
        log.append(part)
    log.trim(3)
    for after in (1, 2):
        with pytest.raises(GapError, match=f"frames {after + 1} to 3"):
            list(log.read(after))
    assert [f.seq for batch in log.read(3) for f in batch] == [4, 5]


def test_a_log_trimmed_bare_goes_on_with_the_next_number(log):
    log.append([frame(1), frame(2)])
    log.trim(10)
    assert (log.first, log.last) == (0, 2)
    with pytest.raises(GapError):
        list(log.read(1))
    assert log.append([frame(3)]) == 3


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 5)),
            st.tuples(st.just("repeat"), st.integers(0, 3)),
            st.tuples(st.just("trim"), st.integers(0, 40)),
        ),
        max_size=25,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_the_journal_and_its_twin_never_differ(tmp_path_factory, steps):
    twin, db = MemoryLog(), Database(tmp_path_factory.mktemp("twin") / "log.db")
    log, last = FrameLog(db), []
    for what, n in steps:
        if what == "append":
            last.append([frame(twin.last + 1 + i) for i in range(n)])
        for each in (twin, log):
            if what == "trim":
                each.trim(n)
            elif last:
                each.append(last[-1] if what == "append" else last[max(0, len(last) - 1 - n)])
        assert (log.first, log.last, list(log.read())) == (twin.first, twin.last, list(twin.read()))
    reopened = FrameLog(db)
    assert (reopened.first, reopened.last) == (twin.first, twin.last)
    db.close()
