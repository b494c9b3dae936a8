"""W1 and a classifier at each of several clients, whose rows may be unlike those of the others.

A client cannot compare all generated rows with its own: most are meant for others. If the
generator g is the mixture of the clients' distributions p_k with weights a_k, then g >= a_k p_k, so
that among m / a_k generated rows there are m like the client's. The client therefore draws m of
them with the odds p_k / g, estimated by trees on its training rows, and compares these with rows
that it has held out, which played no part in the choice. If the generator has forgotten the client,
there are no such rows to draw, and W1 and AUC are far above their floors.

The choice is by odds and not by nearness: of many rows of other clients some are always near, and
even real rows, chosen so, are told apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from surveyor.batch import Draws
from surveyor.data import Data, Source
from surveyor.findings import Finding
from surveyor.measures import Figure, Figures, RunMeasure, SeenRows, SeenRun
from surveyor.measures.two_sample import TwoSample
from surveyor.measures.wasserstein import Wasserstein
from surveyor.streams import Stream
from surveyor.two_sample.classifier import log_odds

MATCHED = 1024  # rows that are drawn for a client
LEARNT = 5_000  # training rows of a client for the odds
GENERATED = 20_000  # generated rows to choose from
SURE = 2.0  # deviations: so many more rows are generated than contain m of the client's on average
FORGOTTEN = 1.5  # W1 / floor


@dataclass(frozen=True)
class ByClient(RunMeasure):
    """W1 and the AUC of each client, the one with the fewest rows first."""

    tests: TwoSample

    def of_run(self, seen: SeenRun) -> Iterator[Figure]:
        """Yield ``w1`` and ``auc`` of each client; none if there is one."""
        parts = sorted(seen.data.parts.items(), key=lambda item: len(item[1].train))
        if len(parts) < 2:
            return
        rows = min(MATCHED, seen.rows)
        counts = [_matched(data, rows) for _, data in parts]
        n = max(_choice(m, data.share) for m, (_, data) in zip(counts, parts, strict=True))
        raw = seen.data.files.reopen(seen.decoded(n), seen.codec)
        every = Source(seen.codec, seen.codec.rows(raw), np.arange(len(raw)))
        for k, (m, (name, data)) in enumerate(zip(counts, parts, strict=True)):
            draws = seen.draws(k, Stream.CLIENTS)
            some = replace(every, index=every.index[: _choice(m, data.share)])
            own = replace(every, index=most_alike(data.train, m, some, draws))
            here = SeenRows(raw, own, data, seen.seed, seen.rows)
            w1 = next(f for f in Wasserstein()(here) if f.name == "w1")
            for figure in (w1, self.tests.auc(here)):
                yield replace(figure, of=name, by="client")

    def findings_of_run(self, figures: Figures, seen: SeenRun) -> Iterator[Finding]:
        """Yield clients that are hardly generated."""
        for figure in figures.parts("w1", "client"):
            if figure.ratio is not None and figure.ratio > FORGOTTEN:
                yield Finding(
                    "R10",
                    "warn",
                    f"rows like those of {figure.of} are hardly generated: W1 is "
                    f"{figure.ratio:.1f} times its floor",
                    "Give it a larger share with --weigh, or train longer",
                )


def most_alike(train: Source, m: int, made: Source, draws: Draws) -> np.ndarray:
    """Return ``m`` rows of ``made``, drawn without replacement by the odds to be of ``train``."""
    codec = train.codec
    ours = codec.features(train.rows, train.index[:LEARNT])
    odds = log_odds(ours, codec.features(made.rows, made.index), draws.seed)
    # The m largest log w + Gumbel noise: a draw by weights w (Efraimidis and Spirakis 2006).
    keys = odds + draws.gumbel(len(odds)).double().numpy()
    chosen: np.ndarray = made.index[np.argsort(-keys)[:m]]
    return chosen


def _matched(data: Data, rows: int) -> int:
    """Return how many rows are drawn for a client: as many as it trains on, within limits."""
    m = min(rows, len(data.train))
    while m > 1 and _choice(m, data.share) > GENERATED:
        m = m * 9 // 10
    return m


def _choice(m: int, share: float) -> int:
    """Return how many generated rows contain at least ``m`` of the client's, almost surely."""
    return math.ceil((m + SURE * math.sqrt(m)) / share)
