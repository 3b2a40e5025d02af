"""What a source can prove about the map: the scores it has the data for.

- Fills and payments of every account: the map against the complete true one (`closed_world`).
- Liquidations summed by the hour: what was said of each hour against what died (`hours`).
- Liquidations one by one: how much died in the brightest tenth of what was crossed (`recall`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeAlias

import msgspec

from powderkeg.errors import ConfigError
from powderkeg.history.archive import unpack
from powderkeg.history.sources import Source, coin_of
from powderkeg.proof import closed_world, hour_scores, hours, questions, recall

Progress: TypeAlias = Callable[[float], None]
"""Told which share of the work is done."""
Job: TypeAlias = Callable[[Source, str], Any]


def _path(source: Source, coin: str) -> hours.Played:
    return hours.run(source, coin, "path")


def _causal(source: Source, coin: str) -> hours.Played:
    return hours.run(source, coin, "causal")


def _strict(source: Source, coin: str) -> hours.Played:
    return hours.run(source, coin, "strict")


def _placebo(source: Source, coin: str) -> hours.Played:
    return hours.run(source, coin, "path", placebo=True)


def _asked(source: Source, coin: str) -> list[dict[str, object]]:
    return msgspec.to_builtins(questions.ask(source, coin))


def score(
    source: Source,
    coin: str = "",
    *,
    placebo: bool = False,
    ask: bool = False,
    progress: Progress = lambda _: None,
) -> dict[str, object]:
    """Return the scores that a source has the data for, ready for JSON.

    Args:
        source: A source file, loaded.
        coin: One of its coins; its first where not told, of a closed world those with most fills.
        placebo: Score hours shuffled in time too.
        ask: Answer the honest questions too.
        progress: Told which share is done.

    Raises:
        ConfigError: The source has no such coin, or nothing to score it by.
        DataError: A file is not what the source file says.
    """
    all_series = unpack(source)
    if {"fills", "ledger"} <= {series.kind for series in all_series}:
        return closed_world.score(source, [coin] if coin else None, progress)
    chosen = coin or next(iter(source.coins()), "")
    if chosen not in source.coins():
        known = ", ".join(source.coins())
        raise ConfigError(f"{source.path}: expected one of the coins {known}, found {coin!r}")
    kinds = {series.kind for series in all_series if coin_of(series) == chosen}
    if not kinds & {"liquidation_bars", "liquidations"}:
        raise ConfigError(
            f"{source.path}: expected liquidations, liquidation_bars, or fills with a ledger to "
            f"score {chosen} by, found {', '.join(sorted(kinds))}"
        )
    jobs: dict[str, Job] = {}
    if "liquidation_bars" in kinds:
        jobs |= {"path": _path, "causal": _causal, "strict": _strict}
        jobs |= {"placebo": _placebo} if placebo else {}
    if "liquidations" in kinds:
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
        causal, strict = (hour_scores.brief(found[way].said) for way in ("causal", "strict"))
        out |= {
            **hour_scores.summary(found["path"]),
            "poisson_deviance_causal": causal["poisson_deviance"],
            "poisson_deviance_strict": strict["poisson_deviance"],
            "causal": causal,
            "strict": strict,
        }
        if "placebo" in found:
            out["placebo"] = hour_scores.brief(found["placebo"].said)
        if "recall" in found:
            out["recall"] = found["recall"]
    else:
        out |= found["recall"]
    if "questions" in found:
        out["questions"] = found["questions"]
    return out
