"""Pairs: a picture or a vector is given, another picture is its answer."""

from surveyor.kinds import Kind
from surveyor.kinds.pairs.codec import PairCodec
from surveyor.kinds.pairs.files import PairKind
from surveyor.kinds.pairs.measures import Answers, Patches, verdict
from surveyor.kinds.pairs.panels import Answered, keepsake
from surveyor.kinds.pairs.ruler import PatchRuler
from surveyor.measures.critic import Critic
from surveyor.panels.common import Gradients, Progress

PATCHES = (
    "Exact W1 between patches of 8 x 8 pixels of answers and of other held-out pictures, and "
    "between real ones. Below the floor is no merit: such patches are less varied than real "
    "ones. The best step was chosen on other held-out pictures than those above."
)

KIND = Kind(
    name="pairs",
    files=PairKind(),
    codec=PairCodec,
    measures=(Patches(), Critic(), Answers()),
    panels=(
        Answered(),
        Progress("Patches over training", "W1 between patches", (PATCHES,)),
        Gradients("answered pictures"),
    ),
    verdict=verdict,
    between="patches of answers and of other held-out pictures",
    against=("held-out pictures", "of the pictures given"),
    ruler=PatchRuler,
    few=4,
    keepsake=keepsake,
)
