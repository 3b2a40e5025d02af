"""Write the scorecard that is published with the product: `python scripts/scorecard.py`.

Plays every stored source that can contradict the map and keeps what came of it, with the model's
version, in src/powderkeg/data/scorecard.json. Needs the recordings: POWDERKEG_DATA names their
folder. Only figures are kept, none of the data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from powderkeg.cli.commands.score import plain
from powderkeg.engine.calibration.estimate import VERSION
from powderkeg.evaluation.hourly import first_days
from powderkeg.evaluation.score import score
from powderkeg.history import sources

ROOT = Path(__file__).parents[1]
CARD = ROOT / "src" / "powderkeg" / "data" / "scorecard.json"
RUNS = (
    ("btc_2026", "BTC", True),
    ("okx_202603", "SOL", False),
    ("minutes_2025", "BTC", False),
    ("minutes_2025", "SOL", False),
    ("closed_world_2023", "", False),
)
"""Source, coin, and whether its honest questions are asked."""
FIRST = "btc_2026"
"""Whose first days are scored."""
DAYS = ("first_day_prior", "first_day_learning", "days_4_7", "prior_until")
HOURS = (
    "hours", "since", "until", "poisson_deviance", "poisson_deviance_causal",
    "poisson_deviance_strict", "path_only_deviance", "no_map_deviance", "static_deviance",
    "predicted_over_reported", "verdict_over_path_only", "blocks_ahead_of_path_only",
)  # fmt: skip
GAIN = "path_only_minus_ours"
"""The interval that says whether volume and open interest add anything to the path."""
WORLD = ("emd", "emd_naive", "emd_ratio_to_naive", "interval", "overlap")


def kept(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an answer that are worth a line."""
    if answer["kind"] == "closed_world":
        return {name: answer[name] for name in WORLD}
    told = answer if answer["kind"] == "recall" else answer.get("recall", {})
    hours = {name: answer[name] for name in HOURS if name in answer}
    if "interval_95" in answer:
        hours[GAIN] = answer["interval_95"][GAIN]
    return hours | ({"recall": told} if told else {})


def main() -> None:
    """Play all sources and write the card."""
    scores: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for name, coin, ask in RUNS:
        source = sources.load(ROOT / "tests" / "sources" / f"{name}.toml")
        answer = plain(score(source, coin, ask=ask))
        label = {"source": name, "coin": coin}
        scores.append({**label, "kind": answer["kind"], **kept(answer)})
        if name == FIRST:
            begun = first_days.score(source, coin)
            scores.append({**label, "kind": begun["kind"], **{k: begun[k] for k in DAYS}})
        answers += [{**label, **each} for each in answer.get("questions", [])]
        print(name, coin, "done", flush=True)
    card = {"version": VERSION, "scores": scores, "answers": answers}
    CARD.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
