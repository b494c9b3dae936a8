"""New nodes of a network: whom a node is joined to, one neighbour after another, by likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse.csgraph import dijkstra
from scipy.special import logsumexp

from surveyor.errors import InputError
from surveyor.networks.ways import Watch, adjacent

FEWEST = 50  # nodes with a neighbour to learn from
LEARNT = 2_000  # nodes learnt from, at most
WHOLE = 500  # nodes up to which every node is an alternative of every choice
SAMPLED = 300  # alternatives beyond, besides those close by
CLOSE = 2  # steps
NUMBERS = 40_000_000  # entries of all features, at most
STEPS = (1, 2, 3, 4, 5, 7, 10, 15)  # the last distance of each class; two more are beyond, and none
RIDGE = 1e-2  # of the weights, in all
FEATURES = 5 + 6 + len(STEPS) + 2  # of a later choice
CUT = 1e9  # the length of a link that is taken away


@dataclass(frozen=True, eq=False)
class Choice:
    """One choice: what is known of each alternative (m, features), and which was taken.

    ``offset`` (m,) is the log of how many nodes an alternative stands for.
    """

    features: np.ndarray
    taken: int
    offset: np.ndarray


@dataclass(frozen=True, eq=False)
class Arrival:
    """A distribution over the neighbours S of a new node, given the network.

    p(S) = p(k) times the product over i of p(s_i | s_1 .. s_i-1): the number of neighbours as in
    the network, and a conditional logit (McFadden 1974) for each in random order, with
    ``first`` weights for the first and ``later`` for the others.
    """

    edges: np.ndarray
    n: int
    first: np.ndarray
    later: np.ndarray

    def sample(
        self, count: int, seed: int = 0, degrees: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Return the neighbours of ``count`` new nodes, each joined to the network alone.

        Without ``degrees`` (count,) their numbers are drawn from those of the network.
        """
        rng, around = np.random.default_rng(seed), self.around()
        own = around.degree[around.degree > 0]
        numbers = rng.choice(own, count) if degrees is None else degrees
        return [self._neighbours(around, int(k), rng) for k in numbers]

    def _neighbours(self, around: _Around, k: int, rng: np.random.Generator) -> np.ndarray:
        chosen: list[int] = []
        seen = around.nothing()
        for _ in range(min(k, self.n)):
            log = self.scores(around, seen, k)
            log[chosen] = -np.inf
            p = np.exp(log - logsumexp(log))
            chosen.append(int(rng.choice(self.n, p=p / p.sum())))
            seen = around.joined(seen, chosen[-1])
        return np.array(chosen)

    def around(self) -> _Around:
        """Return the network as a new node sees it."""
        return _Around(self.edges, self.n)

    def scores(self, around: _Around, seen: _Seen, k: int) -> np.ndarray:
        """Return the score (nodes,) of each node as the next neighbour of one that has ``k``."""
        weights = self.later if seen.count else self.first
        return np.asarray(around.features(seen, k, np.arange(self.n)) @ weights)

    def log_likelihood(self, sets: list[np.ndarray], seed: int = 0) -> float:
        """Return the mean log probability of a neighbour, in random order and given their number.

        Shapes: sets of node numbers, of nodes that the network does not have.
        """
        rng, around, total = np.random.default_rng(seed), self.around(), 0.0
        for own in sets:
            seen, chosen = around.nothing(), list[int]()
            for node in rng.permutation(own):
                log = self.scores(around, seen, len(own))
                log[chosen] = -np.inf
                total += float(log[node] - logsumexp(log))
                chosen.append(int(node))
                seen = around.joined(seen, int(node))
        return total / sum(map(len, sets))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is known of every node (nodes,) from the neighbours chosen so far.

    ``steps`` to the nearest of them, how many of them are ``beside`` it, and how many nodes are
    beside both it and one of them (``shared``).
    """

    count: int
    steps: np.ndarray
    beside: np.ndarray
    shared: np.ndarray


class _Around:
    """A network without one of its nodes, if any is ``gone``, seen from the chosen neighbours."""

    def __init__(self, edges: np.ndarray, n: int) -> None:
        self.n, self.lines = n, adjacent(edges, n).astype(np.float64)
        self.lines.sort_indices()
        self.whole = np.diff(self.lines.indptr)
        self.degree, self.gone = self.whole, -1
        self.lengths = self.lines.copy()

    def without(self, node: int) -> np.ndarray:
        """Take a node away, and bring back the last; return its neighbours."""
        if self.gone >= 0:
            self._row(self.lengths, self.gone)[:] = 1
        self.gone, self.degree = node, self.whole.copy()
        self._row(self.lengths, node)[:] = CUT
        own = self.lines.indices[self.lines.indptr[node] : self.lines.indptr[node + 1]]
        self.degree[own] -= 1
        self.degree[node] = 0
        return np.asarray(own)

    def nothing(self) -> _Seen:
        """Return what is known before the first neighbour."""
        none = np.zeros(self.n)
        return _Seen(0, np.full(self.n, np.inf), none, none)

    def joined(self, seen: _Seen, node: int) -> _Seen:
        """Return what is known after one more neighbour."""
        steps = dijkstra(self.lengths, indices=node)
        steps[steps >= CUT] = np.inf
        beside = np.zeros(self.n)
        beside[self._near(node)] = 1
        if self.gone >= 0:
            beside[self.gone] = 0
        shared = self.lines @ beside
        nearest = np.minimum(seen.steps, steps)
        return _Seen(seen.count + 1, nearest, seen.beside + beside, seen.shared + shared)

    def features(self, seen: _Seen, k: int, nodes: np.ndarray) -> np.ndarray:
        """Return what the model sees of some nodes, (len(nodes), features)."""
        degree = self.degree[nodes]
        size = np.log1p(degree)
        plain = [size, size**2, degree == 0, degree == 1, size * np.log(k)]
        if not seen.count:
            return np.stack(plain, axis=1).astype(float)
        steps, beside, shared = seen.steps[nodes], seen.beside[nodes], seen.shared[nodes]
        place = np.searchsorted(STEPS, steps)
        place[np.isinf(steps)] = len(STEPS) + 1
        classes = np.eye(len(STEPS) + 2)[place]
        near, common = beside > 0, np.log1p(shared)
        more = [
            np.log(np.maximum(beside, 1)),
            common,
            common * near,
            size * near,
            size * (place == 1),
            near * np.log(k),
        ]
        return np.column_stack([*plain, *more, classes])

    def _near(self, node: int) -> np.ndarray:
        return np.asarray(self.lines.indices[self.lines.indptr[node] : self.lines.indptr[node + 1]])

    def _row(self, matrix: sparse.csr_matrix, node: int) -> np.ndarray:
        return np.asarray(matrix.data[matrix.indptr[node] : matrix.indptr[node + 1]])


def arrival(edges: np.ndarray, n: int, seed: int = 0, watch: Watch | None = None) -> Arrival:
    """Return the distribution over a new node's neighbours that fits the nodes of a network best.

    Each of at most ``LEARNT`` nodes is taken away and arrives again, its neighbours in random
    order. In large networks the alternatives are those close by and a sample of the others, each
    of which counts for as many as it stands for (McFadden 1978).

    Shapes: edges (m, 2) of node numbers, each once, without loops.

    Raises:
        InputError: there are too few nodes to learn from.
    """
    rng, around = np.random.default_rng(seed), _Around(edges, n)
    known = np.flatnonzero(around.whole > 0)
    if len(known) < FEWEST:
        raise InputError(
            f"the network has {len(known)} nodes with a neighbour; at least {FEWEST} are needed to "
            "learn how a new one is joined"
        )
    first: list[Choice] = []
    later: list[Choice] = []
    room = NUMBERS
    some = rng.permutation(known)[:LEARNT]
    for place, node in enumerate(some):
        own, chosen = rng.permutation(around.without(int(node))), list[int]()
        seen = around.nothing()
        for taken in own:
            left = np.setdiff1d(np.arange(n), [node, *chosen])
            choice = _choice(around, seen, len(own), left, int(taken), rng)
            (later if chosen else first).append(choice)
            room -= choice.features.size
            chosen.append(int(taken))
            seen = around.joined(seen, int(taken))
        if watch is not None:
            watch(place + 1, len(some))
        if room < 0:
            break
    return Arrival(edges, n, _fitted(first), _fitted(later))


def _choice(
    around: _Around,
    seen: _Seen,
    k: int,
    left: np.ndarray,
    taken: int,
    rng: np.random.Generator,
) -> Choice:
    offset = np.zeros(len(left))
    if len(left) > WHOLE:
        kept = (seen.steps[left] <= CLOSE) | (left == taken)
        others = np.flatnonzero(~kept)
        drawn = rng.permutation(others)[:SAMPLED]
        places = np.r_[np.flatnonzero(kept), drawn]
        each = np.log(len(others) / max(len(drawn), 1))
        offset = np.r_[np.zeros(int(kept.sum())), np.full(len(drawn), each)]
        left = left[places]
    at = int(np.flatnonzero(left == taken)[0])
    return Choice(around.features(seen, k, left), at, offset)


def _fitted(choices: list[Choice]) -> np.ndarray:
    """Return the weights (features,) of greatest likelihood, which is concave in them."""
    if not choices:
        return np.zeros(FEATURES)
    features = np.concatenate([c.features for c in choices])
    offset = np.concatenate([c.offset for c in choices])
    begin = np.cumsum([0, *(len(c.features) for c in choices)])
    taken = features[begin[:-1] + [c.taken for c in choices]].sum(0)
    sizes = np.diff(begin)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log = features @ weights + offset
        most = np.maximum.reduceat(log, begin[:-1])
        odds = np.exp(log - np.repeat(most, sizes))
        total = np.add.reduceat(odds, begin[:-1])
        value = (np.log(total) + most).sum() - taken @ weights + RIDGE * weights @ weights
        odds /= np.repeat(total, sizes)
        return float(value), odds @ features - taken + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)
