"""Graphs as points: grown in one way only, generated within their capacities, judged in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import shortest_path
from torch import Tensor
from torch.nn import functional

from surveyor.batch import Batch, Draws
from surveyor.critics.relational import Relational
from surveyor.data import Space
from surveyor.data.graphs import (
    FAR,
    FIRST,
    NEW,
    SHAPES,
    STOP,
    GraphSpace,
    Growth,
    taken,
)
from surveyor.data.steps import arrivals, before, grown, replayed
from surveyor.errors import InputError
from surveyor.generators import Latent
from surveyor.generators.graph_rnn import GraphRNN, GraphRNNGenerator

# Carbon, nitrogen, oxygen, and the charged pair N+, O-.
MOLECULES = GraphSpace(7, 5, 3, (4, 3, 2, 4, 1), (1, 2, 3), (0, 0, 0, 1, -1), cycles=2)
PARTS = GraphSpace(6, 1, 1, (5,), (1,), (0,), cycles=4, parts=2)
TINY = GraphSpace(3, 2, 1, (2, 1), (1,), (0, 0), cycles=1)


def space_of(graph: GraphSpace, cond: int = 0) -> Space:
    return Space((graph.width,), cond, (graph.width,), graph=graph)


def generator(graph: GraphSpace, seed: int = 0, cond: int = 0) -> GraphRNNGenerator:
    torch.manual_seed(seed)
    latent = Latent(2 * graph.steps, 0, 1.0)
    made = GraphRNN(width=12, pointer=6).build(space_of(graph, cond), latent)
    assert isinstance(made, GraphRNNGenerator)
    return made


def sampled(graph: GraphSpace, n: int) -> Tensor:
    z = Draws(1).normal(n, 2 * graph.steps)
    with torch.no_grad():
        made: Tensor = generator(graph)(z)
    return made


def reordered(graph: GraphSpace, x: Tensor, order: Tensor) -> Tensor:
    nodes, edges = graph.split(x)
    square = graph.adjacent(edges)[:, order][:, :, order]
    k, j = torch.tril_indices(graph.nodes, graph.nodes, -1)
    return torch.cat([nodes[:, order].flatten(1), square[:, k, j].flatten(1)], 1)


def every_graph(graph: GraphSpace) -> list[tuple[list[int], list[int]]]:
    """Return the actions and types of everything that can grow."""
    found: list[tuple[list[int], list[int]]] = []

    def follow(graphs: Growth, actions: list[int], types: list[int]) -> None:
        fitting, allowed = before(graphs)[-2:]
        for action in allowed[0].nonzero().flatten().tolist():
            if action == STOP:
                found.append((actions, types))
                continue
            arrives, edge, _, bond = taken(graph, torch.tensor([action]))
            way = int(bond) if bool(edge) else graph.edge_types
            fit = fitting[0, way].nonzero().flatten().tolist() if bool(arrives) else [0]
            for kind in fit:
                after = graphs.grow(torch.tensor([action]), torch.tensor([kind]))
                follow(after, [*actions, action], [*types, kind])

    follow(Growth.begin(graph, 1, torch.device("cpu")), [], [])
    return found


@pytest.mark.parametrize("graph", [MOLECULES, PARTS, TINY], ids=["molecules", "parts", "tiny"])
def test_points_grow_by_the_actions_that_made_them(graph: GraphSpace) -> None:
    net = generator(graph)
    u = Draws(2).uniform(300, 2 * graph.steps)
    with torch.no_grad():
        steps = net._drawn(u, None)
    hot = (functional.one_hot(steps.action, graph.actions), functional.one_hot(steps.type, graph.node_types))  # fmt: skip
    actions, types = grown(graph, net._placed(steps, *(h.float() for h in hot)))
    length = steps.action.shape[1]
    assert torch.equal(actions[:, :length], steps.action)
    assert torch.equal(types[:, :length], steps.type)
    assert not actions[:, length:].any()
    again = replayed(graph, actions, types)
    assert torch.equal(again.distance, steps.distance[:, : again.distance.shape[1]])


def test_the_likelihood_adds_up_to_one_over_everything_that_can_grow() -> None:
    net, every = generator(TINY), every_graph(TINY)
    actions, types = (torch.zeros(len(every), TINY.steps, dtype=torch.int64) for _ in range(2))
    for k, (own, kinds) in enumerate(every):
        actions[k, : len(own)], types[k, : len(own)] = torch.tensor(own), torch.tensor(kinds)
    steps = replayed(TINY, actions, types)
    hot = (functional.one_hot(steps.action, TINY.actions), functional.one_hot(steps.type, 2))
    x = net._placed(steps, *(h.float() for h in hot))
    assert len(x.unique(dim=0)) == len(every) == 15
    assert float(net.log_likelihood(x).detach().exp().sum()) == pytest.approx(1, abs=1e-5)


def test_drawing_a_step_at_a_time_follows_the_likelihood_of_whole_graphs() -> None:
    net, u = generator(MOLECULES, cond=2), Draws(3).uniform(200, 2 * MOLECULES.steps)
    cond = Draws(4).normal(200, 2)
    with torch.no_grad():
        steps = net._drawn(u, cond)
        actions, types = (logits.softmax(-1).cumsum(-1) for logits in net._logits(steps, cond))
    over = (steps.action == STOP).cumsum(1) - (steps.action == STOP).long() > 0
    for odds, chosen, at, counts in (
        (actions, steps.action, u[:, 0::2], ~over),
        (types, steps.type, u[:, 1::2], steps.arrives),
    ):
        place = chosen.unsqueeze(2)
        high = odds.gather(2, place).squeeze(2)
        low = torch.where(chosen > 0, odds.gather(2, (place - 1).clamp_min(0)).squeeze(2), 0)
        at = at[:, : chosen.shape[1]]
        inside = (low - 1e-5 <= at) & (at <= high + 1e-5)
        assert bool(inside[counts].all())


def test_no_graph_exceeds_its_capacities_charges_cycles_and_parts() -> None:
    for graph in (MOLECULES, PARTS):
        kinds, bonds = graph.types(sampled(graph, 400))
        orders = torch.tensor([*graph.order, 0])[bonds]
        there = kinds >= 0
        capacity = torch.tensor([*graph.capacity, 0])[kinds]
        assert bool((orders.sum(2) <= capacity).all())
        assert not torch.tensor([*graph.charge, 0])[kinds].sum(1).any()
        edges = (bonds >= 0).sum((1, 2)) // 2
        reach = torch.linalg.matrix_power((bonds >= 0).double() + torch.eye(graph.nodes), graph.nodes)  # fmt: skip
        parts = [len({tuple((row > 0).tolist()) for row in r[t]}) for r, t in zip(reach, there, strict=True)]  # fmt: skip
        assert 1 <= min(parts) <= max(parts) == graph.parts
        cycles = edges - there.sum(1) + torch.tensor(parts)
        assert 0 < int(cycles.max()) <= graph.cycles
        assert bool(there.any(1).all())


def test_distances_from_the_latest_node_are_those_of_shortest_paths() -> None:
    x = sampled(PARTS, 200)
    steps, (kinds, bonds) = replayed(PARTS, *grown(PARTS, x)), PARTS.types(x)
    stops = (steps.action == STOP).long().argmax(1)
    for k, (there, lines) in enumerate(zip((kinds >= 0).sum(1).tolist(), bonds >= 0, strict=True)):
        paths = shortest_path(lines.numpy(), unweighted=True)[there - 1]
        expected = np.minimum(paths, FAR)[:there]
        assert steps.distance[k, stops[k], :there].tolist() == expected.tolist()


def test_charges_are_made_good_by_the_last_node() -> None:
    graph = replace(MOLECULES, nodes=2, cycles=0)
    charged = {
        tuple(kinds) for _, kinds in every_graph(graph) if {3, 4} & set(kinds)
    }  # each of the pair needs the other
    assert charged == {(3, 4), (4, 3)}


def test_samples_are_exact_and_their_gradient_is_of_the_probabilities() -> None:
    net, z = generator(MOLECULES), Draws(5).normal(64, 2 * MOLECULES.steps)
    made = net(z)
    with torch.no_grad():
        assert torch.equal(made.detach(), net(z))
    assert set(made.detach().unique().tolist()) == {0.0, 1.0}
    (made * torch.randn(made.shape)).sum().backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in net.parameters())
    steps = net._drawn(0.5 * torch.erfc(-z / 2**0.5), None)
    odds = (logits.softmax(-1) for logits in net._logits(steps, None))
    nodes, _ = MOLECULES.split(net._placed(steps, *odds))
    there = MOLECULES.types(made)[0] >= 0
    assert torch.allclose(nodes.sum(2), there.float(), atol=1e-5)


def test_a_critic_of_graphs_does_not_see_the_order_of_nodes() -> None:
    torch.manual_seed(0)
    critic = Relational(width=16).build(space_of(MOLECULES))
    x = 0.7 * sampled(MOLECULES, 30) + 0.3 * sampled(MOLECULES, 60)[30:]
    other = reordered(MOLECULES, x, torch.randperm(MOLECULES.nodes))
    assert not torch.allclose(x, other)
    assert torch.allclose(critic(x), critic(other), atol=1e-5)
    moved = x.clone()
    moved[:, -1] = 1 - moved[:, -1]
    assert bool((critic(moved) != critic(x)).any())


def test_too_small_a_latent_is_refused_with_the_dimensions_that_suffice() -> None:
    with pytest.raises(InputError, match="latent=gaussian:dimensions=20 or more"):
        GraphRNN().build(space_of(MOLECULES), Latent(19, 0, 1.0))


def test_the_first_node_comes_alone_and_stops_follow_something() -> None:
    fitting, allowed = before(Growth.begin(TINY, 1, torch.device("cpu")))[-2:]
    assert allowed[0].nonzero().flatten().tolist() == [NEW]
    assert fitting[0, -1].tolist() == [True, True]
    assert FIRST + 2 * TINY.nodes * TINY.edge_types == allowed.shape[1]


def test_points_and_rows_agree() -> None:
    nodes = np.array([[0, 1, 0, -1, -1, -1, -1], [2, -1, -1, -1, -1, -1, -1]])
    pair = MOLECULES.places
    edges = np.array([[3 * pair[0, 1] + 1, 3 * pair[2, 1]], [-1, -1]])
    kinds, bonds = MOLECULES.types(MOLECULES.points(nodes, edges))
    assert np.array_equal(kinds.numpy(), nodes)
    assert bonds[0, 1, 0] == bonds[0, 0, 1] == 1
    assert bonds[0, 2, 1] == 0
    assert int((bonds >= 0).sum()) == 4
    assert isinstance(Batch(MOLECULES.points(nodes, edges)).joint(), Tensor)


def test_triangles_are_those_of_the_graph_so_far() -> None:
    """Shared neighbours are entries of A^2; inside a surface, degrees equal triangles."""
    x = sampled(PARTS, 60)
    actions, types = grown(PARTS, x)
    graphs = Growth.begin(PARTS, len(x), x.device, triangles=True)
    for s in range(int((actions != STOP).sum(1).max())):
        graphs = graphs.grow(actions[:, s], types[:, s])
        near = (graphs.apart == 1).long()
        assert graphs.common is not None
        assert torch.equal(
            graphs.common * (1 - torch.eye(PARTS.nodes, dtype=torch.int64)),
            (near @ near) * (1 - torch.eye(PARTS.nodes, dtype=torch.int64)),
        )
        border = (near.sum(2) - ((near @ near) * near).sum(2) // 2).clamp(-1, 2) + 1
        assert torch.equal(graphs.shapes % 4, border)
        assert int(graphs.shapes.min()) >= 0
        assert int(graphs.shapes.max()) < SHAPES


def test_a_wheel_in_growth_has_an_inside_and_a_border() -> None:
    """The hub is inside, the rim is the border, and an edge of the rim lies in one triangle."""
    size = 6
    space = GraphSpace(size + 1, 1, 1, (size + 1,), (1,), (0,), cycles=10)
    pairs = (
        [(k, 0) for k in range(1, size)]
        + [(k + 1, k) for k in range(1, size - 1)]
        + [(size - 1, 1)]
    )
    edges = np.array([[space.places[k, j] for k, j in pairs]])
    x = space.points(np.array([[0] * size + [-1]]), edges)
    actions, types = grown(space, x)
    graphs = Growth.begin(space, 1, x.device, triangles=True)
    for s in range(int((actions != STOP).sum())):
        graphs = graphs.grow(actions[:, s], types[:, s])
    assert (graphs.shapes[0, :size] % 4).tolist() == [1, *[2] * (size - 1)]
    # The latest node, 5, is next to 0, 1 and 4. Spokes lie in two triangles, edges of the rim in one.
    assert (graphs.shapes[0, :size] // 8 % 4).tolist() == [0, 0, 1, 1, 0, 2]
    # From 2 the rim leads on to 3, and from 3 to 4, but not from 3 back to 2, which came before.
    assert (graphs.shapes[0, :size] // 4 % 2).tolist() == [0, 0, 0, 1, 1, 0]


def test_arrivals_are_by_greatest_cardinality_and_depend_on_the_draw_alone() -> None:
    x = sampled(PARTS, 60)
    u = Draws(8).uniform(len(x), PARTS.nodes)
    order = arrivals(PARTS, x, u)
    kinds, bonds = PARTS.types(x)
    for row, own, near in zip(
        order.tolist(), (kinds >= 0).sum(1).tolist(), bonds >= 0, strict=True
    ):
        assert sorted(row) == list(range(PARTS.nodes))
        for k in range(1, own):
            counts = near[:, row[:k]].sum(1)
            counts[row[:k]] = -1
            assert counts[row[k]] == counts[:own].max()
    net: Any = GraphRNN(order="cardinality", triangles=True, width=8, pointer=4).build(
        space_of(PARTS), Latent(2 * PARTS.steps, 0, 1.0)
    )
    assert torch.equal(net.log_likelihood(x), net.log_likelihood(x))
    first, again, other = (net.log_likelihood(x, None, Draws(k)) for k in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
