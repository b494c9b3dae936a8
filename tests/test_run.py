"""The run folder: repeats byte for byte, survives kills, refuses what is damaged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import surveyor
from surveyor.api import finish, prepare
from surveyor.errors import Diverged, InputError, Interrupted, SurveyorError
from surveyor.generators import Likelihood
from surveyor.options import VERSION
from surveyor.run import Session, load, resume, start
from tests.conftest import QUICK, mixed

SAID = QUICK | {
    "steps": 12,
    "measure": "w1:every=3,rows=32",
    "generator": "mlp:width=16",
    "critic": "mlp:width=16",
}
SOURCE = "toy:ring:300"
CLOCK = {"timing.jsonl"}


def files(path: Path) -> dict[str, bytes]:
    found = sorted(p for p in path.rglob("*") if p.is_file() and p.name not in CLOCK)
    return {str(p.relative_to(path)): p.read_bytes() for p in found}


def new(path: Path, **more: Any) -> Session:
    data, config = prepare(SOURCE, SAID | more)
    return start(data, SOURCE, config, path)


def again(path: Path, **more: Any) -> Session:
    return resume(path, prepare(SOURCE, SAID | more)[0])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("whole") / "run"
    finish(new(path))
    return path


def test_two_runs_are_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    finish(new(tmp_path / "run"))
    assert files(whole) == files(tmp_path / "run")


@pytest.mark.parametrize("at", [1, 3, 4, 11, 12])
def test_a_run_stopped_anywhere_ends_as_if_undisturbed(
    whole: Path, tmp_path: Path, at: int
) -> None:
    path = tmp_path / "run"
    session = new(path)
    for record in session.records():
        if record.step == at:
            break
    finish(again(path))
    assert files(whole) == files(path)


def test_a_compiled_run_stopped_and_resumed_ends_as_if_undisturbed(tmp_path: Path) -> None:
    finish(new(tmp_path / "whole" / "run", compile="yes"))
    session = new(tmp_path / "run", compile="yes")
    for record in session.records():
        if record.step == 4:
            break
    finish(again(tmp_path / "run"))
    assert files(tmp_path / "whole" / "run") == files(tmp_path / "run")
    assert session.findings == []


def test_what_cannot_be_compiled_is_said_and_runs(tmp_path: Path) -> None:
    class Reads(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(64, 2)

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            made: torch.Tensor = self.layer(z)
            return made * float(z.max() > 0)  # a number read from a tensor

    data, config = prepare(SOURCE, SAID | {"compile": "yes", "latent": "gaussian"})
    session = start(data, SOURCE, config, tmp_path / "run", generator=Reads())
    assert finish(session).run.path.exists()
    (said,) = [f for f in session.findings if f.code == "uncompiled"]
    assert "uncompiled" in said.finding


@pytest.mark.parametrize("at", [2, 6, 7, 12])
def test_a_table_warmed_by_likelihood_resumes_as_if_undisturbed(tmp_path: Path, at: int) -> None:
    said = QUICK | {"steps": 12, "warm_start": 0.5, "measure": "w1:every=3,rows=32"}
    frame = mixed(300)

    def begun(path: Path) -> Session:
        data, config = prepare(frame, said)
        return start(data, "", config, path)

    finish(begun(tmp_path / "whole" / "run"))
    for record in begun(tmp_path / "run").records():
        if record.step == at:
            break
    finish(resume(tmp_path / "run", prepare(frame, said)[0]))
    assert files(tmp_path / "whole" / "run") == files(tmp_path / "run")


def test_a_warm_start_needs_a_likelihood(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="warm_start"):
        new(tmp_path / "run", warm_start=0.5)


def test_a_warm_start_raises_the_likelihood_of_rows_not_seen(tmp_path: Path) -> None:
    data, config = prepare(linked(2000), {"seed": 0, "steps": 300, "warm_start": 1.0})
    session = start(data, "", config, tmp_path / "run")
    generator = session.game.generator
    assert isinstance(generator, Likelihood)
    held = data.holdout.first(300).x

    def unlikely(module: Likelihood) -> float:
        with torch.no_grad():
            return -float(module.log_likelihood(held).mean())

    before = unlikely(generator)
    for _ in session.records():
        pass
    assert isinstance(session.state.average, Likelihood)
    # b is a in nine rows of ten: log 4 + (.9 log 1/.9 + .1 log 3/.1) = 2.05 nats, against 2 log 4.
    assert before == pytest.approx(2 * np.log(4), abs=0.4)
    assert unlikely(session.state.average) == pytest.approx(2.05, abs=0.15)


def linked(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, n)
    b = np.where(rng.random(n) < 0.9, a, (a + rng.integers(1, 4, n)) % 4)
    return pd.DataFrame({"a": np.array(list("wxyz"))[a], "b": np.array(list("pqrs"))[b]})


def test_an_interrupt_saves_between_measurements(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    session = new(path)
    with pytest.raises(Interrupted, match=r"--resume"):
        for record in session.records():
            if record.step == 5:
                os.kill(os.getpid(), signal.SIGINT)
    resumed = again(path)
    assert resumed.state.step == 5
    finish(resumed)
    assert files(whole) == files(path)


def test_a_killed_process_leaves_a_run_that_can_go_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    flags = ["--steps", "400", "--measure", "w1:every=5", "--batch", "16", "--threads", "1"]
    command = [sys.executable, "-m", "surveyor", "train", SOURCE, "--out", str(path), *flags]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        # However slow the machine: a state is saved, or the process has ended without one.
        while not (path / "checkpoint" / "state.safetensors").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    said = {"steps": 400, "measure": "w1:every=5", "batch": 16, "threads": 1}
    session = resume(path, prepare(SOURCE, said)[0])
    assert 0 < session.state.step <= 400
    assert len(session.history) == session.state.step // 5


def test_resuming_a_finished_run_changes_nothing(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(whole, path)
    session = again(path)
    assert session.finished
    finish(session)
    assert files(whole) == files(path)


def test_other_data_are_refused_on_resume(whole: Path) -> None:
    with pytest.raises(InputError, match="different data"):
        resume(whole, prepare("toy:ring:301", SAID)[0])


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(InputError, match=r"already exists"):
        new(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_no_rows_are_kept(whole: Path) -> None:
    kept = {p.name for p in whole.rglob("*") if p.is_file()}
    assert kept == {
        "config.toml", "codec.json", "codec.safetensors", "generator.safetensors",
        "critic.safetensors", "state.safetensors", "history.jsonl", "timing.jsonl",
        "evaluation.json", "report.html",
    }  # fmt: skip
    assert (whole / "codec.safetensors").stat().st_size < 2000


def test_the_best_generator_is_kept(whole: Path) -> None:
    run = load(whole)
    assert run.evaluation is not None
    least = min(m.w1 - m.w1_self / 2 for m in run.history)
    near = [m.step for m in run.history if m.w1 - m.w1_self / 2 <= least + m.w1_noise]
    assert run.evaluation.best_step == near[-1]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def edit_config(path: Path, old: str, new_text: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new_text))


DAMAGE = {
    "no config": (lambda p: (p / "config.toml").unlink(), "no run in this folder"),
    "half a config": (lambda p: truncate(p / "config.toml"), "damaged"),
    "another version": (lambda p: edit_config(p / "config.toml", f"version = {VERSION}", "version = 99"), "version 99"),
    "an unknown key": (lambda p: edit_config(p / "config.toml", "batch =", "bacth ="), "did you mean 'batch'"),
    "other shapes": (lambda p: edit_config(p / "config.toml", "width=16", "width=17"), "do not match"),
    "no codec": (lambda p: (p / "codec.json").unlink(), "missing"),
    "half a codec": (lambda p: truncate(p / "codec.json"), "damaged"),
    "half the codec's arrays": (lambda p: truncate(p / "codec.safetensors"), "damaged"),
    "half a generator": (lambda p: truncate(p / "generator.safetensors"), "damaged"),
    "an empty critic": (lambda p: (p / "critic.safetensors").write_bytes(b""), "damaged"),
    "no weights": (lambda p: (p / "generator.safetensors").unlink(), "no measurement"),
    "a foreign history": (lambda p: (p / "history.jsonl").write_text('{"step": 1}\n'), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("how", DAMAGE)
def test_damage_is_named_in_one_line(whole: Path, tmp_path: Path, how: str) -> None:
    path = tmp_path / "run"
    shutil.copytree(whole, path)
    damage, message = DAMAGE[how]
    damage(path)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert all("\n" not in p for p in caught.value.problems)


@pytest.mark.parametrize("how", ["half a checkpoint", "a shorter history"])
def test_a_damaged_checkpoint_is_not_resumed(whole: Path, tmp_path: Path, how: str) -> None:
    path = tmp_path / "run"
    shutil.copytree(whole, path)
    truncate(path / ("checkpoint/state.safetensors" if "checkpoint" in how else "history.jsonl"))
    with pytest.raises(InputError, match=r"damaged|shorter"):
        again(path)


def test_a_full_disk_leaves_the_last_good_state(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    session = new(path)
    full = False
    sync = os.fsync

    def fsync(number: int) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(SurveyorError, match=r"disk is full.*last good state"):
        for record in session.records():
            full = record.step >= 5
    full = False
    assert not list(path.rglob(".surveyor-*"))
    finish(again(path))
    assert files(whole) == files(path)


def test_a_diverged_run_keeps_its_last_good_state(tmp_path: Path) -> None:
    path = tmp_path / "run"
    session = new(path)
    with pytest.raises(Diverged):
        for record in session.records():
            if record.step == 7:
                with torch.no_grad():
                    next(session.game.critic.parameters()).fill_(np.nan)
    assert again(path).state.step == 6
    assert load(path).history[-1].step == 6


def test_minutes_become_steps_once(tmp_path: Path) -> None:
    session = new(tmp_path / "run", minutes=0.02)
    assert session.config.minutes is None
    assert session.plan.steps == session.config.steps
    assert "minutes" not in (tmp_path / "run" / "config.toml").read_text()


def test_minutes_leave_a_spacing_that_was_asked_for(tmp_path: Path) -> None:
    session = new(tmp_path / "run", minutes=0.02, measure="w1:every=3,rows=32")
    assert session.config.measure == "w1:every=3,rows=32,patience=0"


def test_modules_of_ones_own(tmp_path: Path) -> None:
    class Mine(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(18, 2)

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            raw: torch.Tensor = self.layer(z)
            return raw

    critic = torch.nn.Sequential(
        torch.nn.Linear(2, 8), torch.nn.LeakyReLU(0.2), torch.nn.Linear(8, 1)
    )
    model = surveyor.fit(SOURCE, tmp_path / "run", generator=Mine(), critic=critic, **QUICK)
    assert model.sample(5)["x"].shape == (5, 2)
    with pytest.raises(InputError, match="is your own module"):
        surveyor.load(tmp_path / "run")
    loaded = surveyor.load(tmp_path / "run", generator=Mine(), critic=critic)
    assert (loaded.sample(5)["x"] == model.sample(5)["x"]).all()


def test_history_is_json_lines_with_the_documented_keys(whole: Path) -> None:
    for line in (whole / "history.jsonl").read_text().splitlines():
        assert {"step", "w1", "w1_floor", "critic_estimate", "slope_mean", "slope_max"} <= set(
            json.loads(line)
        )
