"""The screener: all coins at a glance."""

from __future__ import annotations

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.maps.views.queries import SpanQuery
from powderkeg.maps.views.screener import Held, screener_row
from powderkeg.serve.answers.compose import flat
from powderkeg.serve.answers.server import ScreenerAnswer, ScreenerCoin
from powderkeg.serve.session import Session

NOTHING = "nothing is known of it yet"


class Screener:
    """Computes the screener at most once a second, however many clients ask."""

    def __init__(self, session: Session) -> None:
        """Start without an answer."""
        self._session = session
        self._second = -1
        self._answer: ScreenerAnswer | None = None

    def answer(self) -> ScreenerAnswer:
        """Return every coin of the session, in its order."""
        second = self._session.clock() // SECOND
        if second != self._second or self._answer is None:
            self._second = second
            desks = self._session.desks.values()
            self._answer = ScreenerAnswer(
                source=self._session.source,
                note=self._session.note,
                now=max((self._session.now(desk) for desk in desks), default=0),
                coins=[self._coin(desk) for desk in desks],
            )
        return self._answer

    def _coin(self, desk: Desk) -> ScreenerCoin:
        if not any(True for _ in desk.estimated()):
            why = self._session.progress or NOTHING
            return ScreenerCoin(coin=desk.coin, known=False, why=why)
        about = self._session.about(desk, SpanQuery())
        carried = [
            Held(m.carry.funding, m.carry.interval, m.carry.oi) for m in desk.markets.values()
        ]
        return flat(
            ScreenerCoin,
            screener_row(desk, carried),
            coin=desk.coin,
            known=True,
            why="",
            tick=about.tick,
            grade=about.grade,
            age=about.age,
            as_of=about.as_of,
            coverage=about.coverage,
            partial=about.coverage < 1,
        )
