"""A hostile venue: it passes everything through to a made one until it is told to do harm."""

from __future__ import annotations

import asyncio
import contextlib
import gzip

from aiohttp import ClientSession, WSMsgType, web

MB = 1 << 20
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Evil:
    """Stands before the venue at `host`; `mode` says what harm it does."""

    def __init__(self, host):
        self.host = host
        self.mode = ""
        self.hits = 0
        self.elsewhere = ""
        """Where answers are sent to."""

    async def __call__(self, request):
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._socket(request)
        harm = None if self.mode.startswith("ws_") else getattr(self, f"_{self.mode}", None)
        if harm is None:
            return await self._pass(request)
        self.hits += 1
        return await harm(request)

    async def _pass(self, request):
        kind = {"content-type": request.headers.get("content-type", "application/json")}
        url = f"http://{self.host}{request.path_qs}"
        async with (
            ClientSession() as http,
            http.request(request.method, url, data=await request.read(), headers=kind) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    # -- answers

    async def _garbage(self, _):
        return web.Response(body=bytes(range(256)) * 40)

    async def _deep(self, _):
        return web.Response(body=b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}")

    async def _huge(self, request):
        async def parts():
            for _ in range(100):
                yield b'{"a":1},' * (MB // 8)

        return await _raw(request, OK + b"Content-Length: %d\r\n\r\n" % (100 * MB), parts())

    async def _endless(self, request):
        async def parts():
            yield b"[1"
            while True:
                yield b",1" * 32_768

        return await _raw(request, OK + b"Connection: close\r\n\r\n", parts())

    async def _dripping(self, request):
        async def parts():
            while True:
                yield b" "
                await asyncio.sleep(0.05)

        return await _raw(request, OK + b"Connection: close\r\n\r\n", parts())

    async def _bomb(self, _):
        return web.Response(body=BOMB, headers={"content-encoding": "gzip"})

    async def _elsewhere(self, _):
        return web.Response(status=302, headers={"location": self.elsewhere})

    async def _wait(self, _):
        return web.Response(status=429, headers={"retry-after": "\u00b2"})

    async def _long_wait(self, _):
        return web.Response(status=429, headers={"retry-after": "9" * 400})

    async def _weight(self, request):
        answer = await self._pass(request)
        answer.headers["x-mbx-used-weight-1m"] = "\u00b2"
        return answer

    async def _long_header(self, _):
        return web.Response(body=b"{}", headers={"x-a": "a" * 100_000})

    # -- messages

    async def _socket(self, request):
        out = web.WebSocketResponse(max_msg_size=0)
        await out.prepare(request)
        async with ClientSession() as http, http.ws_connect(
            f"http://{self.host}{request.path_qs}", max_msg_size=0
        ) as up:  # fmt: skip
            tasks = [asyncio.ensure_future(_down(up, out)), asyncio.ensure_future(self._bad(out))]
            try:
                async for message in out:
                    if message.type == WSMsgType.TEXT:
                        await up.send_str(message.data)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        return out

    async def _bad(self, out):
        while True:
            await asyncio.sleep(0.05)
            if self.mode.startswith("ws_"):
                self.hits += 1
                with contextlib.suppress(ConnectionError):
                    await getattr(self, f"_{self.mode}")(out)

    async def _ws_garbage(self, out):
        await out.send_bytes(bytes(range(256)) * 10)

    async def _ws_deep(self, out):
        await out.send_str('{"stream":"x","data":' + "[" * 200_000 + "]" * 200_000 + "}")

    async def _ws_flood(self, out):
        for _ in range(300):
            await out.send_str('{"x":')

    async def _ws_huge(self, out):
        transport = out._req.transport
        transport.write(bytes([0x81, 127]) + (100 * MB).to_bytes(8, "big"))
        await _drained(transport, (b"1," * (MB // 2) for _ in range(100)))

    async def _ws_parts(self, out):
        transport = out._req.transport
        size = bytes([127]) + MB.to_bytes(8, "big")
        heads = (b"\x01" if not n else b"\x00" for n in range(200))
        await _drained(transport, (head + size + b"x" * MB for head in heads))

    async def _ws_empty_parts(self, out):
        transport = out._req.transport
        await _drained(transport, (b"\x01\x00" if not n else b"\x00\x00" for n in range(20_000)))
        transport.close()


def bomb(mb):
    """Return so many MB of zeros, packed."""
    return gzip.compress(bytes(mb * MB))


BOMB = bomb(200)


async def _down(up, out):
    with contextlib.suppress(ConnectionError):
        async for message in up:
            if message.type == WSMsgType.TEXT:
                await out.send_str(message.data)
    await out.close()


async def _raw(request, head, parts):
    transport = request.transport
    transport.write(head)
    async for part in parts:
        await _drained(transport, [part])
        if transport.is_closing():
            break
    transport.close()
    return web.Response()


async def _drained(transport, parts):
    for part in parts:
        transport.write(part)
        while transport.get_write_buffer_size() > MB and not transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        if transport.is_closing():
            return
