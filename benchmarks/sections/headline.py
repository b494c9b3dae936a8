"""The four rows of results in README, each from the file that its benchmark wrote."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sections.markdown import grouped, mean, table

Found = dict[str, Any]
NAMES = ("tables", "modes", "quality", "ruler", "resume")


def headline(found: dict[str, Found]) -> str:
    """Return what the results of ``NAMES`` say in a row each."""
    rows = [
        _table(found["tables"]),
        _modes(found["modes"], found["quality"]),
        _ruler(found["ruler"]),
        _resume(found["resume"]),
    ]
    return "Two cores, no GPU.\n\n" + table(["", "Surveyor", "beside it"], rows)


def _table(found: Found) -> list[str]:
    runs = grouped(found["runs"], "method")
    c2st = {m: float(np.median([r["c2st"] for r in own])) for (m,), own in runs.items()}
    seconds = {
        m: float(np.median([r["seconds"] for r in own if "seconds" in r] or [np.nan]))
        for (m,), own in runs.items()
    }
    return [
        "Adult's rows: how little trees tell them from real ones (C2ST, 1 is not at all)",
        f"**{c2st['Surveyor']:.3f}** in {seconds['Surveyor']:.0f} s",
        f"CTGAN, 300 epochs: {c2st['CTGAN, 300 epochs']:.3f} in "
        f"{seconds['CTGAN, 300 epochs']:,.0f} s; real rows {c2st['real training rows']:.3f}",
    ]


def _modes(found: Found, beside: Found) -> list[str]:
    runs = grouped(found["runs"], "objective", "data")
    own = next(v for (name, data), v in runs.items() if "default" in name and data == "grid")
    other = next(r for r in beside["runs"] if (r["method"], r["data"]) == ("textbook", "grid"))
    return [
        "A grid of 25 modes: samples within three deviations of one",
        f"**{mean(own, 'high_quality'):.1%}**, {mean(own, 'modes'):.0f} modes",
        f"textbook WGAN-GP after {beside['most']:.0f} s: {other['last']}",
    ]


def _ruler(found: Found) -> list[str]:
    methods = grouped(found["runs"], "method")
    shared = set.intersection(*({(r["d"], r["n"]) for r in runs} for runs in methods.values()))

    def cosine(name: str) -> float:
        return mean([r for r in methods[name,] if (r["d"], r["n"]) in shared], "cosine")

    own, folds = cosine("Surveyor's ruler"), cosine("Surveyor's net of folds")
    penalty, torchlip = cosine("gradient penalty, one-sided"), cosine("deel-torchlip")
    return [
        "A critic's direction beside the best one's, where that is known (cosine)",
        f"**{own:.2f}**; its net of folds alone {folds:.2f}",
        f"gradient penalty {penalty:.2f}, deel-torchlip {torchlip:.2f}",
    ]


def _resume(found: Found) -> list[str]:
    same = found["kills"] if found["same_bytes"] else 0
    return [
        "Killed at random moments and resumed: ends as if undisturbed, byte for byte",
        f"**{same} of {found['kills']}**",
        f"{found['refused']} resumes refused",
    ]
