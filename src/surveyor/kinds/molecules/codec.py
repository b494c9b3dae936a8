"""The codec of molecules: graphs of heavy atoms, and Morgan's fingerprints to measure them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Codec, Options, Rows, Space, State
from surveyor.data.array_columns import column_codes, fit_columns
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns, columns_restore, columns_state
from surveyor.data.fits import account_of, account_state
from surveyor.errors import InputError
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.computed import values_of
from surveyor.kinds.molecules.graphs import Alphabet, Atom
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.privacy import CodecAccount


@dataclass(frozen=True, eq=False)
class MoleculeCodec(Codec):
    """x = one-hot atoms in the order of canonical SMILES, then one-hot bonds in Kekulé's form.

    Conditions that are ``computed`` by RDKit are computed of samples too. The critic's distance is
    Euclidean between such graphs. W1 is measured between fingerprints, which do not depend on the
    order of atoms: Euclidean between Morgan's counts.
    """

    name: str
    alphabet: Alphabet
    condition: Columns
    group: Column | None = None
    account: CodecAccount | None = None
    computed: tuple[str, ...] = ()

    kind = "molecules"
    unit_name = "Euclidean distance of Morgan counts"
    continuous = False

    @classmethod
    def fit(cls, raw: Molecules, options: Options) -> MoleculeCodec:
        """Return the codec of molecules, their conditions and groups.

        Raises:
            InputError: differential privacy is asked for.
        """
        if options.epsilon is not None:
            raise InputError("--privacy: not for molecules, whose sizes and atoms are not private")
        conditions, group, fits = fit_columns(raw, options)
        known = (name for name in raw.computed if name in options.condition)
        alphabet = Alphabet.of(raw.smiles)
        return cls(raw.name, alphabet, conditions, group, fits.account, tuple(known))

    @property
    def space(self) -> Space:
        """Return the shapes and the graphs."""
        graph = self.alphabet.space
        return Space((graph.width,), self.condition.width, (graph.width,), graph=graph)

    def representable(self, smiles: np.ndarray) -> np.ndarray:
        """Return which molecules can be generated: of known atoms, and no larger than known."""
        return self.alphabet.knows(smiles)

    def rows(self, raw: Molecules) -> Rows:
        """Store atoms and bonds as small integers."""
        graphs = self.alphabet.graphs(raw.smiles)
        codes = column_codes(raw, self.condition, self.group)
        return {"atoms": graphs.atoms, "bonds": graphs.bonds} | codes

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return graphs as points."""
        return self.alphabet.space.points(rows["atoms"][index], rows["bonds"][index])

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return each atom and bond as the most likely one, straight through to a softmax.

        A graph of a generator without a likelihood may be no molecule; its SMILES is empty.
        """
        return self.alphabet.space.straight_through(raw)

    def smiles(self, x: Tensor) -> np.ndarray:
        """Return canonical SMILES of points, (n,)."""
        kinds, bonds = (t.numpy() for t in self.alphabet.space.types(x))
        return np.array(self.alphabet.smiles(kinds, bonds), dtype=object)

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        """Return SMILES and their conditions, of which some are computed of the samples."""
        smiles = self.smiles(batch.x)
        own = {name: pd.Series(values_of(name, smiles)) for name in self.computed}
        return pd.DataFrame({self.name: smiles} | dict(self.condition.decode(codes, draws)) | own)

    def metric_points(self, batch: Batch) -> Tensor:
        """Return Morgan's counts, folded to 1,024, with the condition."""
        return Batch(_counts(self.smiles(batch.x)), batch.cond).joint()

    def keys(self, rows: Any) -> np.ndarray:
        """Return one number per molecule."""
        smiles = rows.smiles if isinstance(rows, Molecules) else rows[self.name].to_numpy(object)
        return pd.util.hash_array(smiles.astype(object))

    def state(self) -> State:
        """Return what ``restore`` needs."""
        cond, arrays = self.condition.state()
        groups, more = columns_state([] if self.group is None else [self.group], "group")
        own = asdict(self.alphabet)
        meta = {"name": self.name, "alphabet": own, "condition": cond, "group": groups}
        meta["computed"] = list(self.computed)
        return meta | account_state(self.account), arrays | more

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> MoleculeCodec:
        """Rebuild the codec."""
        groups = columns_restore(meta["group"], arrays, "group")
        own = meta["alphabet"]
        low, high = own["charges"]
        atoms = tuple(Atom(**atom) for atom in own["atoms"])
        return cls(
            meta["name"],
            Alphabet(atoms, own["nodes"], own["cycles"], (low, high)),
            Columns.restore(meta["condition"], arrays),
            groups[0] if groups else None,
            account_of(meta),
            tuple(meta["computed"]),
        )


def _counts(smiles: np.ndarray) -> Tensor:
    """Return fingerprints (n, 1024); zeros for what is no molecule."""
    found = np.zeros((len(smiles), chemistry.FOLDED), dtype=np.float32)
    sound = smiles != ""
    found[sound] = chemistry.fingerprints(smiles[sound])
    return torch.from_numpy(found)
