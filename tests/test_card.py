"""Training on a card: nothing there is waited for, mixed with the processor's, or lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import surveyor
from surveyor.api import prepare
from surveyor.batch import Batch, Draws
from surveyor.build import game_of, plan_of
from surveyor.data.resident import Resident, placed, resident
from surveyor.errors import Diverged, Notice
from surveyor.generators.residual import Resized
from surveyor.options import Config, chosen_device
from surveyor.streams import Stream
from surveyor.training import State, phases
from surveyor.training.gradients import ByRows
from surveyor.training.graph import Captured
from surveyor.training.phases.adversarial import moves_of
from surveyor.training.rounds import Rounds, Unwaiting
from tests.pretend_card import pretend_card

RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "points": ("toy:ring:900", {}),
    "a table": ("example:wine", {"condition": ["target"]}),
    "a table, balanced": ("example:iris", {"group": "target", "balance": True, "warm_start": 0.5}),
    "pictures": ("example:digits", {"condition": ["digit"], "view": "shift-mirror"}),
}


class InOrder:
    """A pool of one thread, this one: the pretended card knows only what happens here."""

    def __init__(self, *_: Any) -> None: ...

    def __enter__(self) -> InOrder:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, call: Any, values: Any) -> Any:
        return map(call, values)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_on_a_card_mixes_no_devices_and_learns_what_one_without_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, options = RUNS[name]
    own = {"steps": 4, "measure": "w1:every=2,rows=16", "precision": "float32", **options}
    plain = surveyor.fit(source, tmp_path / "plain", device="cpu", **own)
    monkeypatch.setattr("surveyor.run.sampling.ThreadPoolExecutor", InOrder)
    monkeypatch.setattr(phases, "Captured", Unwaiting)
    with pretend_card(monkeypatch):
        model = surveyor.fit(source, tmp_path / "card", **own)  # --device auto
        assert model.run.config.device == "cuda"
        assert model.run.game.device.type == "cuda"
        made, scores = model.sample(20, seed=1), model.score(source)
        model.report()
    there = plain.sample(20, seed=1)
    for a, b in zip(_numbers(made), _numbers(there), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(scores, plain.score(source), rtol=1e-3, atol=1e-3)


def _numbers(made: Any) -> list[np.ndarray]:
    return [np.asarray(v, float) for _, v in made.items() if np.asarray(v).dtype.kind in "fiu"]


def test_the_pretended_card_refuses_what_a_card_would(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretend_card(monkeypatch):
        there, here = torch.ones(2, device="cuda"), torch.ones(2)
        assert (there + 1).device.type == "cuda"
        assert there.cpu().device.type == "cpu"
        for mixed in (lambda: there + here, lambda: torch.cat([there, here]), there.numpy):
            with pytest.raises((RuntimeError, TypeError), match="cuda:0"):
                mixed()


def test_auto_is_the_card_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device(Config().device) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [chosen_device(d) for d in (Config().device, "cpu", "cuda:1")] == [
        "cuda",
        "cpu",
        "cuda:1",
    ]


PLAYED = {
    "points": ("toy:ring:900", {}),
    "with optimism": ("toy:ring:900", {"optimizer": "adam:optimism=1"}),
    "with falling noise": ("toy:ring:900", {"noise": "anneal"}),
    "a table": ("example:wine", {}),
}


@pytest.mark.parametrize("name", PLAYED)
def test_rounds_that_are_not_waited_for_give_the_same_bits(name: str) -> None:
    kept = [_weights(*_rounds(cls, *PLAYED[name])) for cls in (Rounds, Unwaiting)]
    assert all(torch.equal(a, b) for a, b in zip(*kept, strict=True))


def _rounds(cls: type[Rounds], source: str, options: dict[str, Any], bad: int = -1) -> Any:
    data, config = prepare(source, {**options, "steps": 40, "device": "cpu"})
    game, plan = game_of(config, data.codec), replace(plan_of(config), batch=32)
    state = State.start(game, plan)
    rows = ByRows(placed(data.train, game.device), plan.batch)
    rounds = cls(game, plan, state, moves_of(game, rows, plan, state))
    for step in range(8):
        if step == bad:
            with torch.no_grad():
                next(game.critic.parameters())[0] = float("nan")
        state.set_rates(*plan.rates(step), step / 40)
        rounds(step, plan.noise.at(step / 40))
    state.settle()
    return game, state


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is asked of graphs that capture nothing, and of the watch for waiting."""
    told: list[str] = []

    class Graph:
        def replay(self) -> None:
            told.append("replayed")

    @contextmanager
    def capture(graph: Graph) -> Iterator[None]:
        told.append("captured")
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: "as before")
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", told.append)
    return told


