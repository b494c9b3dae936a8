"""Looking at a game: slopes of the critic, and mistakes found before training."""

from surveyor.diagnostics.preflight import preflight
from surveyor.diagnostics.slope import PLACES, Slopes, slopes

__all__ = ["PLACES", "Slopes", "preflight", "slopes"]
