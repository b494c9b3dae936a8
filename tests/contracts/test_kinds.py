"""One suite that every kind of data runs through: encode, decode, save, condition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor.batch import Draws
from surveyor.data import Data, Options
from surveyor.data.sources import resolve
from surveyor.data.where import read_selection
from surveyor.errors import InputError
from surveyor.kinds import kinds
from surveyor.kinds.graphs.codec import GraphCodec
from surveyor.kinds.graphs.graphs import Graph, Graphs
from surveyor.kinds.images.answers.tasks.super_resolution import SuperResolution
from surveyor.kinds.images.answers.tasks.translate import Translate
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pairs import Pairs
from surveyor.kinds.loading import load, recognise
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.vectors.codec import VectorCodec
from tests.conftest import labelled_graphs, mixed, spelt_molecules


def rgb(n: int = 30) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (n, 9, 11, 3), dtype=np.uint8)
    return {"images": pictures, "label": np.arange(n) % 3}


def edges_of_graphs(n: int = 60) -> pd.DataFrame:
    """Return the edges of graphs as a table, with a label of each edge and of each graph."""
    rows = [
        (k, u, v, own["bond"], "ab"[k % 2])
        for k, graph in enumerate(labelled_graphs(n))
        for u, v, own in graph.edges(data=True)
    ]
    return pd.DataFrame(rows, columns=["graph", "u", "v", "bond", "kind"])


MOLECULES = pd.DataFrame({"smiles": spelt_molecules(90), "kind": [*"abc"] * 30})

CASES: dict[str, tuple[Any, Options]] = {
    "table": (mixed(), Options(condition=("town",), group="member")),
    "table without conditions": (mixed(), Options()),
    "table conditioned on a number": (mixed(), Options(condition=("age", "member"))),
    "vectors": (np.random.default_rng(0).normal(5, 3, (80, 4)), Options()),
    "integer vectors": (np.random.default_rng(0).integers(0, 9, (80, 3)), Options()),
    "whitened vectors": (np.random.default_rng(0).normal(5, 3, (80, 4)), Options(whiten=True)),
    "labelled vectors": (
        {"x": np.random.default_rng(0).normal(size=(60, 2)), "k": np.arange(60) % 4},
        Options(condition=("k",)),
    ),
    "digits": ("example:digits", Options(condition=("digit",))),
    "whitened digits": ("example:digits", Options(whiten=True)),
    "rgb": (rgb(), Options(condition=("label",), group="label")),
    "pictures to enlarge": (
        {"images": rgb()["images"].repeat(2, 1)[:, :16, :8]},
        Options(task=SuperResolution(2)),
    ),
    "pictures to translate": (
        {"a": rgb()["images"][..., 0], "b": rgb()["images"]},
        Options(task=Translate("a", "b")),
    ),
    "vectors to depict": (
        {"v": np.random.default_rng(0).normal(size=(30, 5)), "b": rgb()["images"]},
        Options(task=Translate("v", "b")),
    ),
    "toy": ("toy:swiss-roll:200", Options()),
    "molecules": (MOLECULES["smiles"].tolist(), Options()),
    "graphs": (labelled_graphs(60), Options()),
    "labelled graphs": (edges_of_graphs(), Options(condition=("kind",), group="kind")),
    "labelled molecules": (MOLECULES, Options(condition=("kind",), group="kind")),
}


@pytest.fixture(params=CASES, name="data")
def data_of(request: pytest.FixtureRequest) -> Data:
    source, options = CASES[request.param]
    kind = recognise(resolve(source), options)
    if kind.name == "molecules":
        pytest.importorskip("rdkit", reason="needs RDKit")
    return load(source, options)


def main_of(made: Any) -> np.ndarray | pd.DataFrame:
    return made if isinstance(made, pd.DataFrame) else made[next(iter(made))]


def test_parts_are_disjoint_and_whole(data: Data) -> None:
    parts = [data.train.index, data.validation.index, data.holdout.index]
    together = np.concatenate(parts)
    assert sorted(together) == list(range(len(data.raw)))


def test_points_have_the_shape_that_nets_are_told(data: Data) -> None:
    batch = data.train.draw(7, Draws(0))
    space = data.codec.space
    assert batch.x.shape == (7, *space.shape)
    if space.cond_shape:
        assert batch.cond is not None
        assert batch.cond.shape == (7, *space.cond_shape)
    else:
        assert (0 if batch.cond is None else batch.cond.shape[1]) == space.cond
    raw = torch.zeros(7, *space.raw, requires_grad=True)
    x = data.codec.head(raw, Draws(0))
    assert x.shape == (7, *space.shape)
    x.sum().backward()
    assert raw.grad is not None
    assert bool(raw.grad.isfinite().all())


def test_decoding_undoes_encoding(data: Data) -> None:
    n = 20
    batch, codes = data.train.first(n), data.train.codes(n)
    made = data.codec.decode(batch, codes, Draws(0))
    original = (
        data.files.take(data.raw, data.train.index[:n])
        if not isinstance(data.codec, TableCodec)
        else data.files.take(data.raw, np.arange(len(data.raw))).iloc[data.train.index[:n]]
    )
    if isinstance(data.raw, Pairs):
        original = original.target
    if isinstance(original, Graphs):
        assert isinstance(data.codec, GraphCodec)
        again = [Graph.of(one, *data.codec.names) for one in made["graph"]]
        assert [g.key for g in again] == [g.key for g in original.graphs]
        assert all(made[n].tolist() == original.columns[n].tolist() for n in made if n != "graph")
        return
    if isinstance(original, Molecules):
        assert made[data.raw.name].tolist() == original.smiles.tolist()
        assert all(made[n].tolist() == original.columns[n].tolist() for n in made if n != "smiles")
        return
    if not isinstance(data.codec, TableCodec):
        exact = original.main.dtype.kind in "iu"
        assert main_of(made).dtype == original.main.dtype
        assert main_of(made) == pytest.approx(original.main, abs=0 if exact else 1e-5)
        return
    assert isinstance(made, pd.DataFrame)
    assert list(made.columns) == list(original.columns)
    for name in made:
        assert (made[name].isna().to_numpy() == original[name].isna().to_numpy()).all(), name
    assert made["town"].fillna("-").tolist() == original["town"].fillna("-").tolist()
    assert made["member"].tolist() == original["member"].tolist()


def test_the_codec_survives_json_and_arrays(data: Data) -> None:
    meta, arrays = data.codec.state()
    again = type(data.codec).restore(json.loads(json.dumps(meta)), arrays)
    rows = again.rows(data.raw)
    for name, values in data.train.rows.items():
        assert (rows[name] == values).all()
    batch, codes = data.train.first(9), data.train.codes(9)
    one, other = (c.decode(batch, codes, Draws(3)) for c in (data.codec, again))
    assert str(one) == str(other)


def test_the_codec_holds_no_rows(data: Data) -> None:
    _meta, arrays = data.codec.state()
    if isinstance(data.codec, (VectorCodec, ImageCodec)):
        size = sum(a.size for n, a in arrays.items() if not n.startswith("condition"))
        assert size <= 3 * data.codec.space.width + 2 * data.codec.space.width**2 + 100


def test_written_samples_read_back(data: Data, tmp_path: Path) -> None:
    batch, codes = data.train.first(12), data.train.codes(12)
    made = data.codec.decode(batch, codes, Draws(0))
    for suffix in data.files.suffixes:
        if suffix in (".csv.gz", ".png"):
            continue
        path = tmp_path / f"samples{suffix}"
        if suffix == ".g6" and isinstance(made, pd.DataFrame) and made.attrs["names"] != [[], []]:
            with pytest.raises(InputError, match="graph6 cannot hold"):
                data.files.write(made, path)
            continue
        data.files.write(made, path)
        own = isinstance(data.raw, Pairs)
        again = Images().read(path) if own else data.files.reopen(path, data.codec)
        assert len(again) == 12


def test_draws_depend_on_seed_and_step_alone(data: Data) -> None:
    one, same, other = (data.train.draw(16, Draws(1, step)) for step in (5, 5, 6))
    assert torch.equal(one.x, same.x)
    assert not torch.equal(one.x, other.x)


def test_conditions_are_answered_as_asked(data: Data) -> None:
    conditions = data.codec.condition
    if not conditions.columns:
        return
    column = conditions.columns[0]
    value = column.decode(np.array([0]), Draws(0))[0]
    codes = conditions.draw(50, Draws(0), {column.name: read_selection(column, value)})
    assert len(set(codes[:, 0])) == 1
    if not column.ordered:
        decoded = conditions.decode(codes, Draws(0))[column.name]
        assert set(decoded.astype(str)) == {str(value)}


def test_every_kind_is_covered() -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    assert {load(*case).codec.kind for case in CASES.values()} == set(kinds())


def test_equal_rows_have_equal_keys_and_others_do_not(data: Data) -> None:
    raw = data.files.select(data.raw, np.array([0, 0, 1, 2, 2]))
    first, again, other, third, last = data.files.keys(raw, data.codec)
    assert first == again
    assert third == last
    assert len({first, other, third}) == 3
    assert data.codec.unknown_columns(data.codec.rows(raw)) == []
