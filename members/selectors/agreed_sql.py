"""Who agrees to be told of something as SQL, for apps above that ask it in a statement of their own."""

from typing import Final

_AGREED: Final = """
SELECT last.member_id FROM (
    SELECT DISTINCT ON (entry.member_id) entry.member_id, entry.action FROM members_consententry entry
    WHERE entry.kind_id = (SELECT kind.id FROM members_consentkind kind WHERE kind.code = %s)
    ORDER BY entry.member_id, entry.at DESC, entry.id DESC) AS last
WHERE last.action = 'agreed'
"""


def agreed_sql(*, kind: str = "marketing") -> tuple[str, tuple[str, ...]]:
    """member_id of everybody whose last word on this kind is yes, once each, read in one pass; merged and erased rows are
    among them. With its parameters, in the order of their places."""
    return _AGREED, (kind,)
