"""What must be equal on a card: ways to play a round, two runs of a seed, and a resumed one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import surveyor
from benchmarks.common import console
from surveyor.api import prepare
from surveyor.batch import Batch, Draws
from surveyor.build import game_of, plan_of
from surveyor.data.resident import placed
from surveyor.errors import Diverged
from surveyor.training import Game, State
from surveyor.training.gradients import ByRows
from surveyor.training.graph import Captured
from surveyor.training.lab import Points
from surveyor.training.lab import game_of as lab_game
from surveyor.training.optimizers.adam import Adam
from surveyor.training.phases.adversarial import moves_of
from surveyor.training.plan import Plan
from surveyor.training.rounds import Rounds, Unwaiting

CARD = "cuda"


@dataclass(frozen=True)
class Given(Game):
    """A game whose generated points are given."""

    fake: Tensor | None = None

    def generate(self, n: int, cond: Any, draws: Draws, generator: Any = None) -> Any:
        assert self.fake is not None
        return Batch(self.fake, cond)


PLAYERS: dict[str, type[Rounds]] = {
    "checked at once": Rounds, "not waited for": Unwaiting, "one graph": Captured,
}  # fmt: skip
SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "points": ("toy:ring", {}),
    "points, clipped weights": ("toy:ring", {"constraint": "clip"}),
    "points, spectral": ("toy:ring", {"constraint": "spectral"}),
    "points, falling noise": ("toy:ring", {"noise": "anneal"}),
    "points, lazy penalty": ("toy:ring", {"constraint": "gradient-penalty:every=4"}),
    "a table": ("example:wine", {}),
    "a table, no likelihood": ("example:wine", {"generator": "mlp", "warm_start": 0}),
    "pictures": ("example:digits", {"condition": ["digit"]}),
    "pictures, residual, relativistic": (
        "example:digits",
        {
            "generator": "residual:width=16", "critic": "residual:width=16",
            "objective": "relativistic",
            "constraint": "gradient-penalty:target=0,points=both,weight=0.05",
        },
    ),
}  # fmt: skip


def equal_players() -> Iterable[tuple[str, str]]:
    """Yield, for each small run, whether all ways to play its rounds gave the same bits."""
    for name, (source, options) in SMALL.items():
        data, config = prepare(source, {**options, "device": CARD, "steps": 40})
        kept: dict[str, list[Tensor]] = {}
        notes = []
        for player, cls in PLAYERS.items():
            game, plan = game_of(config, data.codec), replace(plan_of(config), graph=True)
            state = State.start(game, plan)
            rows = ByRows(placed(data.train, game.device), plan.batch)
            rounds = cls(game, plan, state, moves_of(game, rows, plan, state))
            for step in range(12):
                state.set_rates(*plan.rates(step + plan.warm), step / 40)
                rounds(step, plan.noise.at(step / 40))
            state.settle()
            nets = (game.generator, game.critic, state.average)
            kept[player] = [t.clone() for net in nets for t in net.state_dict().values()]
            if isinstance(rounds, Captured) and not rounds.graphs:
                notes.append("not captured")
        first = kept["checked at once"]
        for player, tensors in kept.items():
            if not all(torch.equal(a, b) for a, b in zip(first, tensors, strict=True)):
                far = max(
                    float((a.double() - b.double()).abs().max())
                    for a, b in zip(first, tensors, strict=True)
                )
                notes.append(f"{player}: differs by {far:.2g}")
        yield f"rounds of {name}", "; ".join(notes) or "equal"


def same_bytes() -> Iterable[tuple[str, str]]:
    """Yield whether a seed gives the same bytes twice, and after an interruption."""
    for name, (source, options) in SMALL.items():
        if "," in name:
            continue
        own = {**options, "device": CARD, "steps": 120, "measure": "w1:every=20"}
        with tempfile.TemporaryDirectory() as place:
            first = surveyor.fit(source, f"{place}/1", **own)
            surveyor.fit(source, f"{place}/2", **own)

            def stop(session: Any, record: Any) -> None:
                if record.step == 70:
                    raise KeyboardInterrupt

            try:
                surveyor.fit(source, f"{place}/3", watch=stop, **own)
            except BaseException as error:  # Ctrl-C in a watch
                stopped = type(error).__name__
            surveyor.resume(f"{place}/3")
            weights = [_bytes(Path(place, k)) for k in "123"]
            twice = "equal" if weights[0] == weights[1] else "two runs differ"
            resumed = "equal" if weights[0] == weights[2] else f"differs, {stopped}"
            yield f"{name}, twice", twice
            yield f"{name}, resumed", resumed
            yield f"{name}, verdict", str(first.evaluation.verdict)


def _bytes(run: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in run.rglob("*.safetensors")}


def withheld() -> Iterable[tuple[str, str]]:
    """Yield what is said of a step that is not finite, by each way to play rounds."""
    said = {}
    for player, cls in PLAYERS.items():
        points = Points(torch.randn(500, 2, device=CARD))
        game = lab_game(points)
        game = replace(game, generator=game.generator.to(CARD), critic=game.critic.to(CARD))
        plan = Plan(40, 64, 2, 1e-3, 1e-3, Adam())
        state = State.start(game, plan)
        rounds = cls(game, plan, state, moves_of(game, ByRows(points, 64), plan, state))
        try:
            for step in range(20):
                if step == 9:
                    with torch.no_grad():
                        next(game.critic.parameters()).fill_(float("nan"))
                rounds(step, 0.0)
            state.settle()
            said[player] = "nothing"
        except Diverged as error:
            said[player] = str(error)
    yield "a step that is not finite", "equal" if len(set(said.values())) == 1 else str(said)


def close_to_the_processor() -> Iterable[tuple[str, str]]:
    """Yield how far gradients on the card are from those on the processor, in float32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    for name, (source, options) in SMALL.items():
        data, config = prepare(source, {**options, "steps": 40, "device": "cpu"})
        real = data.train.draw(64, Draws(0))
        found = []
        for device in ("cpu", CARD):
            game = game_of(replace(config, device=device), data.codec)
            fake = game.head(
                game.generator(*_inputs(game, real, device)), Draws(1, device=device)
            ).detach()
            given = Given(**{**vars(game), "fake": fake})
            found.append(given.critic_gradients(real.to(device), Draws(2, device=device))[1])
        one, other = (torch.cat([g.cpu().flatten() for g in gradients]) for gradients in found)
        apart = float((one - other).norm() / one.norm())
        yield f"gradients of {name}", f"{apart:.1e} apart"
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision(before)


