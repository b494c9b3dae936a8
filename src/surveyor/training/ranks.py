"""Several processes, one run: gradients averaged, decisions shared, one writer."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from surveyor.errors import InputError, SurveyorError

PATIENCE = timedelta(hours=2)  # others wait while the leader measures and evaluates


@dataclass(frozen=True)
class Ranks:
    """This process among ``size``; ``restarts`` counts how often the launcher began anew."""

    rank: int = 0
    size: int = 1
    restarts: int = 0

    @property
    def is_main(self) -> bool:
        """Return whether this process measures and writes."""
        return self.rank == 0

    def reduce(self, gradients: Sequence[Tensor]) -> None:
        """Replace gradients by their mean over processes: one flat sum, in place.

        All ranks pass the same list, missing gradients as zeros. With equal batches a side the
        mean is the gradient of the joined batch, penalties and their second derivatives included.
        """
        if self.size == 1:
            return
        flat = torch.cat([g.flatten() for g in gradients])
        with _together():
            dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` holds on any process; all must ask together."""
        if self.size == 1:
            return flag
        told = torch.tensor([float(flag)])
        with _together():
            dist.all_reduce(told, dist.ReduceOp.MAX)
        return bool(told.item())

    def agree(self, what: str, text: str) -> None:
        """Refuse to go on where processes do not hold the same ``text``.

        Raises:
            InputError: they differ; ``what`` one of them then has, such as "other data".
        """
        if self.size == 1:
            return
        own = torch.frombuffer(bytearray(hashlib.sha256(text.encode()).digest()), dtype=torch.uint8)
        told = [torch.empty_like(own) for _ in range(self.size)]
        with _together():
            dist.all_gather(told, own)
        others = [k for k, t in enumerate(told) if not torch.equal(t, told[0])]
        if others:
            raise InputError(f"process {others[0]} has {what} than process 0; give all the same")

    def wait(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            with _together():
                dist.barrier()

    def share(self, total: int) -> int:
        """Return this process's part of a batch of ``total`` rows.

        Raises:
            InputError: it cannot be divided evenly.
        """
        if total % self.size:
            raise InputError(
                f"--batch {total}: cannot be divided among {self.size} processes; "
                f"give a multiple of {self.size}"
            )
        return total // self.size


@contextlib.contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise SurveyorError("another process ended; see what it says") from error


def joined_ranks() -> Ranks:
    """Join the processes that ``torchrun`` started; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    if not dist.is_initialized():
        store, rank, _ = next(rendezvous("env://", timeout=PATIENCE))
        # Names of their own, or a process that comes back may meet addresses of the dead.
        store = dist.PrefixStore(f"attempt {restarts}", store)  # type: ignore[attr-defined]
        dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE)
    return Ranks(dist.get_rank(), size, restarts)


def part(ranks: Ranks) -> None:
    """Leave the other processes."""
    if ranks.size > 1 and dist.is_initialized():
        dist.destroy_process_group()
