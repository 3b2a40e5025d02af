"""Generic tables: the meaning of their columns by the words in their names.

A word decides only where it is the only one that can: two columns that may be the same thing are
named, and nothing is taken. What a table of prices without volume is (it might as well be open
interest, funding or an index) its name must say.

Source of the words: exports of pandas and polars programs, CryptoDataDownload, Excel in English,
German, French, Spanish, Italian and Portuguese.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from powderkeg.history.importing.head import Peek
from powderkeg.history.importing.intervals import moment
from powderkeg.history.layouts.layout import Ask, FileLayout, Found, Part, Unknown, apply_layout
from powderkeg.history.layouts.market import words_of
from powderkeg.history.sources import NAME, Column, RatioColumn


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TIME = _split(
    "opentimems t received receivedat opentime timems tsms timestampms timestamp time ts "
    "datetime date unix unixtime epoch createdtime createtime createdat tradetime transacttime "
    "start starttime candletime index0 zeit datum zeitstempel uhrzeit fecha hora temps heure "
    "horodatage data tempo momento snapshotat fundingtime calctime exchts eventtime"
)
_WORDS: dict[str, tuple[str, ...]] = {
    "open": _split("open o openprice priceopen eroffnung eröffnung ouverture apertura abertura"),
    "high": _split("high h highprice pricehigh hoch haut alto máximo maximo massimo"),
    "low": _split("low l lowprice pricelow tief bas bajo mínimo minimo baixo"),
    "close": _split(
        "close c closeprice priceclose schluss schlusskurs cloture clôture cierre "
        "chiusura fechamento last"
    ),
    "volume": _split(
        "volume vol v volumebase basevolume volumen menge volumebtc volumeeth volumecoin "
        "umsatz volumi"
    ),
    "quote": _split(
        "volumeusdt volumeusd volumeusdc quotevolume volumequote turnover "
        "quoteassetvolume volumeinusd amountusd volusd volumebusd"
    ),
    "buy": _split(
        "takerbuyvolume takerbuybaseassetvolume takerbuybase buyvolume takerbuybasevolume "
        "takerbuyvol"
    ),
    "price": _split(
        "price px p preis kurs prix precio prezzo preço avgprice averageprice fillprice tradeprice"
    ),
    "size": _split(
        "size qty quantity amount sz q sizebase qtybase menge quantite quantité cantidad "
        "quantidade volume vol"
    ),
    "notional": _split(
        "notionalusd usdvalue notional valueusd usdsize sizeusd volusd quoteqty amountusd"
    ),
    "side": _split("side direction takerside aggressorside orderside seite"),
    "holder": _split("liquidatedside positionside posside holder liquidatedposition"),
    "maker": _split("isbuyermaker buyermaker isbuyerthemaker buyerismaker"),
    "id": _split("id tradeid aggtradeid tid execid"),
    "oi": _split(
        "openinterest oi oibase sumopeninterest openinterestamount openinterestbase "
        "oicoin openinterestcoin"
    ),
    "oi_usd": _split(
        "oiusd openinterestusd sumopeninterestvalue openinterestvalue oivalue openinterestnotional"
    ),
    "rate": _split(
        "fundingrate rate fundingrate8h funding lastfundingrate fundingrate1h realizedrate"
    ),
    "interval": _split("fundingintervalhours fundinginterval intervalhours"),
    "mark": _split("markprice mark markpx"),
    "indexprice": _split("indexprice oracle oraclepx indexpx oracleprice"),
    "long": _split(
        "longliquidationusd liquidationlongusd longliqusd longusd longliquidations "
        "longliquidation longliq aggregatedlongliquidationusd longvolusd"
    ),
    "short": _split(
        "shortliquidationusd liquidationshortusd shortliqusd shortusd shortliquidations "
        "shortliquidation shortliq aggregatedshortliquidationusd shortvolusd"
    ),
    "account": _split("account address addr user wallet trader"),
    "taker": _split("crossed taker istaker"),
    "entry": _split("entry entryprice entrypx avgentry avgentryprice"),
    "liquidation": _split("liq liquidation liqprice liquidationprice liquidationpx liqpx"),
    "leverage": _split("leverage lev leveragevalue"),
    "value": _split("positionvalue positionvalueusd"),
    "equity": _split("accountvalue acctvalue equity marginbalance"),
    "possize": _split("size szi positionsize sizebase sz"),
    "symbol": _split("symbol instrument pair market ticker instid instrumentname coin asset"),
    "exchange": _split("exchange venue exchangename"),
}
"""Words of a header without signs, in lower case; an earlier one goes before a later one."""
_BAR = ("open", "high", "low", "close")
_LIQUIDATION = r"(?<!hyper)liq|force-?order"
_OTHER = r"open-?interest|\boi\b|funding|(?<!hyper)liq|premium|\bmark\b|\bindex\b|long-?short|ratio"
_SIDES = {"b", "buy", "bid", "buyer", "long", "1", "a", "s", "sell", "ask", "seller", "short", "-1"}


class _Columns(NamedTuple):
    """The columns of a table by their plain words."""

    by_word: dict[str, list[str]]

    def of(self, role: str) -> str:
        """Return the name of the column of a role, by the first word that is there; else empty.

        Raises:
            _TwoError: Two columns have that word.
        """
        for word in _WORDS[role]:
            if names := self.by_word.get(word):
                if len(names) > 1:
                    raise _TwoError(names)
                return names[0]
        return ""

    def all(self, *roles: str) -> dict[str, Column]:
        """Return the roles that have a column."""
        return {role: name for role in roles if (name := self.of(role))}


class _TwoError(ValueError):
    """Two columns may be the same thing."""


def table(peek: Peek, ask: Ask) -> Found | Unknown | None:
    """Return the series of a table with named columns, by the words in their names."""
    if peek.form not in {"csv", "arrow", "json", "jsonl"} or not peek.rows:
        return None
    columns = _Columns(_words((*peek.names, *peek.constants)))
    try:
        time = _time(peek, columns)
        form = _form(peek, columns, time)
    except _TwoError as why:
        first, second = why.args[0][:2]
        return Unknown(f"its columns {first!r} and {second!r} may be the same thing: rename one")
    if form is None:
        return None
    if not time:
        return Unknown("it has no column of times: name one time, date or timestamp")
    if _same_time(peek, form):
        return Unknown(
            f"most of its rows have the same {form.time!r}: where date and time of day are two "
            "columns, write them as one"
        )
    return apply_layout(form, peek, ask)


def _words(names: Iterable[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name in names:
        word = re.sub(r"\(.*?\)|[^\w]|_", "", name.strip().lower()) or "index0"
        word = "index0" if word.startswith(("indexlevel0", "unnamed")) else word
        out.setdefault(word, []).append(name)
    return out


def _time(peek: Peek, columns: _Columns) -> str:
    """Return the column of times: a word for time, values that are times, the finest of them."""
    distinct: dict[str, int] = {}
    for word in _TIME:
        for name in columns.by_word.get(word, []):
            values = peek.column(name) or [peek.constants.get(name)]
            if values and all(moment(v) is not None for v in values[:20]):
                distinct[name] = len({str(v) for v in values})
    if distinct:
        return max(distinct, key=lambda name: distinct[name])  # of equals the first
    return NAME if re.search(r"20\d{6}|20\d\d-\d\d-\d\d|1\d{9}", peek.path.name) else ""


def _same_time(peek: Peek, form: FileLayout) -> bool:
    """Return whether bars of one market have distinct times in fewer than half of the rows."""
    bars = any(part.kind == "candles" for part in form.parts) and not form.symbol
    rows = len(peek.rows)
    return bars and rows > 2 and len({str(v) for v in peek.column(form.time)}) * 2 < rows


def _form(peek: Peek, columns: _Columns, time: str) -> FileLayout | None:
    """Return the layout of a table, None if it is not recognised."""
    words = words_of(peek.path)
    parts = _main(peek, columns, words)
    parts += _readings(columns, words, alone=not parts)
    if not parts:
        return None
    bars = any(part.kind in {"candles", "liquidation_bars"} for part in parts)
    kinds = ", ".join(part.kind.replace("_", " ") for part in parts)
    symbol, exchange = columns.of("symbol"), columns.of("exchange")
    every_coin = any("coin" in part.columns for part in parts)
    return FileLayout(
        f"a table of {kinds}",
        "words of its header",
        tuple(parts),
        time=time,
        means="from" if bars else "at",
        symbol=symbol if symbol in peek.names and not every_coin else "",
        exchange=exchange if exchange in peek.names else "",
        any_coin=every_coin,
        venue=_chain(peek, columns, parts),
        perpetual=True,
        note=_note(parts),
    )


def _chain(peek: Peek, columns: _Columns, parts: list[Part]) -> str:
    """Return the venue whose accounts are addresses; accounts of others are not public."""
    by_account = parts[0].kind in {"positions", "fills"}
    accounts = peek.column(columns.of("account")) if by_account else []
    return "hyperliquid" if accounts and str(accounts[0]).startswith("0x") else ""


def _main(peek: Peek, columns: _Columns, words: str) -> list[Part]:
    """Return what a table is about: accounts, or liquidations, or prices."""
    for make in (_positions, _fills, _liquidations):
        if found := make(peek, columns, words):
            return [found]
    both = (_liquidation_bars(columns), _candles(peek, columns, words))
    return [part for part in both if part] or [
        part for part in (_trades(peek, columns, words),) if part
    ]


def _note(parts: list[Part]) -> str:
    if any(part.kind == "funding" and part.span == "8h" for part in parts):
        return "funding is taken for a fraction paid each 8 hours: change unit or span where not"
    return ""


def _positions(peek: Peek, columns: _Columns, _: str) -> Part | None:
    if not (columns.of("account") and columns.of("entry") and columns.of("possize")):
        return None
    out = columns.all("account", "entry", "liquidation", "leverage", "value", "equity")
    out["size"] = columns.of("possize")
    side = columns.of("holder") or columns.of("side")
    if side and not _are_sides(peek, side):
        return None
    out["holder"] = side or columns.of("possize")  # below 0 is short
    return Part("positions", out | _coin(columns))


def _coin(columns: _Columns) -> dict[str, Column]:
    symbol = columns.of("symbol")
    return {"coin": symbol} if symbol else {}


def _fills(peek: Peek, columns: _Columns, words: str) -> Part | None:
    account, trades = columns.of("account"), _trades(peek, columns, words)
    if not account or not trades:
        return None
    taker = columns.all("taker")
    return Part("fills", {"account": account, **trades.columns, **taker, **_coin(columns)})


def _are_sides(peek: Peek, column: str) -> bool:
    words = {str(v).strip().lower() for v in peek.column(column)}
    return bool(words) and words <= _SIDES


def _liquidations(peek: Peek, columns: _Columns, words: str) -> Part | None:
    holder = columns.of("holder")
    if not (holder or re.search(_LIQUIDATION, words)):
        return None
    whose = "holder" if holder else "side"
    side = holder or columns.of("side")
    price, size, notional = columns.of("price"), columns.of("size"), columns.of("notional")
    if not price or not (size or notional) or not side or not _are_sides(peek, side):
        return None
    unit = {} if size else {"size": "quote"}
    return Part("liquidations", {"price": price, "size": size or notional, whose: side}, unit)


def _liquidation_bars(columns: _Columns) -> Part | None:
    long, short = columns.of("long"), columns.of("short")
    if not long or not short:
        return None
    unit = {"long": "quote", "short": "quote"} if "usd" in long.lower() else {}
    price = columns.all("close")
    out: dict[str, Column] = {"long": long, "short": short}
    return Part("liquidation_bars", out | ({"price": price["close"]} if price else {}), unit)


def _candles(peek: Peek, columns: _Columns, words: str) -> Part | None:
    found = columns.all(*_BAR)
    if len(found) < len(_BAR) or not _are_bars(peek, found):
        return None
    for kind in ("mark", "index"):
        if re.search(rf"\b{kind}\b|{kind}-?price", words):
            return Part(kind, {"price": found["close"]}, means="from")
    volume, quote = columns.of("volume"), columns.of("quote")
    if volume:
        bought = columns.all("buy")
        base = dict.fromkeys(("volume", *bought), "base")  # as ccxt counts, of contracts too
        return Part("candles", found | {"volume": volume} | bought, base)
    if quote:
        return Part("candles", found | {"volume": quote}, {"volume": "quote"})
    return None if re.search(_OTHER, words) and "price" not in words else Part("candles", found)


def _are_bars(peek: Peek, found: dict[str, Column]) -> bool:
    """Return whether four columns are prices of bars: above 0, the high highest, the low lowest."""
    for row in peek.rows[:100]:
        try:
            opened, high, low, close = (
                float(row[str(found[n])]) for n in ("open", "high", "low", "close")
            )
        except (KeyError, TypeError, ValueError):
            continue
        if not (0 < low <= min(opened, close) and max(opened, close) <= high):
            return False
    return True


def _trades(peek: Peek, columns: _Columns, _: str) -> Part | None:
    price, size = columns.of("price"), columns.of("size")
    maker, side = columns.of("maker"), columns.of("side")
    if not (price and size and (maker or side)):
        return None
    if not maker and not _are_sides(peek, side):
        return None
    out: dict[str, Column] = {"price": price, "size": size}
    out |= {"maker": maker} if maker else {"side": side}
    return Part("trades", out | columns.all("id"))


def _readings(columns: _Columns, words: str, *, alone: bool) -> list[Part]:
    """Return what may stand beside prices in one table: open interest, funding, mark and index."""
    out: list[Part] = []
    size, dollars = columns.of("oi"), columns.of("oi_usd")
    if size:
        price: dict[str, Column] = {"price": RatioColumn(dollars, size)} if dollars else {}
        out.append(Part("open_interest", {"size": size} | price, means="at"))
    elif dollars and (price_of := columns.of("close") or columns.of("mark") or columns.of("price")):
        out.append(
            Part("open_interest", {"size": dollars, "price": price_of}, {"size": "quote"}, "at")
        )
    rate = columns.of("rate")
    if rate and ("funding" in rate.lower() or "funding" in words):
        out.append(_funding(columns, rate))
    mark = columns.of("mark")
    if mark and (alone or not out):
        index = columns.of("indexprice")
        out.append(Part("mark", {"price": mark} | ({"index": index} if index else {}), means="at"))
    return out


def _funding(columns: _Columns, rate: str) -> Part:
    interval = columns.of("interval")
    if interval:
        return Part("funding", {"rate": rate, "interval": interval}, {"interval": "h"}, "at")
    span = "1h" if re.search(r"1h|hour", rate.lower()) else "8h"
    return Part("funding", {"rate": rate}, means="at", span=span)
