"""Pictures that answer what is given, a picture or a vector: what differs where they do."""

from surveyor.kinds import Kind
from surveyor.kinds.images.answers.files import PairFiles
from surveyor.kinds.images.answers.measures import Answers, Patches, verdict
from surveyor.kinds.images.answers.panels import Answered, preview
from surveyor.kinds.images.answers.reading import read_condition
from surveyor.kinds.images.answers.ruler import PatchRuler
from surveyor.kinds.images.answers.tasks import tasks
from surveyor.kinds.images.codec import ImageCodec
from surveyor.measures.critic import Critic
from surveyor.panels.common import Gradients, Progress

PATCHES = (
    "Exact W1 between patches of 8 x 8 pixels of answers and of other held-out pictures, and "
    "between real ones. Below the floor is no merit: such patches are less varied than real "
    "ones. The best step was chosen on other held-out pictures than those above."
)

ANSWERS = Kind(
    name="pairs",
    files=PairFiles(),
    codec=ImageCodec,
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
    preview=preview,
    read_condition=read_condition,
    tasks=tasks(),
)
