"""Surveyor: Wasserstein GANs on your own data, with an honest distance."""

from surveyor.waiting import wait_policy

with wait_policy():
    from surveyor.api import Model, fit, load, resume
    from surveyor.errors import InputError, Interrupted, SurveyorError
    from surveyor.judgement import judge
    from surveyor.ruler.distance import distance, reference

__version__ = "0.1.0"
__all__ = [
    "InputError",
    "Interrupted",
    "Model",
    "SurveyorError",
    "distance",
    "fit",
    "judge",
    "load",
    "reference",
    "resume",
]