def test_a_round_is_captured_after_two_that_are_not(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries allocate in the first; the second is watched for waiting."""

    def play(*_: Any) -> dict[str, Any]:
        told.append("played")
        return {}

    monkeypatch.setattr(Captured, "play", play)
    _rounds(Captured, *PLAYED["points"])
    watched = ["warn", "played", "as before"]
    assert told == ["played", *watched, "captured", "played", *["replayed"] * 6]


def test_rounds_that_cannot_be_captured_are_played_as_they_are(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def fails(graph: Any) -> Iterator[None]:
        told.append("failed")
        raise RuntimeError("operation not permitted")
        yield

    monkeypatch.setattr(torch.cuda, "graph", fails)
    with pytest.warns(Notice, match="one kernel at a time, not as a graph: operation not permit"):
        captured = _weights(*_rounds(Captured, *PLAYED["points"]))
    assert told == ["warn", "as before", "failed"]
    plain = _weights(*_rounds(Rounds, *PLAYED["points"]))
    assert all(torch.allclose(a, b) for a, b in zip(captured, plain, strict=True))


def _weights(game: Any, state: State) -> list[Tensor]:
    nets = (game.generator, game.critic, state.average)
    return [t.clone() for net in nets for t in net.state_dict().values()]


def test_a_step_that_is_not_finite_is_named_later_as_it_would_be_at_once() -> None:
    said = []
    for cls in (Rounds, Unwaiting):
        with pytest.raises(Diverged) as raised:
            _rounds(cls, *PLAYED["points"], bad=5)
        said.append(str(raised.value))
    assert said[0] == said[1]
    assert said[0].startswith("step 6: term ")


@dataclass(frozen=True)
class Spoilt:
    """Rows of which one draw is not finite."""

    rows: Resident
    at: int

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` rows."""
        batch = self.rows.draw(n, draws)
        bad = draws.stream is Stream.CRITIC and draws.step == self.at
        return replace(batch, x=batch.x * float("nan")) if bad else batch


def test_no_weight_moves_after_a_step_that_is_not_finite() -> None:
    data, config = prepare("toy:ring:900", {"steps": 40, "device": "cpu"})
    game, plan = game_of(config, data.codec), replace(plan_of(config), batch=32)
    state = State.start(game, plan)
    rows = Spoilt(placed(data.train, game.device), 2 * plan.critic_steps)
    rounds = Unwaiting(game, plan, state, moves_of(game, ByRows(rows, 32), plan, state))
    for step in range(2):
        rounds(step, 0.0)
    before = [p.clone() for net in (game.generator, game.critic) for p in net.parameters()]
    for step in range(2, 5):
        rounds(step, 0.0)
    after = [p for net in (game.generator, game.critic) for p in net.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    with pytest.raises(Diverged, match="step 3: term"):
        state.settle()


@pytest.mark.parametrize("balance", [False, True])
def test_rows_in_the_memory_of_a_card_are_drawn_as_from_a_source(balance: bool) -> None:
    data, _ = prepare("example:iris", {"group": "target"})
    source = replace(data.train, balance=balance)
    rows = placed(source, torch.device("cpu"))
    a, b = rows.draw(200, Draws(3)), source.draw(200, Draws(3))
    assert torch.equal(a.x, b.x)
    assert isinstance(a.group, Tensor)
    assert torch.equal(a.group, b.group)  # type: ignore[arg-type]


def test_rows_that_do_not_fit_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    data, _ = prepare("example:iris", {})
    with pretend_card(monkeypatch):
        assert resident(data.train, torch.device("cuda")) is not data.train
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (100, 100))
        assert resident(data.train, torch.device("cuda")) is data.train
    assert resident(data.train, torch.device("cpu")) is data.train


@pytest.mark.parametrize(("sides", "factor"), [((7, 5), 2.0), ((4, 4), 2.0), ((3, 8), 4.0)])
def test_upsampling_by_products_is_bilinear(sides: tuple[int, int], factor: float) -> None:
    h, resized = torch.randn(2, 3, *sides, dtype=torch.float32), Resized(factor)
    torch.testing.assert_close(resized.by_products(h), resized(h))
