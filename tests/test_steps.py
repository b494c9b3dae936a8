"""A step, looked at from outside: what is drawn, seen, moved, averaged, measured and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from surveyor.api import finish, prepare
from surveyor.batch import Batch, Draws
from surveyor.catalog import parse
from surveyor.generators import Latent
from surveyor.lipschitz import Constraint, constraints
from surveyor.lipschitz.certificate import weighted
from surveyor.objectives import objectives
from surveyor.run import Session, start
from surveyor.run import session as sessions
from surveyor.training import Game, steps
from surveyor.training.lab import Points, gap, play, train_critic
from surveyor.training.lab import game_of as small_game
from surveyor.training.ranks import Ranks
from surveyor.training.records import best_of
from surveyor.training.schedules.cosine import Cosine
from tests.conftest import QUICK, WGAN, built

SMALL = QUICK | WGAN | {"generator": "mlp:width=16", "critic": "mlp:width=16"}


class Spy:
    """A source that keeps what was drawn from it."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.drawn: list[tuple[Draws, Batch]] = []

    def draw(self, n: int, draws: Draws) -> Batch:
        found: Batch = self.source.draw(n, draws)
        self.drawn.append((draws, found))
        return found


def test_every_step_of_a_round_sees_rows_of_its_own() -> None:
    data, game, plan, state = built(critic_steps=3, steps=4)
    spy = Spy(data.train)
    list(steps(game, spy, plan, state))
    assert len(spy.drawn) == 4 * (3 + 1)
    named = {(d.step, d.stream) for d, _ in spy.drawn}
    assert len(named) == len(spy.drawn)
    assert all(len(b) == plan.batch for _, b in spy.drawn)
    assert all(not torch.equal(a.x, b.x) for (_, a), (_, b) in pairwise(spy.drawn))
    assert {d.seed for d, _ in spy.drawn} == {plan.seed}


def test_the_processes_of_a_run_draw_rows_and_latents_of_their_own() -> None:
    seen = []
    for rank in (0, 1):
        data, game, plan, state = built()
        spy = Spy(data.train)
        list(steps(game, spy, replace(plan, rank=rank), state))
        seen.append([b.x for _, b in spy.drawn])
    assert all(not torch.equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"step": 1}, {"stream": 1}, {"rank": 1}], ids=lambda d: next(iter(d))
)
@pytest.mark.parametrize("how", ["normal", "uniform", "signs", "gumbel"])
def test_draws_differ_by_each_of_what_names_them(other: dict[str, Any], how: str) -> None:
    a, b = (getattr(Draws(**named), how)(64) for named in ({"seed": 0}, {"seed": 0} | other))
    assert not torch.equal(a, b)
    assert torch.equal(a, getattr(Draws(0), how)(64))


def test_both_rates_follow_their_own_schedule() -> None:
    said = {"steps": 12, "critic_rate": 3e-3, "generator_rate": 1e-3}
    data, game, plan, state = built(**said)
    plan = replace(plan, schedule=Cosine(0.25, 0.1, 0.5))
    for record in steps(game, data.train, plan, state):
        at = record.step - 1
        along = max(0.0, (at / 12 - 0.25) / 0.75)
        for optimizer, rate, final in (
            (state.critic_optimizer, 3e-3, 0.5),
            (state.generator_optimizer, 1e-3, 0.1),
        ):
            factor = final + (1 - final) * (1 + math.cos(math.pi * along)) / 2
            assert [g["lr"] for g in optimizer.param_groups] == [pytest.approx(rate * factor)]
    assert state.critic_optimizer.param_groups[0]["lr"] < 3e-3 * 0.6


LIMIT = 0.02


