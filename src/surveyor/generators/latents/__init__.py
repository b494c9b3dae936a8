"""Latents: the distributions of a generator's random input."""

from __future__ import annotations

from surveyor.catalog import parts_in
from surveyor.generators.latents.gaussian import Latent

__all__ = ["Latent", "latents"]


def latents() -> dict[str, type[Latent]]:
    """Return every latent, keyed by its file's name."""
    return parts_in("surveyor.generators.latents", Latent)
