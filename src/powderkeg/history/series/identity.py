"""Which market a row belongs to: the symbol column, and matching of its spellings."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from powderkeg.history.sources import Series, coin_of, coin_of_symbol

_COLUMNS = (
    "symbol", "instrument", "instrument_name", "instrument_id", "instid", "inst_id", "pair",
    "ticker", "coin",
)  # fmt: skip


def symbol_column(names: Iterable[str]) -> str:
    """Return the name of the column that names the market, empty where there is none."""
    by_word = {name.strip().lower(): name for name in names}
    return next((by_word[word] for word in _COLUMNS if word in by_word), "")


def is_own(symbols: list[str], series: Series) -> NDArray[np.bool_]:
    """Return which symbols mean the market of a series.

    A market may be written in many ways (``BTC/USDT:USDT``, ``btc-usdt``, ``BTC-USDT-SWAP``), or
    by its coin only. Empty matches.
    """
    market, coin = _plain(series.market), coin_of(series)
    own = {"", market, coin}
    any_quote = market in {coin, ""}  # an aggregate, or markets named by their coin
    return np.array([_plain(s) in own or (any_quote and _coin(s) in {coin, ""}) for s in symbols])


def _coin(symbol: str) -> str:
    return coin_of_symbol(symbol.upper().replace("/", "-"))


def _plain(symbol: str) -> str:
    """Return a symbol without what venues and libraries write between and behind its parts."""
    first = re.sub(r"[-_](SWAP|PERP|PERPETUAL)$", "", symbol.split(":", maxsplit=1)[0].upper())
    return re.sub(r"[^A-Z0-9]", "", first)
