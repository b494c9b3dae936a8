"""Tables: rows of numbers, categories, dates, formulas, with missing values."""

from surveyor.kinds import Kind
from surveyor.kinds.table.checks import empty_columns, mixed_columns, uninformative_columns
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.decimals import Decimals
from surveyor.kinds.table.files import Table
from surveyor.kinds.table.filters import Formulas
from surveyor.kinds.table.joining import Tables
from surveyor.kinds.table.measures import Columns, both
from surveyor.kinds.table.obeyed import Rules
from surveyor.kinds.table.panels import Columns as ColumnsPanel
from surveyor.kinds.table.panels import coordinates
from surveyor.kinds.table.rehearsal import failing_column, write_every_code
from surveyor.kinds.table.samples import samples
from surveyor.kinds.table.summary import recount, summarise
from surveyor.kinds.table.usefulness import predicting
from surveyor.measures.common import common
from surveyor.measures.two_sample import TwoSample
from surveyor.panels.common import Account, Gradients, Memory, Parts, Progress

EQUAL_ROWS_NOTE = (
    " Here two rows are equal if their categories are, and if their numbers lie in the same cells."
)

KIND = Kind(
    name="table",
    files=Table(),
    codec=TableCodec,
    checks=(uninformative_columns, mixed_columns, empty_columns),
    measures=(*common(TwoSample(both)), Columns(), Rules(), Decimals()),
    usefulness=predicting,
    filters=(Formulas(),),
    rehearse_writing=write_every_code,
    failing_column=failing_column,
    coordinates=coordinates,
    samples=samples,
    summarise=summarise,
    recount=recount,
    joining=Tables(),
    panels=(Progress(), ColumnsPanel(), Parts(), Gradients(), Memory(EQUAL_ROWS_NOTE), Account()),
)
