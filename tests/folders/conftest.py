"""Run folders: a whole one, one stopped half-way, and what their files hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from surveyor.api import finish, prepare
from surveyor.run import Session, resume, start
from tests.conftest import QUICK

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


@pytest.fixture(scope="session")
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
