"""Pictures reduced and enlarged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from surveyor.data.arrays import Arrays
from surveyor.errors import InputError

AT_ONCE = 1024


def reduced(arrays: Arrays, scale: int) -> Arrays:
    """Return pictures reduced by ``scale``, bicubic with antialiasing.

    Raises:
        InputError: the scale does not divide the size, or leaves fewer than 4 pixels a side.
    """
    height, width = arrays.main.shape[1:3]
    what = f"--task=super-resolution:scale={scale}"
    if height % scale or width % scale:
        raise InputError(
            f"{what}: does not divide pictures of {width} x {height}; "
            + (
                f"give --size {max(4, min(height, width) // scale) * scale}, or another scale"
                if arrays.main.dtype == np.uint8
                else "crop them, or give another scale"
            )
        )
    if min(height, width) // scale < 4:
        raise InputError(
            f"{what}: leaves {width // scale} x {height // scale} pixels of "
            f"{width} x {height}; give larger pictures or a smaller scale"
        )
    top = arrays.white or float(arrays.main.max())
    parts = [
        _scaled(arrays.main[k : k + AT_ONCE], 1 / scale, top)
        for k in range(0, len(arrays.main), AT_ONCE)
    ]
    return replace(arrays, main=np.concatenate(parts), columns={}, main_name="given")


def enlarged(pictures: np.ndarray, scale: int, top: float) -> np.ndarray:
    """Return pictures (n, h, w[, 3]) enlarged by ``scale``, bicubic; ``top`` is their maximum."""
    return _scaled(pictures, float(scale), top)


def _scaled(pictures: np.ndarray, factor: float, top: float) -> np.ndarray:
    x = torch.from_numpy(pictures.astype(np.float32))
    x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2)
    size = [round(side * factor) for side in x.shape[2:]]
    y = functional.interpolate(x, size=size, mode="bicubic", antialias=factor < 1).clamp(0, top)
    y = y.squeeze(1) if pictures.ndim == 3 else y.permute(0, 2, 3, 1)
    y = y.round() if pictures.dtype.kind in "biu" else y
    made: np.ndarray = y.numpy().astype(pictures.dtype)
    made[made > top] = top  # float32 may have rounded the end of the range up
    return made