def held(constraint: Constraint, critic: nn.Module) -> float:
    """Return how far the weights are from where ``constraint`` holds them."""
    worst = 0.0
    for layer in weighted(critic):
        w = layer.weight.detach().flatten(1).double()
        if w.shape[0] > w.shape[1]:
            w = w.T
        off = w @ w.T - torch.eye(len(w)) if "Orthogonal" in type(constraint).__name__ else None
        worst = max(worst, float(w.abs().max()) - LIMIT if off is None else float(off.norm()))
    return worst


@pytest.mark.parametrize("text", [f"clip:limit={LIMIT}", "orthogonal"])
def test_weights_are_back_within_the_constraint_when_a_step_ends(text: str) -> None:
    data, game, plan, state = built(
        constraint=text, critic="mlp:width=16,depth=2", critic_rate=1e-2
    )
    (constraint,) = game.constraints
    for _ in steps(game, data.train, plan, state):
        assert held(constraint, game.critic) < 2e-4
    alone = small_game(Points(torch.randn(64, 2)), constraint=text, critic="mlp:width=16,depth=2")
    train_critic(alone, Points(torch.randn(64, 2)), 3, batch=16, rate=1e-2)
    assert held(alone.constraints[0], alone.critic) < 2e-4


class Echo(nn.Module):
    """A generator whose point is its condition."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        made: Tensor = self.scale * (z[:, :2] if cond is None else cond)
        return made


class Told(nn.Module):
    """A critic that keeps what it is shown, and scores a square beside a plane."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.5, -0.25]))
        self.seen: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        self.seen.append((x.detach().clone(), None if cond is None else cond.clone()))
        more = 0 if cond is None else (x * cond).sum(1)
        scores: Tensor = x.square() @ self.w + x.sum(1) + more
        return scores


def game(objective: str = "wasserstein", constraint: str | None = None, **more: Any) -> Game:
    held = () if constraint is None else (parse(constraint, constraints(), "constraint"),)
    return Game(
        Echo(), Told(), objectives()[objective](), held, Latent(2), lambda raw, _: raw, **more
    )


@pytest.mark.parametrize("objective", ["wasserstein", "relativistic"])
def test_noise_lies_on_both_sides_and_is_drawn_apart(objective: str) -> None:
    n, own = 4000, game(objective)
    critic = own.critic
    assert isinstance(critic, Told)
    with torch.no_grad():
        for scale in own.generator.parameters():
            scale.zero_()
    real = Batch(torch.full((n, 2), 3.0))
    own.critic_loss(real, Draws(1), 0.5)
    own.generator_loss(real, Draws(1), 0.5)
    (shown, _), (answered, _) = critic.seen
    sides = {"real": shown[:n] - 3, "fake": shown[n : 2 * n], "answer": answered[:n]}
    if objective == "relativistic":
        sides["real beside the answer"] = answered[n:] - 3
    for name, side in sides.items():
        # Four deviations of a deviation estimated from 8,000 numbers are .016.
        assert float(side.std()) == pytest.approx(0.5, abs=0.016), name
        assert float(side.mean()) == pytest.approx(0, abs=0.023), name
    assert float((sides["real"] * sides["fake"]).mean()) == pytest.approx(0, abs=0.016)
    own.critic_loss(real, Draws(1))
    assert torch.equal(critic.seen[-1][0][:n], real.x)


def test_a_point_is_judged_under_the_condition_it_was_made_for() -> None:
    own, cond = game(), Draws(3).normal(50, 2)
    critic = own.critic
    assert isinstance(critic, Told)
    made = own.generate(50, cond, Draws(0))
    assert made.cond is not None
    assert torch.equal(made.x, cond)
    assert torch.equal(made.cond, cond)
    real = Batch(Draws(4).normal(50, 2), cond)
    own.critic_loss(real, Draws(1))
    own.generator_loss(real, Draws(1))
    (x, c), (answer, asked) = critic.seen
    assert c is not None
    assert asked is not None
    assert torch.equal(x[:50], real.x)
    assert torch.equal(c, torch.cat([cond, cond]))
    assert torch.equal(x[50:100], cond)
    assert torch.equal(answer, asked)


