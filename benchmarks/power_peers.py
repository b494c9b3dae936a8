"""What runs in the environment of drift detectors: evidently and frouros. Imports nothing of Surveyor."""

from __future__ import annotations

import argparse
import json
import time
import warnings
from typing import Any

warnings.simplefilter("ignore")


def evidently(a: Any, b: Any, seed: int) -> bool:
    """Its preset for drift of a data set, with its own choices of tests and thresholds."""
    import pandas as pd
    from evidently import Report  # type: ignore[import-not-found, unused-ignore]
    from evidently.presets import DataDriftPreset  # type: ignore[import-not-found, unused-ignore]

    names = [f"c{k}" for k in range(a.shape[1])]
    frames = (pd.DataFrame(side, columns=names) for side in (b, a))
    found = Report([DataDriftPreset()]).run(*frames).dict()
    counts = next(m["value"] for m in found["metrics"] if "DriftedColumns" in str(m))
    return float(counts["count"]) >= 1


def frouros(a: Any, b: Any, seed: int) -> bool:
    """Its maximum mean discrepancy with 100 permutations, on 1,000 rows a side."""
    import numpy as np
    from frouros.callbacks import (  # type: ignore[import-not-found, unused-ignore]
        PermutationTestDistanceBased,
    )
    from frouros.detectors.data_drift import MMD  # type: ignore[import-not-found, unused-ignore]

    r = np.random.default_rng(seed)
    few = [side[r.choice(len(side), 1000, replace=False)] for side in (a, b)]
    test = PermutationTestDistanceBased(num_permutations=100, random_state=seed, num_jobs=1)
    detector = MMD(callbacks=[test])
    detector.fit(X=few[0])
    _, log = detector.compare(X=few[1])
    return bool(log["PermutationTestDistanceBased"]["p_value"] <= 0.05)


def main() -> None:
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["evidently", "frouros"])
    parser.add_argument("pairs", nargs="+")
    given = parser.parse_args()
    seen = []
    for seed, path in enumerate(given.pairs):
        pair = np.load(path)
        begun = time.monotonic()
        rejects = {"evidently": evidently, "frouros": frouros}[given.what](
            pair["a"], pair["b"], seed
        )
        seen.append({"rejects": rejects, "seconds": time.monotonic() - begun})
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
