"""Pictures of one size, grey or RGB: folders with one class per subfolder, ``.npz``, arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.data import DEFAULT_OPTIONS, Files, Options
from surveyor.data.array_columns import fit_columns
from surveyor.data.arrays import Arrays, rank
from surveyor.data.whiten import fit_whitening
from surveyor.errors import InputError
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.pictures import WHITE_16_BITS
from surveyor.kinds.images.reading import read_pictures
from surveyor.kinds.images.sheets import ANIMATED, animate, sheet, white_of, write_folder

DEFAULTS: Mapping[str, Any] = {
    "generator": "conv",
    "critic": "conv",
    "latent": "gaussian:dimensions=32",
    "steps": 2500,
    "batch": 64,
    "critic_steps": 1,
    "precision": "auto",
}


class Images(Files):
    """Pictures of one size."""

    suffixes = (".npz", ".npy", ".png")
    outputs = ("",)
    animations = (*ANIMATED, ".png")
    usual = ".png"

    def recognises(self, source: Any) -> bool:
        """Return whether ``source`` is a folder, or an array of more than two axes."""
        if isinstance(source, (str, Path)) and Path(source).is_dir():
            return True
        axes = rank(source)
        return axes is not None and axes > 2

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Arrays:
        """Read and check the pictures; with a ``size``, resize them to size x size."""
        return read_pictures(source, options)

    def defaults(self, raw: Arrays, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults measured in docs/defaults.md."""
        return DEFAULTS if raw.depth in (None, WHITE_16_BITS) else {**DEFAULTS, "white": raw.depth}

    def take(self, raw: Arrays, index: np.ndarray) -> Arrays:
        """Return the chosen pictures."""
        return raw.take(index)

    def columns(self, raw: Arrays) -> list[str]:
        """Return the names of the arrays of labels."""
        return list(raw.columns)

    def concatenate(self, a: Arrays, b: Arrays) -> Arrays:
        """Return the pictures of both sets."""
        return a.joined(b)

    def fit(self, raw: Arrays, options: Options) -> ImageCodec:
        """Fit the range of values, the conditions and, if asked for, the whitening."""
        conditions, group, fits = fit_columns(raw, options)
        if raw.main.max() == 0:
            raise InputError("all pictures are black; there is nothing to learn")
        top = raw.white or white_of(raw.main)
        size, dtype = raw.main.shape[1:], str(raw.main.dtype)
        plain = ImageCodec(
            size, top, dtype, raw.main_name, conditions, group=group, account=fits.account
        )
        if not options.whiten:
            return plain
        rows = plain.rows(raw)
        flat = plain.points(rows, np.arange(len(raw))).flatten(1).double().numpy()
        mean = flat.mean(0)
        whitening = fit_whitening(flat - mean, smallest=1e-3)
        return ImageCodec(
            plain.size, top, plain.dtype, plain.main, conditions, whitening, mean, group
        )

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write ``.npz``, ``.npy``, or one sheet of all pictures as ``.png``."""
        main = next(iter(samples))
        if path.name.lower().endswith(".npz"):
            with path.open("wb") as file:
                np.savez(file, **samples)  # type: ignore[arg-type]
        elif path.name.lower().endswith(".npy"):
            with path.open("wb") as file:  # numpy adds a second suffix to .NPY
                np.save(file, samples[main])
        else:
            sheet(samples[main]).save(path)

    def write_folder(self, samples: Any, path: Path, names: Sequence[str] = ()) -> None:
        """Write one ``.png`` per picture, numbered unless ``names`` are given and all differ."""
        parts = samples if isinstance(samples, list) else [samples]
        mains = [part[next(iter(part))] for part in parts]
        main = mains[0] if len(mains) == 1 else [p for several in mains for p in several]
        write_folder(main, path, names if len(set(names)) == len(names) else ())

    def animate(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write pictures as the frames of an animation."""
        animate(samples[next(iter(samples))], path)
