"""The sections of results about measuring, speed and repetition."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sections.markdown import grouped, mean, table


def cost(found: dict[str, Any]) -> str:
    shares = ", ".join(f"{k} {v['measuring']:.1%}" for k, v in found["runs"].items())
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
    kinds = {name: v["different"] for name, v in found["runs"].items()}
    same = [name for name, different in kinds.items() if not different]
    told = [f"all files equal for {', '.join(same)}"] * bool(same)
    told += [f"{name}: {', '.join(files)} differ" for name, files in kinds.items() if files]
    return f"**Same seed, same bytes** (`make bench-bytes`): {'; '.join(told)}."


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


def known(found: dict[str, Any]) -> str:
    told = all("trained" in r for r in found["runs"])
    rows = []
    for r in found["runs"]:
        cells = [
            r["name"],
            f"{r['w1']:.4f}",
            f"{r['steps']} x {r['batch']}",
            f"{r['value']:.4f}",
            f"{r['value'] / r['w1'] - 1:+.2%}",
        ]
        if told:
            trained = r["trained"]
            cells += [
                r["critic"],
                f"{trained['value']:.4f}",
                f"{trained['value'] / r['w1'] - 1:+.2%}",
                trained["critic"],
            ]
        rows.append(cells)
    columns = ["distributions", "W1", "steps", "gap", "error"]
    columns += ["critic", "trained: gap", "error", "critic"] if told else []
    beside = " Beside it the best trained one." if told else " Which of them it is was not kept."
    return (
        "**Distances in closed form** (`make bench-known`): gaps on fresh points of the critic that the ruler returns, whose "
        "slope is at most 1 by proof. It is the best of two trained families, Peaks and Folds, and of Cones, which no step "
        f"trains: the potentials of exact transport between 2,048 points a side, carried over to others.{beside}\n\n"
        + table(columns, rows)
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


def memory(found: dict[str, Any]) -> str:
    told = "; ".join(
        f"{int(rows):,} rows: {r['peak'] / 2**30:.2f} GiB at the peak, {r['rate']:.1f} steps a second"
        for rows, r in found["runs"].items()
    )
    return f"**Files larger than memory** (`make bench-memory`), a table of Adult's columns in Parquet: {told}."


def mutants(found: dict[str, Any]) -> str:
    counts, whole = found["counts"], len(found["runs"])
    alike = sum("equivalent" in r for r in found["runs"])
    return (
        f"**Faults that tests notice** (`make mutants`, seed {found['seeds'][0]}): of {whole} single faults put into the rooms that "
        f"compute, {1 - counts['survived'] / whole:.1%} are noticed, {counts['killed']} by a test that fails and {counts['timeout']} by one that does "
        f"not end; {counts['survived']} are not, {alike} of which change nothing that a caller sees."
    )
