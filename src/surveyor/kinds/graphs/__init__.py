"""Graphs: many of them, with labels of nodes and edges."""

from surveyor.kinds import Kind
from surveyor.kinds.graphs.codec import GraphCodec
from surveyor.kinds.graphs.comparison import both_sets, coordinates, samples
from surveyor.kinds.graphs.computed import COMPUTED
from surveyor.kinds.graphs.files import GraphFiles
from surveyor.kinds.graphs.measures import Counts, Distances, both
from surveyor.kinds.graphs.panels import LABELS, Pictures, preview
from surveyor.measures.common import common
from surveyor.measures.two_sample import TwoSample
from surveyor.panels.common import Account, Gradients, Memory, Parts, Progress

KIND = Kind(
    name="graphs",
    files=GraphFiles(),
    codec=GraphCodec,
    measures=(*common(TwoSample(both)), Counts(), Distances()),
    computed=COMPUTED,
    labels=LABELS,
    preview=preview,
    coordinates=coordinates,
    samples=samples,
    comparison_panels=both_sets,
    panels=(Progress(), Pictures(), Parts(), Gradients(), Memory(), Account()),
)
