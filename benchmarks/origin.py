"""Where a figure comes from: the commit, the day, the machine, and the code that it measures."""

from __future__ import annotations

import ast
import datetime
import functools
import hashlib
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CODE = ROOT / "src" / "surveyor"
STEPS = ("batch.py", "layers", "generators", "critics", "lipschitz", "objectives", "training")
RULER = (*STEPS, "ruler", "transport")
APART = ("claims", "cli", "networks", "report", "ruler")
RUNS = tuple(sorted(p.name for p in CODE.iterdir() if p.name not in (*APART, "__pycache__")))
ROOMS = (
    "transport", "objectives", "lipschitz", "training", "measures", "kinds", "ruler", "data",
    "run/sampling.py",
)  # fmt: skip
DEPENDS = {
    "mutants": ROOMS,
    "speed": STEPS,
    "ruler": RULER,
    "known": RULER,
    "network": ("transport",),
    "grids": ("transport", "claims/c22_graph_metric.py"),
    "newnodes": ("networks", "transport"),
}
"""What of the package a benchmark measures, beside its own file; ``RUNS`` where it is not here."""
SAYS = frozenset({"benchmarks.page", "section", "headline", "SECTION"})
"""What of a benchmark's file says what it found, and measures nothing."""


def origin(name: str) -> dict[str, Any]:
    """Return commit, date and machine, and a hash of the code that benchmark ``name`` measures."""
    import torch

    return {
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "code": code(name),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
    }


@functools.cache
def code(name: str) -> str:
    """Return a hash of the code that benchmark ``name`` measures, and of its own that measures.

    Docstrings and comments do not count, nor does what its file says of the figures (``SAYS``).
    """
    own, digest = ROOT / "benchmarks" / f"{name}.py", hashlib.sha256()
    for place in (own, *(CODE / p for p in DEPENDS.get(name, RUNS))):
        for path in [place] if place.suffix == ".py" else sorted(place.rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            apart = SAYS if path == own else frozenset[str]()
            digest.update(_shape_of(path.read_text(encoding="utf-8"), apart).encode())
    return digest.hexdigest()[:16]


@functools.cache
def _shape_of(source: str, apart: frozenset[str]) -> str:
    """Return the shape of a file without the parts at its top level that are named in ``apart``."""
    file = ast.parse(source)
    file.body = [part for part in file.body if _name(part) not in apart]
    return _shape(file)


def _name(part: ast.stmt) -> str | None:
    match part:
        case ast.FunctionDef(name=name) | ast.ImportFrom(module=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _shape(node: Any) -> str:
    """Return a text that is equal for equal code, in whatever words, lines and Python it stands."""
    if isinstance(node, list):
        return f"[{','.join(map(_shape, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if ast.get_docstring(node, clean=False) if isinstance(node, _TOLD) else None:
        fields["body"] = fields["body"][1:]
    told = (f"{k}={_shape(v)}" for k, v in fields.items() if v is not None and v != [])
    return f"{type(node).__name__}({','.join(told)})"


_TOLD = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def remark(name: str, found: dict[str, Any]) -> str:
    """Return what README says of figures that are older than the code they measure, or nothing."""
    runs = found["runs"] if isinstance(found.get("runs"), list) else []
    every = [found["measured"], *(run["measured"] for run in runs if "measured" in run)]
    old = [m for m in every if m["code"] != code(name)]
    days: dict[str, set[str]] = {}
    for m in old:
        days.setdefault(m["date"], set()).add(m["commit"])
    told = "; ".join(f"{', '.join(sorted(days[day]))} ({day})" for day in sorted(days))
    part = "Measured" if len(old) == len(every) else "In part measured"
    return f"*{part} at {told}; the code has changed since.*" if old else ""


@functools.cache
def _commit() -> str:
    """Return the commit at hand, with a plus where files differ from it; none without git."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks/*.py")
    return git("rev-parse", "--short", "HEAD") + "+" * bool(changed) or "no commit"


def _processor() -> str:
    """Return the processor's name as the system tells it, or its kind."""
    told = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (told.read_text().splitlines() if told.exists() else [])
        if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()
