"""Critics of several clients: odds add up to those of the mixture, and every critic stays apart."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse, text_of
from surveyor.critics import OfClients, critics
from surveyor.critics.odds import OddsCritic
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.federated import ByOddsOfClients
from surveyor.streams import Stream
from surveyor.training.gradients import ByRows
from surveyor.training.lab import Points, game_of
from surveyor.training.optimizers import optimizers
from surveyor.training.plan import Plan

SHARES = (0.2, 0.5, 0.3)
TEXT = "odds:of=(mlp:width=16,depth=2),shares=(0.2,0.5,0.3)"
R1 = "gradient-penalty:points=real,target=0"


class LogOdds(nn.Module):
    """log N(m, 1) / N(0, 2²), exactly."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.one = torch.distributions.Normal(mean, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        generated = torch.distributions.Normal(0.0, 2.0)
        found: Tensor = self.one.log_prob(x) - generated.log_prob(x)
        return found.flatten()


def test_added_odds_are_those_of_the_mixture() -> None:
    x, means = torch.linspace(-3, 3, 50).unsqueeze(1), (-2.0, 0.0, 1.5)
    found = OddsCritic([LogOdds(m) for m in means], SHARES, 1.0)(x)
    normal = torch.distributions.Normal
    mixture = sum(a * normal(m, 1.0).log_prob(x).exp() for a, m in zip(SHARES, means, strict=True))
    wanted = mixture.log() - normal(0.0, 2.0).log_prob(x)
    assert torch.allclose(found, wanted.flatten(), atol=1e-5)


def test_the_slope_is_at_most_that_of_the_steepest_member() -> None:
    torch.manual_seed(0)
    critic = parse(TEXT, critics(), "critic").build(Space((3,), 0, (3,)))
    assert isinstance(critic, OfClients)
    x = torch.randn(200, 3, requires_grad=True)
    slopes = [torch.autograd.grad(f(x).sum(), x)[0].norm(dim=1) for f in (critic, *critic.members)]
    assert bool((slopes[0] <= torch.stack(slopes[1:]).max(0).values + 1e-6).all())
    assert not torch.allclose(slopes[0], slopes[1])


@pytest.mark.parametrize("shares", ["0.5", "0.5,0.6", "1,0", "a,b", "", "-0.5,1.5"])
def test_shares_that_are_none_are_refused(shares: str) -> None:
    with pytest.raises(InputError, match=r"odds: shares .*; give numbers above 0 that add up to 1"):
        parse(f"odds:shares=({shares})", critics(), "critic")


def test_there_is_a_member_for_each_client() -> None:
    part = parse("odds:of=(mlp:width=8)", critics(), "critic")
    of_three = part.of_clients([1 / 3] * 3)
    assert of_three is not None
    critic = parse(text_of(of_three), critics(), "critic").build(Space((2,), 0, (2,)))
    assert isinstance(critic, OfClients)
    assert len(critic.members) == 3
    assert parse("mlp", critics(), "critic").of_clients([1.0]) is None


def nothing(n: int, draws: Draws) -> Batch:
    return Batch(torch.zeros(n, 1))


def clients(seed: int = 0) -> list[Points]:
    rng = np.random.default_rng(seed)
    rows = [rng.normal(m, 1.0, (40, 2)) for m in (-2, 0, 2)]
    return [Points(torch.tensor(own, dtype=torch.float32)) for own in rows]


def plan(steps: int = 5) -> Plan:
    adam = parse("adam:beta1=0,beta2=0.9", optimizers(), "optimizer")
    return Plan(steps, 16, 2, 1e-3, 1e-3, adam)


def test_a_critic_learns_from_the_rows_of_its_own_client_alone() -> None:
    rows, draws = clients(), Draws(0, 3, Stream.CRITIC)
    game = game_of(rows[0], critic=TEXT, objective="minimax", constraint=R1)
    assert isinstance(game.critic, OfClients)
    of = partial(ByOddsOfClients, shares=np.array(SHARES), plan=plan(), conditions=nothing)
    names = [name for name, _ in game.critic.named_parameters()]
    terms, found = of(parts=rows).critic(game, draws, 0.0)
    gradients = dict(zip(names, found, strict=True))
    own = []
    for k, member in enumerate(game.critic.members):
        alone = replace(game, critic=member)
        term, slopes = ByRows(rows[k], 16).critic(alone, replace(draws, rank=k), 0.0)
        own.append(sum(map(float, term.values())))
        for (name, _), slope in zip(member.named_parameters(), slopes, strict=True):
            assert torch.equal(gradients[f"members.{k}.{name}"], slope)
            assert bool(slope.any())
    assert sum(map(float, terms.values())) == pytest.approx(np.dot(SHARES, own), rel=1e-5)
    other = [rows[0], *clients(1)[1:]]
    again = dict(zip(names, of(parts=other).critic(game, draws, 0.0)[1], strict=True))
    moved = {name.split(".")[1] for name in names if not torch.equal(gradients[name], again[name])}
    assert moved == {"1", "2"}


def test_scores_and_their_gradients_are_all_that_the_generator_needs() -> None:
    game = game_of(clients()[0], critic=TEXT, objective="minimax", constraint=R1)
    assert isinstance(game.critic, OfClients)
    of = ByOddsOfClients(clients(), np.array(SHARES), plan(), conditions=nothing)
    draws = Draws(0, 3, Stream.GENERATOR)
    _, found = of.generator(game, draws, 0.0)
    made = game.generate(16, None, Draws(0, 3, Stream.GENERATOR))
    x = made.x.detach().requires_grad_(True)
    scores = torch.stack([member(x) for member in game.critic.members], 1)  # what clients answer
    slopes = torch.stack(
        [torch.autograd.grad(s.sum(), x, retain_graph=True)[0] for s in scores.unbind(1)], 1
    )
    odds = (scores + torch.tensor(SHARES).log()).detach()
    added, weights = odds.logsumexp(1), odds.softmax(1)
    on_x = -torch.sigmoid(-added).unsqueeze(1) * (weights.unsqueeze(2) * slopes).sum(1) / 16
    wanted = torch.autograd.grad(made.x, list(game.generator.parameters()), on_x)
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_as_many_critics_as_clients() -> None:
    game = game_of(clients()[0], critic=TEXT, objective="minimax", constraint=R1)
    of = ByOddsOfClients(clients()[:2], np.array(SHARES[:2]), plan(), conditions=nothing)
    with pytest.raises(ValueError, match="3 critics of 2 clients"):
        of.critic(game, Draws(0, 3, Stream.CRITIC), 0.0)
