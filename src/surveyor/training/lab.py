"""Small experiments on points in memory, without codec or run folder: single critics and games."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, mean
from surveyor.catalog import parse
from surveyor.critics import critics
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import Latent, generators
from surveyor.lipschitz import Constraint, constraints
from surveyor.objectives import Objective, objectives
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.loop import steps
from surveyor.training.noise import Noise, noises
from surveyor.training.optimizers import Updates, optimizers
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.schedules.cosine import Cosine
from surveyor.training.step import update

BITS = Latent(8, 10, 0.25)  # bits choose a mode, normals move within it: mixtures take few steps
SEEING = "mlp:width=64,depth=2,fourier=16"  # a small critic that tells close modes apart


class Points(Batch):
    """Points (n, ...) and their conditions, sampled with replacement."""

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` of them."""
        return self.take(draws.index(n, len(self)).to(self.x.device))


@dataclass(frozen=True)
class Fixed(Game):
    """A game whose generated points are drawn from ``low``: its critic compares two fixed sets."""

    low: Points | None = None

    def generate(
        self, n: int, cond: Tensor | None, draws: Draws, generator: nn.Module | None = None
    ) -> Batch:
        """Return ``n`` of the points, with their own conditions."""
        assert self.low is not None
        return self.low.draw(n, draws)


def critic_of(net: str | nn.Module, points: Points, seed: int = 0, unit: float = 1.0) -> nn.Module:
    """Return the critic that ``net`` names, such as ``mlp:width=64,depth=2``, for ``points``.

    ``unit`` is the slope it aims at: 1/s for points scaled by s.
    """
    if isinstance(net, nn.Module):
        return net
    with _Seeded(seed):
        return parse(net, critics(), "critic").build(replace(_space(points), unit=unit))


def generator_of(net: str | nn.Module, points: Points, latent: Latent, seed: int = 0) -> nn.Module:
    """Return the generator that ``net`` names, for points of the shape of ``points``."""
    if isinstance(net, nn.Module):
        return net
    with _Seeded(seed + 1):
        return parse(net, generators(), "generator").build(_space(points), latent)


def game_of(
    points: Points,
    generator: str | nn.Module = "mlp:width=64,depth=2",
    critic: str | nn.Module = "mlp:width=64,depth=2",
    constraint: str | Sequence[str] = "gradient-penalty",
    objective: str | Objective = "wasserstein",
    latent: Latent | int = 8,
    seed: int = 0,
) -> Game:
    """Return the game of two nets on ``points``, without scaling, at slope 1."""
    own = latent if isinstance(latent, Latent) else Latent(latent)
    made = critic_of(critic, points, seed)
    return Game(
        generator_of(generator, points, own, seed), made, _objective(objective),
        _installed(constraint, made), own, lambda raw, _: raw,
    )  # fmt: skip


def play(
    game: Game,
    points: Rows,
    count: int,
    batch: int = 128,
    critic_steps: int = 2,
    critic_rate: float = 1e-3,
    generator_rate: float = 1e-3,
    optimizer: str = "adam:beta1=0,beta2=0.9",
    noise: str | Noise = "none",
    hold: float = 1.0,
    seed: int = 0,
    state: State | None = None,
) -> Iterator[tuple[State, Record]]:
    """Train up to generator step ``count``, at constant rates unless ``hold`` is below 1.

    Continues from ``state`` if given; it must come from the same nets and arguments.
    """
    chosen: Updates = parse(optimizer, optimizers(), "optimizer")
    plan = Plan(
        count, batch, critic_steps, generator_rate, critic_rate, chosen,
        Cosine(hold), noise=_noise(noise), seed=seed,
    )  # fmt: skip
    state = state or State.start(game, plan)
    for record in steps(game, points, plan, state):
        yield state, record


