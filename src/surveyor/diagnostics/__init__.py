"""Diagnostics of a game: the critic's slopes, its dynamics, and checks before training."""

from surveyor.diagnostics.preflight import preflight
from surveyor.diagnostics.slope import PLACES, Slopes, slopes

__all__ = ["PLACES", "Slopes", "preflight", "slopes"]
