"""Training: the game, its steps, the loop, checkpoints and measurements."""

from surveyor.training.game import Game
from surveyor.training.loop import steps, with_measurements
from surveyor.training.noise import Noise
from surveyor.training.plan import Plan, State
from surveyor.training.records import Measurement, Record

__all__ = [
    "Game",
    "Measurement",
    "Noise",
    "Plan",
    "Record",
    "State",
    "with_measurements",
    "steps",
]
