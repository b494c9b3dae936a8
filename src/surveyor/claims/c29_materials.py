"""Compositions, and the charge that they must not have."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import surveyor
from surveyor.claims import Claim, Evidence, Part
from surveyor.data.charges import STATES, neutral
from surveyor.data.chemistry import parse_formula, ratios

METALS = ("Li", "Na", "K", "Mg", "Ca", "Sr", "Ba", "Al", "Y", "La", "Ti", "Zr", "Zn", "Fe", "Mn")
OTHERS = {"O": -2, "S": -2, "F": -1, "Cl": -1, "N": -3}
NEUTRAL = 0.8
ALONE, DELIVERED = "neutral over real, the generator alone", "neutral over real, delivered"


class Materials(Claim):
    """Generated formulas are as often neutral as real ones."""

    title = "Generated compositions keep the neutrality rate of the real ones"
    statement = (
        "Formulas of two metals and an anion, eight in ten of which are neutral by common "
        "oxidation states, are learned as elements and amounts. Nothing tells the generator of "
        "charges. Does it meet their exact sums as often as held-out formulas do? And do the "
        "formulas that are delivered? As many compositions as of held-out ones should be new."
    )
    equation = "P(Σ amount × state = 0 | generated) / P(… | held out)"
    source = "Dan et al. 2020 (MatGAN); Davies et al. 2019 (SMACT); formulas made here by rule"
    parts = (
        Part(
            "the generator alone is neutral as often as held-out formulas, within a tenth",
            lambda f, _: 0.9 < f[ALONE] < 1.1,
        ),
        Part(
            "what is delivered, after sampling has counted charges, is neutral as often as real "
            "formulas, within a tenth",
            lambda f, _: 0.9 < f[DELIVERED] < 1.1,
        ),
    )
    findings = (
        Part(
            "as many of the generator's compositions are new as of held-out ones, within a tenth",
            lambda f, _: f["new, the generator alone"] > 0.9 * f["new, held out"],
        ),
    )
    headline = DELIVERED

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train on formulas, and count."""
        rng = np.random.default_rng(seed)
        texts = sorted({_formula(rng) for _ in range(300 if quick else 4000)})
        rng.shuffle(texts)
        frame = pd.DataFrame({"formula": texts})
        with tempfile.TemporaryDirectory() as place:
            model = surveyor.fit(
                frame, Path(place) / "run", steps=20 if quick else 900, seed=seed, threads=1
            )
            told = {f.name: f for f in model.evaluation.figures if f.by == "formula"}
            made = model.sample(200 if quick else 1000, seed=seed)["formula"]
        own = [t for t in made if isinstance(t, str)]
        real, delivered = (float(np.mean([neutral(t) for t in part])) for part in (texts, own))
        alone = told["neutral"].known
        return Evidence(
            {
                ALONE: alone / (told["neutral"].floor or 1),
                DELIVERED: delivered / real,
                "neutral, real": real,
                "new, the generator alone": told["new"].known,
                "new, held out": told["new"].floor or 0.0,
                "unique": len({ratios(t) for t in own}) / len(own),
            },
            {
                "rates": np.array([real, alone, delivered]),
                "real": _amounts(texts),
                "made": _amounts(own),
            },
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the rates, and how many atoms a formula has."""
        left, right = figure.subplots(1, 2)
        names, colours = ("real", "generator", "delivered"), ("#1f2d3d", "#2a7f9e", "#e4572e")
        left.bar(names, found.curves["rates"], color=colours)
        left.set(title="share that is neutral")
        bins = np.arange(2, 24).tolist()
        for name, colour in (("real", "#1f2d3d"), ("made", "#e4572e")):
            right.hist(found.curves[name], bins, alpha=0.6, density=True, color=colour, label=name)
        right.set(xlabel="atoms a formula")
        right.legend()


def _formula(rng: np.random.Generator) -> str:
    """Return a formula of two metals and an anion, neutral eight times in ten."""
    first, second = rng.choice(METALS, 2, replace=False)
    anion = str(rng.choice(list(OTHERS)))
    a, b = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    charge = a * max(STATES[first]) + b * max(STATES[second])
    divisor = math.gcd(charge, -OTHERS[anion])
    scale, count = -OTHERS[anion] // divisor, charge // divisor
    a, b = a * scale, b * scale
    if rng.random() > NEUTRAL:
        count = int(rng.integers(1, 9))
    return "".join(f"{e}{n if n > 1 else ''}" for e, n in ((first, a), (second, b), (anion, count)))


def _amounts(texts: list[str]) -> np.ndarray:
    return np.array([sum(parse_formula(t).values()) for t in texts])
