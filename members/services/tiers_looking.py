"""Whether what members did changes their tiers, judged for many at once by what one statement tells of each."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from members.contracts import TierCard, TierDecisions, TierSums
from members.selectors.earning import Earning
from members.selectors.tier_rules import Window, assessed_windows, position_of, position_reached, rungs_of

# Of a statement that has `given` (member_id, activity_key), her `standing` if she has one, and the windows. Neither a tier by
# hand nor grace, and nothing under this key yet.
PLAIN_STANDING: Final = """
    standing.manual_tier_id IS NULL AND standing.grace_until IS NULL
    AND NOT EXISTS (SELECT FROM members_activityentry entry
                    WHERE entry.origin_id = given.member_id AND entry.source_key = given.activity_key)
    AND NOT EXISTS (SELECT FROM members_activityentry entry
                    WHERE entry.member_id = given.member_id AND entry.source_key = given.activity_key)
"""
# What she did in each window.
SUMS: Final = """
    ARRAY(SELECT ARRAY[coalesce(sum(entry.spend_fen), 0), coalesce(sum(entry.order_count), 0),
                       coalesce(sum(entry.growth), 0)]::bigint[]
          FROM unnest(%(froms)s::date[], %(untils)s::date[]) WITH ORDINALITY span(since, until, n)
          LEFT JOIN members_activityentry entry ON entry.member_id = given.member_id
              AND entry.day >= span.since AND entry.day < span.until
          GROUP BY span.n ORDER BY span.n)
"""


class Ladder:
    """The tiers and how they are reached, as of a day."""

    def __init__(self, earning: Earning, day: dt.date) -> None:
        self.rungs: tuple[TierCard, ...] = rungs_of(earning.ladder)
        self.decisions: TierDecisions = earning.tier_decisions
        self.windows: tuple[Window, ...] = assessed_windows(self.decisions, day) if self.rungs else ()

    def has(self, earned_tier_id: int | None) -> bool:
        """Whether it is one of today's: who earned one that is retired is judged by herself."""
        return earned_tier_id is None or position_of(self.rungs, earned_tier_id) > 0

    def is_risen(
        self,
        *,
        day: dt.date,
        spend_fen: int,
        order_count: int,
        sums: Sequence[Sequence[int]],
        earned_tier_id: int | None,
    ) -> bool:
        """Whether she has reached a higher tier with this activity besides her `sums`."""
        reached = 0
        for window, (spend, orders, growth) in zip(self.windows, sums, strict=True):
            counts = window[0] <= day < window[1]
            told = TierSums(spend + counts * spend_fen, orders + counts * order_count, growth)
            reached = max(reached, position_reached(self.rungs, told))
        return reached > position_of(self.rungs, earned_tier_id)
