"""A scenario through the whole live path, without sockets: wires, decoder, desk, signals.

The simulated venue answers the requests of a backfill and sends its frames as it would over a
socket; the time of the script passes as fast as they are read. Nothing of the script reaches the
desk in another way.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from powderkeg.desk import Desk
from powderkeg.evaluation.signals.scripted import start_of
from powderkeg.events import DAY, SECOND, ClockTick
from powderkeg.feed.decoder import Feed
from powderkeg.flow.coin import FRAME
from powderkeg.frames import BackfillDone, ControlMessage, Frame, Started, control_frame
from powderkeg.settings import LIVE, Settings
from powderkeg.sim.scenario.market import BEAT, ScenarioMarket, scripted_market, world_of
from powderkeg.sim.scenario.script import Scenario
from powderkeg.simvenues.market.book import LEVELS
from powderkeg.simvenues.market.feed import Coin
from powderkeg.simvenues.server import EXCHANGES
from powderkeg.simvenues.wire import MockExchange, Session
from powderkeg.venues import VENUES
from powderkeg.venues.base import Poll
from powderkeg.venues.reader import VenueReader

VENUE: Final = "bybit"
"""Reports all liquidations, and sends its book over the socket."""
DELAY: Final = 20_000
"""µs from a frame to its arrival."""
STEPS: Final = (100_000, 600_000, BEAT)
"""µs from the start of a beat to the ends of its steps: quotes have moved; takers have traded and
what comes back is there; nothing more has happened."""
LEAD: Final = 60
"""Seconds of quiet trading before the script."""
LONGEST: Final = 92
"""Minutes of a script that are worth playing."""
DAYS: Final = 30
"""Days that a backfill asks for."""


class Wires:
    """A venue that plays a scenario, and the desk that reads its wires."""

    def __init__(
        self, scenario: Scenario, lead: int = LEAD, settings: Settings = LIVE, venue: str = VENUE
    ) -> None:
        """Backfill the desk; the script has not begun.

        Args:
            scenario: The script.
            lead: Seconds of quiet trading before it.
            settings: Of the desk.
            venue: Whose wires are spoken.
        """
        self.scenario = scenario
        self.start = start_of(scenario)
        self.name, self.now = venue, 0
        market, past = scripted_market(
            scenario, world_of(scenario, (venue,), (1.0,)), self.start, lead
        )
        self.market: ScenarioMarket = market
        self._markets = Coin(scenario.coin, market, past, 0, scenario.seed).markets
        self.now = self._begun = market.now
        self.wire: MockExchange = EXCHANGES[venue](venue, self._markets, lambda: self.now)
        self.reader: VenueReader = VENUES[venue].reader("")
        self.symbol = self.reader.symbol(scenario.coin)
        self.id = f"{venue}:{self.symbol}"
        self.desk = Desk(scenario.coin, settings)
        self._feed = Feed({scenario.coin: self.desk})
        self._seq = 0
        self._sent: list[bytes] = []
        self._sessions = [self._connected(n, url) for n, url in enumerate(self._urls(), 1)]
        self._backfill()

    def _urls(self) -> list[tuple[str, tuple[bytes, ...]]]:
        streams = self.reader.streams((self.symbol,))
        return [(stream.url, stream.subscribe) for stream in streams]

    def _connected(self, number: int, stream: tuple[str, tuple[bytes, ...]]) -> Session:
        """Return a connection subscribed to a stream."""
        url = urlsplit(stream[0])
        session = Session(
            self._sent.append, url.path + ("?" + url.query if url.query else ""), number
        )
        self.wire.connect(session)
        for message in stream[1]:
            self.wire.on_message(session, message.decode())
        return session

    def _backfill(self) -> None:
        """Ask the venue for what its sizes mean and for its past, and join the market."""
        self._control(Started(self.now, {self.scenario.coin: (self.id,)}))
        until = self.now
        past = self.reader.past(self.symbol, until - DAYS * DAY, until)
        for poll in (*self.reader.polls((self.symbol,)), *past, *self.reader.recent(self.symbol)):
            self._ask(poll)
        self._control(BackfillDone(self.now, self.id, until))
        self._receive()

    def _ask(self, poll: Poll) -> None:
        url = urlsplit(poll.url)
        reply = self.wire.answer(url.path, dict(parse_qsl(url.query)), poll.body)
        self._process([self._frame(reply.body, poll.channel)])

    @property
    def unread(self) -> dict[str, int]:
        """Frames that could not be read, by venue."""
        return self._feed.unread

    # -- time

    def run(self, minutes: float) -> Desk:
        """Play up to a minute of the script, and return the desk."""
        until = self.start + round(minutes * 60) * SECOND
        while self.now < until:
            self.step()
        return self.desk

    def step(self) -> None:
        """Let time pass up to the next change: what the venue sends arrives a little later."""
        place = (self.now - self._begun) % BEAT
        length = next(end for end in STEPS if end > place) - place
        moment = self.market.moment(length / SECOND)
        self.now = moment.at
        for number, market in enumerate(self._markets):
            update = market.advance(moment, number, self.market.ladder(LEVELS))
            liquidations = self.wire.reported_liquidations(market, update)
            for frame in self.wire.publish_update(market, update, liquidations):
                for session in self._sessions:
                    if frame.topic in session.topics:
                        self._sent.append(self.wire.encode_frame(session, frame))
        self._receive()
        self._control(ClockTick(self.now + DELAY + FRAME), DELAY + FRAME)

    def _receive(self) -> None:
        frames, self._sent[:] = list(self._sent), []
        self._process([self._frame(body) for body in frames])

    def _frame(self, body: bytes, channel: str = "") -> Frame:
        self._seq += 1
        return Frame(self._seq, self.now + DELAY, self.name, channel, body)

    def _control(self, message: ControlMessage, late: int = DELAY) -> None:
        self._seq += 1
        self._process([control_frame(self._seq, self.now + late, message)])

    def _process(self, frames: list[Frame]) -> None:
        self._feed.process(frames)
