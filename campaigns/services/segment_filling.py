"""The members of segments are as their rules say: worked out whole when that is due, and else for those who changed.

A change of a member's rows is noted by triggers in its own transaction (`SegmentTouch`). Whoever deletes a note
recomputes her in the same transaction, by statements that begin after it: what the note stands for is seen, and what
comes later brings another note. So nothing is missed, however many work at once and wherever they are killed; a
segment's row is locked while its members are written.
"""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import F
from psycopg.errors import QueryCanceled

from campaigns.events import SegmentMoved
from campaigns.models import Segment, SegmentKind, SegmentSize
from campaigns.selectors.segments import found_of, node_of, select_members
from campaigns.services.segment_tags import settle_tags
from campaigns.services.segments import tell_users
from core import clock
from core.arrays import array_words
from core.events import publish

# Notes taken in one transaction; more wait for the next.
_NOTES: Final = 20_000
_RUN_S: Final = 20.0
# What one segment may take; a page's patience is shorter.
_LONGEST_MS: Final = 10 * 60_000
_RETRY: Final = dt.timedelta(minutes=10)
_SETTLING: Final = dt.timedelta(seconds=10)

_TAKE: Final = """
DELETE FROM campaigns_segmenttouch WHERE id IN (
    SELECT id FROM campaigns_segmenttouch ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING fact, member_id
"""
_FILL: Final = """
WITH wanted (member_id) AS MATERIALIZED ({wanted}),
gone AS (
    DELETE FROM campaigns_segmentmember row WHERE row.segment_id = %s {among}
      AND NOT EXISTS (SELECT FROM wanted WHERE wanted.member_id = row.member_id)
    RETURNING row.member_id),
came AS (
    INSERT INTO campaigns_segmentmember (segment_id, member_id, entered_at)
    SELECT %s, wanted.member_id, %s FROM wanted
    WHERE NOT EXISTS (SELECT FROM campaigns_segmentmember row
                      WHERE row.segment_id = %s AND row.member_id = wanted.member_id)
    RETURNING member_id){noted}
SELECT (SELECT count(*) FROM came), (SELECT count(*) FROM gone)
"""
_NOTED: Final = """,
noted AS (
    INSERT INTO campaigns_segmentmove (segment_id, member_id, is_entry, at)
    SELECT %s, moved.member_id, moved.is_entry, %s
    FROM (SELECT member_id, true AS is_entry FROM came UNION ALL SELECT member_id, false FROM gone) moved)
"""
# What writes in other databases of the cluster concerns nobody here; whose database is not known counts.
_WRITING: Final = """
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, min(begun::text::bigint)
FROM pg_snapshot_xip(pg_current_snapshot()) begun
LEFT JOIN pg_locks held
    ON held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' AND held.transactionid = begun::xid
LEFT JOIN pg_stat_activity writer ON writer.pid = held.pid
WHERE writer.datname IS NULL OR writer.datname = current_database()
"""


def work_segments(*, at: dt.datetime | None = None) -> int:
    """Segments that are due are worked out whole, and members who changed are looked at; how many segments moved. A run
    ends after some seconds; the timetable begins the next."""
    end, moved = time.monotonic() + _RUN_S, 0
    for pk in list(_due(at).order_by("due_at", "pk").values_list("pk", flat=True)):
        moved += fill_segment(segment_id=pk, at=at)
        if time.monotonic() > end:
            return moved
    while time.monotonic() < end:
        taken, changed = _follow_touched(at)
        moved += changed
        # Tags that were given or taken off are noted too: who asks for them is next.
        if not taken:
            break
    return moved


def _due(at: dt.datetime | None) -> Any:
    at = at or clock.now()
    return Segment.objects.due(clock.business_day(at), at)


def fill_segment(*, segment_id: int, at: dt.datetime | None = None) -> bool:
    """Its members are exactly those whom the rule yields today; whether any moved. Nothing happens when it is not due, or
    somebody else is at it. One that takes too long says so and is tried again later."""
    try:
        with transaction.atomic():
            return _fill(segment_id, at or clock.now())
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
    later = (at or clock.now()) + _RETRY
    Segment.objects.filter(pk=segment_id).update(due_at=later, fault="too_slow")
    return False


