"""What a map is based on: which weights, fitted when, on how many reports, or pretrained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from powderkeg.desk import Desk
from powderkeg.engine.calibration.estimate import FRESH, VERSION, Estimate
from powderkeg.engine.calibration.pooling import PretrainedWeights
from powderkeg.engine.exposure.classes import GROUP, TIME, VOLUME
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.table import DEPOSITED
from powderkeg.evaluation.answers import pretrained_of
from powderkeg.events import DAY, SECOND
from powderkeg.maps.heatmap.coin_view import MapFilter, MarketView
from powderkeg.maps.views.grade import REPORTS
from powderkeg.serve.answers.envelope import Fit

ALL: Final = MapFilter()
"""Every venue, tier and side of the calibrated map."""


def prior_only(desk: Desk) -> bool:
    """Return whether no market of the desk has learned from a liquidation yet."""
    return all(m.estimate.prior_only for m in desk.estimated())


def model(desk: Desk, map_filter: MapFilter = ALL) -> str:
    """Return a description of the model behind the map of the chosen venues."""
    chosen = [m for m in desk.estimated() if map_filter.takes(m.venue)]
    if not chosen:
        return ""
    if map_filter.model == "static":
        return "four fixed leverages, never closed · for comparison only"
    without_volume = _path_only(chosen)
    words = _weights(chosen)
    if without_volume:
        where = (
            "here"
            if len(without_volume) == len({m.venue for m in chosen})
            else f"on {', '.join(without_volume)}"
        )
        return f"{words} · path only: no volume is known {where}"
    if any(assumed(m, desk.now) for m in chosen):
        return f"{words} · volume partly assumed from the range of price"
    return words


def assumed(market: MarketView, now: int) -> bool:
    """Return whether volume of the last day was assumed from the price range."""
    return bool(market.assumed) and now - market.assumed < DAY


def _weights(chosen: Sequence[MarketView]) -> str:
    """Return a description of what the weights of markets were learned from."""
    pretrained = _pretrained(chosen)
    if pretrained is not None:
        months = f"{_month(pretrained.since)} to {_month(pretrained.until)}"
        return f"pretrained: learned on {pretrained.market}, {months}"
    if all(m.estimate.prior_only for m in chosen):
        return "assumed prior, nothing learned"
    reports = _reports(chosen)
    if reports < REPORTS[-1]:
        return f"learning ({reports:.0f} reports)"
    events = sum(m.estimate.events for m in chosen)
    return f"calibrated on {events:,} liquidation reports"


def _month(at: int) -> str:
    """Return the month of the second before a time, such as 2026-03."""
    return datetime.fromtimestamp(at // SECOND - 1, UTC).strftime("%Y-%m")


def _pretrained(chosen: Sequence[MarketView]) -> PretrainedWeights | None:
    """Return the weights that all of these markets rest on, None if one of them does not."""
    pretrained = [m.estimate.pretrained for m in chosen if m.estimate.is_pretrained]
    return pretrained[0] if pretrained and len(pretrained) == len(chosen) else None


def _reports(chosen: Sequence[MarketView]) -> float:
    """Return the effective number of liquidations that markets have learned from."""
    return sum(float(m.estimate.fit.reports) for m in chosen if m.estimate.fit is not None)


def _path_only(chosen: Sequence[MarketView]) -> list[str]:
    """Return the venues whose map is based on the path of the mark alone, without volume."""
    return sorted({m.venue for m in chosen if _without_volume(m.estimate.exposure)})


def _without_volume(exposure: Exposure) -> bool:
    deposited = exposure.ledger[DEPOSITED].sum(axis=0)
    return bool(deposited[TIME * GROUP] > 0 and not deposited[VOLUME * GROUP] > 0)


def fit(desk: Desk, map_filter: MapFilter) -> Fit:
    """Return the model version, the time and data of the last fit, and pretrained weights."""
    chosen = [m for m in desk.estimated() if map_filter.takes(m.venue)]
    fitted = [m.estimate for m in chosen if m.estimate.fitted]
    newest = max(fitted, key=lambda e: e.fitted, default=None)
    pretrained = _pretrained(chosen)
    nothing = (
        "the assumed prior alone"
        if pretrained is None
        else f"weights learned on {pretrained.market}"
    )
    return Fit(
        version=VERSION,
        at=newest.fitted if newest else None,
        new_liquidations=newest.new_liquidations if newest else 0,
        why=_why(newest) if newest else f"no liquidation has been seen yet: {nothing}",
        markets=len(fitted),
        reports=_reports(chosen),
        pretrained=None if pretrained is None else pretrained_of(pretrained),
        path_only=_path_only(chosen),
    )


def _why(newest: Estimate) -> str:
    """Return a description of why the weights were refitted."""
    many = newest.new_liquidations >= FRESH
    cause = "many liquidations" if many else "six hours had passed"
    plural = "" if newest.new_liquidations == 1 else "s"
    return f"{newest.market}: {newest.new_liquidations:,} new liquidation{plural} ({cause})"
