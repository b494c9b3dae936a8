"""The sections of results about tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sections.markdown import grouped, median, table


def tables(found: dict[str, Any]) -> str:
    keys = ("quality", "shapes", "trends", "c2st", "f1", "seconds", "rows_a_second")
    forms = (".4f", ".4f", ".4f", ".3f", ".3f", ".0f", ",.0f")
    rows = []
    for (method,), runs in grouped(found["runs"], "method").items():
        medians = [float(np.median([r[k] for r in runs])) if k in runs[0] else None for k in keys]
        cells = ["-" if m is None else format(m, f) for m, f in zip(medians, forms, strict=True)]
        rows.append([method, str(len(runs)), *cells])
    worst = {k: min(r[k] for r in found["runs"] if r["method"] == "Surveyor") for k in keys[:5]}
    return (
        "**Adult's rows** (`make bench-tables`; medians over seeds; CTGAN and sdmetrics in an environment of their own): "
        "against the 16,281 rows of the test file, sdmetrics Quality with its two halves; C2ST, 2 (1 - AUC) of boosted trees over "
        "three folds, 1 where rows cannot be told from real ones; F1 on the test file of the same trees trained on the rows. "
        "Seconds from the file to as many rows as it has, on two cores. Surveyor trains on four fifths of the rows and keeps the rest "
        "for its own numbers; it learns by likelihood first, then plays the game: likelihood alone is in the table. "
        "Surveyor's worst seed: " + ", ".join(f"{k} {v:.3f}" for k, v in worst.items()) + ".\n\n"
        + table(["rows", "seeds", "Quality", "shapes", "trends", "C2ST", "F1", "s", "rows / s"], rows)
    )  # fmt: skip


def groups(found: dict[str, Any]) -> str:
    told = []
    for (group, balance), runs in grouped(found["runs"], "group", "balance").items():
        each = ", ".join(f"{r['smallest over largest']:.2f}" for r in runs)
        told.append(f"{group}{' with `--balance`' * balance} {each}")
    fair = [r for r in found["runs"] if "parity" in r]
    rows = [
        [name, *(f"{r['parity'][f'{what}, {name}']:.3f}" for what in ("gap", "accuracy") for r in fair)]
        for name in ("real", "generated", "with parity")
    ]  # fmt: skip
    seeds = [f"{what}, seed {r['seed']}" for what in ("gap", "accuracy") for r in fair]
    found_by = "; ".join(
        f"{name} {', '.join(format(r['detection'][name], '.3f') for r in fair)}"
        for name in fair[0]["detection"]
    )
    return (
        "**Groups of Adult** (`make bench-groups`, two seeds): W1 / floor of the smallest group over that of the largest: "
        + "; ".join(told) + ". Income above 50K by sex, and the accuracy on the test file of boosted trees trained on the rows, "
        "plain and with `--parity income:sex`:\n\n" + table(["rows", *seeds], rows)
        + f"\n\n**Odd rows** (same command): AUC in telling test rows from the same rows with {found['swapped']} random cells "
        f"exchanged, none of which was seen before: {found_by}."
    )  # fmt: skip


def smalltables(found: dict[str, Any]) -> str:
    by = grouped(found["runs"], "data")

    def each(name: str, key: str, form: str) -> str:
        return ", ".join(format(r[key], form) for r in by[name,])

    def spread(key: str) -> str:
        values = [r[key] for r in by["lalonde",]]
        return f"{float(np.median(values)):,.0f} ({min(values):,.0f} to {max(values):,.0f})"

    mixtures = [
        [name, *(each(name, key, ".2f") for key in ("l_syn", "l_real", "l_test", "l_test_real"))]
        for name in ("grid", "ring")
    ]
    diamonds = by["diamonds",][0]
    return (
        "**Small tables** (`make bench-smalltables`). LaLonde's experiment, exact W1 in dollars and units between the 445 rows and as many "
        f"generated, medians of {len(by['lalonde',])} seeds (least to largest): {spread('w1')}; with no row equal to a real one (`--apart-from`) "
        f"{spread('w1 without copies')}; columns shuffled {spread('shuffled')}; drawn again from the real rows {spread('bootstrap')}. Unless kept "
        f"apart, {spread('copies')} of 445 equal a real row, of those with any earnings {spread('copies with earnings')}. "
        f"Diamonds: W1 / floor {diamonds['ratio']:.2f}, classifier AUC {diamonds['auc']:.2f}. "
        "SDGym's mixtures, log likelihood of generated points under the truth and of test points under a mixture refitted to the "
        "generated ones:\n\n" + table(["data", "L_syn", "of real points", "L_test", "from real points"], mixtures)
    )  # fmt: skip


def materials(found: dict[str, Any]) -> str:
    rows = [
        [str(r["seed"]), f"{r['of the generator']['neutral']:.3f}", *(f"{r['delivered'][k]:.3f}" for k in ("neutral", "unique", "new")),
         f"{r['real']['neutral']:.3f}", f"{r['delivered']['neutral'] / r['real']['neutral']:.2f}", f"{r['auc']:.2f}"]
        for r in found["runs"]
    ]  # fmt: skip
    return (
        "**Formulas** (`make bench-materials`, 2,000 rows of the experimental band-gap set a seed): shares neutral in charge by common "
        "oxidation states, unlike one another, and not in the data; the generator meets exact sums less often than the data, and sampling "
        "keeps fewer of the others.\n\n"
        + table(
            [
                "seed",
                "neutral, generator",
                "neutral, delivered",
                "unique",
                "new",
                "neutral, real",
                "delivered / real",
                "AUC",
            ],
            rows,
        )
    )


def privacy(found: dict[str, Any]) -> str:
    forms = {
        "quality": ".3f",
        "trends": ".3f",
        "c2st": ".3f",
        "f1": ".3f",
        "membership": ".3f",
        "copies": ".3f",
        "seconds": ".0f",
    }
    names = ("Quality", "trends", "C2ST", "F1", "attack", "on copies", "s")
    shown = {k: n for k, n in zip(forms, names, strict=True) if k in found["runs"][0]}
    by = grouped(found["runs"], "epsilon", "method")
    rows = [
        [f"{epsilon:g}", method, *(format(median(runs, k), forms[k]) for k in shown)]
        for (epsilon, method), runs in by.items()
    ]  # fmt: skip
    if "copies" in shown:
        told = (
            "the AUC of a membership attack and of the same attack on samples that are the training rows; seconds "
            "beside other jobs). Epsilon covers samples and run folder, columns and nets."
        )
    else:
        told = "the AUC of a membership attack; seconds beside other jobs). The account covers the weights, not the codec's values."
    return (
        f"**Differential privacy on Adult** (`make bench-privacy`, seeds: {len(next(iter(by.values())))}; measured as in Adult's table, beside {told}\n\n"
        + table(["epsilon", "trained by", *shown.values()], rows)
    )  # fmt: skip
