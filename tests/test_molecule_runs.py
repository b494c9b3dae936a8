"""Runs on molecules: measures, comparisons, panels, and samples chosen by what is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.molecules import Ruler

import surveyor
from surveyor.api import Model
from surveyor.data import Options
from surveyor.errors import InputError, Notice
from surveyor.kinds.molecules import chemistry, measures, panels, sheets
from surveyor.kinds.molecules.asked import AsAsked
from surveyor.kinds.molecules.codec import MoleculeCodec
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.measures import Figure, Figures, measured
from surveyor.panels import Picture
from surveyor.ruler.drift import drift
from surveyor.run import sampling
from tests.conftest import QUICK
from tests.test_molecules import chains, written

pytest.importorskip("rdkit", reason="needs RDKit: pip install 'surveyor[molecules]'")


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let readers read few samples, which take long to draw."""
    monkeypatch.setattr("surveyor.kinds.molecules.asked.READ", 200)


HALVES = np.random.default_rng(0).permutation(chains(160)).reshape(2, 80).tolist()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    place = tmp_path_factory.mktemp("molecules")
    source = written(place / "own.smi", *chains(160))
    return surveyor.fit(source, place / "run", **QUICK)


def seen_of(real: list[str], held: list[str], made: list[str], own: bool = True) -> Any:
    """Return rows as measures see them, without a codec."""

    class Rows:
        seed = 0

        def __init__(self) -> None:
            self.own = own
            self.data = self
            self.train, self.holdout = real, held

        def decoded(self, n: int) -> pd.DataFrame:
            return pd.DataFrame({"smiles": made[:n]})

        def held_out(self, n: int) -> Molecules:
            return Molecules(np.array(held[:n], dtype=object))

        def training(self, n: int) -> Molecules:
            return Molecules(np.array(real[:n], dtype=object))

    return Rows()


def test_counts_are_those_of_the_molecules() -> None:
    """Two in three are known, one is new, of four different ones; and one was held out."""
    real, held = chains(160)[:60], chains(160)[60:120]
    made = [*real[:10] * 2, *held[:5], *(f"C{'C' * k}CN" for k in range(5))]
    counted = list(measures.Counts()(seen_of(real, held, made)))
    found = {f.name: f.value for f in counted}
    assert found["valid"] == 1
    assert found["unique"] == pytest.approx(20 / 30)
    assert found["new"] == pytest.approx(10 / 20)
    assert found["valid_unique_new"] == pytest.approx(10 / 30)
    assert found["found"] == pytest.approx(5 / 20)


def test_findings_name_what_is_wrong() -> None:
    real, held = chains(160)[:60], chains(160)[60:120]
    every = {"M01", "M02", "M03"}
    cases: list[tuple[Sequence[str], set[str]]] = [
        ([*real[:6] * 5, *[""] * 20], every),
        ([*held[:50], *real[:5]], set()),
    ]
    for made, codes in cases:
        _, findings = measured(seen_of(real, held, list(made)), [measures.Counts()])
        assert {f.code for f in findings} == codes


def test_a_classifier_is_believed_where_w1_is_blunt() -> None:
    for auc, tanimoto, codes in ((0.7, 0.65, ["M04"]), (0.7, 0.9, []), (0.52, 0.65, [])):
        figures = Figures((Figure("auc", auc, 0.5), Figure("tanimoto", tanimoto, 0.645)))
        findings = measures.Properties().findings(figures, seen_of([], [], []))
        assert [f.code for f in findings] == codes


def test_real_molecules_are_at_the_floor_and_longer_ones_are_not() -> None:
    own = chains(240)
    mixed = np.random.default_rng(0).permutation(own[:200]).tolist()
    train, held, again, longer = mixed[:80], mixed[80:140], mixed[140:], own[180:]
    alike, apart = (
        {(f.name, f.of): f for f in measures.Properties()(seen_of(train, held, made))}
        for made in (again, longer)
    )
    assert len(alike) == len(chemistry.PROPERTIES) + 1
    weight = alike["distance", "weight"]
    assert weight.known < 3 * weight.known_floor
    assert apart["distance", "weight"].known > 3 * weight.known_floor
    for key in (("distance", "weight"), ("distance", "logP"), ("tanimoto", "")):
        assert apart[key].known > alike[key].known
    table = (
        chemistry.properties(longer)["weight"].mean() - chemistry.properties(held)["weight"].mean()
    )
    assert apart["distance", "weight"].known >= abs(table) - 1e-9


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"rings": 1}, lambda t: t["rings"] == 1),
        ({"logP": "1..5"}, lambda t: t["logP"].between(1, 5)),
        ({"weight": "..90|120.."}, lambda t: (t["weight"] <= 90) | (t["weight"] >= 120)),
        (
            {"sp3": "0.5..", "TPSA": ["0..1", "20..30"]},
            lambda t: (t["sp3"] >= 0.5) & (t["TPSA"] <= 30),
        ),
    ],
)
def test_what_is_asked_of_a_property_holds(where: Any, holds: Any, run: Model) -> None:
    made = run.sample(12, where)
    assert len(made) == 12
    assert holds(chemistry.properties(made["smiles"].to_numpy())).all()
    assert made["smiles"].is_unique


