"""Writes the README's results from ``benchmarks/results``, so that its numbers are the measured ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS
from benchmarks.gallery import committees, images, pairs, stacked
from benchmarks.markdown import grouped, mean, median, table

README = Path(__file__).parents[1] / "README.md"
MARK = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", flags=re.S)


def modes(found: dict[str, Any]) -> str:
    rows = []
    alone = ", ".join(f"{toy} {seconds:.0f} s" for toy, seconds in found.get("alone", {}).items())
    for (objective, data), runs in grouped(found["runs"], "objective", "data").items():
        low, high = min(r["spread_min"] for r in runs), max(r["spread_max"] for r in runs)
        middle = float(np.median([r["spread_median"] for r in runs]))
        rows.append([
            f"{objective}, {data}", f"{mean(runs, 'modes'):.1f}",
            f"{mean(runs, 'high_quality'):.1%} ({min(r['high_quality'] for r in runs):.1%})",
            f"{mean(runs, 'reverse_kl'):.4f}", f"{low:.2f} - {middle:.2f} - {high:.2f}",
            f"{float(np.median([r['seconds'] for r in runs])):.0f}",
        ])  # fmt: skip
    columns = [
        "objective, data",
        "modes",
        "high quality (worst seed)",
        "reverse KL",
        "spread of modes",
        "s",
    ]
    return (
        f"**Modes** (`make bench-modes`, {len(found['seeds'])} seeds, one configuration for both sets): "
        "PacGAN's ring of 8 and grid of 25. The spread is each mode's deviation over the true one: least, "
        "median and largest over all modes and seeds. Seconds of training are those of two runs side by "
        f"side, a core each; the default alone, on both cores: {alone or 'not measured'}.\n\n"
        + table(columns, rows)
    )


def closeness(found: dict[str, Any]) -> str:
    rows = [
        [toy, f"{mean(runs, 'w1'):.4f}", f"{mean(runs, 'floor'):.4f}", f"{mean(runs, 'ratio'):.2f}",
         f"{max(r['ratio'] for r in runs):.2f}"]
        for toy, runs in found["runs"].items()
    ]  # fmt: skip
    return (
        f"**Closeness** (`make bench-closeness`, {len(found['seeds'])} seeds): exact W1 of 2,048 generated "
        "against 2,048 fresh points, over the same between real and real.\n\n"
        + table(["data", "W1", "floor", "ratio, mean", "worst seed"], rows)
    )


def real(found: dict[str, Any]) -> str:
    ordered = sorted(found["runs"], key=lambda r: (r["data"], r["variant"] != "default"))
    rows = [
        [data, variant, *(f"{float(np.median([r[k] for r in runs])):.3f}" for k in ("w1", "floor", "ratio", "auc")),
         f"{float(np.median([r['seconds'] for r in runs])):.0f}"]
        for (data, variant), runs in grouped(ordered, "data", "variant").items()
    ]  # fmt: skip
    return (
        f"**Real data** (`make bench-real`, median of {len(found['seeds'])} seeds, training seconds on one "
        "core): held-out W1 over its floor, and the AUC of a classifier that tells generated from "
        "held-out rows (.5 is chance), which sees what W1 cannot in many dimensions. Tables: the default draws "
        "column by column, all others with one net for all columns (`--generator mlp`).\n\n"
        + table(["data", "constraint", "W1", "floor", "W1 / floor", "AUC", "s"], rows)
    )


def cost(found: dict[str, Any]) -> str:
    shares = ", ".join(
        f"{k} {v['measuring']:.1%}" for k, v in found.items() if k not in ("machine", "sampling")
    )
    return (
        f"**Cost of measuring** (`make bench-cost`): {shares} of the training time. "
        f"**Sampling** Adult: {found['sampling']['rows_a_second']:,.0f} rows a second."
    )


def resume(found: dict[str, Any]) -> str:
    end = (
        "every file equals the undisturbed run's, byte for byte"
        if found["same_bytes"]
        else (f"these files differ: {', '.join(found['different'])}")
    )
    return (
        f"**Resume** (`make bench-resume`): killed with SIGKILL at {found['kills']} random moments, "
        f"{found['refused']} resumes refused; {end}."
    )


def bytes_(found: dict[str, Any]) -> str:
    kinds = {k: v["different"] for k, v in found.items() if k != "machine"}
    same = [k for k, different in kinds.items() if not different]
    return f"**Same seed, same bytes** (`make bench-bytes`): all files equal for {', '.join(same)}."


def ruler(found: dict[str, Any]) -> str:
    rows = []
    methods = grouped(found["runs"], "method")
    shared = set.intersection(*({(r["d"], r["n"]) for r in runs} for runs in methods.values()))
    for (method,), runs in methods.items():
        nine = [r for r in runs if (r["d"], r["n"]) in shared]
        bounds = [r["bound"] for r in runs]
        rows.append([
            method, f"{mean(nine, 'cosine'):.3f} ({min(r['cosine'] for r in nine):.3f})",
            f"{float(np.median([abs(r['error']) for r in nine])):.1%}",
            f"{max(r['steepest'] for r in nine):.2f}",
            "none" if None in bounds else f"{max(bounds):.3g}",
            f"{float(np.median([r['seconds'] for r in nine])):.0f}",
        ])  # fmt: skip
    cells = ", ".join(f"{d} x {n}" for d, n in sorted(shared))
    own = [r for r in found["runs"] if r["method"] == "Surveyor's ruler"]
    below = [r for r in own if r["cosine"] < 0.93]
    whole = (
        f"Surveyor's ruler on all {len(own)} cells (`--full`; D 2 to 128, N 4 to 256): mean cosine "
        f"**{mean(own, 'cosine'):.3f}**, median W1 error {float(np.median([abs(r['error']) for r in own])):.1%}, "
        f"largest slope {max(r['steepest'] for r in own):.3f}; below .93 in "
        + ", ".join(f"D {r['d']} N {r['n']} ({r['cosine']:.2f})" for r in below)
        + ". **These figures stand apart**: the truth of these pairs is a minimum of cones, and so may this "
        "critic be. What it does on data of other shapes is in the next table; the net of folds, which knows "
        "nothing of cones, is the row to compare with the others."
    )
    return (
        f"**The critic as a ruler** (`make bench-ruler`, {found['steps']:,} steps of {found['batch']:,} fresh points a "
        "side for everybody, a seed that nothing was tuned on): MinFunnel pairs, whose W1 and best critic are known. "
        "Cosine of the critic's gradient with the true one (worst cell), error of W1, largest slope measured, "
        f"proven bound, and seconds on one core with the other busy, over cells {cells} (D x N).\n\n"
        + table(["critic", "cosine (worst)", "W1 error, median", "steepest", "bound", "s"], rows)
        + "\n\n" + whole
    )  # fmt: skip


def memory(found: dict[str, Any]) -> str:
    told = "; ".join(
        f"{int(rows):,} rows: {r['peak'] / 2**30:.2f} GiB at the peak, {r['rate']:.1f} steps a second"
        for rows, r in found["runs"].items()
    )
    return f"**Files larger than memory** (`make bench-memory`), a table of Adult's columns in Parquet: {told}."


def known(found: dict[str, Any]) -> str:
    rows = [
        [r["name"], f"{r['w1']:.4f}", f"{r['value']:.4f}", f"{r['value'] / r['w1'] - 1:+.2%}",
         f"{r['steps']} x {r['batch']}"]
        for r in found["runs"]
    ]  # fmt: skip
    return (
        "**Distances in closed form** (`make bench-known`): the trained critic's gap on fresh points; its slope is at "
        "most 1 by proof.\n\n" + table(["distributions", "W1", "gap", "error", "steps"], rows)
    )


def speed(found: dict[str, Any]) -> str:
    by: dict[str, dict[str, float]] = {}
    for r in found["runs"]:
        by.setdefault(r["size"], {})[r["method"]] = r["ms"]
    methods = list(dict.fromkeys(r["method"] for r in found["runs"]))
    rows = [
        [size, *(f"{ms[m]:.2f}" if m in ms else "-" for m in methods)] for size, ms in by.items()
    ]
    return (
        f"**A critic step under the penalty** (`make bench-speed`, {found['threads']} threads), milliseconds, timed in turns: "
        "the textbook loop, JAX, the matrix products alone that such a step cannot do without, and Surveyor's, "
        "compiled where it does not say eager.\n\n" + table(["critic", *methods], rows)
    )


def quality(found: dict[str, Any]) -> str:
    rows = []
    for (data, method), runs in grouped(found["runs"], "data", "method").items():
        rows.append([
            data, method,
            ", ".join(f"{r['seconds']:.0f}" if r["reached"] else "not reached" for r in runs),
            "; ".join(r["last"] for r in runs),
        ])  # fmt: skip
    return (
        "**Time to quality** (`make bench-quality`, start of training to the goal, all cores free; a run is given up after "
        f"{found['most']:.0f} s): on the grid 25 modes with 95% of samples within three deviations of one, on the ring W1 of at "
        "most 1.5 times its floor; a figure a seed.\n\n"
        + table(["data", "method", "s", "when it stopped"], rows)
    )  # fmt: skip


def hard(found: dict[str, Any]) -> str:
    def each(runs: list[dict[str, Any]], key: str, form: str) -> str:
        return ", ".join(format(r[key], form) for r in runs if key in r) or "-"

    rows = [
        [data, critic, each(runs, "ratio", ".2f"), each(runs, "auc", ".2f"), each(runs, "high_quality", ".1%")]
        for (data, critic), runs in grouped(found["runs"], "data", "critic").items()
    ]  # fmt: skip
    minutes = ", ".join(f"{k} {v:g}" for k, v in found["minutes"].items())
    return (
        f"**Critics of proven slope for generators** (`make bench-hard`, equal time: {minutes} minutes, two runs side by side, "
        "nothing tuned for them; a figure a seed): the penalised default beside orthogonal matrices with folds or GroupSort.\n\n"
        + table(["data", "critic", "W1 / floor", "AUC", "high quality"], rows)
    )


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


def labels(found: dict[str, Any]) -> str:
    shares = sorted({r["share"] for r in found["runs"]})
    rows = []
    for (method,), runs in grouped(found["runs"], "method").items():
        cells = []
        for share in shares:
            own = [r for r in runs if r["share"] == share]
            cells.append(", ".join(f"{r['accuracy']:.3f}" for r in own))
            cells.append(f"{min(r['worst'] for r in own):.3f}")
        rows.append([method, *cells])
    columns = [text for share in shares for text in (f"{share:.0%} wrong", "worst label")]
    return (
        f"**Wrong labels** (`make bench-labels`, eight Gaussians with their number as condition, {found['steps']:,} steps, a figure a "
        "seed): share of samples that lie nearest to the Gaussian asked for; told the share is `--label-noise`.\n\n"
        + table(["", *columns], rows)
    )


def outliers(found: dict[str, Any]) -> str:
    by = grouped(found["runs"], "share")
    rows = [
        [what, name, *(f"{median(runs, part, name, *more):.3f}" for runs in by.values())]
        for what, part, more in (("a point", "point", ("error",)), ("a curve", "curve", ()))
        for name in found["runs"][0][part]
    ]
    return (
        f"**Outliers** (`make bench-outliers`, medians of {len(next(iter(by.values())))} seeds): a share of the points lies {found['far']:g} "
        "deviations away, on one side. A generator of a single point under W1 goes where the geometric median is, which bends with the outliers "
        "but does not follow them as the mean does; one of a single value for each condition keeps to the curve, sin 3c. The original GAN "
        "settles in the larger mode. Error against the clean centre or curve:\n\n"
        + table(["learnt", "by", *(f"{share:.0%}" for (share,) in by)], rows)
    )  # fmt: skip


def smoothness(found: dict[str, Any]) -> str:
    by = grouped(found["runs"], "weight")
    keys = ("seen", "gap", "floor", "largest step / true")
    low, high = found["gap"]
    gaps = [median(runs, "gap") for runs in by.values()]
    worse = min(gaps[1:]) >= gaps[0]
    return (
        f"**A penalty on the gradient in the condition** (`make bench-smoothness`, medians of {len(next(iter(by.values())))} seeds): points on a "
        f"curve that a continuous condition from 0 to 1 runs along, none seen between {low:g} and {high:g}. W1 at conditions seen and in "
        "the gap, and the largest step between neighbouring conditions over the true one: "
        f"{'the penalty brings nothing on these data' if worse else 'the penalty helps'}.\n\n"
        + table(["weight", "W1, seen", "W1, in the gap", "floor", "largest step / true"],
                [[f"{weight:g}", *(f"{median(runs, k):.3f}" for k in keys)] for (weight,), runs in by.items()])
    )  # fmt: skip


def minority(found: dict[str, Any]) -> str:
    keys = ("large", "small", "slope, large", "slope, small")
    by = grouped(found["runs"], "method")
    return (
        f"**A group of {found['share']:.0%}** (`make bench-minority`, medians of {len(next(iter(by.values())))} seeds, worst in brackets): four narrow "
        "clusters beside a wide ring, the group as condition. W1 / floor of each group, and the critic's mean slope there.\n\n"
        + table(["", "large group", "small group", "slope, large", "slope, small"],
                [[name, *(f"{median(runs, k):.2f} ({max(r[k] for r in runs):.2f})" for k in keys)] for (name,), runs in by.items()])
    )  # fmt: skip


def privacy(found: dict[str, Any]) -> str:
    keys = ("quality", "trends", "c2st", "f1", "membership", "seconds")
    forms = (".3f", ".3f", ".3f", ".3f", ".3f", ".0f")
    by = grouped(found["runs"], "epsilon", "method")
    rows = [
        [f"{epsilon:g}", method, *(format(median(runs, k), f) for k, f in zip(keys, forms, strict=True))]
        for (epsilon, method), runs in by.items()
    ]  # fmt: skip
    return (
        f"**Differential privacy on Adult** (`make bench-privacy`, seeds: {len(next(iter(by.values())))}; measured as in Adult's table, beside the AUC of "
        "a membership attack; seconds beside other jobs). The account covers the weights, not the codec's values.\n\n"
        + table(["epsilon", "trained by", "Quality", "trends", "C2ST", "F1", "attack", "s"], rows)
    )


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "modes": modes, "closeness": closeness, "real": real, "cost": cost, "resume": resume,
    "bytes": bytes_, "ruler": ruler, "known": known, "hard": hard, "speed": speed,
    "quality": quality, "memory": memory, "tables": tables, "groups": groups,
    "images": images, "stacked": stacked, "pairs": pairs, "committees": committees, "minority": minority, "privacy": privacy, "smalltables": smalltables, "materials": materials,
    "labels": labels, "outliers": outliers, "smoothness": smoothness,
}  # fmt: skip


def written() -> str:
    """Return the section of every result there is."""
    parts = []
    for name, section in SECTIONS.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            parts.append(section(json.loads(path.read_text())))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    text = README.read_text()
    README.write_text(MARK.sub(lambda m: m.group(1) + written() + m.group(2), text))


if __name__ == "__main__":
    main()
