"""The sections of results about generators of points and pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sections.markdown import grouped, mean, median, table


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
        "most 1.5 times its floor; a figure a seed, the textbook's loop on the first alone.\n\n"
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