def test_a_part_asked_for_is_in_every_sample(run: Model) -> None:
    made = run.sample(12, {"contains": "c1ccccc1|CO"})["smiles"]
    assert all("c1ccccc1" in text or "O" in text for text in made)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("logp", "not a condition of this run; .*did you mean 'logP'"),
        ("contain", "did you mean 'contains'"),
        ("logP=1", "hardly ever exactly so; write a range LOW..HIGH"),
        ("logP=2..1", "the range is empty"),
        ("logP=a..b", "write a range LOW..HIGH"),
        ("logP=nan..", "write a range LOW..HIGH"),
        ("QED=2..3", "no molecule has that; QED is 0 to 1"),
        ("weight=..-5", "no molecule has that; weight is at least 0"),
        ("contains=(((", "is no SMARTS"),
        ("contains=", "is no SMARTS"),
        ("contains=C1=CC=CC=C1", "write c1ccccc1"),
    ],
)
def test_what_no_molecule_can_have_is_refused(where: str, told: str, run: Model) -> None:
    name, _, query = where.partition("=")
    with pytest.raises(InputError, match=told):
        run.sample(3, {name: query})


def test_all_problems_of_a_wish_are_told_at_once(run: Model) -> None:
    with pytest.raises(InputError) as error:
        run.sample(3, {"logP": "2..1", "QED": "2..", "x": 1})
    assert len(error.value.problems) == 3


def test_what_too_few_samples_have_ends_soon(monkeypatch: pytest.MonkeyPatch, run: Model) -> None:
    monkeypatch.setattr(sampling, "HOPELESS", 3000)
    with pytest.raises(
        InputError, match=r"contains=\[Fe\]: only 0 such rows among [3-9],\d+ generated"
    ):
        run.sample(3, {"contains": "[Fe]"})


def test_a_judgement_counts_what_is_no_molecule(tmp_path: Path) -> None:
    made = written(tmp_path / "made.smi", *HALVES[1], "C1CC", "CCO.CCN", "CCBr")
    with pytest.warns(Notice) as notices:
        (one,) = surveyor.judge(HALVES[0], made)
    told = " ".join(str(own.message) for own in notices)
    assert "1 of 83 molecules have elements, charges or bonds that no training molecule" in told
    figures = one.evaluation.by_name
    assert figures["valid"].known == pytest.approx(81 / 83)
    assert figures["new"].known == 1
    assert "found" not in figures


def test_repeats_among_generated_molecules_are_kept_and_counted() -> None:
    (one,) = surveyor.judge(HALVES[0], HALVES[1][:40] * 2)
    assert one.evaluation["unique"].known == 0.5


def test_a_distance_says_which_property_moved() -> None:
    first, second = chains(400)[:200], chains(400)[200:]
    found = drift(first, second)
    assert found.comparison.p_value < 0.001
    moved = {m.name: m for m in found.columns}
    assert (moved["weight"].p_value or 0) < 0.001
    assert moved["weight"].distance > 10 * moved["weight"].floor
    assert "smiles" in found.rows[0].values
    same = np.random.default_rng(0).permutation(chains(400))
    assert surveyor.distance(same[:200], same[200:]).p_value > 0.01


def test_the_report_draws_structures(run: Model) -> None:
    page = (run.run.path / "report.html").read_text()
    assert "Generated, uncurated" in page
    assert "the most similar of" in page
    assert page.count("No critic was trained") == 2
    assert "Mean slope" not in page
    assert "Crippen" in page
    assert "<script" not in page
    assert sheets.picture(chains(8), across=4).size == (600, 300)


def test_the_nearest_training_molecule_of_one_is_itself() -> None:
    real = chains(60)
    (pair,) = panels._nearest(seen_of(real, real, real), np.array(real[:3]))
    assert isinstance(pair, Picture)
    assert "60 training molecules" in pair.caption


