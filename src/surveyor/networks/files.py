"""Files of networks: lists of edges, sparse and dense adjacency matrices."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import io as matrices
from scipy import sparse

from surveyor.errors import InputError, did_you_mean
from surveyor.networks import Network
from surveyor.reading import read_bytes, shortened
from surveyor.transport import shortest_edges

MOST, MOST_NODES = 2**31, 10_000_000  # bytes of a file; nodes of a matrix
LISTS = (".csv", ".tsv", ".txt", ".edgelist", ".csv.gz", ".tsv.gz", ".txt.gz", ".edgelist.gz")
ENDS = (("u", "v"), ("source", "target"), ("from", "to"), ("src", "dst"), ("node1", "node2"))
PICKLES = (".gpickle", ".pkl", ".pickle", ".pt")
SHOWN = 3


def read_network(path: str | Path, length: str | None = None) -> Network:
    """Return the network of a file; ``length`` names the column of edge lengths, otherwise 1.

    A list of edges has two columns of nodes, named as in ``ENDS`` or the first two; lines that
    begin with ``#`` are comments. A table with as many rows as columns of numbers is an adjacency
    matrix, as are ``.mtx`` and sparse ``.npz`` files, whose entries are the lengths if ``length``
    is ``entries``.

    Raises:
        InputError: the file cannot be read as a network.
    """
    path = Path(path)
    name = path.name.lower()
    if name.endswith(PICKLES):
        raise InputError(f"{path}: a pickle can run code and is not opened; save a list of edges")
    if name.endswith((".mtx", ".npz")):
        matrix = _sparse(path)
        return _of_matrix(path, matrix, [str(k) for k in range(matrix.shape[0])], length)
    if not name.endswith(LISTS):
        known = ".csv .tsv .txt .edgelist .mtx .npz"
        raise InputError(f"{path}: unknown format of a network; known: {known}")
    frame = text_table(path)
    dense = _dense(frame)
    return _of_list(path, frame, length) if dense is None else _of_matrix(path, *dense, length)


def text_table(path: Path) -> pd.DataFrame:
    """Return a file of ``LISTS`` as text, column by column.

    The first line names the columns unless all its words are numbers; in ``.edgelist`` none does.

    Raises:
        InputError: the file is empty, or not such text.
    """
    data = read_bytes(path, MOST)
    if path.suffix.lower() == ".gz":
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            try:
                data = packed.read(MOST)
            except (OSError, EOFError) as error:
                raise InputError(f"{path}: not a gzip file ({shortened(error)})") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    lines = [line for line in text.splitlines() if line.strip() and line[0] not in "#%"]
    if not lines:
        raise InputError(f"{path}: no lines but comments; give a table of nodes")
    bare = path.name.lower().removesuffix(".gz").endswith(".edgelist")
    mark = next((m for m in (",", "\t", ";") if m in lines[0]), None)
    if mark is None and ".csv" in path.suffixes:
        mark = ","
    rows = list(csv.reader(lines, delimiter=mark)) if mark else [ln.split() for ln in lines]
    head = [] if bare or all(map(_is_number, rows[0])) else rows.pop(0)
    width = len(head) if head else 2 if bare else len(rows[0])
    short = [k for k, row in enumerate(rows) if len(row) < width]
    if short:
        raise InputError(
            f"{path}: {len(short):,} lines have fewer than {width} values, the first of them "
            f"{shortened(lines[short[0] + bool(head)])!r}; complete or remove them"
        )
    names = head or [f"column {k + 1}" for k in range(width)]
    cells = zip(*(row[:width] for row in rows), strict=True) if rows else [()] * width
    return pd.DataFrame(dict(zip(names, cells, strict=True)), dtype=str)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _dense(frame: pd.DataFrame) -> tuple[sparse.spmatrix, list[str]] | None:
    """Return an adjacency matrix and its nodes if a table is one: square, of numbers."""
    names, body = [str(c) for c in frame.columns], frame
    if len(frame) == len(names) - 1 and list(frame.iloc[:, 0]) == names[1:]:
        names, body = names[1:], frame.iloc[:, 1:]
    if len(body) != len(names) or len(names) < 3:
        return None
    numbers = body.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    return None if np.isnan(numbers).any() else (sparse.csr_matrix(numbers), names)


def _sparse(path: Path) -> sparse.spmatrix:
    data = io.BytesIO(read_bytes(path, MOST))
    packed = path.name.lower().endswith(".npz")
    try:
        made = sparse.load_npz(data) if packed else matrices.mmread(data)
    except Exception as error:
        what = "a SciPy sparse matrix" if packed else "a Matrix Market file"
        raise InputError(f"{path}: not {what} ({shortened(error)})") from error
    matrix = sparse.coo_matrix(made)
    if max(matrix.shape) > MOST_NODES:
        raise InputError(f"{path}: {max(matrix.shape):,} nodes; at most {MOST_NODES:,}")
    if matrix.dtype.kind == "c":
        raise InputError(f"{path}: complex entries; save the lengths of edges as real numbers")
    return matrix


def _of_matrix(
    path: Path, matrix: sparse.spmatrix, names: list[str], length: str | None
) -> Network:
    rows, columns = matrix.shape
    if rows != columns:
        raise InputError(f"{path}: {rows:,} x {columns:,}; an adjacency matrix is square")
    if length not in (None, "entries"):
        raise InputError(f"--length {length}: {path} is a matrix; give entries, or leave it out")
    entries = matrix.tocoo()
    there = entries.data != 0
    edges = np.stack([entries.row[there], entries.col[there]], axis=1).astype(np.int64)
    lengths = entries.data[there].astype(float) if length else np.ones(int(there.sum()))
    return _network(path, names, edges, lengths, bool(length))


def _of_list(path: Path, frame: pd.DataFrame, length: str | None) -> Network:
    columns = [str(c) for c in frame.columns]
    frame = frame.set_axis(columns, axis=1)
    if len(columns) < 2:
        raise InputError(f"{path}: one column; a list of edges has two columns of nodes")
    low = [c.strip().lower() for c in columns]
    named = [e for e in ENDS if e[0] in low and e[1] in low]
    first, second = (low.index(w) for w in named[0]) if named else (0, 1)
    if length is not None and length not in columns:
        raise InputError(f"--length {length}: unknown column{did_you_mean(length, columns)}")
    ends = frame.iloc[:, [first, second]].apply(lambda c: c.str.strip())
    if empty := int((ends == "").any(axis=1).sum()):
        raise InputError(f"{path}: {empty:,} edges lack a node; remove those lines")
    codes, names = pd.factorize(ends.to_numpy().ravel())
    lengths = np.ones(len(frame))
    if length is not None:
        lengths = pd.to_numeric(frame[length], errors="coerce").to_numpy(float)
    shown = f"{columns[first]} and {columns[second]}"
    notes = () if named else (f"nodes are read from the columns {shown}",)
    return _network(
        path, [str(n) for n in names], codes.reshape(-1, 2), lengths, bool(length), notes
    )


def _network(
    path: Path,
    names: list[str],
    edges: np.ndarray,
    lengths: np.ndarray,
    measured: bool,
    notes: tuple[str, ...] = (),
) -> Network:
    """Return a network without loops, and with the shortest of parallel edges; both are told."""
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        shown = ", ".join("-".join(names[k] for k in edges[row]) for row in bad[:SHOWN])
        raise InputError(
            f"{path}: {len(bad):,} edges have a length that is no number above 0 ({shown}); "
            "correct them, or leave --length out"
        )
    kept = shortest_edges(edges, lengths)
    if not len(kept):
        raise InputError(f"{path}: no edges between two nodes")
    more = list(notes)
    if loops := int((edges[:, 0] == edges[:, 1]).sum()):
        more.append(f"{loops:,} edges from a node to itself are left out")
    if repeated := len(edges) - loops - len(kept):
        which = "the shortest is kept" if measured else "one is kept"
        more.append(f"{repeated:,} edges repeat another, or go the other way; {which}")
    return Network(names, np.sort(edges[kept], axis=1), lengths[kept], tuple(more))
