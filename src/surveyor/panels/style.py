"""Matplotlib in Surveyor's style, independent of the user's configuration."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "surveyor",
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a94a6",
    "axes.labelcolor": "#1f2d3d",
    "xtick.color": "#5b6677",
    "ytick.color": "#5b6677",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def _imported() -> Any:
    """Import matplotlib despite an unknown backend or an unreadable matplotlibrc."""
    log = logging.getLogger("matplotlib")
    level, backend = log.level, os.environ.pop("MPLBACKEND", None)
    log.setLevel(logging.ERROR)
    try:
        try:
            importlib.import_module("matplotlib.figure")
        except (UnicodeError, ValueError):
            for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
                del sys.modules[name]
            found = importlib.util.find_spec("matplotlib")
            with contextlib.chdir(Path(str(found and found.origin)).parent / "mpl-data"):
                importlib.import_module("matplotlib.figure")  # its own matplotlibrc lies there
    finally:
        log.setLevel(level)
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    import matplotlib as mpl

    if backend is not None:
        with contextlib.suppress(ValueError):
            mpl.rcParams["backend"] = backend  # for notebooks
    return mpl


mpl = _imported()
from matplotlib.figure import Figure  # noqa: E402  # needs the import above
from matplotlib.ticker import MaxNLocator  # noqa: E402

__all__ = ["Figure", "MaxNLocator", "drawn", "styled"]


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw with Matplotlib's default parameters and ours, then restore the user's."""
    with mpl.rc_context():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated parameters
            mpl.rcParams.update({k: v for k, v in mpl.rcParamsDefault.items() if k != "backend"})
        mpl.rcParams.update(STYLE)
        yield


def drawn(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function to draw in our style."""

    @functools.wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with styled():
            return draw(*args, **kwargs)

    return inside
