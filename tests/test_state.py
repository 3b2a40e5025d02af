"""State as bytes."""

import contextlib
from collections import deque

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from powderkeg.state import Codec


class Point(Struct, frozen=True):
    """A record."""

    x: float
    y: float = 0.0


class Base:
    """What an object may inherit."""

    __slots__ = ("kept",)


class Thing(Base):
    """An object."""

    __slots__ = ("name", "rest")

    def __init__(self, name, rest):
        self.kept, self.name, self.rest = True, name, rest


CODEC = Codec((Point, Thing))
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
keys = st.integers(-9, 9) | st.text(max_size=3) | st.tuples(st.integers(0, 9), st.integers(0, 9))
values = st.recursive(
    scalars | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=3)
        | st.lists(inner, max_size=3).map(lambda items: deque(items, maxlen=5))
    ),
    max_leaves=10,
)


@given(values)
def test_a_value_that_was_packed_and_unpacked_packs_alike(value):
    raw = CODEC.pack(value)
    back = CODEC.unpack(raw)
    assert type(back) is type(value)
    assert CODEC.pack(back) == raw


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "i4", "i8", "u1", "?"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_an_array_comes_back_with_its_type_its_shape_and_every_bit(dtype, shape):
    array = np.random.default_rng(1).integers(0, 2**31, shape).astype(dtype)
    back = CODEC.unpack(CODEC.pack(array))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    back[...] = 0


def test_an_array_that_is_a_view_comes_back_whole():
    view = np.arange(12.0).reshape(3, 4).T[1::2]
    assert np.array_equal(CODEC.unpack(CODEC.pack(view)), view)


def test_not_a_number_keeps_its_bits():
    odd = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f", "f8")
    assert CODEC.unpack(CODEC.pack(odd)).tobytes() == odd.tobytes()


@pytest.mark.parametrize(
    "scalar", [np.float64(1.5), np.float32(0.1), np.int64(-3), np.bool_(True), np.str_("abc")]
)
def test_a_scalar_of_numpy_stays_one(scalar):
    back = CODEC.unpack(CODEC.pack(scalar))
    assert back == scalar
    assert type(back) is type(scalar)


def test_records_and_objects_come_back_with_all_they_know():
    back = CODEC.unpack(CODEC.pack(Thing("a", [Point(1.0), {(1, 2): Point(2.0, 3.0)}])))
    assert (back.kept, back.name) == (True, "a")
    assert back.rest == [Point(1.0), {(1, 2): Point(2.0, 3.0)}]


def test_a_deque_keeps_its_bound():
    assert CODEC.unpack(CODEC.pack(deque([1, 2], maxlen=2))).maxlen == 2


def test_the_digest_differs_where_a_bit_does():
    a, b = np.zeros(4), np.zeros(4)
    b[3] = 5e-324
    assert CODEC.digest([a]) == CODEC.digest([a.copy()])
    assert CODEC.digest([a]) != CODEC.digest([b])


@pytest.mark.parametrize("stranger", [object(), {1, 2}, Codec(()), 1j, Struct])
def test_an_object_of_an_unlisted_class_cannot_be_packed(stranger):
    with pytest.raises(TypeError, match="expected a class of the desk"):
        CODEC.pack([stranger])


def test_a_class_that_only_shares_a_listed_name_cannot_be_packed():
    other = type("Point", (), {"__slots__": ()})
    with pytest.raises(TypeError, match="expected a class of the desk"):
        CODEC.pack(other())


def packed(value):
    return msgspec.msgpack.encode(value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\x93\x01",
        packed({"object": ["Stranger", []]}),
        packed({"object": ["Thing", [["nope", 1]]]}),
        packed({"object": ["Thing", []]}),
        packed({"struct": ["Point", [["x", 1.0]]]}),
        packed({"object": ["Thing"]}),
        packed({"array": ["f8", [3], b"12345678"]}),
        packed({"array": ["O", [1], b"12345678"]}),
        packed({"array": 5}),
        packed({"scalar": ["f8", b""]}),
        packed({"array": ["f8", [2**64 - 1], b""]}),
        packed({"deque": [-1, []]}),
        packed({"dict": [[[1], 2]]}),
        packed({"dict": [1]}),
        packed({}),
        packed({"a": 1, "b": 2}),
        b"\x91" * 100_000,
    ],
)
def test_bytes_that_are_no_snapshot_are_refused_with_one_kind_of_error(raw):
    with pytest.raises(ValueError, match="expected a snapshot of this version"):
        CODEC.unpack(raw)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(raw):
    with contextlib.suppress(ValueError):
        CODEC.unpack(raw)
