"""RDKit: molecules read, written, described, compared and drawn. Nothing else imports it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from surveyor.errors import InputError

LONGEST = 2_000  # characters of a SMILES; a longer one is of no molecule that is taken
RADIUS, FOLDED = 2, 1024  # bonds around an atom, and entries of a fingerprint
CACHED = 2**16  # molecules whose properties are kept

METALLOIDS = ("B", "Si", "Ge", "As", "Te")
NONMETALS = {"H", "C", "N", "O", "F", "P", "S", "Cl", "Se", "Br", "I", *METALLOIDS}
PLAIN_ATOM = re.compile(r"Cl|Br|[BCNOPSFI]|[bcnops]")
REWRITTEN = re.compile(r"[@/\\.]|\[\d|\[H|:\d+\]")  # what is not kept, or must be looked at
ISOTOPE, STEREO = re.compile(r"\[\d"), re.compile(r"[@/\\]")
HYDROGEN = re.compile(r"\[\d*H\d*[+-]?\d*\]")


@dataclass(frozen=True)
class Property:
    """A number that RDKit computes of a molecule: from ``least`` to ``most``, ``whole`` or not."""

    label: str
    least: float = -np.inf
    most: float = np.inf
    whole: bool = False


PROPERTIES: Mapping[str, Property] = {
    "logP": Property("octanol and water, Crippen's estimate of the logarithm of the ratio"),
    "QED": Property("likeness to drugs, from 0 to 1 (Bickerton et al. 2012)", 0, 1),
    "weight": Property("molecular weight in g/mol", 0),
    "rings": Property("rings", 0, whole=True),
    "sp3": Property("share of the carbon atoms that are sp3", 0, 1),
    "TPSA": Property("topological polar surface in square ångströms (Ertl et al. 2000)", 0),
}


@dataclass(frozen=True)
class Parsed:
    """A SMILES as read: ``smiles`` is its canonical form, "" if it is unreadable.

    Stereochemistry and isotopes are left out of it, and hydrogens are implicit; of several
    ``pieces`` it is the largest. ``odd`` is what rules it out, ``atoms`` are its elements with
    their charges, such as ``N`` and ``N+1``, and ``heavy`` is the number of heavy atoms.
    """

    smiles: str = ""
    odd: str = ""
    atoms: frozenset[str] = frozenset()
    heavy: int = 0
    pieces: int = 1
    stereo: bool = False
    isotopes: bool = False
    hydrogens: bool = False


@cache
def rdkit(name: str = "Chem") -> Any:
    """Return a module of RDKit.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(f"rdkit.{name}")
    except ImportError:
        raise InputError(
            "molecules need RDKit; install it with: pip install 'surveyor[molecules]'"
        ) from None


def quiet() -> AbstractContextManager[Any]:
    """Return a context in which RDKit writes no log lines to the terminal."""
    blocked: AbstractContextManager[Any] = rdkit("rdBase").BlockLogs()
    return blocked


def parse(text: str) -> Parsed:
    """Return a SMILES in canonical form, with what was left out of it."""
    chem = rdkit()
    if len(text) > LONGEST:
        return Parsed(heavy=LONGEST)
    molecule = chem.MolFromSmiles(text)
    if molecule is None or molecule.GetNumAtoms() == 0:
        return Parsed()
    pieces, stereo, isotopes, hydrogens = 1, False, False, False
    if REWRITTEN.search(text):
        stereo, isotopes = bool(STEREO.search(text)), bool(ISOTOPE.search(text))
        hydrogens = bool(HYDROGEN.search(text))
        molecule, pieces = _plain(molecule)
    smiles = chem.MolToSmiles(molecule, isomericSmiles=False)
    atoms, odd = _atoms(molecule, smiles)
    return Parsed(
        smiles, odd, atoms, molecule.GetNumHeavyAtoms(), pieces, stereo, isotopes, hydrogens
    )