def gradients(own: Game, real: Batch) -> list[Tensor]:
    found: list[Tensor] = []
    for side in (own.critic_gradients, own.generator_gradients):
        terms, each = side(real, Draws(1))
        found += [*terms.values(), *each]
    return found


@pytest.mark.parametrize("points", ["real", "fake", "both"])
@pytest.mark.parametrize("objective", sorted(objectives()))
def test_a_row_of_weight_two_counts_as_two_rows_on_every_side(objective: str, points: str) -> None:
    own = game(objective, f"gradient-penalty:points={points},target=0,weight=3")
    x, cond = Draws(5).normal(4, 2), Draws(6).normal(4, 2)
    index = torch.tensor([0, 0, 0, 1, 2, 2, 3])
    weight = torch.tensor([3.0, 1, 2, 1])
    once = gradients(own, Batch(x, cond, weight / weight.sum()))
    often = gradients(own, Batch(x[index], cond[index]))
    for a, b in zip(once, often, strict=True):
        torch.testing.assert_close(a, b)
    plain = gradients(own, Batch(x, cond))
    for k in (0, 1, 3):  # the critic's two terms and the generator's one
        assert float(once[k]) != pytest.approx(float(plain[k]), rel=1e-3)


def test_the_two_losses_of_a_known_game() -> None:
    """f(x) = x1^2 / 2 - x2^2 / 4 + x1 + x2 + x . c at real 1, 2 and generated c = 2, 0."""
    own = game("wasserstein", "gradient-penalty:points=real,target=0,weight=2", unit=0.5)
    real = Batch(torch.tensor([[1.0, 2.0]]), torch.tensor([[2.0, 0.0]]))
    # f(real) = .5 - 1 + 3 + 2 = 4.5, f(fake) = 2 + 2 + 4 = 8; grad at real = (1 + 1 + 2, -1 + 1).
    terms = own.critic_loss(real, Draws(0))
    assert float(terms["critic objective"].detach()) == pytest.approx((8 - 4.5) / 0.5)
    assert float(terms["gradient-penalty"].detach()) == pytest.approx(2 * 16 / 0.5)
    assert float(
        own.generator_loss(real, Draws(0))["generator objective"].detach()
    ) == pytest.approx(-16)


def test_the_lab_weighs_points_and_tells_the_sign() -> None:
    class First(nn.Module):
        def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
            return x[:, 0] if cond is None else x[:, 0] + 10 * cond[:, 0]

    two = torch.tensor([[0.0], [4.0]])
    heavy = Points(two, weight=torch.tensor([1.0, 3.0]))
    even, low = Points(two), Points(torch.tensor([[1.0]]))
    assert gap(First(), heavy, low) == pytest.approx(2)
    assert gap(First(), low, heavy) == pytest.approx(-2)
    assert gap(First(), even, low) == pytest.approx(1)
    told = Points(two, torch.tensor([[1.0], [0.0]]), torch.tensor([1.0, 3.0]))
    assert gap(First(), told, Points(two[:1], torch.tensor([[0.5]]))) == pytest.approx(3 + 2.5 - 5)


def test_the_lab_draws_a_row_with_all_that_belongs_to_it() -> None:
    ten = torch.arange(10.0)
    points = Points(ten[:, None], ten[:, None] + 100, ten + 200, torch.arange(10) + 300)
    drawn = points.draw(64, Draws(0))
    assert drawn.cond is not None
    assert drawn.weight is not None
    assert drawn.group is not None
    for more, shift in ((drawn.cond[:, 0], 100), (drawn.weight, 200), (drawn.group.float(), 300)):
        assert torch.equal(more, drawn.x[:, 0] + shift)
    assert len(drawn.x.unique()) == 10


