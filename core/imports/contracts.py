"""What pages and commands are told about an import."""

import dataclasses
import datetime as dt
from typing import Generic, TypeVar

C = TypeVar("C")


@dataclasses.dataclass(frozen=True, slots=True)
class ImportSample:
    """One cell as it stands and as it is read; `problem` says why it cannot be."""

    text: str
    reading: str
    problem: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ImportColumn:
    """One column of a file: its heading, what it is read as ("" for nothing), and its first cells."""

    index: int
    heading: str
    target: str
    samples: tuple[ImportSample, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FileCard(Generic[C]):
    """One import as it stands. `rate` is of the present stretch of work: lines read, or things settled, a second;
    `seconds_left` is None while nobody can tell."""

    id: int
    public_id: str
    file_name: str
    state: str
    state_label: str
    failure: str
    failure_line: int | None
    is_file_there: bool
    total_count: int
    done_count: int
    bad_count: int
    expected: C
    counts: C
    rate: float
    seconds_left: int | None
    created_at: dt.datetime
    ended_at: dt.datetime | None


class BadValue(ValueError):
    """The cell cannot be read; `code` says why. The text itself stays out of it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