def _plain(molecule: Any) -> tuple[Any, int]:
    """Return the largest piece without stereochemistry, isotopes, map numbers and hydrogens."""
    chem = rdkit()
    chem.RemoveStereochemistry(molecule)
    for atom in molecule.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    pieces = chem.GetMolFrags(chem.RemoveHs(molecule), asMols=True)
    largest = max(pieces, key=lambda piece: piece.GetNumHeavyAtoms())
    again = chem.MolFromSmiles(chem.MolToSmiles(largest, isomericSmiles=False))
    return (largest if again is None else again), len(pieces)


def _atoms(molecule: Any, smiles: str) -> tuple[frozenset[str], str]:
    """Return the elements with their charges, and what rules the molecule out."""
    if not any(mark in smiles for mark in ("[", "*", "->", "<-")):
        return frozenset(name.title() for name in PLAIN_ATOM.findall(smiles)), ""
    found, odd = set(), ""
    for atom in molecule.GetAtoms():
        symbol, charge = atom.GetSymbol(), atom.GetFormalCharge()
        found.add(f"{symbol}{charge:+d}" if charge else symbol)
        if symbol == "*":
            odd = "attachment points"
        elif symbol == "H":
            odd = "hydrogen that cannot be implicit"
        elif symbol not in NONMETALS:
            odd = "metals"
        elif atom.GetNumRadicalElectrons():
            odd = "radicals"
    if "->" in smiles or "<-" in smiles:
        odd = "dative bonds"
    return frozenset(found), odd


def molecules(smiles: Sequence[str] | np.ndarray) -> list[Any]:
    """Return RDKit's molecules of canonical SMILES."""
    chem = rdkit()
    with quiet():
        return [chem.MolFromSmiles(text) for text in smiles]


@cache
def _functions() -> Mapping[str, Callable[[Any], float]]:
    computed = rdkit("Chem.rdMolDescriptors")
    return {
        "logP": rdkit("Chem.Crippen").MolLogP,
        "QED": rdkit("Chem.QED").qed,
        "weight": rdkit("Chem.Descriptors").MolWt,
        "rings": computed.CalcNumRings,
        "sp3": computed.CalcFractionCSP3,
        "TPSA": computed.CalcTPSA,
    }


def values_of(name: str, smiles: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return one property of canonical SMILES, (n,)."""
    compute = _functions()[name]
    return np.array([compute(one) for one in molecules(smiles)], dtype=float)


@lru_cache(CACHED)
def _described(smiles: str) -> tuple[float, ...]:
    (molecule,) = molecules([smiles])
    return tuple(float(compute(molecule)) for compute in _functions().values())


def properties(smiles: Sequence[str] | np.ndarray) -> pd.DataFrame:
    """Return all properties of canonical SMILES, a column each; about 1 ms a molecule."""
    with quiet():
        rows = np.array([_described(text) for text in smiles]).reshape(len(smiles), -1)
    return pd.DataFrame(rows.reshape(len(smiles), len(PROPERTIES)), columns=list(PROPERTIES))


@cache
def _morgan() -> Any:
    return rdkit("Chem.rdFingerprintGenerator").GetMorganGenerator(radius=RADIUS, fpSize=FOLDED)


def fingerprints(smiles: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return Morgan's counts of the surroundings of all atoms, (n, 1024) float32.

    Each atom's neighbourhood of up to two bonds is hashed and counted (Rogers and Hahn 2010),
    folded to 1,024 entries.
    """
    generator = _morgan()
    found = [generator.GetCountFingerprintAsNumPy(one) for one in molecules(smiles)]
    return np.array(found, dtype=np.float32).reshape(len(found), FOLDED)


def fragment(smiles: str, entry: int) -> str:
    """Return the part of a molecule that an entry of its fingerprint counts, in words."""
    chem = rdkit()
    (molecule,) = molecules([smiles])
    output = rdkit("Chem.rdFingerprintGenerator").AdditionalOutput()
    output.AllocateBitInfoMap()
    _morgan().GetCountFingerprint(molecule, additionalOutput=output)
    centre, radius = output.GetBitInfoMap()[entry][0]
    bonds = chem.FindAtomEnvironmentOfRadiusN(molecule, radius, centre)
    ends = (molecule.GetBondWithIdx(k) for k in bonds)
    atoms = {centre, *(k for bond in ends for k in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))}
    part = chem.MolFragmentToSmiles(molecule, list(atoms), list(bonds), allHsExplicit=True)
    return f"{part} in a ring" if molecule.GetAtomWithIdx(centre).IsInRing() else str(part)


