"""Run folders and processes: one at a time, made whole or not at all, stopped at any time."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import surveyor
from surveyor.api import finish, prepare
from surveyor.errors import InputError, Interrupted, Notice, NotWritten
from surveyor.run import Session, resume, start
from surveyor.run.lock import Lock, make
from tests.conftest import QUICK, mixed
from tests.folders.conftest import again, files, new


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