def test_a_game_in_the_lab_goes_on_where_its_state_is() -> None:
    points = Points(Draws(0).normal(128, 2) + 3)

    def fresh() -> Game:
        return small_game(points, "mlp:width=8,depth=1", "mlp:width=8,depth=1", seed=4)

    whole, part = fresh(), fresh()
    list(play(whole, points, 6, batch=16))
    half, _ = list(play(part, points, 2, batch=16))[-1]
    end, _ = list(play(part, points, 6, batch=16, state=half))[-1]
    assert end.step == 6
    for a, b in zip(whole.generator.parameters(), part.generator.parameters(), strict=True):
        assert torch.equal(a, b)


@dataclass(frozen=True)
class One(Ranks):
    """One of several processes, the others of which are not there."""

    def reduce(self, gradients: Sequence[Tensor]) -> None:
        pass

    def any(self, flag: bool) -> bool:
        return flag

    def agree(self, what: str, text: str) -> None:
        pass

    def wait(self) -> None:
        pass


def begun(path: Path, ranks: Ranks | None = None, **more: Any) -> Session:
    data, config = prepare("toy:ring:300", SMALL | more)
    return start(data, "toy:ring:300", config, path, ranks=ranks)


def test_the_processes_of_a_run_share_its_rows_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards, ranks = [], []

    def spied(game: Game, source: Any, plan: Any, *more: Any) -> Any:
        shards.append(source.index)
        ranks.append((plan.rank, plan.batch))
        return steps(game, source, plan, *more)

    monkeypatch.setattr(sessions, "steps", spied)
    for rank in (0, 1, 2):
        session = begun(tmp_path / str(rank), One(rank, 3), batch=24)
        list(session.records())
    assert ranks == [(0, 8), (1, 8), (2, 8)]
    joined = np.concatenate(shards)
    assert sorted(joined) == sorted(session.data.train.index)
    assert len(np.unique(joined)) == len(joined)
    sizes = list(map(len, shards))
    assert max(sizes) - min(sizes) <= 1


def test_the_averaged_generator_is_the_one_measured_and_kept(tmp_path: Path) -> None:
    session = begun(tmp_path / "run", steps=12, measure="w1:every=3,rows=32")
    ruler, measured = session.ruler, []

    def spied(generator: nn.Module, record: Any) -> Any:
        measured.append(generator)
        return ruler(generator, record)

    session.ruler = spied  # type: ignore[assignment]
    kept = 0
    for record in session.records():
        if record.measurement is None or best_of(session.history) is not record.measurement:
            continue
        kept += 1
        for name, module in (("generator", session.state.average), ("critic", session.game.critic)):
            saved = load_file(session.path / f"{name}.safetensors")
            assert saved.keys() == module.state_dict().keys()
            assert all(torch.equal(saved[k], v) for k, v in module.state_dict().items())
        saved = load_file(session.path / "generator.safetensors")
        moving = session.game.generator.state_dict()
        assert any(not torch.equal(saved[k], v) for k, v in moving.items())
    assert kept >= 1
    assert measured == [session.state.average] * 4


def test_held_out_rows_play_no_part_in_any_choice(tmp_path: Path) -> None:
    """Other held-out rows, the same run; other validation rows, another history."""
    runs = {}
    for part in ("none", "holdout", "validation"):
        data, config = prepare(
            "toy:ring:300", SMALL | {"steps": 12, "measure": "w1:every=2,rows=32,patience=2"}
        )
        if part != "none":
            own = getattr(data, part)
            far = {k: v + 3 if v.dtype.kind == "f" else v for k, v in own.rows.items()}
            data = replace(data, **{part: replace(own, rows=far)})
        finish(start(data, "toy:ring:300", config, tmp_path / part))
        names = ("generator.safetensors", "critic.safetensors", "history.jsonl")
        runs[part] = [(tmp_path / part / name).read_bytes() for name in names]
    assert runs["holdout"] == runs["none"]
    assert runs["validation"][2] != runs["none"][2]
