"""Measures of molecules: valid, different, new, found again; properties; Tanimoto; a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surveyor.findings import Finding
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.comparison import compared, smiles_of
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.measures import Figure, Figures, Measure, Seen, SeenRows
from surveyor.measures.wasserstein import REPEATS, noise
from surveyor.transport import wasserstein_1_discrete, wasserstein_1_line
from surveyor.two_sample import Samples

COUNTED = 10_000  # molecules that are counted
DESCRIBED = 2_000  # molecules a side whose properties are compared
MATCHED = 1_500  # molecules a side of exact transport under Tanimoto
TESTED = 4_000  # molecules a side that a classifier sees
TOLD, BLUNT = 0.06, 0.03  # AUC above its floor, and W1 above it as a share
FEW_VALID, FEW_DIFFERENT, FEW_NEW = 0.99, 0.8, 0.1


@dataclass(frozen=True)
class Counts(Measure):
    """Which molecules are valid, different and new, and which were held out.

    ``valid`` is the share that is one molecule each; ``unique`` the share of valid ones that do not
    repeat an earlier one; ``new`` the share of different ones that are no training molecules, or
    without any held out no real ones; ``valid_unique_new`` the product, and ``found`` the share of
    different ones that are held-out molecules. Of molecules found or not, ``new`` rises as a
    generator gets worse: read it beside the distances.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures; floors are those of held-out molecules."""
        data = seen.data
        n = min(COUNTED, len(data.holdout)) if seen.own else COUNTED
        given = smiles_of(seen.decoded(n))
        made = np.array([text for text in given if text], dtype=object)
        held = set(smiles_of(data.held_out(len(data.holdout))))
        known = set(smiles_of(data.training(len(data.train))))
        if not seen.own:
            known |= held
        some_held = smiles_of(data.held_out(n))
        valid = _valid_before(seen) * len(made) / max(len(given), 1)
        unique, new = _different(made, known)
        floors = _different(some_held, known) if seen.own else (None, None)
        count = len(made)
        yield Figure("valid", valid, 1.0, "", "higher", n=len(given))
        yield Figure("unique", unique, floors[0], "", "higher", n=count)
        yield Figure("new", new, floors[1], "", "higher", n=count)
        yield Figure("valid_unique_new", valid * unique * new, None, "", "higher", n=count)
        if seen.own:
            different = set(made)
            found = len(different & (held - known)) / max(len(different), 1)
            yield Figure("found", found, None, "", "higher", n=count, rows="train")

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield samples that are invalid, repeat themselves, or repeat the training molecules."""
        valid, unique, new = (figures[name] for name in ("valid", "unique", "new"))
        if valid.known < FEW_VALID:
            yield Finding(
                "M01",
                "warn",
                f"{1 - valid.known:.1%} of the samples are not one molecule each",
                "Leave them out before use; the other figures are of the rest",
            )
        if unique.known < FEW_DIFFERENT * (unique.floor or 1.0):
            yield Finding(
                "M02",
                "warn",
                f"only {unique.known:.1%} of the samples are different from one another",
                "Train longer on the likelihood, or with a larger weight of it as an anchor",
            )
        if new.known < FEW_NEW:
            yield Finding(
                "M03",
                "warn",
                f"only {new.known:.1%} of the different samples are new",
                "The samples repeat the training molecules; train shorter or on more data",
            )


@dataclass(frozen=True)
class Properties(Measure):
    """W1 of each property in its own unit, and W1 of molecules under Tanimoto's distance.

    The latter is 1 - sum min / sum max of counts of atoms' surroundings, a metric.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``distance`` by property and ``tanimoto``, floors averaged over training sets."""
        held, made, trained = drawn(seen, DESCRIBED)
        tables = [chemistry.properties(side) for side in (held, made, *trained)]
        for name, own in chemistry.PROPERTIES.items():
            real, fake, *sets = (table[name].to_numpy() for table in tables)
            floors = [wasserstein_1_line(real, other) for other in sets]
            kind = "integer" if own.whole else "number"
            value = wasserstein_1_line(real, fake)
            yield Figure(
                "distance", value, float(np.mean(floors)), kind, "lower", name, "column",
                len(real), noise(floors),
            )  # fmt: skip
        n = min(MATCHED, len(held), len(made))
        prints = [chemistry.fingerprints(side[:n]) for side in (held, made, *trained)]
        value, *floors = (_tanimoto(prints[0], other) for other in prints[1:])
        floor = float(np.mean(floors))
        yield Figure("tanimoto", value, floor, "", "lower", n=n, spread=noise(floors))

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield samples that a classifier tells from real molecules although W1 does not."""
        auc, tanimoto = figures.get("auc"), figures["tanimoto"]
        if auc is None or auc.floor is None or auc.known <= auc.floor + TOLD:
            return
        if tanimoto.known < tanimoto.known_floor * (1 + BLUNT):
            yield Finding(
                "M04",
                "note",
                "a classifier on fingerprints and properties tells the samples (AUC "
                f"{auc.known:.2f}, real molecules {auc.floor:.2f}), which W1 under Tanimoto's "
                "distance does not see",
                "Trust the classifier: on samples of this size W1 is blunt",
            )


def _tanimoto(a: np.ndarray, b: np.ndarray) -> float:
    return wasserstein_1_discrete(a, b, metric=chemistry.tanimoto_distances)


def drawn(seen: Seen, most: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return held-out, generated and several sets of training molecules, as many of each."""
    data = seen.data
    made = _shuffled(smiles_of(seen.decoded(most)), seen.seed)
    made = np.array([text for text in made if text], dtype=object)
    n = min(most, len(data.holdout), len(data.train), len(made))
    held = _shuffled(smiles_of(data.held_out(n)), seen.seed)
    sets = max(1, min(REPEATS, len(data.train) // n))
    trained = _shuffled(smiles_of(data.training(sets * n)), seen.seed)
    return held[:n], made[:n], [trained[k * n : (k + 1) * n] for k in range(sets)]


def both(seen: Seen) -> tuple[Samples, Samples]:
    """Return held-out molecules against generated ones, and against training molecules."""
    held, made, trained = drawn(seen, TESTED)
    points = [side.joint().numpy() for side in (seen.held(seen.n), seen.fake(seen.n))]
    real = points[0], seen.train(seen.n).joint().numpy()
    first, second = compared(held, [made, trained[0]], [(points[0], points[1]), real])
    return first, second


def _valid_before(seen: Seen) -> float:
    """Return the share of rows made elsewhere that were read as one molecule each."""
    raw = seen.raw if isinstance(seen, SeenRows) else None
    return raw.valid if isinstance(raw, Molecules) else 1.0


def _different(smiles: np.ndarray, known: set[str]) -> tuple[float, float]:
    """Return the share of molecules that repeat no earlier one, and of these that of new ones."""
    different = set(smiles)
    return (
        len(different) / max(len(smiles), 1),
        len(different - known) / max(len(different), 1),
    )


def _shuffled(smiles: np.ndarray, seed: int) -> np.ndarray:
    """Return molecules in random order: rows lie as in their files, which may be sorted."""
    return smiles[np.random.default_rng(seed).permutation(len(smiles))]
