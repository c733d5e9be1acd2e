"""Visits of some members to the mini-program as SQL, for apps above that count them in a statement of their own."""

from typing import Final

_VISITS: Final = """
SELECT behaviour.member_id, min(behaviour.happened_at) AS visited_at
FROM members_behaviour behaviour
WHERE behaviour.happened_at >= %(from_at)s AND behaviour.happened_at < %(until_at)s AND behaviour.member_id IN ({who})
GROUP BY behaviour.member_id
"""


def visits_sql(*, who: str) -> str:
    """When each was there first from %(from_at)s to before %(until_at)s: member_id, visited_at. `who` is a query that yields
    their ids."""
    return _VISITS.format(who=who)
