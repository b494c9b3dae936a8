"""The caller's process: what Surveyor needs of it, for as long as it works, and as it was after."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")
SET_BY_TORCH = ("TORCHINDUCTOR_", "_TORCHINDUCTOR_", "TRITON_")  # left in the environment
CACHE = "TORCHINDUCTOR_CACHE_DIR"  # the folder of compiled code, made even where nothing is


@contextmanager
def usual() -> Iterator[None]:
    """Work under PyTorch's own settings, whatever the caller's, and leave those as they were.

    Gradients, float32, the processor and no automatic casts: a caller's other choices would make
    other numbers of the same seed, or none. Threads and the environment are put back.
    """
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    variables = _compilers()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.is_autocast_enabled("cpu"):
            stack.enter_context(torch.autocast("cpu", enabled=False))
        if torch.is_autocast_enabled("cuda"):
            stack.enter_context(torch.autocast("cuda", enabled=False))
        if torch.get_default_device().type != "cpu":  # it slows every call of PyTorch a little
            stack.enter_context(torch.device("cpu"))
        try:
            if dtype != torch.float32:
                torch.set_default_dtype(torch.float32)
            yield
        finally:
            if dtype != torch.float32:
                torch.set_default_dtype(dtype)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            _put_back(variables)


def in_usual(call: Callable[P, T]) -> Callable[P, T]:
    """Let a function work in ``usual`` surroundings."""

    @functools.wraps(call)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with usual():
            return call(*args, **kwargs)

    return inside


@contextmanager
def same_randomness() -> Iterator[None]:
    """Leave PyTorch's own random numbers as they were: modules of a caller's own may draw some."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


def _put_back(variables: dict[str, str]) -> None:
    for name, value in _compilers().items():
        if name not in variables:
            del os.environ[name]
            if name == CACHE:
                with suppress(OSError):  # it holds something
                    os.rmdir(value)
    os.environ.update(variables)


def _compilers() -> dict[str, str]:
    return {name: v for name, v in os.environ.items() if name.startswith(SET_BY_TORCH)}
