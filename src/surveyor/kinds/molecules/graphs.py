"""Molecules as graphs: heavy atoms in the order of their SMILES, bonds in Kekulé's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np

from surveyor.data.graphs import GraphSpace
from surveyor.kinds.molecules.chemistry import quiet, rdkit

BONDS = ("SINGLE", "DOUBLE", "TRIPLE")
MOST_BONDS = 8
CACHED = 2**17  # molecules whose graphs are kept


@dataclass(frozen=True)
class Atom:
    """An element with a charge, and the most bonds that it can have, hydrogen's included."""

    symbol: str
    charge: int
    capacity: int


@dataclass(frozen=True, eq=False)
class Graphs:
    """Molecules as graphs: their ``atoms`` (n, most) as numbers, -1 for none, and their bonds.

    ``bonds`` (n, most) are 3 * pair + order - 1, -1 for none; atoms k and j < k are the pair
    k (k - 1) / 2 + j.
    """

    atoms: np.ndarray
    bonds: np.ndarray


@lru_cache(CACHED)
def _read(smiles: str) -> tuple[tuple[tuple[str, int], ...], tuple[int, ...]]:
    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles)
    chem.Kekulize(molecule, clearAromaticFlags=True)
    bonds = []
    for bond in molecule.GetBonds():
        k, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        k, j = max(k, j), min(k, j)
        bonds.append(3 * (k * (k - 1) // 2 + j) + int(bond.GetBondTypeAsDouble()) - 1)
    return tuple(_atom(a.GetSymbol(), a.GetFormalCharge()) for a in molecule.GetAtoms()), tuple(
        bonds
    )


@cache
def _atom(symbol: str, charge: int) -> tuple[str, int]:
    return symbol, charge


def read(
    smiles: Sequence[str] | np.ndarray,
) -> tuple[list[tuple[tuple[str, int], ...]], list[tuple[int, ...]]]:
    """Return the elements and charges of each molecule's atoms, and its bonds as in ``Graphs``."""
    with quiet():
        found = [_read(text) for text in smiles]
    return [atoms for atoms, _ in found], [bonds for _, bonds in found]


def capacity(symbol: str, charge: int) -> int:
    """Return up to how many bonds RDKit takes an atom to be sound, whatever is below included."""
    chem, found = rdkit(), 0
    with quiet():
        for bonds in range(1, MOST_BONDS + 1):
            molecule = chem.RWMol()
            centre = chem.Atom(symbol)
            centre.SetFormalCharge(charge)
            molecule.AddAtom(centre)
            for k in range(bonds):
                molecule.AddAtom(chem.Atom("F"))
                molecule.AddBond(0, k + 1, chem.BondType.SINGLE)
            if chem.SanitizeMol(molecule, catchErrors=True) != 0:
                break
            if molecule.GetAtomWithIdx(0).GetNumRadicalElectrons():
                break
            found = bonds
    return found


@dataclass(frozen=True)
class Alphabet:
    """The atoms of which molecules are made, and how large these are."""

    atoms: tuple[Atom, ...]
    nodes: int
    cycles: int
    charges: tuple[int, int]

    @classmethod
    def of(cls, smiles: Sequence[str] | np.ndarray) -> Alphabet:
        """Return the alphabet of molecules."""
        names, bonds = read(smiles)
        counts: dict[tuple[str, int], int] = {}
        for own in names:
            for atom in own:
                counts[atom] = counts.get(atom, 0) + 1
        # The most frequent atoms come first.
        atoms = tuple(
            Atom(symbol, charge, capacity(symbol, charge))
            for symbol, charge in sorted(counts, key=lambda atom: (-counts[atom], atom))
        )
        total = [sum(charge for _, charge in own) for own in names]
        cycles = max(len(b) - len(a) + 1 for a, b in zip(names, bonds, strict=True))
        nodes = max(2, *(len(own) for own in names))
        return cls(atoms, nodes, cycles, (min(0, *total), max(0, *total)))

    @cached_property
    def space(self) -> GraphSpace:
        """Return the space of graphs."""
        return GraphSpace(
            self.nodes,
            len(self.atoms),
            len(BONDS),
            tuple(atom.capacity for atom in self.atoms),
            (1, 2, 3),
            tuple(atom.charge for atom in self.atoms),
            self.cycles,
            charges=self.charges,
        )

    @cached_property
    def numbers(self) -> dict[tuple[str, int], int]:
        """Return the number of each atom."""
        return {(atom.symbol, atom.charge): k for k, atom in enumerate(self.atoms)}

    def knows(self, smiles: Sequence[str] | np.ndarray) -> np.ndarray:
        """Return which molecules can be generated, (n,)."""
        names, bonds = read(smiles)
        low, high = self.charges
        return np.array(
            [
                len(a) <= self.nodes
                and len(b) - len(a) < self.cycles
                and all(atom in self.numbers for atom in a)
                and low <= sum(charge for _, charge in a) <= high
                for a, b in zip(names, bonds, strict=True)
            ],
            dtype=bool,
        )

    def graphs(self, smiles: Sequence[str] | np.ndarray) -> Graphs:
        """Return molecules as graphs; those that the alphabet does not know lose what is beyond."""
        names, bonds = read(smiles)
        most = self.nodes + self.cycles
        atoms = np.full((len(names), self.nodes), -1, dtype=np.int16)
        edges = np.full((len(names), most), -1, dtype=np.int16)
        last = 3 * self.space.pairs
        for k, (a, b) in enumerate(zip(names, bonds, strict=True)):
            own = [self.numbers.get(atom, 0) for atom in a[: self.nodes]]
            atoms[k, : len(own)] = own
            kept = [bond for bond in b if bond < last][:most]
            edges[k, : len(kept)] = kept
        return Graphs(atoms, edges)

    def smiles(self, kinds: np.ndarray, bonds: np.ndarray) -> list[str]:
        """Return canonical SMILES of graphs: types (n, nodes) and (n, nodes, nodes), -1 for none.

        A graph that is no molecule is "", and so is one of several pieces.
        """
        chem = rdkit()
        orders = [getattr(chem.BondType, name) for name in BONDS]
        atoms = [_charged(atom) for atom in self.atoms]
        there = kinds >= 0
        place = np.where(there, there.cumsum(1) - 1, 0)  # among the atoms that are there
        row, k, j = np.nonzero((np.tril(bonds + 1, -1) > 0) & there[:, :, None] & there[:, None])
        ends = np.searchsorted(row, np.arange(len(kinds) + 1))
        pairs = place[row, k].tolist(), place[row, j].tolist(), bonds[row, k, j].tolist()
        found = []
        with quiet():
            for n, own in enumerate(kinds):
                molecule: Any = chem.RWMol()
                for number in own[there[n]].tolist():
                    molecule.AddAtom(atoms[number])
                for a, b, order in zip(*(p[ends[n] : ends[n + 1]] for p in pairs), strict=True):
                    molecule.AddBond(a, b, orders[order])
                sound = chem.SanitizeMol(molecule, catchErrors=True) == 0
                smiles = chem.MolToSmiles(molecule) if sound else ""
                found.append("" if "." in smiles else smiles)
        return found


def _charged(atom: Atom) -> Any:
    made = rdkit().Atom(atom.symbol)
    made.SetFormalCharge(atom.charge)
    return made
