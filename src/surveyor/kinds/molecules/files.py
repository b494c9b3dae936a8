"""Files of molecules: a SMILES a line, SDF, and tables with a column of SMILES."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data import DEFAULT_OPTIONS, Codec, Files, Options
from surveyor.errors import InputError, notify
from surveyor.kinds.molecules.codec import MoleculeCodec
from surveyor.kinds.molecules.computed import with_properties
from surveyor.kinds.molecules.graphs import Alphabet
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.kinds.molecules.screening import (
    CORRECT,
    FEWEST,
    LEAVE_OUT,
    Learnable,
    Reason,
    rare_atoms,
    screened,
    without_repeats,
)
from surveyor.kinds.molecules.sources import (
    LINES,
    NAMES,
    STRUCTURES,
    TABLES,
    is_table_of_molecules,
    read_texts,
    texts_in_memory,
)
from surveyor.kinds.molecules.writing import write

DEFAULTS: Mapping[str, Any] = {
    "objective": "relativistic",
    "constraint": ("gradient-penalty:weight=0.1,points=both,target=0",),
    "generator": "graph-rnn",
    "critic": "relational",
    "batch": 256,
    "critic_steps": 1,
    "warm_start": 1.0,
    "warm_rate": 4e-3,
    "generator_rate": 1e-4,
    "critic_rate": 1e-3,
    "ema_decay": 0.99,
}
EPOCHS, FEWEST_STEPS, MOST_STEPS = 40, 300, 2_000


class MoleculeFiles(Files):
    """Molecules as SMILES or SDF; other columns of a table can be conditions."""

    suffixes = (*LINES, *STRUCTURES, *TABLES)

    def recognises(self, source: Any) -> bool:
        """Take files by their suffix, and of tables those with a column of SMILES."""
        if isinstance(source, Molecules) or texts_in_memory(source):
            return True
        if isinstance(source, pd.DataFrame):
            return is_table_of_molecules(source)
        if not isinstance(source, (str, Path)):
            return False
        name = str(source).lower()
        return name.endswith((*LINES, *STRUCTURES)) or (
            name.endswith(TABLES) and is_table_of_molecules(source)
        )

    def declines(self, options: Options) -> bool:
        """Leave a table to others if its column of SMILES is to be dropped, or read as a type."""
        columns = (*options.drop, *(one.rpartition("=")[0] for one in options.type))
        return any(name.lower() in NAMES for name in columns)

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Molecules:
        """Read molecules to learn from: none twice, and none with rare elements or charges.

        Raises:
            InputError: molecules that cannot be used, unless the options are ``lenient``; RDKit is
                not installed.
        """
        if options.size is not None:
            raise InputError("--size: only for pictures; leave it out")
        if isinstance(source, Molecules):
            return source
        texts = read_texts(source)
        raw = screened(texts, options.lenient, LEAVE_OUT, rare_atoms)
        asked = (*options.condition, *(() if options.group is None else (options.group,)))
        raw = without_repeats(raw, texts.where, [name for name in asked if name in raw.columns])
        if len(raw) < FEWEST:
            raise InputError(
                f"{texts.where}: {len(raw)} different molecules are too few; give at least {FEWEST}"
            )
        raw = with_properties(raw, asked)
        if raw.computed:
            notify(f"{texts.where}: {', '.join(raw.computed)}: computed by RDKit")
        if unused := [name for name in raw.columns if name not in asked]:
            notify(
                f"{texts.where}: not learnt: {', '.join(unused)}; name those to choose by with "
                "--condition"
            )
        return raw

    def reopen(self, source: Any, codec: Codec, options: Options = DEFAULT_OPTIONS) -> Molecules:
        """Read other molecules, every row of them, that a fitted codec can represent."""
        assert isinstance(codec, MoleculeCodec)

        def unknown(found: Learnable) -> Iterator[Reason]:
            strange = found.left.copy()
            smiles = np.array([one.smiles for one in found.parsed], dtype=object)[strange]
            strange[strange] = ~codec.representable(smiles)
            yield Reason(strange, "have elements, charges or bonds that no training molecule has")

        if isinstance(source, Molecules):
            return source
        found = screened(read_texts(source), options.lenient, CORRECT, unknown)
        return with_properties(found, codec.computed)

    def read_comparable(self, sources: Sequence[Any], options: Options) -> list[Molecules]:
        """Read several data sets, every row of them."""
        return [
            s
            if isinstance(s, Molecules)
            else screened(read_texts(s), options.lenient, CORRECT, _none)
            for s in sources
        ]

    def defaults(self, raw: Molecules, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults measured in docs/defaults.md."""
        generator = given.get("generator")
        if isinstance(generator, str) and generator.partition(":")[0] != "graph-rnn":
            raise InputError(
                f"--generator {generator}: atoms would not keep their valences; molecules need "
                "graph-rnn"
            )
        steps = Alphabet.of(raw.smiles).space.steps
        epochs = round(EPOCHS * len(raw) / DEFAULTS["batch"])
        length = {"steps": min(max(epochs, FEWEST_STEPS), MOST_STEPS)}
        return {"latent": f"gaussian:dimensions={2 * steps}", **length, **DEFAULTS}

    def take(self, raw: Molecules, index: np.ndarray) -> Molecules:
        """Return the chosen molecules."""
        return raw.take(index)

    def columns(self, raw: Molecules) -> list[str]:
        """Return the names of the columns beside the molecules."""
        return list(raw.columns)

    def concatenate(self, a: Molecules, b: Molecules) -> Molecules:
        """Return the molecules of both sets."""
        return a.joined(b)

    def keys(self, raw: Molecules, codec: Codec) -> np.ndarray:
        """Return one number per row, equal for equal molecules."""
        return codec.keys(raw)

    def fit(self, raw: Molecules, options: Options) -> MoleculeCodec:
        """Fit the codec of the molecules and their conditions."""
        return MoleculeCodec.fit(raw, options)

    def write(self, samples: pd.DataFrame, path: Path) -> None:
        """Write SMILES, SDF with coordinates in the plane, or a table, as the suffix says."""
        write(samples, path)


def _none(found: Learnable) -> Iterator[Reason]:
    return iter(())
