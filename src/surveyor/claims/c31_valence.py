"""Small molecules: valences that hold by construction, and what a game adds to likelihood."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.catalog import parse
from surveyor.claims import Claim, Evidence, Part
from surveyor.critics import critics
from surveyor.data import Space
from surveyor.data.graphs import GraphSpace
from surveyor.generators import Latent, generators
from surveyor.lipschitz import constraints
from surveyor.objectives import objectives
from surveyor.training.game import Game
from surveyor.training.lab import Points, sampled
from surveyor.training.loop import steps
from surveyor.training.optimizers import optimizers
from surveyor.training.plan import Plan, State
from surveyor.training.terms import terms
from surveyor.transport import wasserstein_1_discrete

# Carbon, nitrogen, oxygen and fluorine, with their valences; bonds are single or double.
VALENCES = (4, 3, 2, 1)
LARGEST, FEWEST = 9, 6
ATOMS, BONDS = len(VALENCES), 2
GRAPH = GraphSpace(LARGEST, ATOMS, BONDS, VALENCES, (1, 2), (0,) * ATOMS, cycles=1)
SPACE = Space((GRAPH.width,), 0, (GRAPH.width,), graph=GRAPH)
LATENT = Latent(2 * GRAPH.steps)
ROWS, SHOWN = 4000, 1000
WHEN = ("untrained", "likelihood", "game")
BATCH, SHARE = 128, 0.75  # of the steps, by likelihood before the game
LONGER = 4  # times as many steps for the generator without masks


class Valence(Claim):
    """Masks make every sample valid; a critic alone does not."""

    title = "Masked by the valences left, every graph is a molecule, trained or not"
    statement = (
        "A generator that grows a molecule bond by bond, and can draw only what the valences left "
        "allow, makes nothing but molecules from its first step on, and its likelihood is that of "
        "molecules. One that draws all atoms and bonds at once and is trained by a critic alone, "
        "for four times as many steps, does not learn to obey them. After training by likelihood, "
        "a quarter of the steps spent on the game, with a share of the likelihood kept, bring the "
        "samples closer than the same number of steps by likelihood alone."
    )
    equation = "p(molecule) = Π p(step | steps before, valences left)"
    source = "You et al. 2018 (GraphRNN); Popova et al. 2019 (MolecularRNN); De Cao and Kipf 2018"
    parts = (
        Part(
            "every sample of the masked generator is valid, untrained and trained",
            lambda f, _: all(f[f"valid, masked, {when}"] == 1 for when in WHEN),
        ),
        Part(
            "of a generator without masks, trained by the critic alone, a tenth or more is not",
            lambda f, _: f["valid, no masks"] < 0.9,
        ),
        Part(
            "a quarter of the steps spent on the game brings samples closer than likelihood alone",
            lambda f, _: f["W1 / floor, game"] < f["W1 / floor, likelihood"],
        ),
    )
    headline = "valid, no masks"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train both generators, count what is valid, and measure W1 between spectra and counts."""
        rng = np.random.default_rng(seed)
        x = GRAPH.points(*molecules(ROWS + 2 * SHOWN, rng))
        points, held, other = Points(x[:ROWS]), x[ROWS : ROWS + SHOWN], x[ROWS + SHOWN :]
        count = 20 if quick else 150
        figures, shown = dict[str, float](), list[Tensor]()
        untrained = _net("graph-rnn:width=64", seed)
        figures["valid, masked, untrained"] = _valid(_drawn(untrained, seed))
        floor = _w1(held, other)
        for name, warm in (("likelihood", count), ("game", round(SHARE * count))):
            made = _trained("graph-rnn:width=64", points, count, warm, seed)
            figures[f"valid, masked, {name}"] = _valid(made)
            figures[f"W1 / floor, {name}"] = _w1(held, made) / floor
            shown.append(made)
        free = _trained("mlp:width=128,depth=2", points, LONGER * count, 0, seed)
        figures["valid, no masks"] = _valid(free)
        figures["W1 / floor, no masks"] = _w1(held, free) / floor
        sizes = [_sizes(side) for side in (held, *shown, free)]
        return Evidence(figures, {"sizes": np.array(sizes)})

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw how many bonds real and generated molecules have."""
        axis = figure.subplots()
        names = ("real", "likelihood", "and the game", "no masks")
        for k, (name, own) in enumerate(zip(names, found.curves["sizes"], strict=True)):
            axis.bar(np.arange(len(own)) + 0.2 * k - 0.3, own, 0.2, label=name)
        axis.set(xlabel="bonds of a graph", ylabel="share of graphs")
        axis.legend()


def molecules(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes (n, LARGEST) and edges of chains and rings with substituents."""
    nodes = np.full((n, LARGEST), -1, dtype=np.int64)
    edges = np.full((n, LARGEST), -1, dtype=np.int64)
    for k in range(n):
        atoms, bonds = _molecule(rng)
        nodes[k, : len(atoms)] = atoms
        edges[k, : len(bonds)] = [
            BONDS * int(GRAPH.places[a, b]) + order - 1 for a, b, order in bonds
        ]
    return nodes, edges


