"""The architecture's rules, held by reading the code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from surveyor.critics import critics
from surveyor.data.types import column_types
from surveyor.generators import generators, latents
from surveyor.kinds import kinds
from surveyor.kinds.images.answers.tasks import tasks
from surveyor.lipschitz import constraints
from surveyor.objectives import objectives
from surveyor.privacy import mechanisms
from surveyor.training.measuring import measurings
from surveyor.training.noise import noises
from surveyor.training.optimizers import optimizers
from surveyor.training.schedules import schedules
from surveyor.training.terms import terms
from surveyor.training.views import views

SOURCE = Path(__file__).parents[1] / "src" / "surveyor"
GROUND = (
    "errors", "findings", "streams", "batch", "catalog", "reading", "writing", "arguments", "process_state", "waiting",
)  # fmt: skip
ORDER = (
    "two_sample", "networks", "privacy", "data", "layers", "generators", "critics", "lipschitz", "objectives", "training",
    "diagnostics", "measures", "panels", "kinds", "ruler", "judgement", "options", "outline", "build", "run", "federated", "report", "api", "claims", "cli",
)  # fmt: skip
FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    inside = path.relative_to(SOURCE)
    return inside.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "surveyor":
                names = [f"surveyor.{alias.name}" for alias in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("surveyor.")}
    return rooms


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(path)
    if here in ("__init__", "__main__"):
        return
    if here in GROUND or here == "transport":
        allowed = {*GROUND, here}
    else:
        allowed = {*GROUND, "transport", *ORDER[: ORDER.index(here) + 1], "__init__"}
    if here == "cli":
        allowed |= {"__version__"}
    assert imported(path) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_rooms_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, node.name


def test_nothing_is_unpickled_or_executed() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
                assert not {"pickle", "joblib", "dill", "cloudpickle", "marshal"} & set(names), path
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("eval", "exec", "pd.read_pickle"), path
                if (
                    called == "torch.load"
                ):  # of an installed package alone, which can execute anyway
                    assert path.name == "imagenet.py"
                    assert "weights_only=True" in ast.unparse(node)
                if called == "np.load":
                    assert "allow_pickle=False" in ast.unparse(node)


PARTS: dict[str, tuple[str, Callable[[], Mapping[str, Any]]]] = {
    "lipschitz": ("Constraint NormPenalty TermPenalty", constraints),
    "objectives": ("Objective", objectives),
    "generators": ("Generator", generators),
    "generators/latents": ("Part", latents),
    "critics": ("Critic", critics),
    "training/optimizers": ("Updates", optimizers),
    "data/types": ("Labels Scale Number Clock", column_types),
    "training/schedules": ("Schedule", schedules),
    "training/measuring": ("Part", measurings),
    "training/noise": ("Noise Falling", noises),
    "training/views": ("View", views),
    "training/terms": ("AnyTerm Term", terms),
    "privacy": ("Mechanism", mechanisms),
    "kinds/images/answers/tasks": ("Task", tasks),
}


@pytest.mark.parametrize("folder", PARTS)
def test_every_part_is_one_file_and_found(folder: str) -> None:
    """Read from the files themselves: of two parts in one file the list would hold one."""
    named, listing = PARTS[folder]
    bases = set(named.split())
    written: dict[str, str] = {}
    for path in sorted((SOURCE / folder).glob("[!_]*.py")):
        tree = ast.parse(path.read_text())
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        parts = [c.name for c in classes if bases & set(map(ast.unparse, c.bases))]
        assert len(parts) <= 1, f"{path}: {parts}"
        written |= {path.stem.replace("_", "-"): name for name in parts}
    found = {n: p if inspect.isclass(p) else type(p) for n, p in listing().items()}
    assert {name: part.__name__ for name, part in found.items()} == written
    assert written


CONCRETE = {name: base for name, (base, _) in PARTS.items()}
KNOWN_PARTS: set[tuple[str, str]] = set()
"""Rooms that know a part of another by its own name: this list may only shrink."""


def concrete_parts() -> set[str]:
    """Return the modules that hold a part of a room: a net, a constraint, a kind's whole folder."""
    found = {f"kinds.{p.name}" for p in (SOURCE / "kinds").iterdir() if p.is_dir()}
    for folder, base in CONCRETE.items():
        for path in (SOURCE / folder).glob("[!_]*.py"):
            classes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef)]
            if any(set(base.split()) & set(map(ast.unparse, c.bases)) for c in classes):
                found.add(f"{folder.replace('/', '.')}.{path.stem}")
    return found


def owner(path: Path) -> str:
    """Return the room of a file; of a kind's file the kind."""
    inside = path.relative_to(SOURCE).parts
    return ".".join(inside[:2]) if inside[0] == "kinds" and len(inside) > 2 else room(path)


def test_no_room_imports_a_concrete_part_of_another() -> None:
    parts = concrete_parts()
    assert len(parts) > 20
    found = set()
    for path in FILES:
        here = owner(path)
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            for name in names:
                inner = name.removeprefix("surveyor.").split(".")
                own = {".".join(inner[:2]), ".".join(inner[:3])} & parts
                found |= {(here, p) for p in own if p != here and p.split(".")[0] != here}
    assert found == KNOWN_PARTS


def test_every_kind_is_one_folder_and_its_record() -> None:
    folders = {p.name for p in (SOURCE / "kinds").iterdir() if (p / "__init__.py").exists()}
    assert {name: kind.name for name, kind in kinds().items()} == {n: n for n in folders}
    for kind in kinds().values():
        assert kind.codec.kind == kind.name


BESIDE = sorted(
    p for room in ("benchmarks", "tests") for p in (SOURCE.parents[1] / room).rglob("*.py")
)


@pytest.mark.parametrize("path", BESIDE, ids=lambda p: str(p.relative_to(SOURCE.parents[1])))
def test_benchmarks_and_tests_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
