"""Pictures of several clients: one codec, labels of all, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import surveyor
from surveyor import federated
from surveyor.cli import main
from surveyor.errors import InputError
from surveyor.federated import BySumsOfClients, Federation
from surveyor.kinds.images.codec import ImageCodec
from surveyor.run import load

QUICK = {"steps": 4, "batch": 32, "threads": 1, "measure": "w1:every=2,rows=32",
         "generator": "conv:width=8", "critic": "conv:width=8", "condition": ["digit"]}  # fmt: skip


def clients(folder: Path) -> list[str]:
    """Write two digits a client, the first ones in pictures that are darker."""
    digits = load_digits()
    for k in range(3):
        own = np.isin(digits.target, (2 * k, 2 * k + 1))
        pixels = np.float32(digits.images[own] * 15.9 / (100 if k == 0 else 1))
        np.savez(folder / f"c{k}.npz", x=pixels, digit=digits.target[own])
    return [str(folder / f"c{k}.npz") for k in range(3)]


def test_the_labels_of_all_clients_are_learnt_in_their_shares(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    joined, members, config = federated.prepare(clients(tmp_path), QUICK)
    codec = joined.data.codec
    assert isinstance(codec, ImageCodec)
    assert codec.top == pytest.approx(16 * 15.9)
    (column,) = codec.condition.columns
    assert list(column.natives) == [0, 1, 2, 3, 4, 5]
    # The codec is fitted to training rows alone, as in one place.
    labels = np.concatenate(
        [p.train.rows["cond"][p.train.index] for p in joined.data.parts.values()]
    )
    assert np.allclose(column.frequency, np.bincount(labels.ravel()) / labels.size, atol=1e-9)
    session = federated.start(joined, members, config, tmp_path / "run")
    assert isinstance(joined.data.train, Federation)
    assert isinstance(joined.data.train.gradients(session.plan), BySumsOfClients)
    for _ in session.records():
        pass
    found = session.finish()
    assert [f.of for f in found.parts("w1", "client")] == [
        m.name for m in sorted(members.clients, key=lambda m: m.rows)
    ]
    made = surveyor.load(tmp_path / "run").sample(6, {"digit": 3})
    assert made["x"].shape == (6, 8, 8)
    assert set(made["digit"]) == {3}
    assert load(tmp_path / "run").codec.condition.columns[0].natives == column.natives


def test_pictures_that_differ_are_refused_with_the_clients_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = clients(tmp_path)
    x, digit = (np.load(paths[0])[name] for name in ("x", "digit"))
    np.savez(tmp_path / "large.npz", x=x.repeat(2, 1).repeat(2, 2), digit=digit)
    np.savez(tmp_path / "deep.npz", x=x.astype(np.uint8), kind=digit)
    more = [str(tmp_path / f"{name}.npz") for name in ("large", "deep")]
    assert main(["federate", *paths, *more, "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "surveyor: large: pictures of 16 x 16, but of 8 x 8 in c0; read all in one size with --size",
        "surveyor: deep: pictures of uint8, but of float32 in c0; save all in one type",
        "surveyor: deep: labels kind, but digit in c0; give all the same",
    ]
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="whiten: moments are not merged between clients"):
        federated.prepare(paths, QUICK | {"whiten": True})
