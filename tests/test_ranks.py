"""Several processes, one run: the same gradients, one writer, and a loss that is survived."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import surveyor
from surveyor.errors import InputError
from surveyor.lipschitz import constraints
from surveyor.objectives import objectives
from surveyor.run import load
from surveyor.training.ranks import Ranks, _backend

TWO = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
QUICK = [
    *("--steps", "40", "--batch", "16", "--measure", "w1:every=10,rows=32"),
    *("--generator", "mlp:width=16", "--critic", "mlp:width=16", "--noise", "adaptive:auc=0.6"),
]

GRADIENTS = '''
"""Each of two processes takes half a batch; the mean gradient must be the whole batch's."""
import sys
import numpy as np
import torch
from surveyor.batch import Batch, Draws
from surveyor.api import prepare
from surveyor.build import game_of
from surveyor.training.ranks import joined_ranks, leave_ranks

ranks, worst = joined_ranks(), 0.0

class Half(Draws):
    """This process's rows of what one process would draw."""
    def _half(self, draw, n, *shape):
        return draw(n * ranks.size, *shape)[ranks.rank * n : (ranks.rank + 1) * n]
    def normal(self, n, *shape):
        return self._half(super().normal, n, *shape)
    def uniform(self, n, *shape):
        return self._half(super().uniform, n, *shape)
    def signs(self, n, *shape):
        return self._half(super().signs, n, *shape)

def gradients(game, real, draws):
    flat = []
    for found in (game.critic_gradients, game.generator_gradients):
        flat += found(real, draws, 0.1)[1]
    return flat

for constraint in sys.argv[1].split():
    for objective in sys.argv[2].split():
        for step in (0, 1):
            said = {"constraint": constraint, "objective": objective, "threads": 1,
                    "generator": "mlp:width=16", "critic": "mlp:width=16,depth=2"}
            rng = np.random.default_rng(0)
            arrays = {"x": rng.normal(size=(400, 2)), "c": rng.uniform(size=400)}
            told = {"condition": ["c"]} if "condition" in constraint else {}
            data, config = prepare(arrays, said | told)
            game = game_of(config, data.codec)
            whole = data.train.first(32)
            n = len(whole) // ranks.size
            mine = whole.part(ranks.rank * n, (ranks.rank + 1) * n)
            halves = gradients(game, mine, Half(5, step))
            ranks.reduce(halves)
            together = gradients(game, whole, Draws(5, step))
            for a, b in zip(halves, together):
                worst = max(worst, float((a - b).abs().max() / (1 + b.abs().max())))
leave_ranks(ranks)
if ranks.is_main:
    print(worst)
'''


def launched(*words: str, more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([*TWO, *more, *words], capture_output=True, text=True, env=environment)


def test_two_processes_give_the_gradient_of_the_joined_batch(tmp_path: Path) -> None:
    """For every constraint and objective, lazy penalties in and out of turn."""
    script = tmp_path / "gradients.py"
    script.write_text(GRADIENTS)
    held = [
        *sorted({*constraints()} - {"edge-penalty"}),  # which needs a column of nodes
        "gradient-penalty:every=2",
        "gradient-penalty:points=both,target=0",
    ]
    done = launched(str(script), " ".join(held), " ".join(sorted(objectives())))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 1e-6


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two") / "run"
    done = launched("-m", "surveyor", "train", "toy:ring:400", "--out", str(path), *QUICK)
    assert done.returncode == 0, done.stderr
    return path


def kept(path: Path) -> dict[str, bytes]:
    names = ("generator.safetensors", "critic.safetensors", "history.jsonl")
    return {name: (path / name).read_bytes() for name in names}


def test_one_process_writes_and_the_run_is_whole(undisturbed: Path) -> None:
    run = load(undisturbed)
    assert [m.step for m in run.history] == [10, 20, 30, 40]
    assert (undisturbed / "report.html").exists()
    assert len(surveyor.load(undisturbed).sample(7)["x"]) == 7


KILLED = '''
"""The second process kills itself once, in the round after the first has saved a state."""
import os, signal, sys
from pathlib import Path
from surveyor.cli import main
from surveyor.run import session

whole, told = session.steps, Path(sys.argv[1])

def cut(*given):
    for record in whole(*given):
        yield record
        if record.step == 12 and os.environ["RANK"] == "1" and not told.exists():
            told.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)

session.steps = cut
sys.exit(main(sys.argv[2:]))
'''


def test_a_killed_process_comes_back_and_the_run_ends_as_if_undisturbed(
    undisturbed: Path, tmp_path: Path
) -> None:
    script, told, path = tmp_path / "killed.py", tmp_path / "told", tmp_path / "run"
    script.write_text(KILLED)
    words = [str(script), str(told), "train", "toy:ring:400", "--out", str(path), *QUICK]
    done = launched(*words, more=("--max-restarts", "2"))
    assert told.exists()
    assert done.returncode == 0, done.stderr
    assert kept(path) == kept(undisturbed)


def test_processes_that_disagree_are_refused_before_the_first_step(tmp_path: Path) -> None:
    script = tmp_path / "other.py"
    script.write_text(
        "import os, sys\nfrom surveyor.cli import main\n"
        "seed = '1' if os.environ['RANK'] == '1' else '0'\n"
        "sys.exit(main([*sys.argv[1:], '--seed', seed]))\n"
    )
    path = tmp_path / "run"
    done = launched(str(script), "train", "toy:ring:400", "--out", str(path), *QUICK)
    assert done.returncode != 0
    assert "process 1 has other" in done.stderr
    assert not path.exists()


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(InputError, match="multiple of 3"):
        Ranks(0, 3).share(16)
    assert Ranks(0, 4).share(16) == 4


def test_alone_nothing_is_exchanged() -> None:
    alone = Ranks()
    alone.wait()
    alone.agree("data", "text")
    assert alone.any(True)
    assert not alone.any(False)
    assert alone.is_main
    assert np.isfinite(alone.share(5))


@pytest.mark.parametrize(
    ("devices", "nccl", "backend", "own"),
    [
        (2, True, "cpu:gloo,cuda:nccl", 1),
        (1, True, "gloo", 0),
        (2, False, "gloo", 1),
    ],
)
def test_nccl_joins_processes_that_have_a_card_each(
    devices: int, nccl: bool, backend: str, own: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[int] = []
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: nccl)
    assert (_backend(), chosen) == (backend, [own])
