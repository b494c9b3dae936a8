"""Where to compute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from surveyor.errors import InputError, tell
from surveyor.options.config import Config

DEVICES = "cpu|cuda(:[0-9]{1,3})?|mps"


def device_problems(name: str) -> list[str]:
    """Return what stands against computing on a device."""
    if not re.fullmatch(DEVICES, name):
        return [f"--device {name}: unknown; known: cpu, cuda, mps"]
    if not _is_here(name):
        kind = name.partition(":")[0].upper()
        return [f"--device {name}: no {kind} device here; use --device cpu"]
    return []


def _is_here(device: str) -> bool:
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count()
    return kind == "cpu" or torch.backends.mps.is_available()


def on_device(config: Config, device: str | None = None) -> Config:
    """Return the configuration of a run on ``device``, or on its own where that is here.

    Raises:
        InputError: a device that is unknown or asked for and not here.
    """
    asked = config.device if device is None else device
    problems = device_problems(asked)
    if device is None and problems and re.fullmatch(DEVICES, asked):
        tell(f"the run was trained on {asked}, which is not here; it is opened on the processor")
        return replace(config, device="cpu")
    if problems:
        raise InputError(*problems)
    return replace(config, device=asked)


def multiplies_bfloat16(device: str) -> bool:
    """Return whether the hardware of ``device`` multiplies bfloat16."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device == "cpu" and bool(known.get("amx_bf16"))
