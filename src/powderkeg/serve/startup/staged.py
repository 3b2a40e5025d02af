"""A scenario that simulated venues play, faster than time runs until it reaches now."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from powderkeg.errors import ConfigError
from powderkeg.events import MINUTE, SECOND
from powderkeg.sim.scenario.script import Scenario, named
from powderkeg.simvenues.pace import Pace

VENUES: Final = ("bybit",)
"""Where a scenario is played unless venues are named: it reports every liquidation, and all of it
comes over its socket, so that nothing is late when time runs fast."""
SPEED: Final = 10.0
"""Default speed."""
FASTEST: Final = 30.0
"""Greatest speed: a reader that is late by a few hundredths of a second must not mistake what comes
back for what was there."""
LONGEST: Final = 120
"""Minutes of a script that are played fast at most; the rest runs as time does."""
START: Final = 40
"""Seconds a start may take: so long time runs as it does, and there is quiet trading."""
LEAD: Final = START + 60
"""Seconds of quiet trading before the script."""


class Staged(Struct, frozen=True):
    """A scenario and its time."""

    name: str
    scenario: Scenario
    pace: Pace

    def options(self) -> list[str]:
        """Return the options of the simulated venues."""
        pace = msgspec.json.encode(self.pace).decode()
        return ["--scenario", self.name, "--pace", pace, "--lead", str(LEAD)]


def staged(name: str, speed: float) -> Staged:
    """Return a scenario that begins now.

    Args:
        name: Of a scenario, or its file.
        speed: How many times faster than time it runs.

    Raises:
        ConfigError: There is no such scenario, or the speed is not one.
    """
    if not 1 <= speed <= FASTEST:
        raise ConfigError(f"expected a speed of 1 to {FASTEST:g}, found {speed:g}")
    scenario = named(name)
    span = round(min(scenario.minutes, LONGEST)) * MINUTE + LEAD * SECOND if speed > 1 else 0
    return Staged(name, scenario, Pace.ending_now(span, speed, MINUTE, START * SECOND))
