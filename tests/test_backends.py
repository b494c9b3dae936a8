"""A step written out, left to autograd or compiled has the same gradients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surveyor.batch import Draws
from surveyor.lipschitz import TermPenalty, constraints
from surveyor.objectives import objectives
from surveyor.training import steps
from surveyor.training.backends.compiled import compiled
from surveyor.training.backends.written_out import WrittenOut
from tests.conftest import built

HELD = sorted({*constraints()} - {"edge-penalty"})  # which needs a column of nodes


@pytest.mark.parametrize("objective", sorted(objectives()))
@pytest.mark.parametrize("constraint", [*HELD, "gradient-penalty:points=both"])
@pytest.mark.parametrize("critic", ["mlp:width=64,depth=2", "conv:width=16"])
def test_bfloat16_products_give_the_same_gradients(
    critic: str, constraint: str, objective: str
) -> None:
    """bfloat16 keeps eight bits of a factor, and the means of the two sides nearly cancel.

    Worst seen: a cosine of .962, where rounding changes the order in which GroupSort sorts. A
    weight cast without its gradient, the known trap of autocast, loses far more.
    """
    gradients = []
    for precision in ("float32", "bfloat16"):
        said: dict[str, Any] = {"precision": precision, "objective": objective}
        said |= {"constraint": constraint, "condition": ["digit"] * ("condition" in constraint)}
        data, game, _, _ = built("example:digits", critic=critic, **said)
        real, draws = data.train.draw(64, Draws(0)), Draws(1)
        for made in (game.critic_gradients, game.generator_gradients):
            gradients.append(torch.cat([g.flatten() for g in made(real, draws)[1]]))
    for exact, rounded in zip(gradients[:2], gradients[2:], strict=True):
        assert torch.nn.functional.cosine_similarity(exact, rounded, dim=0) > 0.95
        assert float(rounded.norm() / exact.norm()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("penalty", ["gradient-penalty", "gradient-penalty:target=0,points=both"])
def test_losses_do_not_depend_on_the_unit_of_the_data(penalty: str) -> None:
    points = np.random.default_rng(0).normal(size=(300, 2))
    losses = []
    for scale in (1.0, 1000.0):
        data, game, plan, state = built(scale * points, constraint=penalty)
        assert game.unit == pytest.approx(scale, rel=0.2)
        terms = next(steps(game, data.train, plan, state)).losses()
        # The generator's loss follows Adam's first step, whose sign turns on the last bit.
        losses.append({k: v for k, v in terms.items() if k != "generator objective"})
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert min(map(abs, losses[0].values())) > 0 or penalty == "gradient-penalty"


@pytest.mark.parametrize(
    ("objective", "constraint"),
    [
        *[
            ("wasserstein", name)
            for name, c in sorted(constraints().items())
            if not issubclass(c, TermPenalty)
        ],
        *[(name, "gradient-penalty:points=both,target=0") for name in sorted(objectives())],
    ],
)
def test_compiled_steps_have_the_same_gradients(objective: str, constraint: str) -> None:
    said = {"objective": objective, "constraint": constraint, "generator": "mlp:width=16,depth=1"}
    data, game, plan, _ = built("toy:ring:500", critic="mlp:width=16,depth=2", **said)
    quick, refused = compiled(game, data.train.draw(plan.batch, Draws(0)))
    assert refused is None
    real = data.train.draw(plan.batch, Draws(2))
    for name in ("critic_gradients", "generator_gradients"):
        terms, gradients = getattr(game, name)(real, Draws(1), 0.1)
        same, again = getattr(quick, name)(real, Draws(1), 0.1)
        assert terms.keys() == same.keys()
        for one, other in zip(gradients, again, strict=True):
            # Fused code sums in another order; the worst seen is 5e-7.
            assert torch.allclose(one, other, atol=2e-6)


def test_the_gradients_written_out_are_those_a_game_is_given() -> None:
    """What is compiled takes their place, so a step has to ask for them."""
    data, game, _, _ = built("toy:ring:500", critic="mlp:width=16,depth=2")
    asked: list[str] = []

    def told(name: str) -> Any:
        plain = getattr(game.backend, name)

        def call(*args: Any) -> Any:
            asked.append(name)
            return plain(*args)

        return call

    names = ["critic_loss_and_grad", "generator_loss_and_grad_x"]
    game = replace(game, backend=WrittenOut(*map(told, names)))
    game.critic_gradients(data.train.first(16), Draws(0))
    game.generator_gradients(data.train.first(16), Draws(0))
    assert asked == names


def test_a_game_that_is_left_to_autograd_says_that_it_is_not_compiled() -> None:
    said = {"condition": ["digit"], "constraint": ["gradient-penalty", "condition-penalty"]}
    data, game, _, _ = built("example:digits", critic="mlp:width=8,depth=1", **said)
    same, refused = compiled(game, data.train.first(16))
    assert same is game
    assert refused is not None
    assert "condition penalty" in refused


def test_the_cause_of_steps_left_uncompiled_is_told() -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no room\nis left\n\nand many lines more")

    data, game, _, _ = built()
    backend: Any = broken
    same, refused = compiled(game, data.train.first(16), backend)
    assert same is game
    assert refused is not None
    assert refused.startswith("steps run uncompiled: ")
    assert "RuntimeError: no room is left" in refused
    assert "many lines" not in refused
