"""Federated training: sums of gradients are the gradient of the joint batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Data, Source
from surveyor.federated import BySumsOfClients, Client, Federation, Request, added
from surveyor.federated.sums import NETS, weights_of, with_own_nets
from surveyor.lipschitz import constraints
from surveyor.objectives import objectives
from surveyor.streams import Stream
from surveyor.training import Game, steps
from tests.conftest import built, mixed

SIZES = (5, 16, 11)


def divided(data: Data, shares: tuple[float, ...], *ends: int) -> Federation:
    """Return the training rows of ``data``, cut at ``ends``, as those of several clients."""
    train = data.train
    parts = tuple(replace(train, index=i) for i in np.split(train.index, ends))
    return Federation(train.codec, train.rows, train.index, False, parts, shares)


class Given(Batch):
    """Rows that are drawn as they are."""

    def draw(self, n: int, draws: Draws) -> Batch:
        assert n == len(self)
        return self


def parts_of(whole: Batch) -> list[Given]:
    ends = np.cumsum((0, *SIZES))
    parts = [whole.part(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    return [Given(p.x, p.cond, p.weight, p.group) for p in parts]


class Shared(Draws):
    """The numbers of one joint draw, of which each client takes those of its own rows."""

    def _own(self, drawn: Tensor, n: int) -> Tensor:
        return torch.split(drawn, list(SIZES))[self.rank] if n < sum(SIZES) else drawn

    def _joint(self) -> Draws:
        made = self.__dict__.setdefault("joint", Draws(self.seed, self.step, self.stream))
        assert isinstance(made, Draws)
        return made

    def normal(self, *shape: int) -> Tensor:
        return self._own(self._joint().normal(sum(SIZES), *shape[1:]), shape[0])

    def uniform(self, *shape: int) -> Tensor:
        return self._own(self._joint().uniform(sum(SIZES), *shape[1:]), shape[0])

    def signs(self, *shape: int) -> Tensor:
        return self._own(self._joint().signs(sum(SIZES), *shape[1:]), shape[0])

    def gumbel(self, *shape: int) -> Tensor:
        return self._own(self._joint().gumbel(sum(SIZES), *shape[1:]), shape[0])


def shared_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surveyor.federated.sums.Draws", Shared)


HELD = (*sorted(constraints()), "gradient-penalty:every=2")


@pytest.mark.parametrize("objective", sorted(objectives()))
@pytest.mark.parametrize("constraint", HELD)
def test_sums_of_clients_are_the_gradient_of_the_joint_batch(
    constraint: str, objective: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared_draws(monkeypatch)
    told: dict[str, Any] = {"constraint": constraint, "objective": objective, "condition": ["c"]}
    labels, x = np.arange(400) % 3, np.random.default_rng(0).normal(size=(400, 2))
    source: Any = {"x": x, "c": labels + 0.5}
    if constraint == "edge-penalty":
        source = pd.DataFrame({"x": x[:, 0], "at": [f"n{k}" for k in labels], "c": labels[::-1]})
        line = pd.DataFrame({"u": ["n0", "n1"], "v": ["n1", "n2"]})
        line.to_csv(tmp_path / "line.csv", index=False)
        told |= {"node": "at", "graph": str(tmp_path / "line.csv"), "generator": "mlp"}
    data, game, _, _ = built(source, critic="mlp:width=16,depth=2", **told)
    compare(game, data.train.first(sum(SIZES)), ("critic", "generator"))


def test_sums_of_likelihoods_are_that_of_the_joint_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    shared_draws(monkeypatch)
    data, game, _, _ = built(mixed(), generator="autoregressive", constraint="gradient-penalty")
    compare(game, data.train.first(sum(SIZES)), ("likelihood",))


def compare(game: Game, whole: Batch, stages: tuple[Any, ...]) -> None:
    clients = [Client(with_own_nets(game), p, 5, k) for k, p in enumerate(parts_of(whole))]
    for stage in stages:
        for step in (0, 1):
            weights = weights_of(game, NETS[stage])
            stream = int(Stream.CRITIC)
            answers = [
                c.answer(Request(stage, step, stream, n, 0.1, weights))
                for c, n in zip(clients, SIZES, strict=True)
            ]
            terms, found = added(answers)
            joint = Shared(5, step, Stream.CRITIC)
            if stage == "likelihood":
                own, wanted = game.warm_gradients(whole, joint)
            elif stage == "critic":
                own, wanted = game.critic_gradients(whole, joint, 0.1)
            else:
                own, wanted = game.generator_gradients(whole, joint, 0.1)
            assert terms.keys() == own.keys()
            for name, value in own.items():
                assert float(terms[name]) == pytest.approx(float(value), rel=1e-4, abs=1e-6)
            for a, b in zip(found, wanted, strict=True):
                assert float((a - b).abs().max()) < 1e-6 * (1 + float(b.abs().max()))


@pytest.mark.parametrize("noise", ["none", "adaptive:auc=0.6"])
def test_one_client_trains_as_without_federation(noise: str) -> None:
    """The batch is a power of two, so that multiplying and dividing by it is exact."""
    trained = []
    for federated in (False, True):
        data, game, plan, state = built("toy:ring:400", noise=noise)
        rows: Source = divided(data, (1.0,)) if federated else data.train
        trained.append((list(steps(game, rows, plan, state)), game))
    (alone, first), (joint, second) = trained
    for net in ("generator", "critic"):
        a, b = (getattr(game, net).state_dict() for game in (first, second))
        assert all(torch.equal(a[name], b[name]) for name in a)
    assert [r.step for r in alone] == [r.step for r in joint]


def test_clients_draw_rows_by_their_shares() -> None:
    data, _, plan, _ = built("toy:ring:400", batch=64)
    shares = (0.1, 0.6, 0.3)
    own = divided(data, shares, 30, 200).gradients(plan)
    assert isinstance(own, BySumsOfClients)
    drawn = np.array([own.rows_of(Draws(0, k, Stream.CRITIC)) for k in range(300)])
    assert (drawn.sum(1) == 64).all()
    assert drawn.mean(0) / 64 == pytest.approx(shares, abs=0.01)
    assert own.rows_of(Draws(0, 3, Stream.CRITIC)).tolist() == drawn[3].tolist()


def test_a_client_without_rows_in_a_batch_is_not_asked() -> None:
    data, game, plan, _ = built("toy:ring:400")
    own = divided(data, (1.0, 0.0), 100).gradients(plan)
    assert isinstance(own, BySumsOfClients)
    alone = divided(data, (1.0, 1.0), 100).gradients(plan)
    draws = Draws(0, 0, Stream.CRITIC)
    _, found = own.critic(game, draws, 0.0)
    _, other = alone.critic(game, draws, 0.0)
    assert own.rows_of(draws).tolist() == [plan.batch, 0]
    assert any(not torch.equal(a, b) for a, b in zip(found, other, strict=True))
