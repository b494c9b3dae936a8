"""Copies of training rows are found, and nothing else is called one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor.build import game_of
from surveyor.data import Options, Source
from surveyor.kinds.assess import assess
from surveyor.kinds.loading import load as load_data
from surveyor.kinds.table.codec import TableCodec
from surveyor.measures import SeenRun
from surveyor.measures.memorising import memorising
from surveyor.options import configure


def test_a_copying_generator_is_caught() -> None:
    torch.manual_seed(0)
    train, held, fresh = torch.randn(400, 5), torch.randn(400, 5), torch.randn(400, 5)
    copied, honest = memorising(train, train, held), memorising(fresh, train, held)
    assert copied.closer_to_training == 1
    assert copied.membership_auc == 1
    assert honest.membership_auc == pytest.approx(0.5, abs=0.1)
    assert copied.nearest == 0 < honest.nearest
    assert copied.copies == 1
    assert copied.copies_floor == 0
    assert honest.closer_to_training == pytest.approx(0.5, abs=4 * honest.closer_error)
    assert honest.copies == 0


def test_the_error_of_the_closest_is_that_of_the_rows_that_are_it() -> None:
    n = 1300
    train = torch.arange(n, dtype=torch.float32).unsqueeze(1)
    found = memorising(train, train, torch.full((n, 1), -9.0))
    assert found.closer_to_training == 1
    # Of 2 n rows half are the closest to one point each: a variance of (1 / 2 n)^2.
    assert found.closer_error == pytest.approx((1 / (8 * n)) ** 0.5)


def test_rows_equally_close_count_as_many_as_they_are() -> None:
    """One place with 1,500 training rows and 500 held-out ones: by chance three in four."""
    there = torch.ones(2000, 3)
    for train, held in ((1500, 500), (600, 700), (40, 40)):
        found = memorising(there[:300], there[:train], there[:held])
        assert found.closer_to_training == pytest.approx(0.5)


def weather(n: int, seed: int) -> pd.DataFrame:
    """Return rows of which no two are likely to share all cells."""
    rng = np.random.default_rng(seed)
    warm = rng.normal(12, 8, n)
    return pd.DataFrame(
        {
            "warm": warm,
            "wet": rng.gamma(2, 20, n) + 2 * warm,
            "wind": rng.gamma(3, 3, n),
            "hour": rng.integers(0, 24, n),
            "place": rng.choice([f"p{k}" for k in range(12)], n),
        }
    )


class Returns(torch.nn.Module):
    """A generator that returns rows of a source, chosen by its latent, and nothing else."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        u = torch.special.ndtr(z[:, 0].double()).numpy()
        rows = self.source.index[(u * len(self.source)).astype(int)]
        codec = self.source.codec
        x = codec.points(self.source.rows, rows)
        return 1e4 * x[:, : codec.space.raw[0]] if isinstance(codec, TableCodec) else x


@pytest.mark.parametrize("rows", [2_000, 40_000, 100_000])
def test_training_rows_returned_are_seen_however_many_there_are(rows: int) -> None:
    data = load_data(weather(rows, 1), Options(), holdout=0.1)
    game = game_of(configure({"critic": "mlp:width=8", "generator": "mlp:width=8"}, {}), data.codec)
    others = data.codec.rows(data.files.read(weather(rows, 2)))
    sources = [data.train, Source(data.codec, others, np.arange(rows))]
    results = [assess(SeenRun(game, Returns(source), data, 0, 64)) for source in sources]
    told, codes = results[0], {f.code for f in results[0].findings}
    assert told["copies"].n >= min(len(data.train), 40_000)
    assert told["copies"].value == 1
    closer = told["closer_to_training"]
    # A row returned has its equal among the training rows that are searched, as many as fit.
    assert closer.n is not None
    assert closer.known > 0.5 + 0.45 * closer.n / len(data.train)
    assert told["membership_auc"].known > 0.7
    assert {"R03", "R04", "R07"} <= codes

    told, codes = results[1], {f.code for f in results[1].findings}
    assert told["copies"].value == pytest.approx(told["copies"].floor, abs=0.01)
    assert not {"R03", "R04", "R07"} & codes


@pytest.mark.parametrize("source", ["example:digits", "toy:ring:1500"])
def test_pictures_and_vectors_returned_are_seen_as_a_user_gets_them(source: str) -> None:
    """Pictures leave through a tanh and are rounded; vectors are scaled back."""
    data = load_data(source, Options())
    game = game_of(configure({"critic": "mlp:width=8", "generator": "mlp:width=8"}, {}), data.codec)
    returns = Returns(data.train)
    if source == "example:digits":
        game = replace(
            game, head=lambda raw, draws: data.codec.head(raw.clamp(-0.999, 0.999).atanh(), draws)
        )
    copied = assess(SeenRun(game, returns, data, 0, 64))
    assert copied["copies"].value == 1
    assert (copied["copies"].floor or 0) < 0.01
    assert copied["closer_to_training"].known > 0.95


def test_rows_that_many_share_are_no_copies() -> None:
    """Of a table of three categories nearly every row is some training row, held-out ones too."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 4, (3000, 3)).astype(str), columns=list("abc"))
    data = load_data(frame, Options())
    again = data.codec.rows(
        data.files.read(
            pd.DataFrame(rng.integers(0, 4, (3000, 3)).astype(str), columns=list("abc"))
        )
    )
    game = game_of(configure({"critic": "mlp:width=8", "generator": "mlp:width=8"}, {}), data.codec)
    result = assess(SeenRun(game, Returns(Source(data.codec, again, np.arange(3000))), data, 0, 64))
    assert result["copies"].value == result["copies"].floor == 1
    assert result["closer_to_training"].value == pytest.approx(0.5, abs=0.1)  # counted once: 0
    assert not {"R03", "R04", "R07"} & {f.code for f in result.findings}
