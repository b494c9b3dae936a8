"""Training: the game, its step, the loop, and what is kept of it."""

from surveyor.training.game import Game
from surveyor.training.loop import measured, steps
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
    "measured",
    "steps",
]
