"""What all exports share: parameters of their own, turns at the workers, names of downloads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakSet

import msgspec
from litestar import Request
from litestar.datastructures import State
from msgspec import Struct

from powderkeg.errors import BusyError, RequestError
from powderkeg.history.currencies import DOLLAR, RateTable
from powderkeg.serve.exports.tables import iso
from powderkeg.serve.session import Session
from powderkeg.serve.workers import beside

Asked: TypeAlias = Request[Any, Any, State]
TABLES = 8
"""Tables that may be sent at once; each waits its turn for the next piece."""


class Money(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Currency of the amounts of a table."""

    ccy: str = DOLLAR
    """Currency code; each amount is converted by the fixing of its own day."""


@dataclass(frozen=True)
class ExportContext:
    """Shared context of the exports."""

    session: Session
    table: RateTable
    """Rates of the display currencies."""
    sending: WeakSet[AsyncGenerator[bytes]]
    """Tables that are being sent."""

    def send(self, pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
        """Return the pieces of a table, each computed in its turn.

        Raises:
            BusyError: Too many tables are being sent.
        """
        if len(self.sending) >= TABLES:
            raise BusyError(f"expected at most {TABLES} tables at once: ask later")
        sent = self._made(pieces)
        self.sending.add(sent)
        return sent

    async def _made(self, pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
        while True:
            async with self.session.workers.turn("long", always=True):
                piece = await beside(lambda: next(pieces, None))
            if piece is None:
                return
            yield piece


def split(raw: dict[str, str], own: type[Struct]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters of the export itself, and those of the view."""
    names = {field.name for field in msgspec.structs.fields(own)}
    matching = {k: v for k, v in raw.items() if k in names}
    return matching, {k: v for k, v in raw.items() if k not in names}


def own_of(raw: dict[str, str], kind: type[Any]) -> Any:
    """Return the parameters of the export itself.

    Raises:
        RequestError: One is not as it should be.
    """
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as why:
        names = ", ".join(field.name for field in msgspec.structs.fields(kind))
        raise RequestError(f"{why}; of its own it takes {names}") from why


def where_of(where: str, request: Asked) -> tuple[str, dict[str, str]]:
    """Return the coin and the raw parameters of ``BTC`` or ``BTC@1770300000000000``."""
    coin, _, moment = where.partition("@")
    raw = {k: str(v) for k, v in request.query_params.items()}
    return coin, raw | ({"at": moment} if moment else {})


def attached(coin: str, name: str, span: str, at: int, end: str) -> dict[str, str]:
    """Return the header that names a download; `span` is empty where it has none."""
    stamp = iso(at).replace("-", "").replace(":", "")[:13] + "Z"
    file = "-".join(filter(None, ("powderkeg", coin, name, span, stamp)))
    return {
        "content-disposition": f'attachment; filename="{file}.{end}"',
        "cache-control": "no-cache",
    }
