"""The state of the caller's process: set while Surveyor works, and restored afterwards."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")
SET_BY_TORCH = (
    "TORCHINDUCTOR_",
    "_TORCHINDUCTOR_",
    "TRITON_",
)  # environment variables that PyTorch sets
CACHE = "TORCHINDUCTOR_CACHE_DIR"  # the folder of compiled code, created even if it stays empty


@contextmanager
def default_settings() -> Iterator[None]:
    """Use PyTorch's default settings, then restore the caller's.

    These are gradients, float32, the CPU and no autocast: with others a seed would give other
    numbers, or calls would fail. On CUDA algorithms are those that repeat bit for bit, and products
    of float32 matrices are rounded to TF32. The number of threads and the environment are restored
    as well.
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
        if torch.cuda.is_available():
            stack.enter_context(_repeatable())
        if torch.get_default_device().type != "cpu":  # setting it slows every call to PyTorch
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


def with_default_settings(call: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function to run under ``default_settings``."""

    @functools.wraps(call)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with default_settings():
            return call(*args, **kwargs)

    return inside


@contextmanager
def preserve_random_state() -> Iterator[None]:
    """Restore PyTorch's global random state, which user-defined modules may change."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


@contextmanager
def _repeatable() -> Iterator[None]:
    """Use the algorithms of CUDA that give the same bits in every run."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        used = torch.backends.cudnn.enabled
        with torch.backends.cudnn.flags(used, False, deterministic=True, allow_tf32=True):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def _put_back(variables: dict[str, str]) -> None:
    for name, value in _compilers().items():
        if name not in variables:
            del os.environ[name]
            if name == CACHE:
                with suppress(OSError):  # not empty
                    os.rmdir(value)
    os.environ.update(variables)


def _compilers() -> dict[str, str]:
    return {name: v for name, v in os.environ.items() if name.startswith(SET_BY_TORCH)}
