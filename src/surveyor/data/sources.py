"""Data without a file: ``example:NAME`` comes with scikit-learn, ``toy:NAME`` is sampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from surveyor.data.memory import as_frame_or_arrays
from surveyor.data.toy import TOYS, draw
from surveyor.errors import InputError, did_you_mean

TABLES = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast-cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}
EXAMPLES = ("digits", *TABLES)


def resolve(source: Any) -> Any:
    """Turn ``example:`` and ``toy:`` names into data in memory; return files as they are.

    ``example:digits`` is 1,797 pictures of 8 x 8 with their ``digit``; the others are tables.
    ``toy:NAME`` is 20,000 points (``toy:NAME:N`` for N) of a mixture in two dimensions.

    Raises:
        InputError: an unknown name, an invalid number of points, or not data.
    """
    source = as_frame_or_arrays(source)
    if not isinstance(source, str):
        return source
    scheme, _, name = source.partition(":")
    if scheme == "example":
        return example(name)
    if scheme == "toy":
        name, _, count = name.partition(":")
        if name not in TOYS:
            raise InputError(f"{source}: unknown toy{did_you_mean(name, TOYS)}")
        if count and (not count.isdigit() or int(count) < 1):
            raise InputError(
                f"{source}: {count!r} is not a number of points; write toy:{name}:20000"
            )
        return draw(name, int(count or 20_000), np.random.default_rng(0)).astype(np.float32)
    return source


def example(name: str) -> dict[str, np.ndarray] | pd.DataFrame:
    """Return a real data set that ships with scikit-learn.

    Raises:
        InputError: an unknown name.
    """
    if name == "digits":
        digits = datasets.load_digits()
        return {"images": digits.images.astype(np.uint8), "digit": digits.target.astype(np.int64)}
    if name not in TABLES:
        raise InputError(f"example:{name}: unknown example{did_you_mean(name, EXAMPLES)}")
    bunch = TABLES[name](as_frame=True)
    frame: pd.DataFrame = bunch.frame.copy()
    if hasattr(bunch, "target_names") and name != "diabetes":
        frame["target"] = np.asarray(bunch.target_names, dtype=object)[frame["target"]]
    return frame
