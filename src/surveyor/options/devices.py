"""Devices to compute on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from surveyor.errors import InputError, notify
from surveyor.options.config import Config

DEVICES = "cpu|cuda(:[0-9]{1,3})?|mps"
AUTO = "auto"


def chosen_device(name: str) -> str:
    """Return the device that ``name`` stands for: ``auto`` is CUDA if available, otherwise the CPU.

    MPS is never chosen: results there have not been tested to equal those of the CPU.
    """
    if name != AUTO:
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_problems(name: str) -> list[str]:
    """Return why the device ``name`` cannot be used."""
    if not re.fullmatch(DEVICES, name):
        return [f"--device {name[:40]}: unknown; known: auto, cpu, cuda, mps"]
    if not _is_available(name):
        kind = name.partition(":")[0].upper()
        return [f"--device {name}: no {kind} device available; use --device cpu"]
    return []


def _is_available(device: str) -> bool:
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count()
    return kind == "cpu" or torch.backends.mps.is_available()


def on_device(config: Config, device: str | None = None) -> Config:
    """Return a run's configuration for ``device``, by default that of training.

    If ``device`` is None and that of training is not available, the CPU replaces it, with a notice.

    Raises:
        InputError: the device is unknown, or ``device`` is given and not available.
    """
    name = chosen_device(config.device if device is None else device)
    problems = device_problems(name)
    if device is None and problems and re.fullmatch(DEVICES, name):
        notify(f"the run was trained on {name}, which is not available here; using the CPU")
        return replace(config, device="cpu")
    if problems:
        raise InputError(*problems)
    return replace(config, device=name)


def multiplies_bfloat16(device: str) -> bool:
    """Return whether ``device`` multiplies bfloat16 matrices in hardware."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device == "cpu" and bool(known.get("amx_bf16"))
