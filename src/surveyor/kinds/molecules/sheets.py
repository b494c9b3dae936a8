"""Sheets of structures as pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from surveyor.kinds.molecules import chemistry

ACROSS = 4  # structures a line


def sheet(
    smiles: Sequence[str] | np.ndarray, legends: Sequence[str] | None = None, across: int = ACROSS
) -> str:
    """Return structures as the data URI of an SVG, in which nothing can execute."""
    text = chemistry.drawing(list(smiles), legends or [""] * len(smiles), across)
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def picture(smiles: Sequence[str] | np.ndarray, across: int = ACROSS) -> Image.Image:
    """Return structures as a picture."""
    with Image.open(io.BytesIO(chemistry.painting(list(smiles), across))) as found:
        found.load()
        return found
