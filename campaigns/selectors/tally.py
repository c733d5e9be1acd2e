"""How much a member has had of late: what frequency caps are held against."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from campaigns.contracts import Cap
from core import clock
from core.compiled import ask

WEEK: Final = dt.timedelta(days=7)
# No reach lives longer than this between being queued and being sent.
LONGEST_LIFE: Final = dt.timedelta(days=31)

# A message under way counts, and one of which nobody knows whether she has it.
_SENT: Final = """
SELECT member_id, channel, importance, count(*) FILTER (WHERE sent_at >= %(day)s::timestamptz), count(*)
FROM campaigns_reach
WHERE member_id = ANY(%(members)s::bigint[]) AND queued_at >= %(week)s::timestamptz - %(life)s::interval
  AND sent_at >= %(week)s::timestamptz
  AND importance <> 'must' AND channel <> 'inbox'
GROUP BY member_id, channel, importance
"""


class Tally:
    """Counts of the day and of the last seven days, by member; `add` what is about to go out."""

    def __init__(self, rows: Iterable[tuple[int, str, str, int, int]] = ()) -> None:
        self._counts: Counter[tuple[int, str, str, str]] = Counter()
        for member_id, channel, importance, day_count, week_count in rows:
            self._add(member_id, channel, importance, "day", day_count)
            self._add(member_id, channel, importance, "week", week_count)

    def add(self, member_id: int, channel: str, importance: str) -> None:
        for span in ("day", "week"):
            self._add(member_id, channel, importance, span, 1)

    def is_over(self, caps: Iterable[Cap], member_id: int, channel: str, importance: str) -> bool:
        """Whether one more over this channel would break a cap. What must be said is not held against any, and the inbox
        has none."""
        if importance == "must" or channel == "inbox":
            return False
        return any(
            self._counts[(member_id, cap.channel, cap.importance, cap.span)] >= cap.most
            for cap in caps
            if cap.channel in ("", channel) and cap.importance in ("", importance)
        )

    def _add(self, member_id: int, channel: str, importance: str, span: str, count: int) -> None:
        if importance == "must" or channel == "inbox":
            return
        for by_channel in ("", channel):
            for by_importance in ("", importance):
                self._counts[(member_id, by_channel, by_importance, span)] += count


def count_sent(member_ids: Iterable[int], *, at: dt.datetime) -> Tally:
    """What these members have had today and in the seven Shanghai days that end with today."""
    day, _end = clock.day_bounds(clock.business_day(at))
    values: dict[str, Any] = {
        "members": sorted(set(member_ids)),
        "day": day,
        "week": day - WEEK + dt.timedelta(days=1),
        "life": LONGEST_LIFE,
    }
    return Tally(ask(_SENT, values))
