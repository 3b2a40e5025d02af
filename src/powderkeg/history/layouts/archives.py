"""Public archives of Bybit, OKX and Bitget.

Traps: Bybit stamps in seconds with a fraction, newer files first; sizes of its inverse markets are
dollars. OKX counts contracts and cuts its days at 16:00 UTC; headers of 2021 to 2023 are in two
languages. Bitget's sizes are coins.

Source: public.bybit.com; okx.com/data-download; bitget.com data download.
"""

from __future__ import annotations

from powderkeg.history.layouts.layout import FileLayout, Part

_BYBIT_BARS = {name: name for name in ("open", "high", "low", "close", "volume")}
_OKX_OLD = ["trade_id/交易id", "side/交易方向", "size/数量", "price/价格", "created_time/成交时间"]


def _okx_old(spelled: tuple[str, ...]) -> FileLayout:
    ident, side, size, price, time = spelled
    return FileLayout(
        "OKX archive: trades, header in two languages",
        "okx.com/data-download, trades and aggtrades, 2021 to 2023",
        (Part("trades", {"price": price, "size": size, "side": side, "id": ident}),),
        time=time,
        venue="okx",
    )


FORMS = (
    FileLayout(
        "Bybit archive: trades",
        "public.bybit.com/trading",
        (Part("trades", {"price": "price", "size": "size", "side": "side", "id": "trdMatchID"}),),
        time="timestamp",
        needs=("tickDirection", "homeNotional"),
        venue="bybit",
        symbol="symbol",
    ),
    FileLayout(
        "Bybit archive: spot trades",
        "public.bybit.com/spot",
        (Part("trades", {"price": "price", "size": "volume", "side": "side", "id": "id"}),),
        time="timestamp",
        lacks=("symbol", "size"),
        venue="bybit-spot",
    ),
    FileLayout(
        "Bybit archive: candles",
        "public.bybit.com/kline_for_metatrader4 and data.bybit.com",
        (Part("candles", _BYBIT_BARS),),
        time="startAt",
        means="from",
        needs=("symbol",),
        venue="bybit",
        symbol="symbol",
    ),
    FileLayout(
        "Bybit archive: premium",
        "public.bybit.com/premium_index",
        (),
        needs=("open", "high", "low", "close"),
        path="bybit.*premium|premium-index",
        note="the premium of the perpetual over the index: it has no event",
    ),
    _okx_old(tuple(_OKX_OLD)),
    _okx_old(tuple(name.replace("id/交易id", "id/交易ID") for name in _OKX_OLD)),
    FileLayout(
        "OKX archive: trades",
        "okx.com/data-download, trades",
        (Part("trades", {"price": "price", "size": "size", "side": "side", "id": "trade_id"}),),
        time="created_time",
        needs=("instrument_name",),
        unless="optionchain|option-",
        venue="okx",
        symbol="instrument_name",
    ),
    FileLayout(
        "OKX archive: options",
        "okx.com/data-download",
        (),
        needs=("instrument_name", "trade_id"),
        path="optionchain|option-",
        note="options: they have no event",
    ),
    FileLayout(
        "OKX archive: trades without a market",
        "okx.com/data-download, trades, 2023",
        (Part("trades", {"price": "price", "size": "size", "side": "side", "id": "trade_id"}),),
        time="created_time",
        lacks=("instrument_name",),
        venue="okx",
    ),
    FileLayout(
        "OKX archive: candles",
        "okx.com/data-download, candlesticks",
        (
            Part(
                "candles",
                {n: n for n in ("open", "high", "low", "close")} | {"volume": "vol_ccy"},
                {"volume": "base"},
            ),
        ),
        time="open_time",
        means="from",
        needs=("instrument_name", "confirm"),
        venue="okx",
        symbol="instrument_name",
    ),
    FileLayout(
        "OKX archive: funding",
        "okx.com/data-download, swaprates: settled rates",
        (Part("funding", {"rate": "funding_rate"}, span="8h"),),
        time="funding_time",
        needs=("instrument_name",),
        venue="okx",
        symbol="instrument_name",
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
    FileLayout(
        "Bitget archive: trades",
        "bitget.com data download, trades",
        (
            Part(
                "trades", {"price": "price", "size": "size(base)", "side": "side", "id": "trade_id"}
            ),
        ),
        time="timestamp",
        needs=("volume(quote)",),
        venue="bitget",
    ),
)
