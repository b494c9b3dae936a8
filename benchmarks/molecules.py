"""Molecules of QM9: samples of default runs on one ruler, beside real molecules.

Of the different molecules, drawn at random, 105,000 are given to each run, which holds out 5% of
them to choose a step; the rest is the ruler's. Nothing that is generated is repaired or rejected:
the samples are those of the generator, before repeats are drawn again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

import surveyor
from benchmarks.common import Run, console, data_file, merged, train, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.batch import Draws
from surveyor.kinds.molecules import chemistry
from surveyor.measures import generated
from surveyor.streams import Stream
from surveyor.transport import wasserstein_1_discrete, wasserstein_1_line
from surveyor.two_sample.classifier import separate

GIVEN, SHARE = 105_000, 0.05  # molecules given to a run, and the share of them that it holds out
MADE, JUDGED = 10_000, 5_000  # samples that are counted, and those whose distances are measured
AGAINST = 10_000  # held-out molecules for FCD and properties
FEW = 1_500  # a side, of Tanimoto's transport and of the classifier
METHODS = {
    "default": (),
    "the game after it": ("--warm-start", "0.8", "--term", "anchor"),
    "given mu": ("--condition", "mu"),
    "given logP": ("--condition", "logP"),
}
DIPOLE, WISH = (1.0, 2.0), "logP=1..2"
CHOSEN = 2_000  # samples drawn by what is asked for
LEARNT = 40_000  # molecules whose dipole moments a reader learns from
REAL = "real molecules"


@cache
def qm9() -> pd.DataFrame:
    """Return the different molecules of QM9 in random order, canonical, with a dipole moment each."""
    rows = pd.read_csv(data_file("qm9_smiles.csv.gz"))[["smiles", "mu"]]
    with chemistry.quiet():
        rows["smiles"] = [chemistry.parse(text).smiles for text in rows["smiles"]]
    different = rows.drop_duplicates("smiles").sort_values("smiles")
    return different.iloc[np.random.default_rng(0).permutation(len(different))]


@dataclass(frozen=True, eq=False)
class Ruler:
    """Judges lists of SMILES by molecules that were ``given`` to a generator and others ``held``."""

    given: np.ndarray
    held: np.ndarray

    @cached_property
    def chemnet(self) -> Any:
        """Return the net of FCD (Preuer et al. 2018) and its moments of held-out molecules."""
        from fcd_torch import FCD

        net = FCD(n_jobs=1)
        return net, net.precalc(self.held[:AGAINST].tolist())

    @cached_property
    def properties(self) -> pd.DataFrame:
        return chemistry.properties(self.held[:AGAINST])

    @cached_property
    def prints(self) -> np.ndarray:
        return chemistry.fingerprints(self.held[:FEW])

    def counts(self, made: Sequence[str]) -> Run:
        """Return the shares that are valid, different and new, and of held-out molecules."""
        with chemistry.quiet():
            parsed = [chemistry.parse(text) for text in made]
        valid = [one.smiles for one in parsed if one.smiles and one.pieces == 1]
        different = set(valid)
        new = different - set(self.given)
        return {
            "valid": len(valid) / len(made),
            "unique": len(different) / max(len(valid), 1),
            "new": len(new) / max(len(different), 1),
            "vun": len(new) / len(made),
            "found": len(different & set(self.held)) / max(len(different), 1),
        }

    def distances(self, made: Sequence[str], seed: int = 0) -> Run:
        """Return FCD, W1 of each property in deviations, Tanimoto's W1, and the AUC of trees.

        Invalid samples are left out.
        """
        with chemistry.quiet():
            parsed = [chemistry.parse(text) for text in made]
        valid = np.array([p.smiles for p in parsed if p.smiles and p.pieces == 1], dtype=object)[
            :JUDGED
        ]
        net, moments = self.chemnet
        own, real = chemistry.properties(valid), self.properties
        prints = chemistry.fingerprints(valid[:FEW])
        return {
            "fcd": float(net(gen=valid.tolist(), pref=moments)),
            "w1": {k: wasserstein_1_line(own[k], real[k]) / float(real[k].std()) for k in real},
            "tanimoto": wasserstein_1_discrete(prints, self.prints, metric=chemistry.tanimoto_distances),
            "auc": separate(self.prints, prints, seed).auc,
            "judged": len(valid),
        }  # fmt: skip


def floors(rest: np.ndarray) -> Iterable[Run]:
    """Yield two draws of real molecules, judged by others."""
    ruler = Ruler(qm9()["smiles"].to_numpy(object)[:GIVEN], rest[:AGAINST])
    for seed in (1, 2):
        start = AGAINST + (seed - 1) * JUDGED
        made = rest[start : start + JUDGED].tolist()
        own = ruler.counts(made) | ruler.distances(made, seed)
        yield {"method": REAL, "seed": seed, **own, "found": None}


def samples(folder: Path, n: int, seed: int) -> list[str]:
    """Return the SMILES of the generator itself, of which none is drawn again."""
    run = surveyor.load(folder).run
    codec, draws = run.codec, Draws(seed, 0, Stream.SAMPLE)
    codes = codec.condition.draw(n, draws)
    batch = generated(run.game, run.game.generator, codec.condition.embed(codes), n, draws)
    made: list[str] = codec.decode(batch, codes, draws).iloc[:, 0].tolist()
    return made


def chosen(folder: Path, seed: int) -> Run:
    """Return how many molecules a second are drawn within a range of logP, and if all lie there."""
    model = surveyor.load(folder)
    begun = time.monotonic()
    made = model.sample(CHOSEN, dict([WISH.split("=")]), seed=seed)
    seconds = time.monotonic() - begun
    values = chemistry.values_of("logP", made["smiles"].to_numpy(object))
    holds = float(((values >= 1) & (values <= 2)).mean())
    return {"rate": len(made) / seconds, "holds": holds}


def described(smiles: np.ndarray) -> np.ndarray:
    return np.column_stack([chemistry.properties(smiles), chemistry.fingerprints(smiles)])


def dipoles(folder: Path, seed: int) -> Run:
    """Return how far dipole moments asked for are from those that trees read from the molecules.

    Beside it the trees' own error on real molecules in that range which they have not seen, and how
    far the moments asked for are from what is read of samples for which nothing was asked.
    """
    low, high = DIPOLE
    model = surveyor.load(folder)
    made = model.sample(CHOSEN, {"mu": f"{low:g}..{high:g}"}, seed=seed)
    others = model.sample(CHOSEN, seed=seed)
    known, rest = qm9()[:LEARNT], qm9()[GIVEN:]
    real = rest[rest["mu"].between(low, high)][:CHOSEN]
    sides = [described(part["smiles"].to_numpy(object)) for part in (known, made, real, others)]
    with threadpool_limits(1):
        reader = HistGradientBoostingRegressor(max_iter=300, random_state=0, early_stopping=False)
        reader.fit(sides[0], known["mu"])
        read = [reader.predict(side) for side in sides[1:]]
    asked = made["mu"].to_numpy()
    return {
        "column": float(((asked >= low) & (asked <= high)).mean()),
        "error": float(np.abs(read[0] - asked).mean()),
        "own": float(np.abs(read[1] - real["mu"]).mean()),
        "unasked": float(np.abs(read[2] - asked).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--methods", nargs="*", default=[REAL, *METHODS], choices=[REAL, *METHODS])
    asked = parser.parse_args()
    every = qm9()
    smiles = every["smiles"].to_numpy(object)
    ruler = Ruler(smiles[:GIVEN], smiles[GIVEN:])
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "qm9.csv"
        every[:GIVEN].to_csv(source, index=False)
        for run in _runs(asked.methods, asked.seeds, ruler, source):
            console.print(run, highlight=False)
            write("molecules", {"runs": merged("molecules", [run], "method", "seed")})


def _runs(
    methods: Sequence[str], seeds: Sequence[int], ruler: Ruler, source: Path
) -> Iterable[Run]:
    if REAL in methods:
        yield from floors(ruler.held)
    for seed in seeds:
        for method in (m for m in METHODS if m in methods):
            own = ["--holdout", str(SHARE), "--seed", str(seed), "--threads", "1"]
            done = train(str(source), [*METHODS[method], *own], source.parent / f"{method} {seed}")
            made = samples(done.folder, MADE, seed)
            found = ruler.counts(made) | ruler.distances(made, seed)
            more = dipoles if method == "given mu" else chosen
            found["asked"] = more(done.folder, seed)
            yield {"method": method, "seed": seed, "seconds": done.seconds, **found}


SHOWN = {"valid": ".3f", "unique": ".3f", "new": ".3f", "vun": ".3f", "found": ".1%", "fcd": ".3f"}


def section(found: Found) -> str:
    rows = []
    for (method,), runs in grouped(found["runs"], "method").items():
        own = [
            "-"
            if any(r.get(k) is None for r in runs)
            else format(np.median([r[k] for r in runs]), form)
            for k, form in SHOWN.items()
        ]
        moved = [f"{np.median([r['w1'][k] for r in runs]):.3f}" for k in chemistry.PROPERTIES]
        seconds = [r["seconds"] for r in runs if "seconds" in r]
        rows.append([
            method, str(len(runs)), f"{np.median(seconds):.0f}" if seconds else "-", *own, *moved,
            *(f"{np.median([r[k] for r in runs]):.3f}" for k in ("tanimoto", "auc")),
        ])  # fmt: skip
    heads = [
        "",
        "seeds",
        "s",
        "valid",
        "unique",
        "new",
        "all three",
        "found",
        "FCD",
        *chemistry.PROPERTIES,
        "Tanimoto",
        "AUC",
    ]
    return (
        f"**Molecules** (`make bench-molecules`): QM9, {GIVEN:,} molecules given to each run, one thread of a machine with other work, which seconds and rates suffer from; medians over the seeds. Of {MADE:,} samples: the "
        "shares that are valid (RDKit reads one molecule), of these different, of those not among the molecules given, and the product; of the "
        f"different ones those that are among the molecules kept from it. Of the first {JUDGED:,} valid ones against {AGAINST:,} "
        "of those: FCD, and W1 of properties in standard deviations; W1 under Tanimoto's distance and the AUC of boosted trees on "
        f"fingerprints, {FEW:,} a side. Real molecules are two draws of those kept, judged by others. \"New\" rises as a generator gets worse.\n\n"
        + table(heads, rows)
        + _asked_for(found["runs"])
    )  # fmt: skip


def _asked_for(runs: Sequence[Run]) -> str:
    by = {key: own for (key,), own in grouped(runs, "method").items()}

    def median(method: str, name: str) -> float:
        return float(np.median([run["asked"][name] for run in by[method]]))

    told = ""
    if "default" in by:
        told += (
            f"\n\nSamples of default runs with `--where {WISH}`: {median('default', 'rate'):,.0f} a second, "
            f"{median('default', 'holds'):.1%} within the range."
        )  # fmt: skip
    if "given logP" in by:
        told += (
            f" Of runs with `--condition logP`: {median('given logP', 'rate'):,.0f} a second, "
            f"{median('given logP', 'holds'):.1%} within the range."
        )  # fmt: skip
    if "given mu" in by:
        low, high = DIPOLE
        told += (
            f" Runs with `--condition mu` and samples with `--where mu={low:g}..{high:g}`: {median('given mu', 'column'):.1%} of the column "
            f"within it; boosted trees on fingerprints read moments {median('given mu', 'error'):.2f} D from the column on average, "
            f"{median('given mu', 'own'):.2f} D of real molecules in that range, and {median('given mu', 'unasked'):.2f} D of samples for which nothing was asked."
        )  # fmt: skip
    return told


SECTION = Section(219, section)


if __name__ == "__main__":
    main()
