"""Odd calls from Python: each is refused in a line or gives a sound result, and raises nothing else."""

from __future__ import annotations

import datetime
import decimal
import fractions
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from PIL import Image
from torch import nn

import surveyor
from surveyor import InputError, Model
from tests.conftest import mixed

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
V = torch.from_numpy(X.copy())
PICTURES = np.random.default_rng(1).integers(0, 255, (N, 8, 8), dtype=np.uint8)
FRAME = pd.DataFrame({"x": X[:, 0], "c": list("abcd") * (N // 4)})
LEVELS = FRAME.assign(k=range(N)).groupby("k").agg({"x": ["mean", "max"], "c": ["first"]})


class Raising:
    ndim = 2

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise RuntimeError("lives on another device")


# What is passed as data, and what is said of it; "" where it is taken.
DATA: dict[str, tuple[Callable[[], Any], str]] = {
    "None": (lambda: None, "not data"),
    "a number": (lambda: 7, "not data"),
    "bytes": (lambda: b"people.csv", "not data"),
    "a class": (lambda: pd.DataFrame, "not data"),
    "a function": (lambda: len, "unknown kind of data"),
    "an empty text": (lambda: "", "empty name; give a file"),
    "a text with NUL": (lambda: "people\0.csv", "not a valid file or folder name"),
    "a name too long": (lambda: "x" * 5000 + ".csv", "cannot be read"),
    "a file that is not there": (lambda: Path("nowhere.csv"), "no such file"),
    "an open file": (lambda: io.StringIO("a,b\n1,2\n"), "give its path"),
    "a list of dictionaries": (lambda: FRAME.to_dict("records"), "give pandas.DataFrame(data)"),
    "a list of lists": (lambda: X.tolist(), "numpy.array(data)"),
    "a tuple of columns": (lambda: tuple(X.T), "give pandas.DataFrame(data)"),
    "an empty list": (list, "give pandas.DataFrame(data)"),
    "a set": (lambda: {1, 2, 3}, "no order"),
    "a generator": (lambda: (row for row in X), "give pandas.DataFrame(data)"),
    "zip": (lambda: zip(X, X, strict=True), "give pandas.DataFrame(data)"),
    "a range": (lambda: range(N), "give pandas.DataFrame(data)"),
    "a Series": (lambda: FRAME["x"], "data.to_frame()"),
    "an Index": (lambda: FRAME.index, "shape (40,)"),
    "a pyarrow table": (lambda: pa.table({"x": X[:, 0]}), "data.to_pandas()"),
    "a sparse matrix": (lambda: scipy.sparse.csr_matrix(X), "data.toarray()"),
    "a picture": (lambda: Image.new("L", (8, 8)), "unknown kind of data"),
    "an array that will not be one": (Raising, "lives on another device"),
    "a tensor": (lambda: V, ""),
    "a tensor with a gradient": (lambda: V.clone().requires_grad_(), ""),
    "a parameter": (lambda: nn.Parameter(V.float()), ""),
    "a tensor of bfloat16": (lambda: V.bfloat16(), ""),
    "a tensor of float16": (lambda: V.half(), ""),
    "a tensor that is transposed": (lambda: V.T.contiguous().T, ""),
    "a conjugated tensor": (lambda: torch.complex(V, V).conj(), "complex"),
    "a complex tensor": (lambda: torch.complex(V, V), "complex"),
    "a sparse tensor": (lambda: V.to_sparse(), "to_dense()"),
    "a tensor of no device": (lambda: torch.empty(N, 3, device="meta"), "meta"),
    "a tensor of one axis": (lambda: V[:, 0], "shape (40,)"),
    "a tensor of no axis": (lambda: V[0, 0], "shape ()"),
    "a tensor of pictures": (lambda: torch.from_numpy(PICTURES), ""),
    "a matrix": (lambda: np.matrix(X), ""),
    "a Fortran array": (lambda: np.asfortranarray(X), ""),
    "a big-endian array": (lambda: X.astype(">f8"), ""),
    "an array of float16": (lambda: X.astype(np.float16), ""),
    "an array that cannot be written to": (lambda: _frozen(X), ""),
    "a record array": (lambda: FRAME.to_records(), "is not numeric"),
    "an array of text": (lambda: np.array([["a", "b"]] * N), "is not numeric"),
    "an array of dates": (lambda: np.full((N, 2), "2020-01-01", dtype="M8[D]"), "is not numeric"),
    "an array of objects": (lambda: X.astype(object), "object array"),
    "an array without rows": (lambda: X[:0], "shape (0, 3)"),
    "an array without columns": (lambda: X[:, :0], "shape (40, 0)"),
    "an array of five axes": (lambda: np.ones((N, 2, 2, 2, 2)), "pictures of shape"),
    "an empty dictionary": (dict, "empty dictionary"),
    "a dictionary of columns": (lambda: FRAME.to_dict("list"), "give pandas.DataFrame(data)"),
    "a dictionary of single values": (lambda: {"x": 1.0, "c": "a"}, "of type float"),
    "a dictionary of tables": (lambda: {"one": FRAME, "two": FRAME}, "of type DataFrame"),
    "a dictionary of sets": (lambda: {"images": PICTURES, "digit": {1, 2}}, "of type set"),
    "a dictionary named by numbers": (lambda: {0: X}, "name arrays by strings"),
    "a dictionary of tensors": (lambda: {"x": V, "label": torch.arange(N)}, ""),
    "a dictionary with labels in a list": (lambda: {"images": PICTURES, "digit": [0, 1] * 20}, ""),
    "a dictionary with labels in a Series": (lambda: {"images": PICTURES, "c": FRAME["c"]}, ""),
    "a table of no columns": (lambda: pd.DataFrame(index=range(N)), "no columns"),
    "a table of nothing": (pd.DataFrame, "no columns"),
    "a table of no rows": (lambda: FRAME.iloc[:0], "no rows"),
    "a table of one row": (lambda: FRAME.iloc[:1], "1 row"),
    "a column twice": (lambda: pd.concat([FRAME, FRAME], axis=1), "appears twice"),
    "columns named by numbers": (lambda: pd.DataFrame(X), ""),
    "columns named by dates": (lambda: FRAME.set_axis([datetime.date(2020, 1, d) for d in (1, 2)], axis=1), ""),
    "columns named by tuples": (lambda: _tuples(FRAME), ""),
    "rows named by two levels": (lambda: FRAME.set_index([FRAME["c"], FRAME.index]), ""),
    "rows named twice": (lambda: FRAME.set_axis([0] * N, axis=0), ""),
    "a column of lists": (lambda: _with(FRAME, [[k] for k in range(N)]), "column"),
    "a column of arrays": (lambda: FRAME.assign(v=list(X)), "column"),
    "a column of dictionaries": (lambda: _with(FRAME, [{"k": k % 3} for k in range(N)]), "column"),
    "a column of complex numbers": (lambda: FRAME.assign(v=X[:, 0] + 1j), "column"),
}  # fmt: skip


def _frozen(values: np.ndarray) -> np.ndarray:
    kept = values.copy()
    kept.flags.writeable = False
    return kept


def _with(frame: pd.DataFrame, values: list[Any]) -> pd.DataFrame:
    return frame.assign(v=pd.Series(values, dtype=object))


def _tuples(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(pd.Index([("a", 1), ("b", 2)], tupleize_cols=False), axis=1)


def refused(call: Callable[[], Any], message: str) -> None:
    """Make a call that must be refused with ``message``, each problem on a line."""
    with pytest.raises(InputError) as told:
        call()
    assert message in str(told.value)
    assert all(problem and "\n" not in problem for problem in told.value.problems)


def sound(call: Callable[[], Any], message: str) -> Any:
    """Make a call that is refused with ``message``, or, without one, must work."""
    return refused(call, message) if message else call()


TWO: dict[str, Any] = {"steps": 2, "batch": 8, "measure": "w1:rows=8", "threads": 1}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("name", DATA)
def test_odd_data(name: str, tmp_path: Path) -> None:
    make, message = DATA[name]
    model = sound(lambda: surveyor.fit(make(), tmp_path / "run", **TWO), message)
    assert (model is None) == bool(message)
    if model is None:
        assert not list(tmp_path.iterdir())
    else:
        made = model.sample(3)
        assert len(made if isinstance(made, pd.DataFrame) else next(iter(made.values()))) == 3


Call = Callable[[Model], Any]
ROW = mixed(600).iloc[3]
CALLS: dict[str, tuple[Call, str]] = {
    "n as text": (lambda m: m.sample("5"), "-n '5': give a whole number"),  # type: ignore[arg-type]
    "n with a fraction": (lambda m: m.sample(2.5), "-n 2.5"),  # type: ignore[arg-type]
    "n that is true": (lambda m: m.sample(True), "-n True"),
    "n that is None": (lambda m: m.sample(None), "-n None"),  # type: ignore[arg-type]
    "n that is NaN": (lambda m: m.sample(float("nan")), "-n nan"),  # type: ignore[arg-type]
    "n that is infinite": (lambda m: m.sample(float("inf")), "-n inf"),  # type: ignore[arg-type]
    "n below 0": (lambda m: m.sample(-3), "at least 1"),
    "n as a list": (lambda m: m.sample([3]), "-n [3]"),  # type: ignore[arg-type]
    "n as a table": (lambda m: m.sample(FRAME), "-n a DataFrame"),  # type: ignore[arg-type]
    "n whole, of float": (lambda m: m.sample(3.0), ""),  # type: ignore[arg-type]
    "n of NumPy": (lambda m: m.sample(np.int64(3)), ""),  # type: ignore[arg-type]
    "n of NumPy's float": (lambda m: m.sample(np.float64(3)), ""),  # type: ignore[arg-type]
    "n as a fraction": (lambda m: m.sample(fractions.Fraction(6, 2)), ""),  # type: ignore[arg-type]
    "no seed": (lambda m: m.sample(3, seed=None), "seed None"),  # type: ignore[arg-type]
    "a seed with a fraction": (lambda m: m.sample(3, seed=1.5), "seed 1.5"),  # type: ignore[arg-type]
    "a seed below 0": (lambda m: m.sample(3, seed=-1), "from 0 to 2^63 - 1"),
    "a seed too large": (lambda m: m.sample(3, seed=2**63), "from 0 to 2^63 - 1"),
    "a seed as text": (lambda m: m.sample(3, seed="0"), "seed '0'"),  # type: ignore[arg-type]
    "a seed of NumPy": (lambda m: m.sample(3, seed=np.uint32(7)), ""),  # type: ignore[arg-type]
    "a generator as seed": (lambda m: m.sample(3, seed=np.random.default_rng()), "seed a Generator"),  # type: ignore[arg-type]
    "where as text": (lambda m: m.sample(3, "town=Rome"), "like {'town': 'Rome'}"),  # type: ignore[arg-type]
    "where as a list": (lambda m: m.sample(3, ["town=Rome"]), "like {'town': 'Rome'}"),  # type: ignore[arg-type]
    "where as a number": (lambda m: m.sample(3, 5), "give a dictionary"),  # type: ignore[arg-type]
    "where as a table": (lambda m: m.sample(3, FRAME), "give a dictionary"),  # type: ignore[arg-type]
    "where named by numbers": (lambda m: m.sample(3, {0: 1}), "name as a string"),  # type: ignore[dict-item]
    "where of nothing": (lambda m: m.sample(3, {}), ""),
    "where of None": (lambda m: m.sample(3, None), ""),
    "where of a dictionary": (lambda m: m.sample(3, {"town": {"a": 1}}), "town"),
    "where of a table": (lambda m: m.sample(3, {"town": FRAME}), "town"),
    "where of a function": (lambda m: m.sample(3, {"town": len}), "town"),
    "where of an array": (lambda m: m.sample(3, {"town": np.array(["Rome", "Oslo"])}), ""),
    "where of an empty list": (lambda m: m.sample(3, {"town": []}), "empty list"),
    "where of bytes": (lambda m: m.sample(3, {"town": b"Rome"}), "town"),
    "where of a number too large": (lambda m: m.sample(3, {"age": 10**400}), "age"),
    "where of NaN": (lambda m: m.sample(3, {"age": float("nan")}), "age"),
    "where of a decimal": (lambda m: m.sample(3, {"visits": decimal.Decimal(3)}), ""),
    "where of NumPy's text": (lambda m: m.sample(3, {"town": np.str_("Rome")}), ""),
    "where of a date": (lambda m: m.sample(3, {"joined": datetime.date(2021, 2, 3)}), ""),
    "parity as text": (lambda m: m.sample(3, parity="member:town"), "like ('member', 'town')"),  # type: ignore[arg-type]
    "parity of one": (lambda m: m.sample(3, parity=("member",)), "(OUTCOME, GROUP)"),  # type: ignore[arg-type]
    "parity of three": (lambda m: m.sample(3, parity=("a", "b", "c")), "(OUTCOME, GROUP)"),  # type: ignore[arg-type]
    "parity of numbers": (lambda m: m.sample(3, parity=(0, 1)), "(OUTCOME, GROUP)"),  # type: ignore[arg-type]
    "parity as a number": (lambda m: m.sample(3, parity=3), "(OUTCOME, GROUP)"),  # type: ignore[arg-type]
    "truncated by text": (lambda m: m.sample(3, truncate="half"), "truncate 'half'"),  # type: ignore[arg-type]
    "truncated to nothing": (lambda m: m.sample(3, truncate=0), "above 0"),
    "truncated by None": (lambda m: m.sample(3, truncate=None), "truncate None"),  # type: ignore[arg-type]
    "apart from a number": (lambda m: m.sample(3, apart_from=5), "not data"),
    "apart from a missing file": (lambda m: m.sample(3, apart_from="no.csv"), "no such file"),
    "apart from an array": (lambda m: m.sample(3, apart_from=X), "the data are vectors"),
    "apart from other columns": (lambda m: m.sample(3, apart_from=FRAME), "unknown column"),
    "apart from rows": (lambda m: m.sample(3, apart_from=mixed(50)), ""),
    "all wrong at once": (lambda m: m.sample("5", seed=None), "seed None"),  # type: ignore[arg-type]
    "answers of a table": (lambda m: m.translate(PICTURES), "the run has no task"),
    "answers by no seed": (lambda m: m.translate(PICTURES, seed=None), "seed None"),  # type: ignore[arg-type]
    "a walk in a table": (lambda m: m.walk(5), "for pictures and vectors"),
    "a walk of text": (lambda m: m.walk("5"), "frames '5'"),  # type: ignore[arg-type]
    "a walk by a dictionary": (lambda m: m.walk(5, {"town": "Rome"}), "a list of dictionaries"),  # type: ignore[arg-type]
    "a walk by texts": (lambda m: m.walk(5, ["town=Rome"]), "give a dictionary"),  # type: ignore[list-item]
    "a walk of half a stop": (lambda m: m.walk(5, stops=0.5), "stops 0.5"),  # type: ignore[arg-type]
    "no rows measured": (lambda m: m.evaluate(mixed(60), rows=0), "rows 0"),
    "rows as text": (lambda m: m.evaluate(mixed(60), rows="all"), "rows 'all'"),  # type: ignore[arg-type]
    "few rows measured": (lambda m: m.evaluate(mixed(60), rows=8), ""),
    "measured without data": (lambda m: m.evaluate(), "data in memory"),
    "measured on a missing file": (lambda m: m.evaluate("no.csv"), "no such file"),
    "measured on an array": (lambda m: m.evaluate(X), "the data are vectors"),
    "measured on one row": (lambda m: m.evaluate(mixed(600).iloc[:1]), "too few"),
    "measured on a list": (lambda m: m.evaluate([1, 2]), "give pandas.DataFrame(data)"),
    "measured on other columns": (lambda m: m.evaluate(FRAME), "unknown column"),
    "scores of a missing file": (lambda m: m.score("missing.csv"), "no such file"),
    "scores of None": (lambda m: m.score(None), "not data"),
    "scores of an array": (lambda m: m.score(X), "the data are vectors"),
    "scores of a tensor": (lambda m: m.score(V), "the data are vectors"),
    "scores of a list of rows": (lambda m: m.score(mixed(9).to_dict("records")), "give pandas.DataFrame(data)"),
    "scores of no rows": (lambda m: m.score(mixed(9).iloc[:0]), "no rows"),
    "scores of one row": (lambda m: m.score(ROW), ""),
    "scores of a dictionary": (lambda m: m.score(ROW.to_dict()), ""),
    "scores of part of a row": (lambda m: m.score(ROW.iloc[:2]), "unknown column"),
    "scores of a column": (lambda m: m.score(mixed(600)["age"]), "unknown column"),
    "scores by another": (lambda m: m.score(ROW, by="critics"), "did you mean 'critic'"),  # type: ignore[arg-type]
    "scores by None": (lambda m: m.score(ROW, by=None), "by None"),  # type: ignore[arg-type]
    "scores by an array": (lambda m: m.score(ROW, by=X), "by a ndarray"),  # type: ignore[arg-type]
    "saved nowhere": (lambda m: m.save(""), "not a valid file or folder name"),
    "saved into a number": (lambda m: m.save(3), "save 3"),  # type: ignore[arg-type]
    "saved where it is": (lambda m: m.save(m.run.path), "already exists"),
    "a report without data": (lambda m: m.report(), "data in memory"),
    "a report of other data": (lambda m: m.report(mixed(50)), "different data"),
    "a report of a number": (lambda m: m.report(5), "not data"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_odd_calls_of_a_model(name: str, table_run: Model) -> None:
    call, message = CALLS[name]
    sound(lambda: call(table_run), message)


def test_all_that_is_wrong_with_a_call_is_told(table_run: Model) -> None:
    with pytest.raises(InputError) as told:
        table_run.sample(0, 5, None, "a:b", truncate=3)  # type: ignore[arg-type]
    assert [p.split()[0] for p in told.value.problems] == [
        "-n",
        "--seed",
        "--where",
        "--truncate",
        "--parity",
    ]


def test_one_row_has_the_score_of_a_table_of_it(table_run: Model) -> None:
    rows = mixed(600).iloc[[3]]
    for one in (rows.iloc[0], rows.iloc[0].to_dict()):
        np.testing.assert_array_equal(table_run.score(one), table_run.score(rows))


DISTANCES: dict[str, tuple[Callable[[], Any], str]] = {
    "no seed": (lambda: surveyor.distance(X, X, seed=None), "seed None"),  # type: ignore[arg-type]
    "an unknown method": (lambda: surveyor.distance(X, X, method="exakt"), "did you mean 'exact'"),  # type: ignore[arg-type]
    "no method": (lambda: surveyor.distance(X, X, method=None), "method None"),  # type: ignore[arg-type]
    "no limit": (lambda: surveyor.distance(X, X, limit=0), "limit 0"),
    "a limit as text": (lambda: surveyor.distance(X, X, limit="all"), "limit 'all'"),  # type: ignore[arg-type]
    "no steps": (lambda: surveyor.distance(X, X, steps=0), "steps 0"),
    "no batch": (lambda: surveyor.distance(X, X, batch=None), "batch None"),  # type: ignore[arg-type]
    "a set dropped": (lambda: surveyor.distance(FRAME, FRAME, drop={"c"}), "drop a set"),  # type: ignore[arg-type]
    "a number dropped": (lambda: surveyor.distance(FRAME, FRAME, drop=[0]), "drop [0]"),  # type: ignore[list-item]
    "types in a dictionary": (lambda: surveyor.distance(FRAME, FRAME, type={"c": "text"}), "type a dict"),  # type: ignore[arg-type]
    "against a number": (lambda: surveyor.distance(X, 5), "not data"),
    "against None": (lambda: surveyor.distance(X, None), "not data"),
    "against a list": (lambda: surveyor.distance(X, X.tolist()), "numpy.array(data)"),
    "against a missing file": (lambda: surveyor.distance(X, "no.npy"), "no such file"),
    "against a function": (lambda: surveyor.distance(X, lambda n: X), "give two callables or two data sets"),
    "against a table": (lambda: surveyor.distance(X, FRAME), "cannot compare vectors with"),
    "two Series": (lambda: surveyor.distance(FRAME["x"], FRAME["x"]), "data.to_frame()"),
    "tensors": (lambda: surveyor.distance(V.requires_grad_(), V.bfloat16()), ""),
    "a tensor and an array": (lambda: surveyor.distance(V, X), ""),
    "levels of columns": (lambda: surveyor.distance(FRAME, FRAME), ""),
    "opened from a number": (lambda: surveyor.load(5), "load 5"),  # type: ignore[arg-type]
    "opened from None": (lambda: surveyor.load(None), "load None"),  # type: ignore[arg-type]
    "opened from nothing": (lambda: surveyor.load("nowhere"), "no run in this folder"),
    "opened with a class": (lambda: surveyor.load("nowhere", nn.Linear), "a class"),  # type: ignore[arg-type]
    "resumed from a number": (lambda: surveyor.resume(5), "resume 5"),  # type: ignore[arg-type]
    "resumed from nothing": (lambda: surveyor.resume("nowhere"), "no run in this folder"),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTANCES)
def test_other_odd_calls(name: str) -> None:
    call, message = DISTANCES[name]
    sound(call, message)


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a condition of None": ({"condition": None}, ""),
    "nothing but None": ({"drop": None, "whiten": None, "task": None, "group": None}, ""),
    "a condition by number": ({"condition": 0}, "condition 0: must be text"),
    "conditions in a set": ({"condition": {"c"}}, "condition a set"),
    "conditions in a dictionary": ({"condition": {"c": 1}}, "condition a dict"),
    "conditions in a generator": ({"condition": (c for c in "c")}, "condition a generator"),
    "conditions in an array": ({"condition": np.array(["c"])}, ""),
    "conditions in an Index": ({"condition": pd.Index(["c"])}, ""),
    "conditions of None": ({"condition": [None]}, "condition [None]"),
    "a group by number": ({"group": 1}, "group 1: must be text"),
    "a group in a list": ({"group": ["c"]}, "group ['c']"),
    "whiten as text": ({"whiten": "no"}, "whiten 'no': must be True or False"),
    "whiten as a number": ({"whiten": 0}, "whiten 0"),
    "whiten of NumPy": ({"whiten": np.bool_(False)}, ""),
    "steps as text": ({"steps": "2"}, "steps '2': must be a whole number"),
    "steps with a fraction": ({"steps": 2.5}, "steps 2.5"),
    "steps that are true": ({"steps": True}, "steps True"),
    "steps that are NaN": ({"steps": float("nan")}, "steps nan"),
    "steps without end": ({"steps": float("inf")}, "must be finite"),
    "steps of NumPy": ({"steps": np.int32(2)}, ""),
    "steps of a tensor": ({"steps": torch.tensor(2)}, "steps a Tensor"),
    "steps beyond number": ({"steps": 10**400}, "steps"),
    "a batch of a list": ({"batch": [8]}, "batch [8]"),
    "minutes without end": ({"minutes": float("inf")}, "must be finite"),
    "a rate as text": ({"critic_rate": "1e-3"}, "critic_rate '1e-3'"),
    "a rate of NumPy": ({"critic_rate": np.float32(1e-3)}, ""),
    "a rate of a decimal": ({"critic_rate": decimal.Decimal("0.1")}, "critic_rate a Decimal"),
    "a holdout of NaN": ({"holdout": float("nan")}, "must be finite"),
    "a seed of None": ({"seed": None}, ""),
    "a seed as text": ({"seed": "1"}, "seed '1'"),
    "an objective by number": ({"objective": 5}, "objective 5: must be text"),
    "an objective as a class": ({"objective": nn.Linear}, "objective a type"),
    "a constraint of None": ({"constraint": None}, ""),
    "a constraint by number": ({"constraint": 5}, "constraint 5"),
    "a constraint as a dictionary": ({"constraint": {"clip": 1}}, "constraint a dict"),
    "a constraint of numbers": ({"constraint": [1]}, "constraint [1]"),
    "no constraint": ({"constraint": [], "objective": "minimax"}, ""),
    "an optimizer of PyTorch": ({"optimizer": torch.optim.Adam}, "optimizer a type"),
    "a schedule by number": ({"schedule": 1}, "schedule 1: must be text"),
    "calibrated by True": ({"calibrate": True}, "calibrate True: unknown"),
    "noise by a number": ({"noise": 0.1}, "noise 0.1: must be text"),
    "an option that became a field": ({"smooth": (0.1, 0.01)}, "did you mean noise=anneal:start=0.3"),
    "a device of torch": ({"device": torch.device("cpu")}, "device a device"),
    "precision of torch": ({"precision": torch.float32}, "precision"),
    "threads of None": ({"threads": None}, ""),
    "no threads": ({"threads": 0}, "at least 1"),
    "an unknown option": ({"epochs": 3}, "unknown option 'epochs'"),
    "a misspelt option": ({"bacth": 3}, "did you mean 'batch'"),
    "an option as a flag": ({"critic-steps": 3}, "did you mean 'critic_steps'"),
    "a generator by number": ({"generator": 5}, "generator 5: give"),
    "a generator as a class": ({"generator": nn.Linear}, "generator: a class"),
    "a generator as a function": ({"generator": len}, "give a torch.nn.Module"),
    "a critic in a list": ({"critic": [nn.Linear(2, 1)]}, "critic a list"),
    "nobody to watch": ({"watch": 5}, "watch 5"),
    "out by number": ({"out": 5}, "out 5"),
    "out of nothing": ({"out": ""}, "out ''"),
    "out with NUL": ({"out": "a\0b"}, "not a valid file or folder name"),
    "out too long": ({"out": "x" * 5000}, "cannot be used"),
    "out below a file": ({"out": Path(__file__) / "run"}, "is a file"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_odd_options(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said, message = OPTIONS[name]
    usual: dict[str, Any] = {**TWO, "out": tmp_path / "run", "generator": "mlp:width=8,depth=1"}
    sound(lambda: surveyor.fit(FRAME.assign(y=X[:, 1]), **usual | said), message)
    assert not message or not list(tmp_path.iterdir())


def test_levels_of_column_names_become_one_name_each_and_are_told(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"2 levels.*'c_first'"):
        model = surveyor.fit(LEVELS, tmp_path / "run", **TWO)
    assert list(model.sample(3).columns) == ["x_mean", "x_max", "c_first"]
    with pytest.warns(UserWarning, match="levels"):
        assert model.score(LEVELS).shape == (N,)
    twice = LEVELS.set_axis(
        pd.MultiIndex.from_tuples([("a", "b_c"), ("a_b", "c"), ("d", "")]), axis=1
    )
    refused(lambda: surveyor.fit(twice, tmp_path / "other"), "'a_b_c'")
