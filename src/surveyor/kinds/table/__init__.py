"""Tables: rows of numbers, categories, dates, formulas, with missing values."""

from surveyor.kinds import Kind
from surveyor.kinds.table.checks import empty_columns, mixed_columns, table_columns
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.files import Table
from surveyor.kinds.table.filters import Formulas
from surveyor.kinds.table.measures import Columns, numbers
from surveyor.kinds.table.panels import Columns as ColumnsPanel
from surveyor.kinds.table.panels import coordinates
from surveyor.kinds.table.rehearsal import guilty, written
from surveyor.measures.common import common
from surveyor.measures.two_sample import Classifier
from surveyor.panels.common import Account, Gradients, Memory, Parts, Progress

EQUAL = (
    " Rows are equal here where all their categories are, and the cells that their numbers lie in."
)

KIND = Kind(
    name="table",
    files=Table(),
    codec=TableCodec,
    checks=(table_columns, mixed_columns, empty_columns),
    measures=(*common(Classifier(numbers)), Columns()),
    filters=(Formulas(),),
    written=written,
    guilty=guilty,
    coordinates=coordinates,
    panels=(Progress(), ColumnsPanel(), Parts(), Gradients(), Memory(EQUAL), Account()),
)
