"""What a call from Python leaves behind: the process as it was, and no folder that nobody asked for."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import surveyor
from surveyor import InputError, Interrupted
from surveyor.cli import main
from surveyor.errors import Diverged
from tests.conftest import QUICK, mixed

LONG: dict[str, Any] = QUICK | {"steps": 12, "measure": "w1:every=3,rows=32"}


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which temporary folders are made."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def interrupting(step: int) -> Callable[[Any, Any], None]:
    """Return a watcher that presses Ctrl-C at ``step``."""

    def watch(session: Any, record: Any) -> None:
        if record.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def failing(session: Any, record: Any) -> None:
    raise ZeroDivisionError


def files(path: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(path)): p.read_bytes()
        for p in path.rglob("*")
        if p.is_file() and p.name not in ("timing.jsonl", "lock")
    }


MEMORY: dict[str, Callable[[], Any]] = {
    "a table": lambda: mixed(200),
    "vectors": lambda: np.random.default_rng(0).normal(size=(120, 3)),
    "tensors": lambda: torch.randn(120, 3, generator=torch.Generator().manual_seed(0)),
    "pictures": lambda: {"images": np.random.default_rng(0).integers(0, 255, (80, 8, 8), np.uint8)},
}


@pytest.mark.parametrize("name", MEMORY)
@pytest.mark.parametrize("at", [1, 5])
def test_an_interrupted_fit_is_resumed_as_if_undisturbed(
    name: str, at: int, tmp_path: Path
) -> None:
    make, said = MEMORY[name], LONG | {"generator": "mlp:width=8,depth=1"}
    said |= {"generator": "conv:width=8", "critic": "conv:width=8"} if name == "pictures" else {}
    surveyor.fit(make(), tmp_path / "whole" / "run", **said)
    path = tmp_path / "run"
    with pytest.raises(Interrupted) as told:
        surveyor.fit(make(), path, watch=interrupting(at), **said)
    assert f"surveyor.resume({str(path)!r}, data)" in str(told.value)
    seen: list[int] = []
    model = surveyor.resume(path, make(), watch=lambda s, r: seen.append(r.step))
    assert seen == list(range(at + 1, 13))
    assert model.evaluation == surveyor.load(tmp_path / "whole" / "run").evaluation
    for file, content in files(tmp_path / "whole" / "run").items():
        if file != "report.html":  # names its folder
            assert (path / file).read_bytes() == content, file


def test_a_fit_of_a_file_is_resumed_from_either_door(tmp_path: Path) -> None:
    data = tmp_path / "people file.csv"
    mixed(200).to_csv(data, index=False)
    for name in ("a b", "c"):
        path = tmp_path / name
        with pytest.raises(Interrupted) as told:
            surveyor.fit(data, path, watch=interrupting(4), **LONG)
        assert f"surveyor train --resume '{path}'" in str(told.value).replace(
            f" {path}", f" '{path}'"
        )
    assert main(["train", "--resume", str(tmp_path / "a b")]) == 0
    again = surveyor.resume(tmp_path / "c")
    one, other = (surveyor.load(tmp_path / name).sample(40) for name in ("a b", "c"))
    assert one.equals(other)
    assert again.sample(40).equals(one)


def test_the_command_line_names_the_call_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, frame = tmp_path / "it's a run", mixed(200)
    with pytest.raises(Interrupted) as told:
        surveyor.fit(frame, path, watch=interrupting(4), **LONG)
    call = f"surveyor.resume({str(path)!r}, data)"
    assert call in str(told.value)
    assert main(["train", "--resume", str(path)]) == 2
    assert call in capsys.readouterr().err
    plain = frame[["town", "member"]].fillna("-")
    with pytest.raises(Interrupted):
        surveyor.fit(plain, tmp_path / "plain", watch=interrupting(4), **LONG)
    plain.to_csv(tmp_path / "same.csv", index=False)
    words = ["train", str(tmp_path / "same.csv"), "--resume", str(tmp_path / "plain")]
    assert main(words) == 0


def test_other_data_are_refused_where_a_run_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        surveyor.fit(mixed(200), path, watch=interrupting(4), **LONG)
    before = files(path)
    with pytest.raises(InputError, match="different data"):
        surveyor.resume(path, mixed(200, seed=1))
    with pytest.raises(
        InputError, match=r"in memory; pass the same data again: surveyor\.resume\("
    ):
        surveyor.resume(path)
    with pytest.raises(InputError, match=r"its critic is mlp.*leave critic out"):
        surveyor.resume(path, mixed(200), critic=nn.Linear(2, 1))
    assert files(path) == before


def test_a_run_with_modules_of_ones_own_is_resumed_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def net() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(18, 8), nn.Tanh(), nn.Linear(8, 2))

    whole = surveyor.fit("toy:ring:200", tmp_path / "whole", generator=net(), **LONG)
    path = tmp_path / "run"
    with pytest.raises(Interrupted) as told:
        surveyor.fit("toy:ring:200", path, generator=net(), watch=interrupting(4), **LONG)
    assert str(told.value).endswith(f"surveyor.resume({str(path)!r}, generator=module)")
    with pytest.raises(InputError, match="pass it again: generator=module"):
        surveyor.resume(path)
    assert main(["train", "--resume", str(path)]) == 2
    assert "generator=module" in capsys.readouterr().err
    again = surveyor.resume(path, generator=net())
    assert (again.sample(20)["x"] == whole.sample(20)["x"]).all()


def test_ctrl_c_after_training_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*args: Any) -> None:
        raise KeyboardInterrupt

    frame, path = mixed(200), tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr("surveyor.run.session.assess", stopped)
        with pytest.raises(Interrupted, match=r"surveyor\.resume\("):
            surveyor.fit(frame, path, **LONG)
    assert surveyor.resume(path, frame).evaluation.verdict


def test_an_interrupted_fit_without_a_folder_keeps_one_and_names_it(scratch: Path) -> None:
    frame = mixed(200)
    with pytest.raises(Interrupted) as told:
        surveyor.fit(frame, watch=interrupting(4), **LONG)
    gc.collect()
    (home,) = scratch.iterdir()
    call = str(told.value).partition("surveyor.resume(")[2].partition(", data)")[0]
    model = surveyor.resume(call.strip("'"), frame)
    assert model.run.path == home / "run"
    del model
    gc.collect()
    assert (home / "run" / "evaluation.json").exists()


FAILURES: dict[str, tuple[dict[str, Any], type[BaseException]]] = {
    "an unknown option": ({"bacth": 3}, InputError),
    "an unknown condition": ({"condition": "twon"}, InputError),
    "a module": ({"critic": nn.Linear(1, 1)}, InputError),
    "the preflight": ({"constraint": "none"}, InputError),
    "a watcher": ({"watch": failing}, ZeroDivisionError),
    "divergence": ({"generator_rate": 1e30, "critic_rate": 1e30, "warm_start": 0.0}, Diverged),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_fit_that_fails_leaves_nothing(name: str, scratch: Path) -> None:
    said, error = FAILURES[name]
    usual: dict[str, Any] = {**LONG, "objective": "wasserstein", "generator": "mlp:width=8,depth=1"}
    with pytest.raises(error) as told:
        surveyor.fit(mixed(200), **usual | said)
    assert not list(scratch.iterdir())
    assert "is kept" not in str(told.value)


def test_a_run_without_a_folder_lives_as_long_as_anything_that_holds_it(scratch: Path) -> None:
    model = surveyor.fit("toy:ring:200", **QUICK)
    kept = model.run
    del model
    gc.collect()
    assert (kept.path / "config.toml").exists()
    again = copy.deepcopy(surveyor.Model(kept))
    expected = again.sample(5)["x"]
    del kept
    gc.collect()
    assert (surveyor.load(again.run.path).sample(5)["x"] == expected).all()
    del again
    gc.collect()
    assert not list(scratch.iterdir())


def test_a_forked_child_does_not_take_the_folder_with_it(scratch: Path) -> None:
    code = (
        "import gc, os, sys, surveyor\n"
        f"model = surveyor.fit('toy:ring:200', **{QUICK!r})\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "os.waitpid(child, 0); assert model.run.path.exists(); print('there')"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env=os.environ | {"TMPDIR": str(scratch)}, check=False,
    )  # fmt: skip
    assert said.stdout == "there\n", said.stderr
    assert not list(scratch.iterdir())


def test_a_model_is_pickled_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = surveyor.fit(mixed(200), "run", **QUICK)
    content = pickle.dumps(model)
    assert len(content) < 1000
    monkeypatch.chdir("/")
    again = pickle.loads(content)
    assert again.sample(30).equals(surveyor.load(tmp_path / "run").sample(30))
    twin = copy.copy(again)
    assert twin.run is again.run
    deep = copy.deepcopy(again)
    with torch.no_grad():
        for p in deep.run.game.generator.parameters():
            p.zero_()
    assert again.sample(30).equals(surveyor.load(tmp_path / "run").sample(30))
    own = surveyor.fit("toy:ring:200", tmp_path / "own", generator=nn.Linear(18, 2), **QUICK)
    with pytest.raises(InputError, match=r"surveyor\.load\('.*own', generator=module\)"):
        pickle.dumps(own)
    assert copy.deepcopy(own).sample(3)["x"].shape == (3, 2)


def process() -> dict[str, Any]:
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "environment": dict(os.environ),
        "filters": list(warnings.filters),
        "signals": [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)],
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "random": random.getstate(),
        "folder": Path.cwd(),
    }


@pytest.mark.parametrize(
    "said",
    [{}, {"watch": failing}, {"bacth": 3}, {"compile": "yes"}],
    ids=["fitted", "failed", "refused", "compiled"],
)
def test_fit_leaves_the_process_as_it_was(said: dict[str, Any], tmp_path: Path) -> None:
    surveyor.fit("toy:ring:200", tmp_path / "first", **QUICK)  # what is loaded once is loaded
    torch.set_num_threads(2)
    before = process()
    try:
        model = surveyor.fit("toy:ring:200", tmp_path / "run", **QUICK | said)
    except (ZeroDivisionError, InputError):
        model = surveyor.load(tmp_path / "first")
    assert process() == before
    model.sample(20000)
    model.evaluate()
    surveyor.distance(np.ones((20, 2)), np.zeros((20, 2)))
    assert process() == before
    torch.set_num_threads(1)


def test_settings_of_the_caller_change_nothing(tmp_path: Path) -> None:
    frame = mixed(200)
    usual = surveyor.fit(frame, tmp_path / "usual", **QUICK)
    rows, scores = usual.sample(30), usual.score(frame)

    def same(name: str) -> None:
        model = surveyor.fit(frame, tmp_path / name, **QUICK)
        assert model.sample(30).equals(rows)
        assert (model.score(frame) == scores).all()
        assert model.evaluate(frame)["w1"] == usual.evaluate(frame)["w1"]
        for file in ("generator.safetensors", "history.jsonl", "evaluation.json"):
            assert (tmp_path / name / file).read_bytes() == (tmp_path / "usual" / file).read_bytes()

    with torch.no_grad():
        same("no_grad")
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        same("inference_mode")
    with torch.autocast("cpu", torch.bfloat16):
        same("autocast")
    with torch.device("meta"):
        same("device")
    torch.set_default_dtype(torch.float64)
    try:
        same("float64")
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_modules_of_another_default_type_are_named(tmp_path: Path) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        net = nn.Linear(18, 2)
        with pytest.raises(
            InputError, match=r"generator: parameter 'weight' is float64.*float\(\)"
        ):
            surveyor.fit("toy:ring:200", tmp_path / "run", generator=net, **QUICK)
    finally:
        torch.set_default_dtype(torch.float32)


def test_importing_leaves_the_environment_to_child_processes() -> None:
    code = (
        "import os; before = dict(os.environ); import surveyor; assert dict(os.environ) == before\n"
        "import subprocess, sys; print(subprocess.run([sys.executable, '-c',"
        ' \'import os; print(sorted(n for n in os.environ if n.startswith(("OMP", "GOMP"))))\'],'
        " capture_output=True, text=True).stdout.strip())"
    )
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("OMP", "GOMP"))}
    for given in ({}, {"OMP_WAIT_POLICY": "ACTIVE"}):
        said = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, env=plain | given, check=False,
        )  # fmt: skip
        assert said.stdout.strip() == str(list(given)), said.stderr


@pytest.mark.parametrize("kind", ["array", "tensor", "dictionary", "table"])
def test_data_that_the_caller_changes_meanwhile_do_not_change_the_run(
    kind: str, tmp_path: Path
) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    values = np.random.default_rng(0).normal(size=60)

    def made() -> tuple[Any, Callable[[Any, Any], None]]:
        own = pictures.copy()
        frame = pd.DataFrame({"x": values, "y": values[::-1].copy()})
        data: dict[str, Any] = {"array": own, "dictionary": {"images": own}, "table": frame}
        data["tensor"] = torch.from_numpy(own)

        def change(session: Any, record: Any) -> None:
            own[:] = 0
            frame.iloc[:, 0] = 0.0

        return data[kind], change

    runs = []
    for name in ("still", "changing"):
        data, change = made()
        watch = change if name == "changing" else None
        net = "mlp:width=8,depth=1" if kind == "table" else "conv:width=8"
        said: dict[str, Any] = {**QUICK, "generator": net, "critic": net}
        runs.append(surveyor.fit(data, tmp_path / name, watch=watch, **said).run.path)
    for file in ("generator.safetensors", "history.jsonl", "evaluation.json"):
        assert (runs[0] / file).read_bytes() == (runs[1] / file).read_bytes()
