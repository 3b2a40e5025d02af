"""Queue of frames that have arrived but are not stored yet; sockets and requests fill it."""

from __future__ import annotations

import asyncio
import contextlib

from powderkeg.frames import ControlMessage, Frame, control_frame
from powderkeg.live.timekeeping.clock import now


class Inbox:
    """Frames in order of arrival. Nothing is ever dropped: `size` is the backlog."""

    def __init__(self, last: int = 0) -> None:
        """Number frames from ``last + 1`` on."""
        self._frames: list[Frame] = []
        self._last = last
        self._full = asyncio.Event()

    @property
    def size(self) -> int:
        """Number of frames waiting."""
        return len(self._frames)

    def put(self, venue: str, raw: bytes, channel: str = "") -> None:
        """Add a raw message of a venue."""
        self._last += 1
        self._frames.append(Frame(self._last, now(), venue, channel, raw))
        self._full.set()

    def put_control(self, message: ControlMessage) -> None:
        """Add a control message."""
        self._last += 1
        self._frames.append(control_frame(self._last, now(), message))
        self._full.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a frame, at most so many seconds."""
        # not `wait_for`: until Python 3.12 it loses a cancellation that comes with a frame
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._full.wait()

    def take(self) -> list[Frame]:
        """Return the frames since the last call."""
        frames, self._frames = self._frames, []
        self._full.clear()
        return frames
