"""Files of orders and returns."""

import dataclasses

from core.imports.contracts import FileCard


@dataclasses.dataclass(frozen=True, slots=True)
class IntakeCounts:
    """What became of the documents of a file. `repeated` were in the books, word for word."""

    booked: int = 0
    corrected: int = 0
    repeated: int = 0
    superseded: int = 0
    held: int = 0
    refused: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntakeCard(FileCard[IntakeCounts]):
    """One file of orders or returns as it stands. Counts of lines: read (`row_count`), bad; of documents: total, done."""

    kind: str
    kind_label: str
    source: str
    row_count: int