def measuring_critic(
    high: Points,
    low: Points,
    critic: str | nn.Module = "mlp:width=64,depth=2",
    constraint: str | Sequence[str] = "gradient-penalty",
    objective: str | Objective = "wasserstein",
    count: int = 1000,
    batch: int = 256,
    rate: float = 1e-3,
    optimizer: str = "adam:beta1=0,beta2=0.9",
    seed: int = 0,
    unit: float = 1.0,
) -> nn.Module:
    """Return a critic trained to separate ``high`` from ``low``; its rate falls to 0.

    Its gap E f(high) - E f(low) estimates W1 if its slope is at most 1.

    Raises:
        InputError: the points are weighted.
    """
    if high.weight is not None or low.weight is not None:
        raise InputError("measuring_critic: weights are not supported; resample by weight instead")
    net = critic_of(critic, high, seed, unit)
    game = Fixed(
        nn.Identity(), net, _objective(objective), _installed(constraint, net, unit), Latent(1),
        lambda raw, _: raw, unit, low=low,
    )  # fmt: skip
    train_critic(game, high, count, batch, rate, optimizer, seed)
    return net


def train_critic(
    game: Game,
    high: Points,
    count: int,
    batch: int = 256,
    rate: float = 1e-3,
    optimizer: str = "adam:beta1=0,beta2=0.9",
    seed: int = 0,
    noise: float = 0.0,
) -> None:
    """Train only the critic of a game, for ``count`` steps, with ``noise`` on both sides.

    The rate is constant over the first half, then falls linearly to 0.
    """
    chosen: Updates = parse(optimizer, optimizers(), "optimizer")
    moves = chosen.over(game.critic.parameters(), rate)
    for step in range(count):
        for group in moves.param_groups:
            group.update(lr=rate * min(1.0, 2 * (1 - step / count)), progress=step / count)
        draws = Draws(seed, step, Stream.CRITIC)
        terms, found = game.critic_gradients(high.draw(batch, draws), draws, noise)
        update(terms, found, game.critic, moves, step + 1)
        for each in game.constraints:
            each.project(game.critic)


@torch.no_grad()
def gap(critic: nn.Module, high: Points, low: Points) -> float:
    """Return E f(high) - E f(low); means are weighted if the points are."""
    a, b = (
        mean(critic(p.x) if p.cond is None else critic(p.x, p.cond), p.weight) for p in (high, low)
    )
    return float(a - b)


def gradient(critic: nn.Module, x: Tensor) -> Tensor:
    """Return the gradient of the critic's score at each row of ``x`` (a committee's mean score)."""
    at = x.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(at).view(-1, len(at)).mean(0).sum(), at)
    return slope


@torch.no_grad()
def sampled(
    game: Game, generator: nn.Module, n: int, cond: Tensor | None = None, seed: int = 0
) -> Tensor:
    """Return ``n`` points of ``generator``, such as ``game.generator`` or ``state.average``."""
    return game.generate(n, cond, Draws(seed), generator).x


class _Seeded:
    """Seed torch within the block, and restore its random state afterwards."""

    def __init__(self, seed: int) -> None:
        self.fork = torch.random.fork_rng(devices=[])
        self.seed = seed

    def __enter__(self) -> None:
        self.fork.__enter__()
        torch.manual_seed(self.seed)

    def __exit__(self, *error: object) -> None:
        self.fork.__exit__(None, None, None)


def _noise(noise: str | Noise) -> Noise:
    if isinstance(noise, Noise):
        return noise
    return Noise() if noise == "none" else parse(noise, noises(), "noise")


def _objective(objective: str | Objective) -> Objective:
    return parse(objective, objectives(), "objective") if isinstance(objective, str) else objective


def _installed(
    texts: str | Sequence[str], critic: nn.Module, unit: float = 1.0
) -> tuple[Constraint, ...]:
    names = [texts] if isinstance(texts, str) else list(texts)
    parsed = (parse(t, constraints(), "constraint") for t in names if t != "none")
    made = tuple(c.with_target(unit) for c in parsed)
    for constraint in made:
        constraint.install(critic)
    return made


def _space(points: Points) -> Space:
    shape = tuple(points.x.shape[1:])
    return Space(shape, 0 if points.cond is None else points.cond.shape[1], shape)
