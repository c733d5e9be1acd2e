"""What members' rows really hold, for choosing: provinces and cities, and what behaviours were about.

No table lists these, and members are millions. An index is jumped through from one value to the next, so that a value costs
the same for one member and for all of them.
"""

from collections.abc import Collection
from typing import Any, Final

from core.compiled import ask

_MOST_PROVINCES: Final = 200
_MOST_CITIES: Final = 5_000
_PROVINCES: Final = """
WITH RECURSIVE place(province) AS (
    (SELECT province FROM members_memberaddress WHERE province > '' ORDER BY province LIMIT 1)
    UNION ALL
    SELECT later.province FROM place CROSS JOIN LATERAL (
        SELECT home.province FROM members_memberaddress home WHERE home.province > place.province
        ORDER BY home.province LIMIT 1) later)
SELECT province FROM place LIMIT %(most)s
"""
_CITIES: Final = """
WITH RECURSIVE place(province, city) AS (
    (SELECT province, city FROM members_memberaddress ORDER BY province, city LIMIT 1)
    UNION ALL
    SELECT later.province, later.city FROM place CROSS JOIN LATERAL (
        SELECT home.province, home.city FROM members_memberaddress home
        WHERE (home.province, home.city) > (place.province, place.city)
        ORDER BY home.province, home.city LIMIT 1) later)
SELECT city, coalesce(string_agg(nullif(province, ''), %(and)s::text ORDER BY province), '')
FROM (SELECT * FROM place LIMIT %(most)s) known
WHERE city <> '' AND strpos(lower(city), lower(%(words)s::text)) > 0
GROUP BY city ORDER BY strpos(lower(city), lower(%(words)s::text)), city LIMIT %(limit)s
"""
# Of the newest of all kinds the frequent ones first; then the first of this kind in the order of its index, which are all
# where there are few (pages, campaigns), and those that were asked for by name.
_NEWEST: Final = 20_000
_MOST_SUBJECTS: Final = 500
_SUBJECTS: Final = """
WITH RECURSIVE known(subject) AS (
    (SELECT subject FROM members_behaviour WHERE kind = %(kind)s ORDER BY subject LIMIT 1)
    UNION ALL
    SELECT later.subject FROM known CROSS JOIN LATERAL (
        SELECT deed.subject FROM members_behaviour deed WHERE deed.kind = %(kind)s AND deed.subject > known.subject
        ORDER BY deed.subject LIMIT 1) later),
newest AS (SELECT kind, subject FROM members_behaviour ORDER BY happened_at DESC LIMIT %(newest)s),
told AS (
    SELECT subject, count(*) AS times FROM newest WHERE kind = %(kind)s GROUP BY subject
    UNION ALL
    SELECT subject, 0 FROM (SELECT subject FROM known LIMIT %(most)s) few
    UNION ALL
    SELECT asked.subject, 0 FROM unnest(%(named)s::text[]) asked(subject)
    WHERE EXISTS (SELECT FROM members_behaviour deed WHERE deed.kind = %(kind)s AND deed.subject = asked.subject))
SELECT subject FROM told
WHERE strpos(lower(subject), lower(%(words)s::text)) > 0 OR subject = ANY(%(named)s::text[])
GROUP BY subject ORDER BY sum(times) DESC, subject LIMIT %(limit)s
"""


def list_provinces() -> list[str]:
    """Where members live."""
    return [row[0] for row in ask(_PROVINCES, {"most": _MOST_PROVINCES})]


def find_cities(words: str, *, limit: int) -> list[tuple[str, str]]:
    """(city, its province or provinces) of members' cities that have these words in their name."""
    values: dict[str, Any] = {"and": "、", "most": _MOST_CITIES, "words": words, "limit": limit}
    return [(city, provinces) for city, provinces in ask(_CITIES, values)]


def find_subjects(kind: str, words: str, *, named: Collection[str] = (), limit: int) -> list[str]:
    """What behaviours of this kind were about, if it has these words in it or is one of those `named` so; the frequent
    ones first."""
    values: dict[str, Any] = {"kind": kind, "words": words, "named": list(named), "limit": limit}
    return [row[0] for row in ask(_SUBJECTS, {**values, "newest": _NEWEST, "most": _MOST_SUBJECTS})]
