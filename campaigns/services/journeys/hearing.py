"""What happened is heard: it ends ways, wakes who waits, and lets members in.

Whoever deletes a moment acts on it in the same transaction, so each is heard once, however many listen and wherever they are
killed. Who is under way hears it before somebody enters by it: what brought her in is not what she waits for, but what followed
it may be.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from campaigns.models import Journey, JourneyState, JourneyVersion
from campaigns.services.journeys.entering import Entry, let_in
from campaigns.services.journeys.rows import tally
from core import clock
from core.arrays import array_words
from members import selectors as member_selectors

AT_ONCE: Final = 5_000
# One process hears at a time: another would hear what followed a moment before whom that lets in has entered.
_TURN: Final = "SELECT pg_try_advisory_xact_lock(7316003, 1)"
_TAKE: Final = """
DELETE FROM campaigns_journeymoment WHERE id IN (
    SELECT id FROM campaigns_journeymoment ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, event, member_id, key
"""
_UNDER_WAY: Final = """
SELECT row.id, row.version_id, row.member_id, row.step, row.waiting_for, row.heard, row.begun_after
FROM campaigns_enrolment row JOIN campaigns_journeyversion version ON version.id = row.version_id
WHERE row.member_id = ANY(%s::bigint[]) AND row.state = 'waiting' AND version.events && %s::varchar[]
ORDER BY row.id FOR NO KEY UPDATE OF row
"""
# She is due at once when it is what she waits for; a runner that has her in hand finds that she left.
_HEAR: Final = """
UPDATE campaigns_enrolment row SET
    heard = string_to_array(told.heard, ','), state = told.state, code = told.code,
    is_woken = row.is_woken OR told.woken, due_at = CASE WHEN told.woken THEN least(row.due_at, %(at)s) ELSE row.due_at END,
    ended_at = CASE WHEN told.state = 'waiting' THEN NULL ELSE %(at)s::timestamptz END,
    lease_holder = CASE WHEN told.state = 'waiting' THEN row.lease_holder ELSE '' END,
    leased_until = CASE WHEN told.state = 'waiting' THEN row.leased_until END
FROM unnest(%(ids)s::bigint[], %(heards)s::text[], %(states)s::text[], %(codes)s::text[], %(wokens)s::boolean[])
    AS told (id, heard, state, code, woken)
WHERE row.id = told.id
"""
_LOG: Final = """
INSERT INTO campaigns_enrolmentstep (enrolment_id, step, at, way, code, ref)
SELECT id, step, %s, way, code, '' FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS told (id, step, way, code)
"""


class _Heard(NamedTuple):
    id: int
    event: str
    member_id: int
    key: str


class _UnderWay(NamedTuple):
    id: int
    version_id: int
    member_id: int
    step: str
    waiting_for: str
    heard: list[str]
    begun_after: int


class _Told(NamedTuple):
    row: _UnderWay
    heard: list[str]
    state: str
    code: str
    woken: bool


def hear_moments(*, at: dt.datetime | None = None) -> int:
    """Up to some thousand moments are heard, in one transaction; how many. None while another process is at it."""
    at = at or clock.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TURN)
            if not cursor.fetchone()[0]:
                return 0
            cursor.execute(_TAKE, [AT_ONCE])
            taken = [_Heard(*row) for row in sorted(cursor.fetchall())]
        if not taken:
            return 0
        living = member_selectors.list_living_targets({one.member_id for one in taken})
        heard = [one._replace(member_id=living[one.member_id]) for one in taken if one.member_id in living]
        if heard:
            _tell(heard, at)
            entered = _let_in(heard, at)
            # She joined and bought at the till before anybody listened: the purchase is of the way that her joining began.
            _tell([one for one in heard if one.member_id in entered], at)
    return len(taken)


def _tell(heard: Sequence[_Heard], at: dt.datetime) -> None:
    """Everybody under way whose version listens. Hearing the same again changes nothing."""
    of_member: dict[int, list[_Heard]] = defaultdict(list)
    for one in heard:
        of_member[one.member_id].append(one)
    if not of_member:
        return
    with connection.cursor() as cursor:
        cursor.execute(_UNDER_WAY, [array_words(of_member), array_words({one.event for one in heard})])
        rows = [_UnderWay(*row) for row in cursor.fetchall()]
    versions = JourneyVersion.objects.in_bulk({row.version_id for row in rows})
    told = [
        verdict
        for row in rows
        if (verdict := _judge(row, versions[row.version_id], of_member[row.member_id])) is not None
    ]
    if told:
        _write(told, at)


def _judge(row: _UnderWay, version: JourneyVersion, heard: Sequence[_Heard]) -> _Told | None:
    # What happened before what let her in, and was heard late, is not of her way. Told by their order: clocks go wrong.
    events = [one.event for one in heard if one.event in version.events and one.id > row.begun_after]
    if not events:
        return None
    known = list(dict.fromkeys([*row.heard, *events]))
    for state, listens in (("achieved", version.goal_events), ("exited", version.exit_events)):
        found = next((event for event in events if event in listens), None)
        if found is not None:
            return _Told(row, known, state, f"event:{found}", False)
    return _Told(row, known, "waiting", "", bool(row.waiting_for) and row.waiting_for in events)


def _write(told: Sequence[_Told], at: dt.datetime) -> None:
    values: dict[str, Any] = {
        "ids": array_words(one.row.id for one in told),
        "heards": array_words(",".join(one.heard) for one in told),
        "states": array_words(one.state for one in told),
        "codes": array_words(one.code for one in told),
        "wokens": "{" + ",".join("t" if one.woken else "f" for one in told) + "}",
        "at": at,
    }
    over = [one for one in told if one.state != "waiting"]
    with connection.cursor() as cursor:
        cursor.execute(_HEAR, values)
        if over:
            cursor.execute(
                _LOG,
                [
                    at,
                    array_words(one.row.id for one in over),
                    array_words(one.row.step for one in over),
                    array_words(one.state for one in over),
                    array_words(one.code for one in over),
                ],
            )
    tally(counts=_counts(over))


def _counts(over: Sequence[_Told]) -> Mapping[tuple[int, str, str], int]:
    counts: Counter[tuple[int, str, str]] = Counter()
    for one in over:
        counts[one.row.version_id, one.row.step, one.state] += 1
        counts[one.row.version_id, "", one.state] += 1
    return counts


def _let_in(heard: Sequence[_Heard], at: dt.datetime) -> set[int]:
    """Everybody whose moment begins a running journey; who entered one."""
    entered: set[int] = set()
    events = {one.event for one in heard}
    journeys = (
        Journey.objects.filter(state=JourneyState.RUNNING, version__entry_events__overlap=list(events))
        .select_related("version")
        .order_by("pk")
    )
    for journey in journeys:
        version = journey.version
        assert version is not None
        entries = [
            Entry(one.member_id, one.key, moment_id=one.id)
            for one in heard
            if one.event in version.entry_events
        ]
        entered |= let_in(version=version, entries=entries, at=at).keys()
    return entered