def test_conditions_are_columns_beside_the_molecules(tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": chains(160), "kind": ["a", "b"] * 80})
    model = surveyor.fit(frame, tmp_path / "run", condition=["kind"], **QUICK)
    made = model.sample(9, {"kind": "b", "rings": "1.."})
    assert list(made.columns) == ["smiles", "kind"]
    assert set(made["kind"]) == {"b"}


def labelled_molecules(smiles: Sequence[str]) -> pd.DataFrame:
    """Return molecules with their weight, and whether they are ethers."""
    weights = chemistry.values_of("weight", smiles)
    kind = ["ether" if "O" in text else "hydrocarbon" for text in smiles]
    return pd.DataFrame({"smiles": smiles, "mass": weights, "kind": kind})


def asked_of(made: pd.DataFrame, smiles: list[str]) -> dict[str, Figure]:
    """Return what is read from ``made`` by a reader trained on the first half of ``smiles``."""
    every = labelled_molecules(smiles)
    columns = {name: every[name] for name in ("mass", "kind")}
    raw = Molecules(np.array(smiles, dtype=object), columns=columns)
    half = len(smiles) // 2
    seen = seen_of([], [], [])
    seen.codec = MoleculeCodec.fit(raw, Options(condition=("mass", "kind")))
    seen.training = lambda n: raw.take(np.arange(half))
    seen.held_out = lambda n: raw.take(np.arange(half, len(smiles)))
    seen.labelled = lambda n: made
    return {f.of: f for f in AsAsked()(seen)}


def test_a_computed_property_is_a_condition_and_what_samples_have(tmp_path: Path) -> None:
    source = written(tmp_path / "own.smi", *chains(160))
    with pytest.warns(Notice, match="logP, rings: computed by RDKit"):
        model = surveyor.fit(source, tmp_path / "run", condition=("logP", "rings"), **QUICK)
    codec = model.run.codec
    assert codec.computed == ("logP", "rings")
    made = model.sample(60, {"logP": "1..2", "rings": 1}, seed=3)
    smiles = made["smiles"].to_numpy(object)
    assert np.allclose(made["logP"], chemistry.values_of("logP", smiles))
    assert made["logP"].between(1, 2).all()
    assert (chemistry.values_of("rings", smiles) == 1).all()
    assert (made["rings"] == 1).all()
    free = model.sample(60, seed=3)
    assert np.allclose(free["logP"], chemistry.values_of("logP", free["smiles"].to_numpy(object)))
    with pytest.warns(Notice, match="computed by RDKit"):
        assert not model.evaluate().parts("asked", "column")
    again = written(tmp_path / "other.smi", *chains(40))
    assert len(model.score(again)) == 40  # without the columns, which are computed
    for where, told in (({"logP": 1.5}, "hardly ever exactly so"), ({"rings": "-2..-1"}, "rings")):
        with pytest.raises(InputError, match=told):
            model.sample(3, where)


def test_a_column_of_ones_own_is_not_computed(tmp_path: Path) -> None:
    rows = pd.DataFrame({"smiles": chains(160), "logP": np.arange(160) / 10})
    model = surveyor.fit(rows, tmp_path / "run", condition=("logP",), **QUICK)
    assert model.run.codec.computed == ()
    assert model.sample(5, {"logP": 3.5})["logP"].tolist() == [3.5] * 5


def test_columns_are_read_from_the_molecules_themselves() -> None:
    """A true column is read to the reader's own error; one of other molecules is not."""
    smiles = np.random.default_rng(0).permutation(chains(240)).tolist()
    some = smiles[120:]
    true = labelled_molecules(some)
    found = asked_of(true, smiles)
    assert set(found) == {"mass", "kind"}
    assert found["mass"].value == found["mass"].floor  # the held-out molecules themselves
    assert found["kind"].value == found["kind"].floor
    assert found["mass"].known_floor < true["mass"].std() / 3
    assert found["kind"].known_floor > 0.95
    turned = true.assign(smiles=some[60:] + some[:60])
    wrong = asked_of(turned, smiles)
    assert wrong["mass"].known > 3 * wrong["mass"].known_floor
    assert wrong["kind"].known < 0.8
    for figures, codes in ((found, []), (wrong, ["M05"])):
        told = AsAsked().findings(Figures(tuple(figures.values())), seen_of([], [], []))
        assert [f.code for f in told] == codes


def test_the_report_says_how_well_a_column_is_read(tmp_path: Path) -> None:
    smiles = chains(400)
    frame = labelled_molecules(smiles)[["smiles", "mass"]]
    model = surveyor.fit(frame, tmp_path / "run", condition=["mass"], **QUICK)
    assert model.evaluate(frame.iloc[:300]).parts("asked", "column")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Columns and what is read from the molecules" in page


def test_the_ruler_of_the_benchmark_counts_as_the_measures_do() -> None:
    given, held = (np.array(half, dtype=object) for half in HALVES)
    ruler = Ruler(given, held)
    made = [*given[:10], *given[:10], *held[:5], "CCCCN", "C1CC", "CCO.CCN"]
    found = ruler.counts(made)
    assert found["valid"] == 26 / 28
    assert found["unique"] == 16 / 26
    assert found["new"] == 6 / 16
    assert found["vun"] == pytest.approx(found["valid"] * found["unique"] * found["new"])
    assert found["found"] == 5 / 16


def test_rows_to_score_are_never_left_out_unseen(tmp_path: Path) -> None:
    model = surveyor.fit(chains(160), tmp_path / "run", lenient=True, **QUICK)
    assert len(model.score(chains(6))) == 6
    with pytest.raises(
        InputError, match=r"1 of 7 molecules do not read as SMILES: row 6 \('C1CC'\)"
    ):
        model.score([*chains(6), "C1CC"])
