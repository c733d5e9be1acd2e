"""What passes between `sales` and whoever shows invitations to rate a purchase."""

import dataclasses
import datetime as dt
from typing import Literal

ReviewStateName = Literal["planned", "open", "answered", "over", "dropped"]


@dataclasses.dataclass(frozen=True, slots=True)
class ReviewCard:
    """One order's review. `score` 1 to 5 and `words` once she has answered; `guide_name` empty: nobody's."""

    public_id: str
    state: ReviewStateName
    order_no: str
    store_name: str
    guide_name: str
    sold_at: dt.datetime
    amount_fen: int
    goods: tuple[str, ...]
    expires_at: dt.datetime
    score: int | None
    words: str
    answered_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class ReviewPage:
    """One page, the newest first; `next_id` is where the next one goes on."""

    reviews: tuple[ReviewCard, ...]
    next_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class SaleRating:
    """What a member said of one order."""

    score: int
    words: str
    answered_at: dt.datetime
