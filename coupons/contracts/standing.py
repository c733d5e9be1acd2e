"""Standing rules: what staff decide, and what became of it."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Literal

OccasionName = Literal[
    "first_bound",
    "bound",
    "joined",
    "profile_completed",
    "birthday",
    "tier_reached",
    "tier_monthly",
    "purchase",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StandingTerms:
    """On which occasion a coupon of which batch is given, and to whom. Empty conditions mean everybody.

    `days_before` is for birthdays only, `tier_id` for the two occasions of a tier only. Of a purchase `least_fen` has
    to be left after returns, of `category_codes` alone where some are named, and places are those that sold.
    """

    name: str
    occasion: OccasionName
    batch_id: int
    days_before: int = 0
    tier_id: int | None = None
    store_ids: tuple[int, ...] = ()
    region_ids: tuple[int, ...] = ()
    tier_ids: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    least_fen: int = 0
    is_first_only: bool = False
    category_codes: tuple[str, ...] = ()
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class BoughtFact:
    """An order as it stands now: what is left of it after returns, together and of each category.

    `key` is the same in all revisions of the order and begins with "sale:"; `member_id` is None when it names nobody.
    """

    key: str
    member_id: int | None
    store_id: int
    sold_at: dt.datetime
    is_first: bool
    left_fen: int
    left_by_category: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class StandingRuleCard:
    id: int
    public_id: str
    terms: StandingTerms
    occasion_label: str
    is_on: bool


@dataclasses.dataclass(frozen=True, slots=True)
class StandingCounts:
    """What became of a rule's occasions. `refused` counts members by the code of the reason."""

    given_count: int
    waiting_count: int
    refused: Mapping[str, int]

    @property
    def refused_count(self) -> int:
        return sum(self.refused.values())


@dataclasses.dataclass(frozen=True, slots=True)
class StandingPreview:
    """What a rule would do: how many members it would give to at once, or how many had the occasion within the last
    seven days where it waits for something to happen (`is_looking_back`)."""

    member_count: int
    is_looking_back: bool
    remaining_count: int  # of the batch
    why_not: str  # the code of a refusal: why the batch gives nothing to rules now
    why_not_words: str
    is_of_purchases: bool  # nothing is counted: orders are another's books
    is_once_only: bool  # the batch's limit would stop a rule whose occasion comes again