def _inputs(game: Game, real: Any, device: str) -> list[Tensor]:
    z = game.latent.draw(len(real), Draws(3)).to(device)
    return [z] if real.cond is None else [z, real.cond.to(device)]


def ranks() -> Iterable[tuple[str, str]]:
    """Yield whether two processes train on one card, and whether NCCL is there."""
    import torch.distributed as dist
    from torch._C._distributed_c10d import HashStore

    dist.init_process_group("cpu:gloo,cuda:nccl", store=HashStore(), rank=0, world_size=1)
    tensor, word = torch.ones(3, device=CARD), torch.ones(3)
    dist.all_reduce(tensor)
    dist.all_reduce(word)
    dist.destroy_process_group()
    yield (
        "NCCL for tensors, gloo for words",
        "ok" if float(tensor.sum() + word.sum()) == 6 else "wrong",
    )
    with tempfile.TemporaryDirectory() as place:
        command = [
            sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "surveyor",
            "train", "toy:ring", "--out", f"{place}/run", "--steps", "60",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if line.startswith("surveyor:")]
        yield (
            "two processes on one card",
            "ok" if done.returncode == 0 else str(said or done.stderr[-400:]),
        )


CHECKS = (equal_players, same_bytes, withheld, close_to_the_processor, ranks)


def checked() -> list[dict[str, str]]:
    """Return what every check found; one that raises says so."""
    rows = []
    for check in CHECKS:
        try:
            for name, result in check():
                rows.append({"check": name, "result": result})
                console.print(f"{name}: {result}", highlight=False)
        except Exception:
            rows.append({"check": check.__name__, "result": traceback.format_exc()[-1500:]})
            console.print(rows[-1]["result"], highlight=False)
    return rows
