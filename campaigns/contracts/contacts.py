"""What is told about the communication matrix."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

MOST_OF_BAND = {0: 0, 1: 1, 2: 3}  # messages; the last band has no most


@dataclasses.dataclass(frozen=True, slots=True)
class ContactTally:
    """Members of one group and stage: how many there are, how many had messages by band, and what came of those."""

    member_count: int = 0
    barred_count: int = 0
    by_band: tuple[int, int, int, int] = (0, 0, 0, 0)  # none, one, two or three, more
    message_count: int = 0
    reader_count: int = 0
    clicker_count: int = 0
    buyer_count: int = 0
    leaver_count: int = 0

    @property
    def reached_count(self) -> int:
        return sum(self.by_band[1:])

    def __add__(self, other: "ContactTally") -> "ContactTally":
        bands = [one + two for one, two in zip(self.by_band, other.by_band, strict=True)]
        return ContactTally(
            self.member_count + other.member_count,
            self.barred_count + other.barred_count,
            (bands[0], bands[1], bands[2], bands[3]),
            self.message_count + other.message_count,
            self.reader_count + other.reader_count,
            self.clicker_count + other.clicker_count,
            self.buyer_count + other.buyer_count,
            self.leaver_count + other.leaver_count,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ContactMatrix:
    """A month: (RFM group, life stage) → its tally; pairs nobody is in are missing. `counted_at` None: not counted yet."""

    month_on: dt.date
    counted_at: dt.datetime | None
    tallies: Mapping[tuple[int, str], ContactTally]
