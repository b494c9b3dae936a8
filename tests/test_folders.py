"""Run folders: read whole and checked, written by one process at a time, never left half made."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

import surveyor
from surveyor import Model
from surveyor.api import finish, prepare
from surveyor.build import game_of
from surveyor.catalog import parse
from surveyor.critics import critics
from surveyor.data import Options
from surveyor.errors import Diverged, InputError, Interrupted, Notice, NotWritten
from surveyor.kinds.loading import load as load_data
from surveyor.lipschitz.certificate import certify
from surveyor.measures import Evaluation
from surveyor.options import Config, dumps, loads
from surveyor.options import resolve as resolve_options
from surveyor.outline import outline
from surveyor.reading import form_of, read_json
from surveyor.run import Session, load, resume, start
from surveyor.run.lock import Lock, make
from surveyor.training.optimizers import optimizers
from surveyor.training.step import update
from tests.conftest import QUICK, mixed

SAID: dict[str, Any] = QUICK | {
    "generator": "mlp:width=8",
    "critic": "mlp:width=8",
    "constraint": "gradient-penalty",
}
SOURCE = "toy:swiss-roll:200"
CLOCK = "timing.jsonl"


def files(path: Path) -> dict[str, bytes]:
    found = sorted(p for p in path.rglob("*") if p.is_file() and p.name != CLOCK)
    return {str(p.relative_to(path)): p.read_bytes() for p in found}


def new(path: Path, **more: Any) -> Session:
    data, config = prepare(SOURCE, SAID | more)
    return start(data, SOURCE, config, path)


def again(path: Path, **more: Any) -> Session:
    return resume(path, prepare(SOURCE, SAID | more)[0])


def half(path: Path, at: int = 4, **more: Any) -> Path:
    """Return a run that was stopped after step ``at``."""
    for record in new(path, **more).records():
        if record.step == at:
            break
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("whole") / "run"
    finish(new(path))
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the tensors in a file, and nothing of what is said beside them."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    meta = json.loads(content[8 : 8 + length])["__metadata__"]
    tensors = load_tensors(content)
    change(tensors)
    path.write_bytes(save_tensors(tensors, meta))


# -- tensors ------------------------------------------------------------------------------------


def first_moment(tensors: dict[str, Any]) -> str:
    return next(k for k in sorted(tensors) if "optimizer/" in k and tensors[k].ndim == 2)


MOMENTS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "one number": lambda t, k: t.update({k: t[k].reshape(-1)[:1].clone()}),
    "a row short": lambda t, k: t.update({k: t[k][:-1].clone()}),
    "flat": lambda t, k: t.update({k: t[k].reshape(-1).clone()}),
    "none at all": lambda t, k: t.update({k: t[k][:0].clone()}),
    "double precision": lambda t, k: t.update({k: t[k].double()}),
    "not a number": lambda t, k: t[k].fill_(torch.nan),
    "gone": lambda t, k: t.__delitem__(k),
    "of no parameter": lambda t, k: t.update({k.replace("/0/", "/99/").replace("/1/", "/99/"): t[k].clone()}),
    "of no optimizer": lambda t, k: t.update({k.rpartition("/")[0] + "/max_exp_avg_sq": t[k].clone()}),
}  # fmt: skip


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("halves")
    names = [n for n in sorted(optimizers()) if n != "sgd"] + ["sgd:momentum=0.5"]
    return {n: half(folder / n.partition(":")[0], optimizer=n) for n in names}


@pytest.mark.parametrize("how", MOMENTS)
def test_an_optimizer_is_handed_only_moments_of_its_own_shapes(
    halves: dict[str, Path], tmp_path: Path, how: str
) -> None:
    for name, path in halves.items():
        hurt = tmp_path / name.partition(":")[0]
        shutil.copytree(path, hurt)
        state = hurt / "checkpoint" / "state.safetensors"
        rewritten(state, lambda t: MOMENTS[how](t, first_moment(t)))
        before = files(hurt)
        with pytest.raises(InputError, match=r"state\.safetensors: (tensors do not match|damaged)"):
            again(hurt, optimizer=name)
        assert files(hurt) == before


def test_moments_that_must_be_there_after_a_warm_start(tmp_path: Path) -> None:
    frame = mixed(120)
    said = QUICK | {"warm_start": 0.5, "generator": "autoregressive:width=8,depth=1"}
    data, config = prepare(frame, said)
    for record in start(data, "", config, tmp_path / "run").records():
        if record.step == 2:  # of three without a critic
            break
    state = tmp_path / "run" / "checkpoint" / "state.safetensors"
    assert not [k for k in load_tensors(state.read_bytes()) if k.startswith("critic_optimizer")]
    for record in resume(tmp_path / "run", data).records():
        if record.step == 4:
            break
    shutil.copytree(tmp_path / "run", tmp_path / "hurt")

    def forget(tensors: dict[str, Any]) -> None:
        for key in [k for k in tensors if k.startswith("critic_optimizer")]:
            del tensors[key]

    rewritten(tmp_path / "hurt" / "checkpoint" / "state.safetensors", forget)
    with pytest.raises(InputError, match="do not match"):
        resume(tmp_path / "hurt", data)
    assert resume(tmp_path / "run", data).state.step == 4


WEIGHTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "one NaN": lambda t: t.flatten().index_fill(0, torch.tensor([0]), torch.nan).view_as(t),
    "infinite": lambda t: t / 0.0,
    "bytes": lambda t: t.to(torch.int8),
    "flags": lambda t: t > 0,
    "half precision": lambda t: t.half(),
    "turned": lambda t: t.flatten().unsqueeze(0).contiguous(),
}


@pytest.mark.parametrize("how", WEIGHTS)
@pytest.mark.parametrize("net", ["generator", "critic"])
def test_weights_are_those_that_the_configuration_builds(copy: Path, net: str, how: str) -> None:
    def change(tensors: dict[str, Any]) -> None:
        name = next(k for k in sorted(tensors) if tensors[k].ndim == 2)
        tensors[name] = WEIGHTS[how](tensors[name])

    rewritten(copy / f"{net}.safetensors", change)
    with pytest.raises(InputError, match=rf"{net}\.safetensors: (tensors do not match|damaged)"):
        load(copy)


PLAIN = ("spectral", "orthogonal", "clip", "gradient-penalty", "none")
CRITICS = (
    ("toy:ring:60", "mlp:width=4,fourier=3"), ("toy:ring:60", "committee:members=3"),
    ("toy:ring:60", "committee:see=columns"), ("example:digits", "conv:width=2"),
    ("example:digits", "residual:width=2,attention=true"), ("example:digits", "committee:see=bands,of=conv,members=2"),
    ("example:digits", "packed:of=conv,members=2"),
)  # fmt: skip


@pytest.mark.parametrize(("source", "critic"), CRITICS)
def test_an_outline_has_the_names_and_shapes_of_the_nets(source: str, critic: str) -> None:
    for constraint in PLAIN:
        said = {"critic": critic, "constraint": constraint, "batch": 8}
        data, config = prepare(source, said)
        before = torch.get_rng_state()
        found = outline(config, data.codec)
        assert torch.equal(torch.get_rng_state(), before)
        game = game_of(config, data.codec)
        assert found["generator"] == form_of(game.generator.state_dict())
        assert found["critic"] == form_of(game.critic.state_dict())


def test_an_outline_of_columns_with_many_codes() -> None:
    data, config = prepare(mixed(200), {"generator": "autoregressive:width=4,embedding=3"})
    found = outline(config, data.codec)
    assert found["generator"] == form_of(game_of(config, data.codec).generator.state_dict())


@pytest.mark.parametrize(
    "nets_of",
    [
        {"generator": "mlp:width=65536,depth=64"},
        {"critic": "mlp:width=65536,depth=64"},
        {"generator": "conv:width=65536"},
    ],
)
def test_nets_that_no_memory_holds_are_refused_by_arithmetic(nets_of: dict[str, str]) -> None:
    source = "example:digits" if "conv" in str(nets_of) else SOURCE
    data, config = prepare(source, nets_of)
    with pytest.raises(InputError, match=r"cannot be built|parameters, .* take"):
        game_of(config, data.codec)


def test_a_construction_without_end_is_ended() -> None:
    data, config = prepare(SOURCE, {"critic": "mlp:width=1,depth=65536"})
    with pytest.raises(InputError, match="more layers than can be built"):
        outline(config, data.codec, calls=5000)


# -- one process at a time ----------------------------------------------------------------------


def test_a_run_that_is_being_trained_is_not_resumed_by_another(tmp_path: Path) -> None:
    session = new(tmp_path / "run")
    records = session.records()
    next(records)
    before = files(tmp_path / "run")
    with pytest.raises(InputError, match="another process is writing to it"):
        again(tmp_path / "run")
    assert files(tmp_path / "run") == before
    records.close()  # type: ignore[attr-defined]
    assert again(tmp_path / "run").state.step == 0


def test_a_run_is_free_once_it_is_finished(tmp_path: Path) -> None:
    session = new(tmp_path / "run")
    finish(session)
    Lock(tmp_path / "run").release()


def test_what_evaluate_measures_is_told_where_it_cannot_be_kept(copy: Path) -> None:
    before = files(copy)
    with Lock(copy), pytest.warns(Notice, match="not saved in the run: .*another process"):
        result = surveyor.load(copy).evaluate()
    assert result["w1"].known > 0
    assert files(copy) == before
    with Lock(copy), pytest.raises(InputError, match="another process"):
        surveyor.load(copy).report()


def test_a_read_only_run_can_be_evaluated(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    before = files(copy)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.warns(Notice, match=r"evaluation\.json: cannot be written: the disk is read-only"):
        assert surveyor.load(copy).evaluate().verdict
    assert files(copy) == before


HOLD = """
import sys, time
from pathlib import Path
from surveyor.run.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_the_lock_of_a_process_that_dies_is_let_go_of(copy: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(copy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process"):
            again(copy)
        process.kill()
    assert again(copy).finished


# -- folders made whole or not at all -----------------------------------------------------------

DIES = """
import os, signal, sys
from surveyor.cli import main
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
main(["train", "toy:ring:100", "--steps", "2", "--out", sys.argv[1]])
"""


def test_what_a_killed_start_leaves_is_removed_by_the_next_one(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "run")], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    new(tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_only_folders_of_ones_own_that_nobody_makes_are_removed(tmp_path: Path) -> None:
    made, stale = tmp_path / f".surveyor-{'a' * 16}", tmp_path / f".surveyor-{'b' * 16}"
    notes, link = tmp_path / ".surveyor-notes", tmp_path / f".surveyor-{'c' * 16}"
    for folder in (made, stale, notes):
        folder.mkdir()
        (folder / "x").touch()
    link.symlink_to(notes)
    with Lock(made):
        make(tmp_path / "run", {"x": b"y"}).release()
    assert sorted(tmp_path.iterdir()) == sorted([made, notes, link, tmp_path / "run"])
    assert (notes / "x").exists()


def test_names_of_every_length_and_links_to_empty_folders(tmp_path: Path) -> None:
    finish(new(tmp_path / ("n" * 255)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    new(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "empty" / "config.toml").exists()


def test_a_start_that_cannot_be_written_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(
        NotWritten, match=r"cannot be written: the disk is full.*nothing was started"
    ):
        new(tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_deleted_while_training_is_named(tmp_path: Path) -> None:
    session = new(tmp_path / "run")
    with pytest.raises(NotWritten, match="does not exist") as caught:
        for record in session.records():
            if record.step == 3:
                shutil.rmtree(tmp_path / "run")
    assert "--resume" not in str(caught.value)


# -- stopped at any time ------------------------------------------------------------------------


@pytest.fixture
def _hears_interrupts() -> Iterator[None]:
    """Hear Ctrl-C, which a process that was started in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_hears_interrupts")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_evaluating_ends_in_a_line_and_the_run_goes_on(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr("surveyor.run.session.assess", lambda *_: signal.raise_signal(number))
        with pytest.raises(Interrupted, match="resume it from the last checkpoint"):
            finish(new(path))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finish(again(path))
    assert files(path) == files(whole)


def test_a_second_interrupt_acts_at_once(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"

    def twice(session: Session, record: Any) -> None:
        if record.step == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="last checkpoint"):
        finish(new(path), twice)
    resumed = again(path)
    assert resumed.state.step == 4
    finish(resumed)
    assert files(path) == files(whole)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("table")
    mixed(200).to_csv(folder / "rows.csv", index=False)
    said = QUICK | {"generator": "autoregressive:width=8,depth=1", "condition": ["member"]}
    data, config = prepare(str(folder / "rows.csv"), said)
    finish(start(data, str(folder / "rows.csv"), config, folder / "run"))
    return folder / "run", str(folder / "rows.csv"), said


def test_a_run_killed_between_calibration_and_evaluation_ends_in_the_same_bytes(
    table: tuple[Path, str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, source, said = table

    def die(*_: Any) -> None:
        raise MemoryError

    data, config = prepare(source, said)
    with monkeypatch.context() as patched:
        patched.setattr("surveyor.run.session.assess", die)
        with pytest.raises(MemoryError):
            finish(start(data, source, config, tmp_path / "run"))
    finish(resume(tmp_path / "run", data))
    assert files(tmp_path / "run") == files(path)


def test_to_evaluate_again_changes_nothing(
    table: tuple[Path, str, dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "run"
    shutil.copytree(table[0], path)
    surveyor.load(path).evaluate()
    assert files(path) == files(table[0])
    (path / "evaluation.json").unlink()
    threads = torch.get_num_threads()
    surveyor.load(path).evaluate()
    assert files(path) == files(table[0])
    assert torch.get_num_threads() == threads


# -- what is told of damage ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["garbage", "bytes", "folder", "link", "pipe", "gone", "huge"])
def test_the_clock_which_nothing_needs_stops_no_resume(
    whole: Path, tmp_path: Path, kind: str
) -> None:
    path = half(tmp_path / "run")
    clock = path / CLOCK
    text = clock.read_text()
    clock.unlink()
    if kind == "folder":
        clock.mkdir()
    elif kind == "link":
        clock.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(clock)
    elif kind != "gone":
        odd = {"garbage": b'{"step": "x"}\n[', "bytes": b"\xff\n", "huge": b'{"step": 2, "seconds": 1e300}\n'}  # fmt: skip
        clock.write_bytes(text.encode() + odd[kind])
    finish(again(path))
    assert files(path) == files(whole)


def test_a_history_that_is_gone_is_told(tmp_path: Path) -> None:
    path = half(tmp_path / "run")
    (path / "history.jsonl").unlink()
    before = files(path)
    with pytest.raises(InputError, match=r"history\.jsonl: missing"):
        again(path)
    with pytest.raises(InputError, match="has no measurement yet"):
        load(path)
    assert files(path) == before


def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path: Path) -> None:
    path = half(tmp_path / "run")
    with (path / "history.jsonl").open("a") as file:
        file.write('{"step": 5, "w1": 0.')
    assert [m.step for m in load(path).history] == [2, 4]
    assert [m.step for m in again(path).history] == [2, 4]


@pytest.mark.parametrize(
    "name", ["seed", "latent_spread", "critic_rate", "steps", "ema_decay", "batch"]
)
def test_a_configuration_changed_since_training_is_told(copy: Path, name: str) -> None:
    text = (copy / "config.toml").read_text()
    other = re.sub(rf"(?m)^{name} = .*$", f"{name} = {64 if name in ('steps', 'batch') else 0.5}".replace("seed = 0.5", "seed = 5"), text)  # fmt: skip
    assert other != text
    (copy / "config.toml").write_text(other)
    for read in (load, again):
        with pytest.raises(InputError, match=rf"config\.toml: changed since training .{name}"):
            read(copy)


@pytest.mark.parametrize("file", ["codec.json", "codec.safetensors", "generator.safetensors"])
def test_a_resume_reads_everything_before_its_first_step(tmp_path: Path, file: str) -> None:
    path = half(tmp_path / "run")
    (path / file).unlink()
    before = files(path)
    with pytest.raises(InputError, match=rf"{file}: missing"):
        again(path)
    assert files(path) == before


def test_a_checkpoint_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    path = half(tmp_path / "run")
    (path / "checkpoint").rename(tmp_path / "elsewhere")
    (path / "checkpoint").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="checkpoint: damaged"):
        again(path)


def test_links_in_a_run_folder_are_not_written_through(copy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_bytes(b"precious")
    for name in ("report.html", "evaluation.json"):
        (copy / name).unlink()
        if name == "report.html":
            (copy / name).symlink_to(outside)
    surveyor.load(copy).evaluate()
    surveyor.load(copy).report()
    assert outside.read_bytes() == b"precious"


# -- devices, names, locales --------------------------------------------------------------------


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


# -- options and numbers that cannot be ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("minutes", float("inf")), ("minutes", 1e300), ("steps", 10**400), ("batch", 2**40),
     ("critic_rate", float("inf")), ("ema_decay", float("nan")), ("view", [1.0]),
     ("measure_rows", 10**9), ("latent_normal", 10**9), ("condition", {"a": 1}), ("threads", 10**6)],
)  # fmt: skip
def test_options_are_finite_and_bounded(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name) as caught:
        resolve_options({name: value})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "value"),
    [("noise", "anneal:start=inf"), ("term", ["reconstruction:weight=nan"]),
     ("schedule", "cosine:hold=2"), ("privacy", "gaussian:epsilon=-1")],
)  # fmt: skip
def test_parts_of_a_configuration_are_finite_and_bounded(name: str, value: Any) -> None:
    content = tomllib.loads(dumps(Config(), "data.csv"))
    assert loads(content, "config.toml") == (Config(), "data.csv")
    content["run"][name] = value
    with pytest.raises(InputError, match=r"^config\.toml: "):
        loads(content, "config.toml")


@pytest.mark.parametrize("text", ["committee:members=1001", "mlp:slope=nan", "mlp:fourier_scale=inf", "patch:halvings=99999999999", "mlp:depth=" + "9" * 5000])  # fmt: skip
def test_fields_of_parts_are_finite_and_bounded(text: str) -> None:
    with pytest.raises(InputError):
        parse(text, critics(), "critic")


def test_a_divergence_names_a_layer_only_where_there_is_one() -> None:
    net = nn.Linear(2, 1)
    gradients = [torch.zeros_like(p) for p in net.parameters()]
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    with pytest.raises(Diverged, match="term 'penalty' is inf"):
        update({"penalty": torch.tensor(torch.inf)}, gradients, net, optimizer, 3)


def test_a_measurement_that_is_not_finite_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new(tmp_path / "run")
    with pytest.raises(Diverged, match="not finite"):
        for record in session.records():
            if record.step == 3:
                monkeypatch.setattr(session.ruler, "floors", [float("nan")])
    assert [m.step for m in load(tmp_path / "run").history] == [2]


def test_a_critic_that_is_no_number_has_no_certificate() -> None:
    first = nn.Linear(2, 3)
    critic = nn.Sequential(first, nn.ReLU(), nn.Linear(3, 1))
    assert certify(critic) is not None
    with torch.no_grad():
        first.weight[0, 0] = torch.nan
    assert certify(critic) is None


# -- the form of an evaluation ------------------------------------------------------------------


def test_an_evaluation_without_a_figure_or_a_floor_is_refused_or_reported(copy: Path) -> None:
    whole = json.loads((copy / "evaluation.json").read_text())
    refused = []
    for k, figure in enumerate(whole["figures"]):
        for hurt in ([], [{"name": figure["name"], "value": None}]):
            figures = [*whole["figures"][:k], *hurt, *whole["figures"][k + 1 :]]
            (copy / "evaluation.json").write_text(json.dumps(whole | {"figures": figures}))
            try:
                surveyor.load(copy).report()
            except InputError as error:
                refused.append(str(error))
    assert len(refused) > 10
    assert all(re.search(r"evaluation\.json: damaged .*surveyor evaluate", r) for r in refused)


@pytest.mark.parametrize("gone", ["verdict", "n", "figures"])
def test_an_evaluation_that_lacks_a_part_is_refused(copy: Path, gone: str) -> None:
    told = json.loads((copy / "evaluation.json").read_text())
    del told[gone]
    (copy / "evaluation.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"evaluation\.json: damaged .*surveyor evaluate"):
        load(copy)


def test_what_a_file_says_is_repeated_in_a_line_of_bounded_length(copy: Path) -> None:
    text = (copy / "config.toml").read_text()
    odd = re.sub(r'(?m)^critic = ".*"$', f'critic = "{"x" * 5000}"', text)
    assert odd != text
    (copy / "config.toml").write_text(odd)
    with pytest.raises(InputError, match=r"config\.toml: unknown critic") as caught:
        load(copy)
    assert len(str(caught.value)) < 600


# What has no counterpart between real and real.
WITHOUT_FLOOR = {
    "critic_estimate", "critic_estimate_training", "gradient_norm", "gradient_norm_max",
    "proven_bound", "agreement", "marginals", "p_value",
}  # fmt: skip


@pytest.mark.parametrize("run", ["table_run", "digits_run", "toy_run"])
def test_an_evaluation_is_read_as_it_was_written(request: pytest.FixtureRequest, run: str) -> None:
    model: Model = request.getfixturevalue(run)
    told = model.evaluation
    assert read_json(model.run.path / "evaluation.json", Evaluation) == told
    for figure in told.figures:
        assert figure.floor is not None or figure.name in WITHOUT_FLOOR