def _fill(segment_id: int, at: dt.datetime) -> bool:
    day = clock.business_day(at)
    rows = Segment.objects.due(day, at).filter(pk=segment_id).claim(1)
    if not rows:
        return False
    [row] = rows
    is_first = row.filled_at is None
    settled = _is_settled(row)
    entered, left = _write(row, at, among=None, is_noted=not is_first)
    settle_tags(row, among=None, at=at)
    row.filled_at, row.filled_on, row.fault = at, day, ""
    row.due_at = None if settled else at + _SETTLING
    row.save(update_fields=["filled_at", "filled_on", "fault", "due_at", "quiet_xid"])
    note_size(row, day=day, entered=entered, left=left)
    if row.kind == SegmentKind.SNAPSHOT and (entered or left):
        tell_users(segment_id=row.pk, at=at)
    return bool(entered or left)


def _is_settled(row: Segment) -> bool:
    """Whether everybody has ended who may have written before the segment's facts were watched: they left no note.

    The first time it remembers which transactions had begun; it is settled when the oldest that runs is younger.
    """
    if row.kind != SegmentKind.LIVING:
        return True
    with connection.cursor() as cursor:
        cursor.execute(_WRITING)
        following, oldest = cursor.fetchone()
    if row.quiet_xid is None:
        row.quiet_xid = following
    return oldest is None or bool(oldest >= row.quiet_xid)


def _follow_touched(at: dt.datetime | None) -> tuple[int, int]:
    """One transaction of notes: how many were taken, and how many segments moved."""
    at = at or clock.now()
    touched: dict[str, set[int]] = defaultdict(set)
    moved = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [_NOTES])
            notes = cursor.fetchall()
        for fact, member_id in notes:
            touched[fact].add(member_id)
        if not notes:
            return 0, 0
        rows = Segment.objects.living().filter(facts__overlap=list(touched), filled_at__isnull=False)
        for row in rows.lock_rows():
            among = sorted(set().union(*(touched[fact] for fact in row.facts if fact in touched)))
            entered, left = _write(row, at, among=among, is_noted=True)
            settle_tags(row, among=among, at=at)
            if entered or left:
                moved += 1
                note_size(row, day=clock.business_day(at), entered=entered, left=left)
    return len(notes), moved


def _write(row: Segment, at: dt.datetime, *, among: Sequence[int] | None, is_noted: bool) -> tuple[int, int]:
    """The members, all or these, are as the rule says today; how many came and left. The row is locked."""
    # The day of the last whole count: an incremental one at five past midnight must not mix two days.
    day = clock.business_day(at) if among is None or row.filled_on is None else row.filled_on
    wanted = select_members(found_of(node_of(row.rule), day), among=among)
    narrowed = "" if among is None else "AND row.member_id = ANY(%s::bigint[])"
    text = _FILL.format(wanted=wanted.text, among=narrowed, noted=_NOTED if is_noted else "")
    params: list[Any] = [*wanted.params, row.pk]
    if among is not None:
        params.append(array_words(among))
    params += [row.pk, at, row.pk]
    if is_noted:
        params += [row.pk, at]
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LONGEST_MS)])
        if among is None:
            # A segment of before its first statistics looks empty: whole ones would be compared row by row.
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(text, params)
        entered, left = cursor.fetchone()
    if is_noted and (entered or left):
        publish(SegmentMoved(row.pk, entered, left))
    row.member_count += entered - left
    if entered or left:
        Segment.objects.filter(pk=row.pk).update(member_count=F("member_count") + (entered - left))
    return entered, left


def note_size(row: Segment, *, day: dt.date, entered: int, left: int) -> None:
    """The day's line says how many are in it now. The row is locked, so nobody writes it meanwhile."""
    line, is_new = SegmentSize.objects.get_or_create(
        segment=row,
        day=day,
        defaults={"member_count": row.member_count, "entered_count": entered, "left_count": left},
    )
    if not is_new:
        line.member_count = row.member_count
        line.entered_count += entered
        line.left_count += left
        line.save(update_fields=["member_count", "entered_count", "left_count"])
