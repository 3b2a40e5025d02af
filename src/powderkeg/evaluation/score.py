"""Scoring of the map against a source: every score that its data allows.

- Fills and payments of every account: the map against the complete true one (`full_accounts`).
- Liquidations summed by the hour: predicted against reported volume (`hours`).
- Single liquidations: the share in the brightest tenth of what price crossed (`recall`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from typing import Any, TypeAlias

import msgspec

from powderkeg.errors import ConfigError
from powderkeg.evaluation import questions, recall
from powderkeg.evaluation.full_accounts import scoring
from powderkeg.evaluation.hourly import hours, scores
from powderkeg.history.archive import unpack
from powderkeg.history.sources import Source, coin_of

Progress: TypeAlias = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""
Job: TypeAlias = Callable[[Source, str], Any]


def _asked(source: Source, coin: str) -> list[dict[str, object]]:
    return msgspec.to_builtins(questions.ask(source, coin))


def score(
    source: Source,
    coin: str = "",
    *,
    placebo: bool = False,
    ask: bool = False,
    since: int | None = None,
    until: int | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, object]:
    """Return the scores that a source has the data for, ready for JSON.

    Args:
        source: A source file, loaded.
        coin: One of its coins; by default its first, of full accounts those with most fills.
        placebo: Score hours shuffled in time too.
        ask: Run the hypothesis tests too.
        since: Only hours that begin from this time on are scored, µs. No list is scored then.
        until: Only hours that end by this time are scored, µs.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        ConfigError: The source has no such coin, or no data to score it by, or dates are given for
            what is not scored by hours.
        DataError: A file does not match the source file.
    """
    all_series = unpack(source)
    dated = since is not None or until is not None
    if dated and ask:
        raise ConfigError("expected dates or questions, found both: questions are about all hours")
    if {"fills", "ledger"} <= {series.kind for series in all_series}:
        if dated:
            raise ConfigError(f"{source.path}: expected no dates: all positions are scored")
        return scoring.score(source, [coin] if coin else None, progress)
    chosen = coin or next(iter(source.coins()), "")
    if chosen not in source.coins():
        known = ", ".join(source.coins())
        raise ConfigError(f"{source.path}: expected one of the coins {known}, found {coin!r}")
    kinds = {series.kind for series in all_series if coin_of(series) == chosen}
    wanted = {"liquidation_bars"} if dated else {"liquidation_bars", "liquidations"}
    if not kinds & wanted:
        needed = "liquidations, liquidation_bars, or fills with a ledger"
        raise ConfigError(
            f"{source.path}: expected {'liquidation_bars' if dated else needed} to score {chosen} "
            f"{'between dates' if dated else 'by'}, found {', '.join(sorted(kinds))}"
        )
    jobs: dict[str, Job] = {}
    if "liquidation_bars" in kinds:
        span = partial(hours.run, since=since, until=until)
        jobs |= {way: partial(span, way=way) for way in hours.WAYS}
        jobs |= {"placebo": partial(span, placebo=True)} if placebo else {}
    if "liquidations" in kinds and not dated:
        jobs["recall"] = recall.score
    if ask:
        jobs["questions"] = _asked
    return _combined(chosen, _run_jobs(jobs, source, chosen, progress))


def _run_jobs(
    jobs: dict[str, Job], source: Source, coin: str, progress: Progress
) -> dict[str, Any]:
    """Return the result of each job; they share nothing, so they run in parallel."""
    with ProcessPoolExecutor(min(len(jobs), os.cpu_count() or 1)) as pool:
        running = {pool.submit(job, source, coin): name for name, job in jobs.items()}
        for n, future in enumerate(as_completed(running), 1):
            future.result()  # the first that fails ends it
            progress(n / len(jobs))
        return {name: future.result() for future, name in running.items()}


def _combined(coin: str, found: dict[str, Any]) -> dict[str, object]:
    """Return one result: the hourly scores where there are any, with the others beside them."""
    out: dict[str, object] = {"kind": "hours" if "path" in found else "recall", "coin": coin}
    if "path" in found:
        causal, strict = (_brief(found[way].forecasts) for way in ("causal", "strict"))
        out |= {
            **scores.summary(found["path"]),
            "models": scores.models(found["path"].forecasts, found["strict"].forecasts),
            "poisson_deviance_causal": causal["poisson_deviance"],
            "poisson_deviance_strict": strict["poisson_deviance"],
            "causal": causal,
            "strict": strict,
        }
        if "placebo" in found:
            out["placebo"] = _brief(found["placebo"].forecasts)
        if "recall" in found:
            out["recall"] = found["recall"]
    else:
        out |= found["recall"]
    if "questions" in found:
        out["questions"] = found["questions"]
    return out


def _brief(forecasts: hours.ForecastRows) -> dict[str, Any]:
    """Return deviances, and the interval of our gain over the path alone."""
    return {**scores.brief(forecasts), **scores.intervals(forecasts, ("path_only_minus_ours",))}
