"""Vectors: one point per row."""

from surveyor.kinds import Kind
from surveyor.kinds.vectors.checks import outliers, unequal_scales
from surveyor.kinds.vectors.codec import VectorCodec
from surveyor.kinds.vectors.comparison import coordinates, plane, samples
from surveyor.kinds.vectors.files import Vectors
from surveyor.kinds.vectors.panels import Clouds
from surveyor.kinds.vectors.usefulness import predicting
from surveyor.measures.common import common
from surveyor.panels.common import Account, Gradients, Memory, Parts, Progress

KIND = Kind(
    name="vectors",
    files=Vectors(),
    codec=VectorCodec,
    checks=(unequal_scales, outliers),
    measures=common(),
    usefulness=predicting,
    coordinates=coordinates,
    samples=samples,
    comparison_panels=plane,
    panels=(Progress(), Clouds(), Parts(), Gradients(), Memory(), Account()),
)
