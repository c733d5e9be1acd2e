"""Files of orders and returns."""

import dataclasses
import datetime as dt


@dataclasses.dataclass(frozen=True, slots=True)
class IntakeCounts:
    """What became of the documents of a file. `repeated` were in the books, word for word."""

    booked: int = 0
    corrected: int = 0
    repeated: int = 0
    superseded: int = 0
    held: int = 0
    refused: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class IntakeCard:
    """One file of orders or returns as it stands. Counts of lines: read, bad; of documents: total, done."""

    id: int
    kind: str
    kind_label: str
    source: str
    file_name: str
    state: str
    state_label: str
    failure: str
    failure_line: int | None
    is_file_there: bool
    row_count: int
    bad_count: int
    total_count: int
    done_count: int
    expected: IntakeCounts
    counts: IntakeCounts
    rate: float  # of the present stretch of work: lines, or documents, a second
    seconds_left: int | None
    created_at: dt.datetime
    ended_at: dt.datetime | None
