"""What measuring costs beside training, and how fast rows are sampled."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common import data_file, show, write
from benchmarks.page import Found, Section
from surveyor.api import Model, prepare
from surveyor.run import Session, load, start


def share_of_measuring(
    source: str, steps: int, **said: object
) -> tuple[float, float, Session, str]:
    """Train and time the ruler apart; return its share, the seconds, the session and its folder."""
    data, config = prepare(source, {"threads": 2, **said})
    folder = tempfile.mkdtemp()
    session = start(data, source, config, Path(folder) / "run")
    ruler, spent = session.ruler, 0.0

    class Timed:
        def __call__(self, *given: object) -> object:
            nonlocal spent
            begun = time.perf_counter()
            result = ruler(*given)  # type: ignore[arg-type]
            spent += time.perf_counter() - begun
            return result

    session.ruler = Timed()  # type: ignore[assignment]
    begun = time.perf_counter()
    for record in session.records():
        # Whole measuring intervals only, so that the share is the one of a full run.
        if record.step >= steps and record.measurement is not None:
            break
    whole = time.perf_counter() - begun
    return spent / whole, whole, session, folder


def main() -> None:
    sets = {
        "digits": ("example:digits", {"condition": ["digit"]}),
        "ring": ("toy:ring", {}),
        "Adult": (data_file("adult_train.csv.gz"), {}),
        "diamonds": (data_file("diamonds.csv.gz"), {}),
    }
    rows: list[tuple[str, ...]] = []
    result: dict[str, dict[str, float]] = {}
    sampling: dict[str, float] = {}
    for name, (source, said) in sets.items():
        share, seconds, session, _ = share_of_measuring(source, 300, **said)
        result[name] = {"measuring": share, "seconds": seconds}
        rows.append((name, f"{share:.1%}", f"{seconds:.1f}"))
        if name == "Adult":
            model = Model(load(session.path))
            model.sample(1000)
            times = []
            for repeat in range(3):
                begun = time.perf_counter()
                model.sample(200_000, seed=repeat)
                times.append(time.perf_counter() - begun)
            sampling = {"rows_a_second": 200_000 / float(np.median(times))}
    show("Measuring, as a share of training time", ("data", "share", "s"), rows)
    print(f"Adult: {sampling['rows_a_second']:,.0f} sampled rows a second")
    write("cost", {"seeds": [0], "runs": result, "sampling": sampling})


def section(found: Found) -> str:
    shares = ", ".join(f"{k} {v['measuring']:.1%}" for k, v in found["runs"].items())
    return (
        f"**Cost of measuring** (`make bench-cost`): {shares} of the training time. "
        f"**Sampling** Adult: {found['sampling']['rows_a_second']:,.0f} rows a second."
    )


SECTION = Section(40, section)


if __name__ == "__main__":
    main()
