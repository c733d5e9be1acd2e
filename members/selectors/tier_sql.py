"""The one statement in which many members are judged, for the job that writes and for the preview that does not.

`judging` gives the common table expressions: `judged` has a row for each member in question with the rung reached
(`reached`), earned (`cur`), given by staff (`man`), the one due to her (`target`), the tier she has (`before_id`) and
the one she will have (`after_id`), positions of both, and the sums that decided. Rungs are numbered from 1, and the
array `rungs` holds their ids, so that rung 0 is NULL.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from members.contracts import TierCard
from members.selectors.tier_rules import Window

_COLUMNS: Final = {"spend_fen": "spend", "order_count": "orders", "growth": "growth"}
RANGE: Final = "member_id > %(after)s AND member_id <= %(upto)s"
IDS: Final = "member_id = ANY(%(ids)s)"
# By today's rules: up at once, down only where that was asked for.
BY_RULES: Final = "CASE WHEN reached > cur OR %(may_fall)s THEN reached ELSE cur END"
# At the end of her time: what she reached, her own tier while the grace runs, else down as the chain decided.
AT_THE_END: Final = """
CASE WHEN reached >= cur THEN reached WHEN NOT %(is_final)s THEN cur
     WHEN %(is_straight)s THEN reached ELSE greatest(reached, cur - 1) END
"""

_SUMS = """
SELECT member_id, #n AS n, sum(spend_fen)::bigint AS spend, sum(order_count)::bigint AS orders,
       sum(growth)::bigint AS growth
FROM members_activityentry WHERE #who AND day >= %(from#n)s AND day < %(until#n)s GROUP BY member_id
"""
_JUDGING = """
WITH sums AS (#sums), best AS (#best), standing AS (
    SELECT member_id, tier_id, earned_tier_id, valid_until, grace_until, manual_tier_id, manual_until,
           coalesce(array_position(%(rungs)s::bigint[], earned_tier_id), 0) AS cur,
           CASE WHEN manual_until > %(day)s
                THEN coalesce(array_position(%(rungs)s::bigint[], manual_tier_id), 0) ELSE 0 END AS man
    FROM members_membertier WHERE #who AND #rows
), seen AS (
    SELECT member_id, n, coalesce(reached, 0) AS reached, coalesce(cur, 0) AS cur, coalesce(man, 0) AS man,
           coalesce(spend, 0) AS spend, coalesce(orders, 0) AS orders, coalesce(growth, 0) AS growth,
           tier_id AS before_id, earned_tier_id, valid_until, grace_until, manual_tier_id, manual_until
    FROM best #join JOIN standing USING (member_id)
), aimed AS (
    SELECT seen.*, #target AS target FROM seen
), judged AS (
    SELECT aimed.*, (%(rungs)s::bigint[])[greatest(target, man)] AS after_id, greatest(target, man) AS after_pos,
           coalesce(array_position(%(rungs)s::bigint[], before_id), 0) AS before_pos
    FROM aimed
)
"""
_BEST = "SELECT *, #reached AS reached FROM sums"
# Of several periods the one that reaches most, the later of two that reach the same.
_BEST_OF_SEVERAL = """
SELECT DISTINCT ON (member_id) * FROM (SELECT *, #reached AS reached FROM sums) each_period
ORDER BY member_id, reached DESC, n DESC
"""


def judging(
    *, who: str, target: str, rungs: Sequence[TierCard], windows: Sequence[Window], rows: str = "true"
) -> str:
    """The expressions, to be followed by a statement about `judged`.

    `who` is RANGE or IDS, `target` is BY_RULES or AT_THE_END; `rows` narrows the rows of MemberTier that are looked
    at, and then members without such a row are left out.
    """
    parts = [_SUMS.replace("#n", str(n)) for n in range(1, len(windows) + 1)]
    best = _BEST if len(windows) == 1 else _BEST_OF_SEVERAL
    join = "FULL" if rows == "true" else "RIGHT"
    text = _JUDGING.replace("#sums", " UNION ALL ".join(parts)).replace("#best", best)
    text = text.replace("#reached", reach_case(rungs)).replace("#join", join).replace("#rows", rows)
    return text.replace("#who", who).replace("#target", target)


def judging_values(
    *, rungs: Sequence[TierCard], windows: Sequence[Window], day: dt.date, **values: Any
) -> dict[str, Any]:
    """The parameters of the expressions."""
    spans = {f"from{n}": window[0] for n, window in enumerate(windows, 1)}
    spans |= {f"until{n}": window[1] for n, window in enumerate(windows, 1)}
    return {"rungs": [tier.id for tier in rungs], "day": day, **spans, **values}


def reach_case(rungs: Sequence[TierCard]) -> str:
    """`position_reached` in SQL, over the columns spend, orders and growth. Only whole numbers enter the text."""
    branches = []
    for position in range(len(rungs), 0, -1):
        tier = rungs[position - 1]
        asked = [
            f"{column} >= {int(need)}"
            for field, column in _COLUMNS.items()
            if (need := getattr(tier, field)) is not None
        ]
        joined = (" AND " if tier.mode == "all" else " OR ").join(asked)
        branches.append(f"WHEN {joined} THEN {position}")
    return f"CASE {' '.join(branches)} ELSE 0 END" if branches else "0"
