"""A kind of data in one file: directions in the plane, one angle in degrees a line of a ``.deg`` file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import DEFAULT_OPTIONS, Codec, Files, Options, Rows, Space, State
from surveyor.data.conditions import Columns
from surveyor.diagnostics.preflight import Setting
from surveyor.errors import InputError
from surveyor.findings import Finding
from surveyor.kinds import Kind, add
from surveyor.measures import Figure, Measure, Seen
from surveyor.measures.common import common
from surveyor.panels import Panel, Section, Shown, Text
from surveyor.panels.common import Gradients, Memory, Progress

DEGREE = np.pi / 180


@dataclass(frozen=True, eq=False)
class Angles:
    """Angles in degrees, (n,)."""

    degrees: np.ndarray

    def __len__(self) -> int:
        return len(self.degrees)


@dataclass(frozen=True, eq=False)
class AngleCodec(Codec):
    """An angle is the point (cos, sin) of the unit circle."""

    condition: Columns = field(default_factory=Columns)

    kind = "angles"
    unit_name = "lengths of chords of the unit circle"

    @property
    def space(self) -> Space:
        """Return the shapes: two numbers a point."""
        return Space((2,), 0, (2,))

    def rows(self, raw: Angles) -> Rows:
        """Store the angles."""
        return {"x": raw.degrees, "cond": np.zeros((len(raw), 0), np.int32)}

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return points of the circle, (n, 2)."""
        angles = DEGREE * rows["x"][index]
        return torch.from_numpy(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32))

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Bring raw output (n, 2) to the circle."""
        return raw / (raw.square().sum(1, keepdim=True) + 1e-6).sqrt()

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return the angles in degrees, from 0 to 360."""
        x = batch.x.double().numpy()
        return {"angle": np.arctan2(x[:, 1], x[:, 0]) / DEGREE % 360}

    def state(self) -> State:
        """Return nothing: the circle is known."""
        return {}, {"none": np.zeros(1)}

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> AngleCodec:
        """Return the codec."""
        return cls()


class AngleFiles(Files):
    """Files with one angle a line."""

    suffixes = (".deg",)

    def recognises(self, source: Any) -> bool:
        """Take files by their suffix."""
        return isinstance(source, (str, Path)) and str(source).endswith(self.suffixes)

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Angles:
        """Read the lines.

        Raises:
            InputError: a line that is no number.
        """
        if isinstance(source, Angles):
            return source
        found = []
        for k, line in enumerate(Path(source).read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(float(line))
            except ValueError:
                raise InputError(f"{source}, line {k}: {line[:40]!r} is no number") from None
        return Angles(np.array(found))

    def defaults(self, raw: Angles, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return options that suit so small a space."""
        return {
            "generator": "mlp:width=32",
            "critic": "mlp:width=32",
            "latent": "gaussian:dimensions=4",
        }

    def take(self, raw: Angles, index: np.ndarray) -> Angles:
        """Return the chosen angles."""
        return Angles(raw.degrees[index])

    def concatenate(self, a: Angles, b: Angles) -> Angles:
        """Return both."""
        return Angles(np.concatenate([a.degrees, b.degrees]))

    def fit(self, raw: Angles, options: Options) -> AngleCodec:
        """Return the codec, which learns nothing."""
        return AngleCodec()

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write one angle a line."""
        path.write_text("".join(f"{angle:.6g}\n" for angle in samples["angle"]), encoding="utf-8")


def one_way(s: Setting) -> Iterator[Finding]:
    """Angles that hardly differ are no distribution to learn."""
    if float(s.data.train.first(1000).x.std(0).max()) < 1e-3:
        yield Finding("A01", "warn", "all angles are nearly the same", "Give some that differ")


@dataclass(frozen=True)
class Concentration(Measure):
    """The length of the mean direction |E (cos, sin)|: 1 where all are one, 0 where none is."""

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield it for generated angles; the floor is that of held-out ones."""
        sides = seen.fake(seen.n).x, seen.held(seen.n).x
        made, real = (float(x.mean(0).norm()) for x in sides)
        yield Figure("concentration", made, real, better="floor", n=seen.n)


class Directions(Panel):
    """The concentration in words."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield one sentence."""
        figure = shown.evaluation["concentration"]
        said = f"The mean direction is {figure.known:.3f} long, of real angles {figure.floor:.3f}."
        yield Section("Directions", (Text(said),))


KIND = add(
    Kind(
        name="angles",
        files=AngleFiles(),
        codec=AngleCodec,
        checks=(one_way,),
        measures=(*common(), Concentration()),
        panels=(Progress(), Directions(), Gradients(), Memory()),
    )
)