def tanimoto_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 - sum_k min(a_k, b_k) / sum_k max(a_k, b_k) between counts (n, d) and (m, d).

    It is a metric (Tanimoto; Ruzicka 1958), 0 between two empty rows. The sum of minima is that
    over t = 1, 2, ... of how many entries are at least t in both.
    """
    a, b = (np.asarray(side, dtype=np.float32) for side in (a, b))
    shared = np.zeros((len(a), len(b)), dtype=np.float32)
    for t in range(1, int(min(a.max(initial=0), b.max(initial=0))) + 1):
        kept = ((a >= t).any(0)) & ((b >= t).any(0))
        shared += (a[:, kept] >= t).astype(np.float32) @ (b[:, kept] >= t).astype(np.float32).T
    either = a.sum(1)[:, None] + b.sum(1) - shared
    return np.where(either > 0, 1 - shared / np.maximum(either, 1), 0.0).astype(np.float64)


def scaffold(smiles: str) -> str:
    """Return a molecule's rings and what links them (Bemis and Murcko 1996); "" without rings."""
    (molecule,) = molecules([smiles])
    murcko = rdkit("Chem.Scaffolds.MurckoScaffold")
    found: str = murcko.MurckoScaffoldSmiles(mol=molecule, includeChirality=False)
    return found


def pattern(text: str) -> Any:
    """Return a pattern in SMARTS.

    Raises:
        InputError: it is none, or a molecule with aromatic rings not written as such.
    """
    chem = rdkit()
    with quiet():
        found, molecule = chem.MolFromSmarts(text), chem.MolFromSmiles(text)
    if not text or found is None:
        raise InputError(f"{text!r} is no SMARTS; write a part such as c1ccccc1 or C(=O)[OH]")
    if molecule is not None and molecule.GetNumAtoms() and not molecule.HasSubstructMatch(found):
        raise InputError(
            f"{text!r} as SMARTS is not in the molecule that it is as SMILES; "
            f"write {chem.MolToSmiles(molecule)}"
        )
    return found


def contain(smiles: Sequence[str] | np.ndarray, part: Any) -> np.ndarray:
    """Return which molecules contain a ``pattern``, (n,)."""
    return np.array([one.HasSubstructMatch(part) for one in molecules(smiles)], dtype=bool)


def structure(smiles: str, fields: Mapping[str, object]) -> str:
    """Return a molecule as a record of an SDF file, with coordinates in the plane and fields."""
    (molecule,) = molecules([smiles])
    rdkit("Chem.rdDepictor").Compute2DCoords(molecule)
    blocks = [
        f">  <{' '.join(name.split())}>\n{' '.join(str(v).split())}\n\n"
        for name, v in fields.items()
    ]
    return f"{rdkit().MolToMolBlock(molecule)}{''.join(blocks)}$$$$\n"


def drawing(smiles: Sequence[str], legends: Sequence[str], across: int, side: int = 150) -> str:
    """Return structures as an SVG, ``across`` a line, each a square of ``side`` pixels.

    Nothing is in it but what RDKit draws: letters are drawn as lines.
    """
    down = -(-len(smiles) // across)
    canvas = rdkit("Chem.Draw.rdMolDraw2D").MolDraw2DSVG(across * side, down * side, side, side)
    options = canvas.drawOptions()
    options.legendFontSize, options.bondLineWidth = 14, 1.2
    canvas.DrawMolecules(molecules(smiles), legends=list(legends))
    canvas.FinishDrawing()
    text: str = canvas.GetDrawingText()
    return text


def painting(smiles: Sequence[str], across: int, side: int = 150) -> bytes:
    """Return the same as a PNG."""
    down = -(-len(smiles) // across)
    canvas = rdkit("Chem.Draw.rdMolDraw2D").MolDraw2DCairo(across * side, down * side, side, side)
    canvas.DrawMolecules(molecules(smiles))
    canvas.FinishDrawing()
    made: bytes = canvas.GetDrawingText()
    return made
