"""Answers up to a bound: whole ones come through, none costs more than its bound."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import aiohttp
import pytest
from aiohttp import web

from powderkeg.live.network import bounded
from powderkeg.live.network.bounded import InvalidResponse

BODY = b'{"a":1}' * 100_000


@pytest.fixture
def ask(server):
    async def answer_of(body, packing="", most=bounded.MOST):
        async def give(_):
            headers = {"content-encoding": packing} if packing else {}
            return web.Response(body=body, headers=headers)

        host = await server(give)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as http,
            http.get(f"http://{host}/") as answer,
        ):
            return await bounded.read(answer, most)

    return answer_of


@pytest.mark.parametrize(
    ("body", "packing"),
    [
        (BODY, ""),
        (BODY, "identity"),
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(BODY), "GZIP"),
        (zlib.compress(BODY), "deflate"),
    ],
)
async def test_a_whole_answer_comes_through_packed_or_not(ask, body, packing):
    assert await ask(body, packing) == BODY
    assert await ask(body, packing, most=len(BODY)) == BODY


@pytest.mark.parametrize(("body", "packing"), [(BODY, ""), (gzip.compress(BODY), "gzip")])
async def test_one_byte_too_many_is_refused(ask, body, packing):
    with pytest.raises(InvalidResponse, match="expected at most 699,999 bytes, found more"):
        await ask(body, packing, most=len(BODY) - 1)


async def test_an_empty_answer_is_empty(ask):
    assert await ask(b"", "gzip") == b""


async def test_a_bomb_is_unpacked_no_further_than_the_bound(ask):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(InvalidResponse, match="found more"):
        await ask(bomb, "gzip", most=1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


@pytest.mark.parametrize(
    ("body", "packing", "words"),
    [
        (BODY, "gzip", "expected a gzip answer"),
        (gzip.compress(BODY)[:-20], "gzip", "found it cut short"),
        (BODY, "br", "packed with gzip or not at all, found 'br'"),
        (BODY, "gzip, gzip", "found 'gzip, gzip'"),
    ],
)
async def test_what_cannot_be_unpacked_is_reported(ask, body, packing, words):
    with pytest.raises(InvalidResponse, match=words):
        await ask(body, packing)
