"""Molecules: SMILES, with columns beside them."""

from surveyor.kinds import Kind
from surveyor.kinds.molecules.asked import AsAsked
from surveyor.kinds.molecules.codec import MoleculeCodec
from surveyor.kinds.molecules.comparison import both_sets, coordinates, samples
from surveyor.kinds.molecules.computed import COMPUTED
from surveyor.kinds.molecules.files import MoleculeFiles
from surveyor.kinds.molecules.filters import Different
from surveyor.kinds.molecules.measures import Counts, Properties, both
from surveyor.kinds.molecules.panels import LABELS, Structures, preview
from surveyor.measures.common import common
from surveyor.measures.two_sample import TwoSample
from surveyor.panels.common import Account, Gradients, Memory, Parts, Progress

KIND = Kind(
    name="molecules",
    files=MoleculeFiles(),
    codec=MoleculeCodec,
    measures=(*common(TwoSample(both)), Counts(), Properties(), AsAsked()),
    filters=(Different(),),
    computed=COMPUTED,
    labels=LABELS,
    preview=preview,
    coordinates=coordinates,
    samples=samples,
    comparison_panels=both_sets,
    panels=(Progress(), Structures(), Parts(), Gradients(), Memory(), Account()),
)
