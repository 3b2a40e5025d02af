"""What a source can prove about the map: the scores it has the data for.

- Fills and payments of every account: the map against the complete true one (`closed_world`).
- Liquidations summed by the hour: what was said of each hour against what died (`hours`).
- Liquidations one by one: how much died in the brightest tenth of what was crossed (`recall`).
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
"""Told which share of the work is done."""
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
        coin: One of its coins; its first where not told, of a closed world those with most fills.
        placebo: Score hours shuffled in time too.
        ask: Answer the honest questions too.
        since: Only hours that begin from this time on are scored, µs. No list is scored then.
        until: Only hours that end by this time are scored, µs.
        progress: Told which share is done.

    Raises:
        ConfigError: The source has no such coin, or nothing to score it by, or dates are given for
            what is not scored by hours.
        DataError: A file is not what the source file says.
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
    return _told(chosen, _done(jobs, source, chosen, progress))


def _done(jobs: dict[str, Job], source: Source, coin: str, progress: Progress) -> dict[str, Any]:
    """Return what each job found; they share nothing, so they run beside each other."""
    with ProcessPoolExecutor(min(len(jobs), os.cpu_count() or 1)) as pool:
        running = {pool.submit(job, source, coin): name for name, job in jobs.items()}
        for n, future in enumerate(as_completed(running), 1):
            future.result()  # the first that fails ends it
            progress(n / len(jobs))
        return {name: future.result() for future, name in running.items()}


def _told(coin: str, found: dict[str, Any]) -> dict[str, object]:
    """Return one answer: that of the hours where there are any, with the others beside it."""
    out: dict[str, object] = {"kind": "hours" if "path" in found else "recall", "coin": coin}
    if "path" in found:
        causal, strict = (_brief(found[way].said) for way in ("causal", "strict"))
        out |= {
            **scores.summary(found["path"]),
            "models": scores.models(found["path"].said, found["strict"].said),
            "poisson_deviance_causal": causal["poisson_deviance"],
            "poisson_deviance_strict": strict["poisson_deviance"],
            "causal": causal,
            "strict": strict,
        }
        if "placebo" in found:
            out["placebo"] = _brief(found["placebo"].said)
        if "recall" in found:
            out["recall"] = found["recall"]
    else:
        out |= found["recall"]
    if "questions" in found:
        out["questions"] = found["questions"]
    return out


def _brief(said: hours.ForecastRows) -> dict[str, Any]:
    """Return deviances, and the interval of what ours gains over the path alone."""
    return {**scores.brief(said), **scores.intervals(said, ("path_only_minus_ours",))}
