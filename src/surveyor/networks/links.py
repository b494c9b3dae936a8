"""How much each link of a network looks like one that was led to a random node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from surveyor.networks.ways import Watch, adjacent, ways_round
from surveyor.transport import shortest_edges

RANKS = (16, 64)  # of the spectrum
ROUNDS, BETWEEN = 10, 10  # orthogonalisations for the spectrum, and steps between two of them
LEAST, BOUND = 3, 10**6  # rounds on the largest networks; nodes times rounds
COPIES, REWIRED, LEARNT = 2, 0.1, 20_000  # copies, share of links led elsewhere, links learnt from


@dataclass(frozen=True, eq=False)
class Links:
    """What is known of each link (m,) of a network.

    ``evidence`` is log p(link | led to a random node) / p(link | of the network), in nats;
    ``around`` the steps of the shortest way round without it, infinite if there is none in reach.
    """

    evidence: np.ndarray
    around: np.ndarray


def measured(edges: np.ndarray, n: int, seed: int = 0, watch: Watch | None = None) -> Links:
    """Return what is known of each link, by a model that is fitted to this network alone.

    A tenth of the links of a copy are led to random nodes, and a logistic regression learns to tell
    them from the others by the way round, by how well both ends agree in the spectrum of the
    normalised Laplacian (cosines of their coordinates), and by their degrees.

    Shapes: edges (m, 2) of node numbers, each once, without loops.
    """
    rng = np.random.default_rng(seed)
    rows, led = [], []
    for _ in range(COPIES):
        copy, new = _rewired(edges, n, rng)
        some = np.sort(rng.permutation(len(copy))[:LEARNT])
        rows.append(_features(copy, n, ways_round(copy, n, some), some))
        led.append(new[some])
    answers = np.concatenate(led)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(np.concatenate(rows), answers)
    every = np.arange(len(edges))
    around = ways_round(edges, n, every, watch)
    odds = model.decision_function(_features(edges, n, around, every))
    share = answers.mean()
    return Links(odds - np.log(share / (1 - share)), around)


def _rewired(edges: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy in which one end of some links is a random node, and which links they are."""
    copy, new = edges.copy(), np.zeros(len(edges), dtype=bool)
    some = rng.permutation(len(edges))[: max(1, int(REWIRED * len(edges)))]
    copy[some, rng.integers(0, 2, len(some))] = rng.integers(0, n, len(some))
    new[some] = True
    kept = shortest_edges(copy, new.astype(float))  # of equal links, that of the network
    return np.sort(copy[kept], axis=1), new[kept]


def _features(edges: np.ndarray, n: int, around: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Return what the model sees of some links, (len(some), features)."""
    degree = np.bincount(edges.ravel(), minlength=n)
    low, high = np.sort(degree[edges[some]], axis=1).T
    none = np.isinf(around)
    far = np.log1p(np.where(none, 0, around))
    places = spectrum(edges, n)
    agree = [_cosines(places[:, :rank], edges[some]) for rank in RANKS]
    return np.stack([far, far**2, none, np.log(low), np.log(high), low == 1, *agree], axis=1)


def _cosines(places: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    one, other = places[pairs[:, 0]], places[pairs[:, 1]]
    size = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(1) / np.maximum(size, 1e-12))


def spectrum(edges: np.ndarray, n: int) -> np.ndarray:
    """Return each node's coordinates in the smoothest functions on a network, (n, rank).

    They span about the first eigenvectors of the normalised Laplacian, whose degrees are raised by
    1 so that no small part stands for itself (Qin and Rohe 2013): a block iteration of bounded
    length in place of an eigensolver, which would not end on a large grid.
    """
    rank = min(max(RANKS), n - 1)
    lines = adjacent(edges, n)
    root = np.sqrt(np.asarray(lines.sum(1)).ravel() + 1)  # single precision, as lines are
    scaled = sparse.diags(1 / root) @ lines @ sparse.diags(1 / root)
    block = np.random.default_rng(0).standard_normal((n, rank), dtype=np.float32)
    for _ in range(min(ROUNDS, max(LEAST, BOUND // n))):
        for _ in range(BETWEEN):
            block = (block + scaled @ block) / 2
        block, _ = np.linalg.qr(block)
    values, turn = np.linalg.eigh(block.T @ (scaled @ block))
    return np.asarray(block @ turn[:, np.argsort(-values)] / root[:, None])
