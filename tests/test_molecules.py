"""Molecules: read, refused, compared, measured, drawn, and chosen by what is computed from them."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor.data import Options
from surveyor.errors import InputError, Notice
from surveyor.kinds.loading import recognise
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.files import MoleculeFiles
from tests.conftest import spelt_molecules

pytest.importorskip("rdkit", reason="needs RDKit: pip install 'surveyor[molecules]'")

FILES = MoleculeFiles()
LENIENT = Options(lenient=True)


def chains(n: int = 40) -> list[str]:
    """Return ``n`` different molecules, canonical, by size."""
    return [chemistry.parse(text).smiles for text in spelt_molecules(n)]


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("OCC", "CCO"),
        ("C1=CC=CC=C1", "c1ccccc1"),
        ("C[C@H](N)O", "CC(N)O"),
        ("C/C=C/C", "CC=CC"),
        ("[2H]C([2H])[13CH3]", "CC"),
        ("[H]OC", "CO"),
        ("[CH3:1][OH:2]", "CO"),
    ],
)
def test_every_spelling_of_a_molecule_has_one_form(text: str, canonical: str) -> None:
    found = chemistry.parse(text)
    assert (found.smiles, found.odd) == (canonical, "")
    assert chemistry.parse(found.smiles).smiles == canonical
    assert found.stereo == any(mark in text for mark in "@/")
    assert found.isotopes == ("2H" in text)


def test_files_of_lines_may_have_names_comments_and_a_header(tmp_path: Path) -> None:
    own = chains(24)
    lines = ["smiles name", "# made by hand", "", *(f"{s}\tnumber {k}" for k, s in enumerate(own))]
    plain = written(tmp_path / "a.smi", *lines)
    packed = tmp_path / "b.SMILES.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        assert recognise(path).name == "molecules"
        assert FILES.read(path).smiles.tolist() == own


@pytest.mark.parametrize("suffix", FILES.suffixes)
def test_what_is_written_is_read_again(suffix: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"SMILES": chains(24), "mass": np.arange(24) / 4})
    path = tmp_path / f"made{suffix}"
    FILES.write(table, path)
    again = path.read_bytes()
    FILES.write(table, path)
    assert path.read_bytes() == again or suffix.startswith(".sdf")
    with (
        pytest.warns(Notice)
        if suffix not in (".smi", ".smiles", ".smi.gz", ".smiles.gz")
        else none()
    ):
        found = FILES.read(path)
    assert found.smiles.tolist() == table["SMILES"].tolist()
    if found.columns:
        assert found.columns["mass"].astype(float).tolist() == table["mass"].tolist()


def none() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_tables_are_of_molecules_only_with_a_column_of_smiles(tmp_path: Path) -> None:
    good = pd.DataFrame({"id": range(30), "Canonical_SMILES": chains(30)})
    other = good.rename(columns={"Canonical_SMILES": "text"})
    wrong = good.assign(Canonical_SMILES=[*chains(26), "hello", "world", "of", "words"])
    for frame, kind in ((good, "molecules"), (other, "table"), (wrong, "table")):
        path = tmp_path / "table.csv"
        frame.to_csv(path, index=False)
        assert recognise(frame).name == kind
        assert recognise(path).name == kind
    path = tmp_path / "good.csv"
    good.to_csv(path, index=False)
    assert recognise(path, Options(drop=("canonical_smiles",))).name == "table"
    assert recognise(path, Options(type=("Canonical_SMILES=category",))).name == "table"


def test_lists_series_and_arrays_of_text_are_molecules() -> None:
    from surveyor.data.sources import resolve

    own = chains(24)
    for source in (own, tuple(own), pd.Series(own), np.array(own), np.array(own, dtype=object)):
        found = resolve(source)
        assert recognise(found).name == "molecules"
        assert FILES.read(found).smiles.tolist() == own


BAD = {
    "C1CC": "do not read as SMILES",
    "CCO.CCN": r"have several pieces \(salts\)",
    "C[Fe]": "have metals",
    "C[CH2]": "have radicals",
    "C*": "have attachment points",
    "[H][H]": "have hydrogen that cannot be implicit",
    "C" * 61: "have more than 60 heavy atoms",
    "CCBr": r"have elements or charges of fewer than 10 molecules \(Br\)",
}


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_used_is_refused_with_its_row(bad: str, tmp_path: Path) -> None:
    path = written(tmp_path / "own.smi", "# a comment", *chains(30), f"{bad} name")
    with pytest.raises(InputError, match=BAD[bad]) as error:
        FILES.read(path)
    (line,) = error.value.problems
    assert f"{path}: 1 of 31 molecules" in line
    assert f"line 32 ({bad[:30]!r}"[:-1] in line
    assert "--lenient" in line


@pytest.mark.parametrize("bad", BAD)
def test_it_is_left_out_if_asked_and_told(bad: str, tmp_path: Path) -> None:
    path = written(tmp_path / "own.smi", *chains(30), bad)
    with pytest.warns(Notice, match=BAD[bad]):
        found = FILES.read(path, LENIENT)
    several = "." in bad
    assert len(found) == 30 + several
    assert found.smiles[-1] == ("CCO" if several else chains(30)[-1])
    assert found.valid == pytest.approx(1 - (several or bad == "C1CC") / 31)


def test_every_reason_has_a_line_of_its_own_with_three_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "own.smi", *chains(30), "x", "y", "z", "w", "C[Fe]")
    with pytest.raises(InputError) as error:
        FILES.read(path)
    first, second = error.value.problems
    assert "4 of 35" in first
    assert "line 31 ('x'), line 32 ('y'), line 33 ('z'), ..." in first
    assert "metals" in second


def test_rare_elements_are_looked_for_until_none_is_left(tmp_path: Path) -> None:
    """Without the nine with bromine only nine molecules with nitrogen are left."""
    both, alone = [f"{'C' * k}NCBr" for k in range(1, 10)], [f"{'C' * k}N" for k in range(1, 10)]
    path = written(tmp_path / "own.smi", *chains(30), *both, *alone)
    with pytest.warns(Notice, match=r"\(Br, N\)"):
        assert len(FILES.read(path, LENIENT)) == 30


def test_repeats_in_another_spelling_are_left_out_unless_columns_are_learnt() -> None:
    own = chains(30)
    table = pd.DataFrame({"smiles": [*own, "C1CC1OC"], "kind": [*"ab" * 15, "a"]})
    assert chemistry.parse("C1CC1OC").smiles in own
    with pytest.warns(Notice) as notices:
        assert len(FILES.read(table)) == 30
    told = [str(own.message) for own in notices]
    assert re.search("1 row repeats a molecule .* left out", told[0])
    assert told[1] == "DataFrame: not learnt: kind; name those to choose by with condition"
    with pytest.warns(Notice, match="kept for kind"):
        assert len(FILES.read(table, Options(condition=("kind",)))) == 31


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["# nothing"], "no molecules; give a SMILES a line"),
        (["x", "y"], "2 of 2 molecules do not read as SMILES"),
        (chains(12), "12 different molecules are too few; give at least 20"),
    ],
)
def test_files_without_enough_molecules_are_refused(
    lines: list[str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        FILES.read(written(tmp_path / "few.smi", *lines), LENIENT)


def test_broken_files_are_refused(tmp_path: Path) -> None:
    packed = tmp_path / "a.smi.gz"
    packed.write_bytes(gzip.compress(b"CCO\n" * 99)[:-12])
    binary = tmp_path / "b.smi"
    binary.write_bytes(b"CC\xff\xfe\n")
    for path, told in ((packed, "cannot be read"), (binary, "not UTF-8")):
        with pytest.raises(InputError, match=f"{re.escape(str(path))}: {told}"):
            FILES.read(path)


def test_what_is_not_kept_is_told_once(tmp_path: Path) -> None:
    extra = ["C[C@H](O)CCCCC", "C/C=C/CCC", "[13CH3]CCCCCCO", "[H]OCCCCCCCCC"]
    path = written(tmp_path / "own.smi", *chains(30), *extra)
    with pytest.warns(Notice) as notices:
        FILES.read(path)
    told = [str(own.message) for own in notices]
    assert told == [
        f"{path}: the stereochemistry of 2 molecules and the isotopes of 1 molecule left out: they are not generated",
        f"{path}: explicit hydrogens of 1 molecule are made implicit",
    ]


def test_without_rdkit_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chemistry, "import_module", _absent)
    chemistry.rdkit.cache_clear()
    frame = pd.DataFrame({"smiles": ["CCO"] * 30})
    try:
        for source in (written(tmp_path / "own.smi", "CCO"), frame):
            assert recognise(source).name == "molecules"
            with pytest.raises(InputError) as error:
                FILES.read(source)
            assert error.value.problems == (
                "molecules need RDKit; install it with: pip install 'surveyor[molecules]'",
            )
    finally:
        chemistry.rdkit.cache_clear()


def _absent(name: str) -> Any:
    raise ImportError(name)


def test_the_terminal_gets_no_line_of_rdkit(capfd: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"smiles": [*chains(30), "C1CC", "C(C)(C)(C)(C)C"]})
    with pytest.raises(InputError):
        FILES.read(frame)
    assert capfd.readouterr().err == ""


def test_tanimoto_is_a_metric_and_that_of_the_definition() -> None:
    counts = np.random.default_rng(0).integers(0, 4, (30, 50)).astype(np.float32)
    apart = chemistry.tanimoto_distances(counts, counts)
    for i, j in ((0, 1), (3, 7)):
        least, most = np.minimum(counts[i], counts[j]), np.maximum(counts[i], counts[j])
        assert apart[i, j] == pytest.approx(1 - least.sum() / most.sum())
    assert apart == pytest.approx(apart.T)
    assert (apart[:, :, None] <= apart[:, None, :] + apart.T[None] + 1e-6).all()
    nothing = np.zeros((1, 50))
    assert chemistry.tanimoto_distances(nothing, nothing) == 0
    assert chemistry.tanimoto_distances(nothing, counts) == pytest.approx(np.ones((1, 30)))


def test_properties_are_those_known_of_benzene_and_ethanol() -> None:
    benzene, ethanol = chemistry.properties(["c1ccccc1", "CCO"]).to_dict("records")
    assert benzene["weight"] == pytest.approx(78.11, abs=0.01)
    assert (benzene["rings"], benzene["sp3"], benzene["TPSA"]) == (1, 0, 0)
    assert (ethanol["rings"], ethanol["sp3"]) == (0, 1)
    assert ethanol["TPSA"] == pytest.approx(20.23, abs=0.01)
    assert benzene["logP"] > 1 > 0 > ethanol["logP"]
    for name in chemistry.PROPERTIES:
        assert chemistry.values_of(name, ["CCO"])[0] == ethanol[name]


def test_a_part_of_a_fingerprint_is_in_the_molecule_that_names_it() -> None:
    smiles = chains(40)
    prints = chemistry.fingerprints(smiles)
    assert prints.shape == (40, 1024)
    entry = int(np.flatnonzero(prints[-1])[-1])
    assert chemistry.fragment(smiles[-1], entry)
    assert chemistry.scaffold("CCc1ccccc1") == "c1ccccc1"


def test_structures_are_drawn_with_nothing_that_could_execute() -> None:
    drawn = chemistry.drawing(chains(8), ["0.50"] * 8, 4)
    assert drawn.count("<svg") == 1
    assert not re.search(r"<script|<foreignObject|href|<text|\bon\w+=", drawn)
    assert drawn == chemistry.drawing(chains(8), ["0.50"] * 8, 4)
