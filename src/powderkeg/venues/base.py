"""What a venue is to the rest of the house: a reader of its frames."""

from __future__ import annotations

from typing import Protocol

from powderkeg.events import Event


class Venue(Protocol):
    """One venue's wire, read without a socket."""

    name: str
    """The first half of its market ids."""
    skipped: dict[str, int]
    """Frames and rows that were understood and left out on purpose, counted by reason."""

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return what one frame says; nothing for acks and channels we do not use.

        Args:
            raw: The frame as it came.
            seen: When it reached us, µs. A reader never looks at a clock.

        Raises:
            WireError: The frame is not what the venue documents. Nothing else is ever raised.
        """
        ...
