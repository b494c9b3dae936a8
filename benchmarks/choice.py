"""Which measurement on validation rows chooses the best step: W1, a classifier, the critic's gap.

Every step looked at is measured on validation rows in each of these ways, and on held-out rows,
which no choice sees. A choice costs what the held-out figure of its step is above that of the best.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.common import Run, console, data_file, write
from benchmarks.page import Found, Section, grouped, median, table
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of, plan_of, threads_for
from surveyor.measures.ruler import RowRuler
from surveyor.streams import Stream
from surveyor.training import State, steps
from surveyor.training.records import best_of
from surveyor.two_sample.classifier import separate

LOOKS, ROWS, MANY = 12, 512, 2048


def adult() -> pd.DataFrame:
    return pd.read_csv(data_file("adult_train.csv.gz")).head(16_000)


def numbers() -> pd.DataFrame:
    return pd.read_csv(data_file("texture.csv.gz")).sample(frac=1, random_state=0)


Data = Callable[[], Any]
RUNS: dict[str, tuple[Data, dict[str, Any]]] = {
    "points, 25 modes": (lambda: "toy:grid:20000", {"steps": 1200}),
    "points, spiral": (lambda: "toy:swiss-roll:20000", {"steps": 1200}),
    "pictures, digits": (lambda: "example:digits", {"steps": 1200}),
    "table, no likelihood": (adult, {"steps": 1200, "generator": "mlp"}),
    "table, likelihood": (adult, {}),
    "numbers, likelihood": (numbers, {}),
}


def looked(name: str, seed: int) -> list[dict[str, Any]]:
    """Train, and return every look: what would choose, and what is true."""
    source, options = RUNS[name]
    data, config = prepare(source(), {"seed": seed, **options})
    game, plan = game_of(config, data.codec), plan_of(config)
    state = State.start(game, plan)
    torch.set_num_threads(threads_for(config, game))
    unit = data.codec.space.unit
    few, many = (RowRuler(game, data.train, data.validation, n, seed, unit) for n in (ROWS, MANY))
    truth = RowRuler(game, data.train, data.holdout, MANY, 1000 + seed, unit)
    found = []
    for record in steps(game, data.train, plan, state):
        if record.step % max(1, plan.steps // LOOKS):
            continue
        seen, wide, true = (r(state.average, record) for r in (few, many, truth))
        auc = [
            separate(look.held.joint().numpy(), look.fake.joint().numpy()).right
            for look in (r.look(state.average, Draws(seed, 2, Stream.RULER)) for r in (many, truth))
        ]
        found.append(
            {
                "step": record.step, "chosen": seen, "W1, 2,048 rows": wide.excess,
                "classifier": auc[0], "critic's gap": abs(seen.critic_estimate or np.inf),
                "log loss": seen.log_loss, "last": -record.step,
                "W1": 2 * true.excess / true.w1_floor, "AUC": auc[1],
            }
        )  # fmt: skip
    return found


def choices(found: list[dict[str, Any]]) -> list[Run]:
    """Return what each way chooses, and what that costs."""
    product = best_of([f["chosen"] for f in found]).step
    picks = {"Surveyor": next(f for f in found if f["step"] == product)}
    picks["W1, 512 rows"] = min(found, key=lambda f: f["chosen"].excess)
    for way in ("W1, 2,048 rows", "classifier", "critic's gap", "log loss", "last"):
        if found[0][way] is not None and np.isfinite(found[0][way]):
            picks[way] = min(found, key=lambda f: f[way])
    best = {what: min(f[what] for f in found) for what in ("W1", "AUC")}
    return [
        {
            "way": way, "step": f["step"],
            **{what: f[what] for what in best}, **{f"least {k}": v for k, v in best.items()},
        }
        for way, f in picks.items()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[11, 12])
    given = parser.parse_args()
    runs: list[Run] = []
    for seed in given.seeds:
        for name in RUNS:
            found = [{"data": name, "seed": seed, **c} for c in choices(looked(name, seed))]
            console.print(pd.DataFrame(found).to_string(), highlight=False)
            runs += found
            write("choice", {"seeds": given.seeds, "runs": runs})


def section(found: Found) -> str:
    by = grouped(found["runs"], "data", "way")
    rows = [
        [
            data,
            way,
            *(
                f"{np.median(lost):.3f} ({max(lost):.3f})"
                for lost in (_lost(runs, "W1"), _lost(runs, "AUC"))
            ),
            f"{median(runs, 'step'):.0f}",
            str(len(runs)),
        ]
        for (data, way), runs in by.items()
    ]
    return (
        f"**What chooses the best step** (`make bench-choice`, medians over seeds, worst in brackets): {LOOKS} looks a run, each measured on "
        "validation rows in several ways. What the step that a way chooses loses on held-out rows against the best of all looks: in W1 over its floor, both less half "
        "the sample's own, and in a classifier's AUC.\n\n" + table(["", "chosen by", "W1 / floor lost", "AUC lost", "step", "seeds"], rows)
    )  # fmt: skip


def _lost(runs: list[Run], what: str) -> list[float]:
    return [run[what] - run[f"least {what}"] for run in runs]


SECTION = Section(255, section)


if __name__ == "__main__":
    main()
