"""What has arrived and was not yet stored: the only thing sockets, requests and the shell share."""

from __future__ import annotations

import asyncio
import contextlib

from powderkeg.frames import ControlMessage, Frame, control_frame
from powderkeg.live.timekeeping.clock import now


class Inbox:
    """Frames in the order of arrival. Nothing is ever dropped here: `size` tells how far behind."""

    def __init__(self, last: int = 0) -> None:
        """Number frames from ``last + 1`` on."""
        self._frames: list[Frame] = []
        self._last = last
        self._full = asyncio.Event()

    @property
    def size(self) -> int:
        """Frames that wait."""
        return len(self._frames)

    def put(self, venue: str, raw: bytes, channel: str = "") -> None:
        """Take what a venue sent, as it came."""
        self._last += 1
        self._frames.append(Frame(self._last, now(), venue, channel, raw))
        self._full.set()

    def put_control(self, said: ControlMessage) -> None:
        """Take a word of the shell."""
        self._last += 1
        self._frames.append(control_frame(self._last, now(), said))
        self._full.set()

    async def wait(self, seconds: float) -> None:
        """Wait until something is there, or so many seconds."""
        # not `wait_for`: until Python 3.12 it loses a cancellation that comes with a frame
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._full.wait()

    def take(self) -> list[Frame]:
        """Return what has arrived since the last call."""
        frames, self._frames = self._frames, []
        self._full.clear()
        return frames
