"""What a notebook uses: fit, load, distance. Thin: it only joins the rooms below."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

import surveyor.run as runs
from surveyor.build import configured, options_of, plan_of
from surveyor.config import Config
from surveyor.config import resolve as resolve_config
from surveyor.data import Data, Options, Source, recognise
from surveyor.data import load as load_data
from surveyor.data.sources import resolve
from surveyor.diagnostics import preflight
from surveyor.errors import InputError, NotWritten, tell
from surveyor.evaluation.assess import assess
from surveyor.evaluation.paired import assess_pairs
from surveyor.outline import OWN
from surveyor.report import build_report
from surveyor.report.rehearsal import rehearse
from surveyor.ruler import Budget, Comparison, compare, drift
from surveyor.ruler.comparison import Method
from surveyor.run.scoring import By
from surveyor.training import Record
from surveyor.training.interrupt import interruptible

Watch = Callable[[runs.Session, Record], None]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained generator with its critic and its numbers."""

    run: runs.Run

    @property
    def evaluation(self) -> dict[str, Any]:
        """Return the final numbers, each with its floor; ``verdict`` is the sentence."""
        if self.run.evaluation is None:
            raise InputError(f"{self.run.path}: not evaluated yet; call evaluate(data)")
        return self.run.evaluation

    def sample(
        self,
        n: int,
        where: Mapping[str, Any] | None = None,
        seed: int = 0,
        parity: tuple[str, str] | None = None,
        apart_from: Any = None,
        truncate: float = 1.0,
    ) -> Any:
        """Return ``n`` samples in user units: a DataFrame, or arrays by name.

        ``where`` holds in every row: a value, several (a list, or ``"a|b"``), or of numbers and
        dates a range (``"30..40"``). Conditions of the run are given to the generator, other
        columns of a table are met by rejection. With ``parity`` (outcome, group) the outcome is as
        frequent in every group as in all rows; within group and outcome nothing changes. No row of
        a table equals one of ``apart_from``, a DataFrame or a file. ``truncate`` below 1 narrows
        the latent of pictures and vectors: more typical samples, less varied.

        Raises:
            InputError: n below 1, unknown columns, values never seen, or too rare to be met.
        """
        if parity is not None:
            return runs.with_parity(self.run, n, *parity, dict(where or {}), seed, apart_from)
        return runs.draw_samples(self.run, n, dict(where or {}), seed, apart_from, truncate)

    def answer(self, pictures: Any, seed: int = 0) -> dict[str, np.ndarray]:
        """Return the answers of a run with a task to ``pictures``: enlarged, or translated.

        Arrays, or anything that ``fit`` reads; in the range of those trained on, of any size.

        Raises:
            InputError: a run without a task, or pictures it cannot take.
        """
        return runs.answered(self.run, pictures, seed)

    def walk(
        self, frames: int, where: Sequence[Mapping[str, Any]] = (), stops: int = 4, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Return ``frames`` samples along a closed walk through the latent, arrays by name.

        It passes ``stops`` draws of the latent, and goes from each condition of ``where`` to the
        next.

        Raises:
            InputError: a table, too few frames, or conditions that the run does not have.
        """
        return runs.walk(self.run, frames, where, stops, seed)

    def evaluate(self, data: Any = None, rows: int = 2048) -> dict[str, Any]:
        """Measure the generator against ``data``, or against the run's own held-out rows.

        Given data serve as both sides of the floor, half and half, and nothing is said of training
        rows. The run's own numbers are kept in its folder.
        """
        run = self.run
        measured = self._data(data)
        named = "held-out real data" if data is None else "the data given"
        if run.codec.answers:
            named = "held-out pictures" if data is None else "of the pictures given"
        with runs.threads(run.config.threads):
            own = run.game, run.game.generator, measured, run.config.seed, rows, named
            result = assess_pairs(*own) if run.codec.answers else assess(*own, data is None)
        if data is not None:
            # The halves of given data are no training rows: what is told of those would be false.
            result["critic"]["estimate_on_training_rows"] = None
            result["findings"] = [f for f in result["findings"] if f["code"] != "R02"]
            return result
        plan = plan_of(run.config)
        privacy = runs.privacy_of(run.config, plan, measured)
        whole = {"calibration": run.calibration, "privacy": privacy and asdict(privacy)}
        result |= {name: told for name, told in whole.items() if told is not None}
        found = preflight(run.game, measured, plan)
        result = runs.completed(run.config, result, run.history, found)
        try:
            with runs.Lock(run.path):
                runs.keep_evaluation(run.path, run.config, result)
        except (InputError, NotWritten) as error:
            tell(f"the numbers are not kept in the run: {error}")
        return result

    def score(self, data: Any, by: By = "auto") -> np.ndarray:
        """Return a score of every row, (n,): low where rows are unlike the real ones.

        ``by`` the log likelihood of the generator or the score of the critic; ``auto`` takes the
        likelihood where there is one. Scores compare rows of one run with each other; they are no
        distances.

        Raises:
            InputError: ``by`` unknown, or a likelihood asked of a generator that has none.
        """
        return runs.scored(self.run, data, by)

    def save(self, path: str | Path) -> Path:
        """Copy the run folder to ``path``.

        Raises:
            InputError: something is there already.
        """
        target = Path(path)
        runs.refuse_existing(target)
        shutil.copytree(self.run.path, target, dirs_exist_ok=True)
        return target

    def report(self, data: Any = None) -> Path:
        """Write ``report.html`` again and return its path."""
        return build_report(self.run, self._own_data(data))

    def _own_data(self, data: Any = None) -> Data:
        source = self.run.data_name if data is None else data
        if isinstance(source, str) and not source:
            raise InputError("the run was trained on data in memory; pass them")
        return runs.own_data(self.run, source)

    def _data(self, data: Any) -> Data:
        if data is None:
            return self._own_data()
        kind, codec = self.run.kind, self.run.codec
        raw = kind.reopen(resolve(data), codec, self.run.options)
        rows = codec.rows(raw)
        order = np.random.default_rng(0).permutation(len(raw))
        half = len(raw) // 2
        if half < 3:
            raise InputError(f"{len(raw)} rows are too few to measure; give at least 6")
        other, held = Source(codec, rows, order[half:]), Source(codec, rows, order[:half])
        return Data(kind, codec, other, held, held, raw)


def prepare(data: Any, said: Mapping[str, Any]) -> tuple[Data, Config]:
    """Read data and resolve the configuration; problems of both are raised together."""
    problems: list[str] = []
    raw, defaults = None, {}
    try:
        source, options = resolve(data), _early(said)
        if options is not None:
            kind = recognise(source, options)
            raw = kind.read(source, options)
            defaults = dict(kind.defaults(raw, said))
    except InputError as error:
        problems.extend(error.problems)
    try:
        config = configured(said, defaults)
    except InputError as error:
        problems.extend(error.problems)
        read = READ - {"epsilon", "delta"}  # what is refused must not spend
        config = Config(**{k: v for k, v in said.items() if k in read and v is not None})
    if raw is not None:
        try:
            loaded = load_data(raw, options_of(config), config.holdout, config.seed)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    return loaded, config


READ = frozenset(f.name for f in dataclasses.fields(Options)) & {
    f.name for f in dataclasses.fields(Config)
}


def _early(said: Mapping[str, Any]) -> Options | None:
    """Return how data are to be read; None where that is not said well."""
    try:
        return options_of(resolve_config({k: v for k, v in said.items() if k in READ}))
    except InputError:  # told of when all of it is resolved
        return None


def fit(
    data: Any,
    out: str | Path | None = None,
    *,
    generator: nn.Module | str | None = None,
    critic: nn.Module | str | None = None,
    watch: Watch | None = None,
    **options: Any,
) -> Model:
    """Train on a DataFrame, array, dictionary of arrays, or anything ``surveyor train`` reads.

    ``options`` are those of the command line (``condition=["digit"]``, ``steps=2000``).
    ``generator`` and ``critic`` are names with options (``"conv:width=16"``) or modules of your
    own, (z, cond) to raw output and (x, cond) to scores (n,); without conditions both take one
    argument. Without ``out`` the run lives as long as the model.

    Raises:
        InputError: all that is wrong with data and options, at once.
    """
    path = Path(tempfile.mkdtemp(prefix="surveyor-")) / "run" if out is None else Path(out)
    runs.refuse_existing(path)
    named = {"generator": generator, "critic": critic}
    own = {k: v for k, v in named.items() if isinstance(v, nn.Module)}
    options |= {k: v for k, v in named.items() if isinstance(v, str)} | dict.fromkeys(own, OWN)
    loaded, config = prepare(data, options)
    name = str(data) if isinstance(data, (str, Path)) else ""
    nets = own.get("generator"), own.get("critic")
    session = runs.start(loaded, name, config, path, *nets, rehearse=rehearse)
    model = finish(session, watch)
    if out is None:
        weakref.finalize(model, shutil.rmtree, path.parent, ignore_errors=True)
    return model


def finish(session: runs.Session, watch: Watch | None = None) -> Model:
    """Train a session to its end, evaluate it and write its report.

    Raises:
        Interrupted: Ctrl-C or a polite kill, at any time; the run can be resumed.
    """
    with interruptible(session.interruption):
        for record in session.records():
            if watch is not None:
                watch(session, record)
        session.finish()
        custom = {
            name: getattr(session.game, name)
            for name in ("generator", "critic")
            if getattr(session.config, name) == OWN
        }
        run = runs.load(session.path, **custom)
        build_report(run, session.data)
    return Model(run)


def load(
    path: str | Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    device: str | None = None,
) -> Model:
    """Open a run folder. Modules of your own classes must be passed again.

    ``device`` is where it is computed; the run's own without it, or the processor where that is
    not here.

    Raises:
        InputError: no run there, or one that is damaged.
    """
    return Model(runs.load(Path(path), generator, critic, device))


def distance(
    a: Any,
    b: Any,
    method: Method = "auto",
    seed: int = 0,
    limit: int = 2048,
    *,
    steps: int = 2000,
    batch: int = 512,
    drop: Sequence[str] = (),
    type: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Comparison:
    """Measure W1 between two data sets of one kind, in the units of ``evaluation``.

    Either everything that ``fit`` takes, or callables ``draw(n) -> (n, d)`` that give fresh
    samples. ``method`` is ``auto`` or ``exact`` (transport; from below a critic made from its dual
    potentials), ``critic`` (a trained one, in ``steps`` of ``batch`` rows a side), or ``sliced``.
    Of tables ``drop`` leaves columns out, ``type`` (``"COLUMN=TYPE"``) says what they hold, and
    ``missing`` which words stand for a missing value.
    The result brackets W1 between ``low`` and ``high``, and holds ``critic``, a module (n, d) to
    (n,) of proven slope ``bound``, high on ``a``.

    Raises:
        InputError: different columns or shapes, or data that cannot be read.
    """
    budget = Budget(steps=steps, batch=batch, seed=seed)
    drawn = [callable(x) for x in (a, b)]
    if any(drawn):
        if not all(drawn):
            raise InputError("one is a callable, the other is not; give two of either")
        return compare(a, b, method, seed, limit, budget)
    options = Options(drop=_words(drop), type=_words(type), missing=_words(missing), lenient=True)
    return drift(a, b, method, seed, limit, budget, explain=False, options=options).comparison


def _words(said: Sequence[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)
