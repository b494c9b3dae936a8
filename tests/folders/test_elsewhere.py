"""Run folders on other devices, under odd names and in other locales."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import surveyor
from surveyor.api import finish
from surveyor.data import Options
from surveyor.errors import InputError, Notice
from surveyor.kinds.loading import load as load_data
from surveyor.run import load, resume
from tests.conftest import QUICK, mixed
from tests.folders.conftest import again, half


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def on(path: Path, device: str) -> None:
    text = (path / "config.toml").read_text()
    (path / "config.toml").write_text(text.replace('device = "cpu"', f'device = "{device}"'))


@pytest.mark.usefixtures("no_cuda")
def test_a_run_trained_on_a_device_that_is_not_here_is_opened_on_the_processor(
    whole: Path, copy: Path
) -> None:
    on(copy, "cuda")
    with pytest.warns(Notice, match="trained on cuda, which is not available here"):
        model = surveyor.load(copy)
    assert (model.sample(5)["x"] == surveyor.load(whole).sample(5)["x"]).all()
    surveyor.load(copy, device="cpu").report()
    with pytest.raises(InputError, match="device cuda:1: no CUDA device"):
        surveyor.load(whole, device="cuda:1")


@pytest.mark.usefixtures("no_cuda")
def test_such_a_run_goes_on_on_the_processor(whole: Path, tmp_path: Path) -> None:
    path = half(tmp_path / "run")
    on(path, "cuda:1")
    with pytest.warns(Notice, match="cuda:1"):
        model = finish(again(path))
    assert model.run.history == load(whole).history


def test_a_device_that_never_was_is_refused(copy: Path) -> None:
    on(copy, "cuda:x")
    with pytest.raises(InputError, match="device cuda:x: unknown"):
        load(copy)


@pytest.mark.parametrize("name", ["größe \u202e.run".encode(), b"a b%41"])
def test_names_that_are_odd(tmp_path: Path, name: bytes) -> None:
    data = tmp_path / os.fsdecode(name + b".npy")
    with data.open("wb") as file:
        np.save(file, np.random.default_rng(0).standard_normal((60, 2)))
    out = tmp_path / os.fsdecode(name)
    surveyor.fit(str(data), out, **QUICK)
    model = surveyor.load(out)
    assert model.run.data_name == str(data)
    assert model.report().exists()
    assert len(model.sample(3)["x"]) == 3
    assert resume(out, load_data(model.run.data_name, Options())).finished


def test_files_are_utf8_in_every_locale(tmp_path: Path) -> None:
    frame = mixed(120).rename(columns={"town": "größe"})
    surveyor.fit(frame, tmp_path / "run", condition=["größe"], **QUICK)
    command = [sys.executable, "-m", "surveyor", "sample", str(tmp_path / "run"), "-n", "3", "-o"]
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    plain |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([*command, str(tmp_path / "x.csv")], env=plain, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "größe" in (tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()[0]