def _molecule(rng: np.random.Generator) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Return atoms, and bonds (atom, earlier atom, order): a chain or a ring, then branches."""
    ring = int(rng.choice([3, 5, 6], p=[0.4, 0.2, 0.4]))
    atoms = rng.choice(3, ring, p=[0.85, 0.1, 0.05]).tolist()
    bonds = [(k, k - 1, 1) for k in range(1, ring)]
    if ring > 3:
        bonds.append((ring - 1, 0, 1))
    for k in range(ring, max(ring, int(rng.integers(FEWEST, LARGEST + 1)))):
        left = [VALENCES[a] for a in atoms]
        for a, b, order in bonds:
            left[a], left[b] = left[a] - order, left[b] - order
        free = [j for j, own in enumerate(left) if own > 0]
        if not free:
            break
        at, atom = int(rng.choice(free)), int(rng.choice(4, p=[0.5, 0.15, 0.25, 0.1]))
        twice = min(left[at], VALENCES[atom]) > 1 and rng.random() < 0.3
        atoms.append(atom)
        bonds.append((k, at, 1 + twice))
    return atoms, bonds


def _net(name: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return parse(name, generators(), "generator").build(SPACE, LATENT)


def _trained(name: str, points: Points, count: int, warm: int, seed: int) -> Tensor:
    """Return samples after ``count`` steps, the first ``warm`` by likelihood, then the game."""
    generator = _net(name, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        critic = parse("relational:width=32,depth=2", critics(), "critic").build(SPACE)
    masked = name.startswith("graph-rnn")
    game = Game(
        generator, critic,
        parse("wasserstein", objectives(), "objective"),
        (parse("gradient-penalty", constraints(), "constraint"),),
        LATENT,
        _as_drawn if masked else _head,
        terms=(parse("anchor", terms(), "term"),) if masked else (),
    )  # fmt: skip
    adam = parse("adam", optimizers(), "optimizer")
    plan = Plan(
        count, BATCH, 2, 3e-4 if masked else 1e-3, 1e-3, adam, ema_decay=0.98,
        warm=warm, warm_rate=4e-3, seed=seed,
    )  # fmt: skip
    state = State.start(game, plan)
    for _ in steps(game, points, plan, state):
        pass
    return sampled(game, state.average, SHOWN, seed=seed)


def _drawn(generator: nn.Module, seed: int) -> Tensor:
    with torch.no_grad():
        made: Tensor = generator(LATENT.draw(SHOWN, Draws(seed)))
    return made


def _as_drawn(raw: Tensor, draws: Draws) -> Tensor:
    return raw


def _head(raw: Tensor, draws: Draws) -> Tensor:
    """Return each atom and bond as the most likely one or none, straight through to a softmax."""
    return GRAPH.straight_through(raw)


def _graphs(x: Tensor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the atoms of each graph, and the orders of bonds between them; 0 for none."""
    kinds, bonds = (t.numpy() for t in GRAPH.types(x))
    for own, between in zip(kinds, bonds, strict=True):
        there = np.flatnonzero(own >= 0)
        yield own[there], between[np.ix_(there, there)] + 1


def _valid(x: Tensor) -> float:
    """Return the share of graphs that are one molecule within its valences."""
    sound = 0
    for atoms, orders in _graphs(x):
        within = (orders.sum(0) <= np.array(VALENCES)[atoms]).all()
        sound += bool(len(atoms) and within and connected_components(orders)[0] == 1)
    return sound / len(x)


def _described(x: Tensor) -> np.ndarray:
    """Return how many atoms and bonds of each type, and the spectrum of each graph, sorted."""
    rows = []
    for atoms, orders in _graphs(x):
        counts = [*np.bincount(atoms, minlength=ATOMS), *((orders == k).sum() / 2 for k in (1, 2))]
        spectrum = np.zeros(LARGEST)
        if len(atoms):
            spectrum[: len(atoms)] = np.sort(np.linalg.eigvalsh(orders > 0))[::-1]
        rows.append([*counts, *spectrum])
    return np.array(rows)


def _w1(a: Tensor, b: Tensor) -> float:
    return wasserstein_1_discrete(_described(a), _described(b))


def _sizes(x: Tensor) -> np.ndarray:
    counts = [min(int((orders > 0).sum() / 2), 2 * LARGEST) for _, orders in _graphs(x)]
    return np.bincount(counts, minlength=2 * LARGEST + 1) / len(x)
