"""A seeded part of the attack on run folders; all of it is ``make attack``."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from surveyor.api import prepare
from surveyor.data import Data
from tests.attack import FILES, Outcome, Sound, attack, sound_runs

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
