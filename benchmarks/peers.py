"""What runs in the peers' own environment: CTGAN, and sdmetrics' Quality. Imports nothing of Surveyor."""

from __future__ import annotations

import argparse
import json
import time
import warnings
from typing import Any

warnings.simplefilter("ignore")
FEW = 20  # different values of a target that is a class


def ctgan(train: str, out: str, epochs: int, seed: int, target: str = "") -> dict[str, float]:
    import numpy as np
    import pandas as pd
    import torch
    from ctgan import CTGAN  # type: ignore[import-not-found, unused-ignore]

    begun = time.monotonic()
    rows = pd.read_csv(train)
    np.random.seed(seed)  # noqa: NPY002 (CTGAN draws from it)
    torch.manual_seed(seed)
    model = CTGAN(epochs=epochs, enable_gpu=False)
    labels = [target] if target and rows[target].nunique() <= FEW else []
    words = [c for c in rows if not pd.api.types.is_numeric_dtype(rows[c]) and c not in labels]
    model.fit(rows, [*words, *labels])
    made = model.sample(len(rows))
    seconds = time.monotonic() - begun
    begun = time.monotonic()
    model.sample(100_000)
    rate = 100_000 / (time.monotonic() - begun)
    made.to_csv(out, index=False)
    return {"seconds": seconds, "rows_a_second": rate}


def arf(train: str, out: str, target: str, seed: int) -> dict[str, float]:
    """Adversarial random forests, which tell categories by their type."""
    import numpy as np
    import pandas as pd

    vars(np)["in1d"] = np.isin  # which it calls, and NumPy 2.4 has not
    from arfpy.arf import arf as forest  # type: ignore[import-not-found, unused-ignore]

    begun = time.monotonic()
    rows = pd.read_csv(train)
    whole = [c for c in rows if pd.api.types.is_integer_dtype(rows[c])]
    if rows[target].nunique() <= FEW:
        rows[target] = rows[target].astype(str)
    np.random.seed(seed)  # noqa: NPY002
    model = forest(x=rows, verbose=False, random_state=seed)
    model.forde()
    made = model.forge(n=len(rows))
    seconds = time.monotonic() - begun
    for c in whole:
        made[c] = pd.to_numeric(made[c]).round().astype(int)
    made[list(rows)].to_csv(out, index=False)
    return {"seconds": seconds}


def quality(real: str, made: str) -> dict[str, float]:
    import pandas as pd
    from sdmetrics.reports.single_table import (  # type: ignore[import-not-found, unused-ignore]
        QualityReport,
    )

    a, b = pd.read_csv(real), pd.read_csv(made)
    kinds = {
        c: {"sdtype": "numerical" if pd.api.types.is_numeric_dtype(a[c]) else "categorical"}
        for c in a
    }
    report: Any = QualityReport()
    report.generate(a, b, {"columns": kinds}, verbose=False)
    parts = report.get_properties()["Score"]
    return {"quality": report.get_score(), "shapes": parts.iloc[0], "trends": parts.iloc[1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["ctgan", "arf", "quality"])
    parser.add_argument("real")
    parser.add_argument("made")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", default="")
    given = parser.parse_args()
    if given.what == "ctgan":
        done = ctgan(given.real, given.made, given.epochs, given.seed, given.target)
    elif given.what == "arf":
        done = arf(given.real, given.made, given.target, given.seed)
    else:
        done = quality(given.real, given.made)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
