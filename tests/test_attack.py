"""A seeded part of the attack on run folders; all of it is ``make attack``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import surveyor
from surveyor.api import prepare
from surveyor.data import Data
from surveyor.errors import InputError
from tests.attack import Outcome, Sound, attack, sound_runs
from tests.damage import CODEC_FILES, FILES, forge

EACH = 9  # mutations a file


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Sound, Data]]:
    torch.set_num_threads(1)
    made = sound_runs(tmp_path_factory.mktemp("sound"))
    return [(run, prepare(run.source, run.said)[0]) for run in made]


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_run_folder_is_refused_in_a_line_or_taken(
    runs: list[tuple[Sound, Data]], tmp_path: Path, file: str
) -> None:
    outcome = Outcome()
    for k in range(1, EACH + 1):
        attack(*runs[k % len(runs)], file, k, tmp_path, outcome)
    assert outcome.wrong == []
    assert outcome.told["refused"] > 0 or file in ("timing.jsonl", "evaluation.json")


def _dtype(meta: dict[str, Any]) -> None:
    meta["dtype"] = "object"


def _bare(meta: dict[str, Any]) -> None:
    meta["condition"] = []


def _fewer(meta: dict[str, Any]) -> None:
    meta["condition"]["columns"].pop()


FORGED: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "dtype": ("vectors", _dtype),
    "no conditions": ("vectors", _bare),
    "fewer conditions than their combinations have": ("table", _fewer),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_codec_whose_digests_were_forged_is_tried_before_it_is_used(
    runs: list[tuple[Sound, Data]], tmp_path: Path, name: str
) -> None:
    kind, forgery = FORGED[name]
    sound = next(run for run, _ in runs if run.path.name == kind)
    path = shutil.copytree(sound.path, tmp_path / "run")
    surveyor.load(path)
    said = json.loads((path / CODEC_FILES[0]).read_text())
    forgery(said["codec"])
    (path / CODEC_FILES[0]).write_text(json.dumps(said))
    forge(path)
    with pytest.raises(InputError, match=r"codec\.json: damaged"):
        surveyor.load(path)
