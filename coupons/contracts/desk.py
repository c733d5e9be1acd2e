"""What staff's desks show of coupons, and what they ask for."""

import dataclasses
import datetime as dt
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateFace:
    """How a coupon reads on its card, in words only; the same in the builder, in lists and on the template's page."""

    title: str
    colour: str
    kind_words: str
    before: str  # "¥"
    value: str  # "50"
    after: str  # "折"
    condition: str
    validity: str
    places: str
    people: str
    times: str
    goods: str
    together: str
    gifting: str
    usage: tuple[str, ...]  # lines


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom staff chooses. What is empty does not narrow; several of one sort widen it, several sorts narrow it.

    The places are those of her guide of today; the days are Shanghai's, both included. All empty is everybody.
    """

    tag_ids: tuple[int, ...] = ()
    tier_ids: tuple[int, ...] = ()
    store_ids: tuple[int, ...] = ()
    region_ids: tuple[int, ...] = ()
    dealer_ids: tuple[int, ...] = ()
    joined_from: dt.date | None = None
    joined_until: dt.date | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IssueDraft:
    """What a desk knows besides about a bulk issue that waits to be confirmed."""

    audience_words: str = ""
    file_name: str = ""
    stored_as: str = ""
    bad_lines: Mapping[int, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class ListedMembers:
    """Who stands on an uploaded list, and the lines that name nobody by the code of the reason."""

    member_ids: tuple[int, ...]
    bad_lines: Mapping[int, str]
    line_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class IssuePace:
    """How fast a bulk issue went over the last minute, in members a second, and what is left at that pace."""

    rate: float
    seconds_left: int | None
