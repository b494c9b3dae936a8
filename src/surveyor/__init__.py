"""Surveyor: Wasserstein GANs on your own data, with an honest distance."""

import os

# Waiting threads that spin halve the speed of whatever else runs, and threads that sleep at once
# halve their own; these spin for some microseconds first. PyTorch reads this when loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

from surveyor.api import Model, distance, fit, load
from surveyor.errors import InputError, SurveyorError

__version__ = "0.1.0"
__all__ = ["InputError", "Model", "SurveyorError", "distance", "fit", "load"]
