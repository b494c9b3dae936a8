"""One list of random streams, and numbers that are independent between them."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import numpy as np

import surveyor
from surveyor.batch import Draws
from surveyor.streams import Stream, generator

SOURCE = Path(surveyor.__file__).parent


def test_streams_of_one_seed_are_uncorrelated() -> None:
    rows = np.stack([Draws(3, 5, stream).normal(4000).numpy() for stream in Stream])
    correlations = np.corrcoef(rows)
    apart = [correlations[a, b] for a, b in itertools.combinations(range(len(rows)), 2)]
    assert np.abs(apart).max() < 5 / np.sqrt(4000)
    own = [generator(3, stream).random() for stream in Stream]
    assert len(set(own)) == len(Stream)


def test_streams_are_named_and_seeds_are_not_shifted() -> None:
    """A stream is a member of the list, never a number; and no seed stands for another one."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (
                isinstance(node, ast.Call) and ast.unparse(node.func) in ("Draws", "generator")
            ):
                continue
            where = f"{path.name}:{node.lineno}"
            if node.args and isinstance(node.args[0], ast.BinOp):
                raise AssertionError(f"{where}: {ast.unparse(node)}")
            if ast.unparse(node.func) == "Draws" and len(node.args) > 2:
                stream = ast.unparse(node.args[2])
                assert stream.startswith("Stream.") or stream.endswith("stream"), where
