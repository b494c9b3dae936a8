"""Shared fixtures and data: quick runs, tables, points, games."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from surveyor import Model, fit
from surveyor.api import prepare
from surveyor.build import game_of, plan_of
from surveyor.data import Options
from surveyor.data.columns import Column
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from surveyor.training import Game, Plan, State

QUICK: dict[str, Any] = {
    "steps": 6,
    "batch": 16,
    "measure": "w1:every=2,rows=32",
    "threads": 1,
}


WGAN: dict[str, Any] = {"objective": "wasserstein", "constraint": "gradient-penalty"}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def mixed(n: int = 240, seed: int = 0) -> pd.DataFrame:
    """Return a table with every kind of column, missing values and awkward names."""
    rng = np.random.default_rng(seed)
    town = rng.choice(["Oslo", "Rome", "<b>Köln</b>", "$x_1$"], n, p=[0.5, 0.3, 0.15, 0.05])
    frame = pd.DataFrame(
        {
            "town": town,
            "age": rng.integers(18, 90, n),
            "income": np.where(rng.random(n) < 0.3, 0.0, np.round(rng.lognormal(8, 1, n), 2)),
            "member": rng.random(n) < 0.4,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
        }
    )
    frame.loc[rng.random(n) < 0.2, "income"] = np.nan
    frame.loc[rng.random(n) < 0.1, "visits"] = pd.NA
    frame.loc[rng.random(n) < 0.1, "town"] = None
    frame.loc[rng.random(n) < 0.1, "joined"] = pd.NaT
    return frame


def spelt_molecules(n: int = 40) -> list[str]:
    """Return SMILES of ``n`` different molecules of carbon, oxygen and a ring, by size."""
    rings = ("C1CC1", "C1CCC1", "c1ccccc1", "C1CCCC1")
    return [f"{'C' * (k // 8 + 1)}{'O' * (k % 2)}{rings[k % 8 // 2]}" for k in range(n)]


def labelled_graphs(n: int = 60) -> list[nx.Graph]:
    """Return ``n`` different graphs whose nodes and edges have labels: a ring with a tail, bridged."""
    made = []
    for k in range(n):
        graph = nx.cycle_graph(4 + k % 5)
        nx.add_path(graph, [0, *range(10, 11 + k // 5 % 4)])
        graph.add_edge(1, 3)
        graph.add_edges_from((node, 20 + node) for node in range(k // 20))
        graph = nx.convert_node_labels_to_integers(graph)
        nx.set_node_attributes(graph, {v: "ab<c"[v % 2 + (v == 3)] for v in graph}, "kind")
        nx.set_edge_attributes(graph, {e: sum(e) % 2 for e in graph.edges}, "bond")
        made.append(graph)
    return made


@pytest.fixture(scope="session")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "table"
    return fit(mixed(600), path, condition=["town"], group="member", **QUICK)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "digits"
    return fit("example:digits", path, condition=["digit"], **QUICK)


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch.set_num_threads(1)
    return fit("toy:ring:600", tmp_path_factory.mktemp("runs") / "toy", **QUICK | WGAN)


def gaussian(n: int, d: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return points of a standard Gaussian, shifted along the first axis."""
    points = np.random.default_rng(seed).normal(size=(n, d))
    points[:, 0] += shift
    return points


def built(source: Any = "toy:ring:400", **said: Any) -> tuple[Any, Game, Plan, State]:
    """Return data, the game on them, its plan and its first state."""
    data, config = prepare(source, QUICK | WGAN | {"generator": "mlp:width=16,depth=2"} | said)
    game, plan = game_of(config, data.codec), plan_of(config)
    return data, game, plan, State.start(game, plan)


def labelled(n: int = 600) -> dict[str, np.ndarray]:
    """Return points in the plane about four centres, each with its own label."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, n)
    return {"x": rng.normal(size=(n, 2)) + 5 * label[:, None], "label": label}


def spread(texts: list[str], n: int = 120) -> list[str]:
    """Return ``n`` cells, the texts one after another and again from the first."""
    return [texts[k % len(texts)] for k in range(n)]


def csv(folder: Path, **columns: list[str]) -> str:
    """Write the columns and a number ``x`` to a CSV file, and return its path."""
    path = folder / "data.csv"
    own = columns | {"x": [str(k % 11) for k in range(len(next(iter(columns.values()))))]}
    pd.DataFrame(own).to_csv(path, index=False)
    return str(path)


def column(source: Any, name: str, **options: Any) -> Column:
    """Return a column as it is understood in a table."""
    codec = load(source, Options(**options), seed=1).codec
    assert isinstance(codec, TableCodec)
    return next(c for c in codec.columns if c.name == name)


def orders(n: int, seed: int) -> pd.DataFrame:
    """Return orders with a sum, an order of dates, and an answer that follows from the others."""
    rng = np.random.default_rng([seed, 77])
    net, share = np.round(rng.gamma(2, 40, n), 2), rng.choice([0.1, 0.2], n)
    tax = np.round(net * share, 2)
    ordered = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 500, n), "D")
    sent = ordered + pd.to_timedelta(rng.integers(0, 9, n), "D")
    shop = rng.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2])
    late = np.where((shop == "west") & (net > 60), "yes", "no")
    values = {"net": net, "tax": tax, "gross": np.round(net + tax, 2), "ordered": ordered}
    return pd.DataFrame(values | {"sent": sent, "shop": shop, "late": late})
