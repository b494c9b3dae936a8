"""Training on several processes: gradients are averaged, decisions shared, and rank 0 writes."""

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

PATIENCE = timedelta(hours=2)  # others wait while rank 0 measures and evaluates


@dataclass(frozen=True)
class Ranks:
    """This process among ``size``; ``restarts`` counts the launcher's restarts."""

    rank: int = 0
    size: int = 1
    restarts: int = 0

    @property
    def is_main(self) -> bool:
        """Return whether this process measures and writes."""
        return self.rank == 0

    def reduce(self, gradients: Sequence[Tensor]) -> None:
        """Replace gradients, in place, by their mean over processes, in one all-reduce.

        All ranks must pass tensors of the same shapes, zeros for missing gradients. With batches of
        equal size the mean is the gradient of the joint batch, penalties included.
        """
        if self.size == 1:
            return
        flat = torch.cat([g.flatten() for g in gradients])
        with _collective():
            dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` holds on any process; all must call this together."""
        if self.size == 1:
            return flag
        shared = torch.tensor([float(flag)])
        with _collective():
            dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared.item())

    def agree(self, what: str, text: str) -> None:
        """Check that all processes hold the same ``text``.

        Raises:
            InputError: they differ; ``what`` names the difference, such as "other data".
        """
        if self.size == 1:
            return
        own = torch.frombuffer(bytearray(hashlib.sha256(text.encode()).digest()), dtype=torch.uint8)
        shared = [torch.empty_like(own) for _ in range(self.size)]
        with _collective():
            dist.all_gather(shared, own)
        others = [k for k, t in enumerate(shared) if not torch.equal(t, shared[0])]
        if others:
            raise InputError(f"process {others[0]} has {what} than process 0; give all the same")

    def wait(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            with _collective():
                dist.barrier()

    def share(self, total: int) -> int:
        """Return how many of ``total`` rows this process gets.

        Raises:
            InputError: ``total`` is not a multiple of the number of processes.
        """
        if total % self.size:
            raise InputError(
                f"--batch {total}: cannot be divided among {self.size} processes; "
                f"give a multiple of {self.size}"
            )
        return total // self.size


@contextlib.contextmanager
def _collective() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise SurveyorError("another process stopped; see its message") from error


def joined_ranks() -> Ranks:
    """Join the processes that ``torchrun`` started; without it, return a single rank."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    if not dist.is_initialized():
        store, rank, _ = next(rendezvous("env://", timeout=PATIENCE))
        # A prefix per attempt, or a restarted process may find addresses of processes that died.
        store = dist.PrefixStore(f"attempt {restarts}", store)  # type: ignore[attr-defined]
        dist.init_process_group(
            _backend(), store=store, rank=rank, world_size=size, timeout=PATIENCE
        )
    return Ranks(dist.get_rank(), size, restarts)


def _backend() -> str:
    """Return what joins the processes, and give each its own CUDA device, by ``LOCAL_RANK``.

    NCCL adds tensors on devices where there is one device for each process; gloo all others.
    """
    if not torch.cuda.is_available():
        return "gloo"
    local, here = (int(os.environ.get(n, "0")) for n in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
    devices = torch.cuda.device_count()
    torch.cuda.set_device(local % devices)
    return "cpu:gloo,cuda:nccl" if dist.is_nccl_available() and here <= devices else "gloo"


def leave_ranks(ranks: Ranks) -> None:
    """Leave the process group."""
    if ranks.size > 1 and dist.is_initialized():
        dist.destroy_process_group()
