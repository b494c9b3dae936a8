"""A recurrent generator of graphs, which grow node by node and edge by edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.batch import Draws
from surveyor.data import Space
from surveyor.data.graphs import FAR, FIRST, SHAPES, STOP, GraphSpace, Growth
from surveyor.data.steps import Steps, arrivals, before, grown, replayed
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent, Likelihood

USED = 8  # from here on, it makes no difference how much of a node's capacity is used
NEVER = -1e9  # logit of what cannot follow


@dataclass(frozen=True)
class GraphRNN(Generator):
    """p(graph) = prod_s p(action s | actions before): GraphRNN, MolecularRNN.

    An action is an edge to a node, with or without a new node, or the stop (You et al. 2018; Popova
    et al. 2019). A recurrent layer of ``width`` units reads the actions; its state is joined by the
    one at the arrival of the node to which the last edge leads. Nodes are scored by ``pointer``
    hidden units. With ``order`` cardinality, nodes arrive in an order by ``arrivals`` that is drawn
    anew in each step of training; with ``triangles``, those that an edge would close are seen.
    What the capacities of nodes forbid has probability 0: every graph is
    valid, and the likelihood is normalised over valid graphs.
    """

    width: int = 128
    pointer: int = 64
    dropout: float = 0.0
    order: Literal["given", "cardinality"] = "given"
    triangles: bool = False

    def __post_init__(self) -> None:
        if min(self.width, self.pointer) < 1:
            raise InputError("graph-rnn: width and pointer: give at least 1 of each")
        if not 0 <= self.dropout < 1:
            raise InputError(f"graph-rnn: dropout {self.dropout}: give a number from 0, below 1")

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        if space.graph is None:
            raise InputError("graph-rnn: only for molecules and graphs; use mlp for other data")
        needed = 2 * space.graph.steps
        if latent.dimensions < needed:
            raise InputError(
                f"graph-rnn: graphs that take {space.graph.steps} steps need as many pairs of "
                f"Gaussian dimensions of the latent; give --latent=gaussian:dimensions={needed} or "
                "more"
            )
        return GraphRNNGenerator(self, space.graph, space.cond, latent.spread)


class GraphRNNGenerator(Likelihood):
    """(z, cond) -> graphs as points (n, width), one-hot nodes and edges.

    Action s is the quantile of its distribution at Phi(z_2s / spread), the type of an arriving node
    that at Phi(z_2s+1 / spread). The backward pass uses the gradient of the probabilities
    (straight-through, Bengio et al. 2013), of each action given those before.
    """

    def __init__(self, net: GraphRNN, graph: GraphSpace, cond: int, spread: float) -> None:
        super().__init__()
        self.net, self.graph, self.spread = net, graph, spread
        wide, small, bonds, types = net.width, net.pointer, graph.edge_types, graph.node_types
        # An action is read as its edge's type, its node's, and what was known of its target.
        self.edges = nn.Embedding(2 + 2 * bonds, wide)
        self.nodes = nn.Embedding(types + 1, wide)
        self.targets = Known(types, wide, net.triangles)
        self.condition = nn.Linear(cond, wide, bias=False) if cond else None
        self.rnn = nn.GRU(wide, wide, batch_first=True)
        self.recall = nn.Linear(2 * wide, wide)
        self.query = nn.Linear(wide, small)
        self.memory = nn.Linear(wide, small, bias=False)
        self.known = Known(types, small, net.triangles)
        self.score = nn.Linear(small, 2 * bonds)
        self.alone = nn.Linear(wide, FIRST)
        self.arrival = nn.Linear(wide, small)
        self.bond = nn.Embedding(bonds + 1, small)
        self.kind = nn.Linear(small, types)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return sampled graphs as points (n, width)."""
        u = 0.5 * torch.erfc(-z[:, : 2 * self.graph.steps] / (self.spread * 2**0.5))
        with torch.no_grad():
            steps = self._drawn(u, cond)
            made = self._placed(
                steps,
                functional.one_hot(steps.action, self.graph.actions).float(),
                functional.one_hot(steps.type, self.graph.node_types).float(),
            )
        if not torch.is_grad_enabled():
            return made
        soft = self._placed(steps, *(odds.softmax(-1) for odds in self._logits(steps, cond)))
        return made + (soft - soft.detach())  # exactly what was drawn

    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        """Return log p (n,) of graphs in the order of their nodes."""
        order = None
        if self.net.order == "cardinality":
            shape = len(x), self.graph.nodes
            u = x.new_zeros(shape) if draws is None else draws.uniform(*shape)
            order = arrivals(self.graph, x, u)
        steps = replayed(self.graph, *grown(self.graph, x, order), self.net.triangles)
        actions, types = (
            functional.log_softmax(logits, -1) for logits in self._logits(steps, cond, draws)
        )
        action = actions.gather(2, steps.action.unsqueeze(2)).squeeze(2)
        kind = types.gather(2, steps.type.unsqueeze(2)).squeeze(2)
        over = (steps.action == STOP).cumsum(1) - (steps.action == STOP).long() > 0
        return (torch.where(over, 0, action) + torch.where(steps.arrives, kind, 0)).sum(1)

    def _logits(
        self, steps: Steps, cond: Tensor | None, draws: Draws | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return log p of actions (n, steps, actions) and of types of nodes, up to constants."""
        n, length = steps.action.shape
        at = torch.arange(length, device=steps.action.device).expand(n, -1)
        arrivals = _arrivals(steps, self.graph.nodes)
        own, _ = self.rnn(self._read(steps, cond))
        # The state when the last target arrived; without one, the own state.
        back = torch.where(steps.edge, arrivals.gather(1, steps.target), at + 1)
        back = torch.cat([torch.zeros_like(back[:, :1]), back[:, :-1]], dim=1).minimum(at)
        then = own.gather(1, back.unsqueeze(2).expand_as(own))
        h = self._recalled(own, then)
        if draws is not None and self.net.dropout > 0:
            kept = 1 - self.net.dropout
            h = h * ((draws.uniform(n, 1, h.shape[2]) < kept) / kept)
        there = arrivals.clamp_max(length - 1).unsqueeze(2).expand(-1, -1, own.shape[2])
        logits, seen = self._actions(h, self.memory(own.gather(1, there)), steps)
        return logits, self._types(h, seen, steps)

    def _read(self, steps: Steps, cond: Tensor | None) -> Tensor:
        """Return what is read before each action, (n, steps, width): the action before it."""
        begin = self.edges(torch.zeros_like(steps.action[:, :1]))
        read = torch.cat([begin, self._entered(steps)[:, :-1]], dim=1)
        return read if self.condition is None else read + self.condition(cond).unsqueeze(1)

    def _recalled(self, own: Tensor, then: Tensor) -> Tensor:
        """Return the state that actions are drawn from, given that of the last target's arrival."""
        return own + torch.relu(self.recall(torch.cat([own, then], dim=2)))

    def _entered(self, steps: Steps) -> Tensor:
        """Return actions as they are read afterwards, (n, steps, width)."""
        closes = self.graph.edge_types * ~steps.arrives
        code = steps.action.clamp_max(1) + torch.where(steps.edge, 1 + steps.bond + closes, 0)
        kind = torch.where(steps.arrives, steps.type, self.graph.node_types)
        target, known = (
            steps.target.unsqueeze(2),
            (steps.kind, steps.used, steps.distance, steps.shape),
        )
        seen = self.targets(*(part.gather(2, target).squeeze(2) for part in known))
        entered: Tensor = self.edges(code) + self.nodes(kind) + seen
        return entered

    def _actions(self, h: Tensor, memory: Tensor, steps: Steps) -> tuple[Tensor, Tensor]:
        """Return logits of actions (n, steps, actions), and what is seen of every node before each.

        States h are (n, steps, width); ``memory`` (n, nodes, pointer) is of the nodes' arrivals.
        """
        known = self.known(steps.kind, steps.used, steps.distance, steps.shape)
        seen = torch.relu(self.query(h).unsqueeze(2) + memory.unsqueeze(1) + known)
        attach, close = self.score(seen).chunk(2, dim=3)
        logits = torch.cat([self.alone(h), attach.flatten(2), close.flatten(2)], dim=2)
        return logits.masked_fill(~steps.allowed, NEVER), seen

    def _types(self, h: Tensor, seen: Tensor, steps: Steps) -> Tensor:
        """Return logits of the types of arriving nodes (n, steps, types), given the actions."""
        at = steps.target.view(*steps.target.shape, 1, 1).expand(-1, -1, 1, seen.shape[3])
        target = seen.gather(2, at).squeeze(2) * steps.edge.unsqueeze(2)
        bond = torch.where(steps.edge, steps.bond, self.graph.edge_types)
        logits = self.kind(torch.relu(self.arrival(h) + target + self.bond(bond)))
        way = bond.view(*bond.shape, 1, 1).expand(-1, -1, 1, self.graph.node_types)
        fitting = steps.fitting.gather(2, way).squeeze(2) | ~steps.arrives.unsqueeze(2)
        masked: Tensor = logits.masked_fill(~fitting, NEVER)
        return masked

    def _drawn(self, u: Tensor, cond: Tensor | None) -> Steps:
        """Return what numbers (n, 2 steps) uniform in [0, 1) grow."""
        space, wide, n = self.graph, self.net.width, len(u)
        graphs, none = (
            Growth.begin(space, n, u.device, self.net.triangles),
            u.new_zeros(n, 1, dtype=torch.int64),
        )
        passed, arrivals = u.new_zeros(n, space.steps + 1, wide), torch.zeros_like(graphs.kind)
        memory, new = u.new_zeros(n, space.nodes, self.net.pointer), none[:, 0] != 0
        shift = 0 if self.condition is None else self.condition(cond).unsqueeze(1)
        read, back, going = self.edges(none) + shift, none, none == 0
        state: Tensor | None = None
        found: list[Steps] = []
        for s in range(space.steps):
            own, state = self.rnn(read, state)
            passed[:, s : s + 1] = own
            memory[graphs.tables["rows"][new], graphs.last[new]] = self.memory(own[new, 0]).to(
                memory
            )
            then = passed.gather(1, back.unsqueeze(2).expand(-1, -1, wide))
            h = self._recalled(own, then)
            known = tuple(part.unsqueeze(1) for part in before(graphs))
            logits, seen = self._actions(h, memory, Steps.of(space, known, none, none))
            action = _quantile(logits[:, 0], u[:, 2 * s]).unsqueeze(1) * going
            going = going & (action != STOP)
            step = Steps.of(space, known, action, none)
            kind = _quantile(self._types(h, seen, step)[:, 0], u[:, 2 * s + 1]).unsqueeze(1)
            step = Steps.of(space, known, action, kind * step.arrives)
            found.append(step)
            if not bool(going.any()):
                break
            graphs = graphs.grow(step.action[:, 0], step.type[:, 0])
            new = step.arrives[:, 0]
            arrivals[graphs.tables["rows"][new], graphs.last[new]] = s + 1
            read = self._entered(step) + shift
            back = torch.where(step.edge, arrivals.gather(1, step.target), s + 1)
        return Steps.joined(found)

    def _placed(self, steps: Steps, actions: Tensor, types: Tensor) -> Tensor:
        """Return points (n, width) of (n, steps, actions) and (n, steps, types), both linearly."""
        space = self.graph
        n = len(steps.action)
        new = steps.count.clamp_max(space.nodes - 1)
        last = (steps.count - 1).clamp_min(0)
        arriving = types * steps.arrives.unsqueeze(2)
        nodes = types.new_zeros(n, space.nodes, space.node_types)
        nodes = nodes.scatter_add(1, new.unsqueeze(2).expand_as(arriving), arriving)
        pairs = actions.new_zeros(n, space.nodes, space.nodes * space.edge_types)
        for edges, at in zip(actions[:, :, FIRST:].chunk(2, dim=2), (new, last), strict=True):
            pairs = pairs.scatter_add(1, at.unsqueeze(2).expand_as(edges), edges)
        k, j = torch.tril_indices(space.nodes, space.nodes, -1, device=pairs.device)
        square = pairs.view(n, space.nodes, space.nodes, space.edge_types)
        return torch.cat([nodes.flatten(1), square[:, k, j].flatten(1)], dim=1)


class Known(nn.Module):
    """What is known of nodes (...), embedded (..., width): type, capacity used, distance, shape."""

    def __init__(self, types: int, width: int, triangles: bool) -> None:
        super().__init__()
        self.kind = nn.Embedding(types + 1, width)
        self.used = nn.Embedding(USED + 1, width)
        self.distance = nn.Embedding(FAR + 1, width)
        self.shape = nn.Embedding(SHAPES, width) if triangles else None

    def forward(self, kind: Tensor, used: Tensor, distance: Tensor, shape: Tensor) -> Tensor:
        """Return the sum of the embeddings, of which three are looked up at once."""
        kinds, taken, far = self.kind.weight, self.used.weight, self.distance.weight
        table = kinds[:, None, None] + taken[None, :, None] + far[None, None]
        at = (kind * (USED + 1) + used.clamp_max(USED)) * (FAR + 1) + distance
        found = functional.embedding(at, table.flatten(0, 2))
        return found if self.shape is None else found + self.shape(shape)


def _arrivals(steps: Steps, nodes: int) -> Tensor:
    """Return the step after which each node is there, (n, nodes)."""
    n, length = steps.action.shape
    at = torch.arange(1, length + 1, device=steps.action.device).expand(n, -1)
    # Where no node arrives, the step is written to one place more.
    place = torch.where(steps.arrives, steps.count, nodes)
    return at.new_zeros(n, nodes + 1).scatter(1, place, at)[:, :nodes]


def _quantile(logits: Tensor, u: Tensor) -> Tensor:
    """Return where the distribution (n, k) of logits passes u (n,)."""
    odds = logits.float().softmax(1).cumsum(1)
    place = torch.searchsorted(odds, (u * odds[:, -1]).unsqueeze(1), right=True).squeeze(1)
    return place.clamp_max(logits.shape[1] - 1)
