"""Pictures of one size."""

from surveyor.kinds import Kind
from surveyor.kinds.images.answers import ANSWERS
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.joining import SamePictures
from surveyor.kinds.images.measures import Pictures
from surveyor.kinds.images.panels import ROWS, Sheets, preview, sheets
from surveyor.measures.common import common
from surveyor.panels.common import Account, Gradients, Memory, Parts, Progress

KIND = Kind(
    name="images",
    files=Images(),
    codec=ImageCodec,
    measures=(*common(), Pictures()),
    panels=(Progress(), Sheets(), Parts(), Gradients(), Memory(), Account()),
    labels=ROWS,
    rehearsal_rows=4,
    comparison_panels=sheets,
    preview=preview,
    answers=ANSWERS,
    joining=SamePictures(),
)
