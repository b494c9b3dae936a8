"""Damaged run folders: what is told, what is refused, and the form of an evaluation."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import surveyor
from surveyor import Model
from surveyor.api import finish
from surveyor.errors import InputError
from surveyor.measures import Evaluation
from surveyor.reading import read_json
from surveyor.run import load
from tests.folders.conftest import CLOCK, again, files, half


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
    "name", ["seed", "warm_rate", "critic_rate", "steps", "ema_decay", "batch"]
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
