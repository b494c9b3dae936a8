"""Pictures that answer a given picture or vector: the record of what differs for them."""

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

PATCHES_NOTE = (
    "Exact W1 between 8 x 8 patches of answers and of other held-out pictures; the floor is W1 "
    "between real patches. A value below the floor is not a merit: such patches are less varied "
    "than real ones. The best step was chosen on held-out pictures other than those above."
)

ANSWERS = Kind(
    name="pairs",
    files=PairFiles(),
    codec=ImageCodec,
    measures=(Patches(), Critic(), Answers()),
    panels=(
        Answered(),
        Progress("Patches over training", "W1 between patches", (PATCHES_NOTE,)),
        Gradients("answered pictures"),
    ),
    verdict=verdict,
    w1_between="patches of answers and of other held-out pictures",
    reference_names=("held-out pictures", "of the pictures given"),
    ruler=PatchRuler,
    rehearsal_rows=4,
    preview=preview,
    read_condition=read_condition,
    tasks=tasks(),
)
