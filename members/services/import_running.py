"""What a worker does with staged rows: foretell what would come of them, and write them batch by batch."""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.expressions import RawSQL

from core.actor import Actor
from core.imports.holds import Hold
from core.imports.running import actor_of, add_counts
from members.contracts import ImportCounts
from members.errors import ImportTooManyTags, TagNameTaken
from members.models import ImportJob, ImportRow, Member, Tag, TagGroup
from members.services.import_columns import ColumnPlan
from members.services.import_filling import (
    fill_blanks,
    has_strangers,
    link_identities,
    settle_places,
    tag_people,
)
from members.services.import_matching import judge, lock_owners, open_plan
from members.services.import_points import credit_opening_points
from members.services.import_writing import create_people
from members.services.tags import create_tag, create_tag_group

BATCH: Final = 10_000
DOER: Final = "import_members"
TURN: Final = 7_314_001  # the key of the advisory lock; nothing else uses it
_ROUNDS: Final = 8
_MOST_TAGS: Final = 300
_COUNTS: Final = """
SELECT count(*) FILTER (WHERE verdict = 'created'),
       count(*) FILTER (WHERE verdict = 'matched' AND member_id <= %(newest)s AND member_id = ANY(%(touched)s)),
       count(*) FILTER (WHERE verdict = 'matched' AND member_id <= %(newest)s AND NOT member_id = ANY(%(touched)s)),
       count(*) FILTER (WHERE verdict = 'matched' AND member_id > %(newest)s),
       count(*) FILTER (WHERE verdict = 'candidate'),
       count(*) FILTER (WHERE verdict = 'known')
FROM import_plan
"""
# A file may be the first of the members there are: with the statistics of empty tables the planner joins whole
# batches row by row. Autovacuum comes minutes later; where it is at work just now, it does the same. Only the columns
# of joins: the elements of arrays take most of the time.
_LOOK_ANEW: Final = """
ANALYZE (SKIP_LOCKED) members_importrow (job_id, line, is_waiting),
    members_member (id, birthday, phone_tail, merged_into_id), members_memberidentity,
    members_memberaddress (member_id, province, city, district)
"""
_WAIT: Final = """
UPDATE members_importrow row SET is_waiting = TRUE
FROM import_plan plan WHERE plan.row_id = row.id AND plan.verdict = 'candidate'
"""
_SETTLED: Final = """
DELETE FROM members_importrow row USING import_plan plan
WHERE plan.row_id = row.id AND plan.verdict IN ('created', 'matched', 'known')
"""
# Lines of members who were there, to whom the row adds something: in the words of import_filling, without locks.
_FORETELL: Final = """
SELECT count(*) FILTER (WHERE verdict = 'create'), count(*) FILTER (WHERE verdict = 'match' AND adds),
       count(*) FILTER (WHERE verdict = 'match' AND NOT adds), count(*) FILTER (WHERE verdict = 'later'),
       count(*) FILTER (WHERE verdict = 'candidate'), count(*) FILTER (WHERE verdict = 'known')
FROM (
    SELECT plan.verdict, plan.verdict = 'match' AND (
        (row.name <> '' AND (member.name = '' OR (%(newer)s AND member.name_tokens <> row.name_tokens)))
        OR (row.gender <> '' AND (member.gender = '' OR (%(newer)s AND member.gender <> row.gender)))
        OR (row.birthday IS NOT NULL AND (member.birthday IS NULL
                                          OR (%(newer)s AND member.birthday <> row.birthday)))
        OR ((row.province <> '' OR row.street <> '') AND home.id IS NULL)
        OR fresh.line IS NOT NULL) AS adds
    FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
    LEFT JOIN members_member member ON member.id = plan.member_id AND plan.verdict = 'match'
    LEFT JOIN members_memberaddress home ON home.member_id = member.id
    LEFT JOIN (
        SELECT DISTINCT key.line FROM import_key key LEFT JOIN members_memberidentity owned
            ON owned.kind = key.kind AND owned.app_id = key.app_id AND owned.value = key.value
        WHERE owned.id IS NULL) fresh ON fresh.line = plan.line) told
"""


class Moved(Exception):
    """Somebody linked an identity of the batch or merged one of its members meanwhile: look again."""


def foretell(*, job: ImportJob, plan: ColumnPlan, hold: Hold) -> tuple[ImportCounts, int]:
    """What the import would do, counted, and the newest member there is; nothing is written."""
    with transaction.atomic(), connection.cursor() as cursor:
        hold.keep()
        cursor.execute("SET LOCAL statement_timeout = '300s'")
        cursor.execute(_LOOK_ANEW)
        cursor.execute(
            "SELECT count(DISTINCT word) FROM members_importrow, unnest(tags) word WHERE job_id = %s",
            [job.pk],
        )
        if cursor.fetchone()[0] > _MOST_TAGS:
            raise ImportTooManyTags(limit=_MOST_TAGS)
        newest = Member.objects.aggregate(newest=Max("pk"))["newest"] or 0
        _open(cursor, job, plan, limit=None)
        judge(cursor=cursor, job_id=job.pk, newest_member_id=newest, asks=False)
        cursor.execute(_FORETELL, {"newer": plan.newer_wins})
        expected = ImportCounts(*cursor.fetchone())
        cursor.execute("DROP TABLE import_plan, import_key")
    return expected, newest


def write_batch(*, job: ImportJob, plan: ColumnPlan, at: dt.datetime) -> bool:
    """The next rows are written and counted; False when none were left. Inside a transaction that has the turn."""
    with connection.cursor() as cursor:
        _open(cursor, job, plan, limit=BATCH)
        cursor.execute("SELECT count(*) FROM import_plan")
        if cursor.fetchone()[0] == 0:
            cursor.execute(_LOOK_ANEW)
            return False
        counts = settle(cursor=cursor, job=job, plan=plan, actor=actor_of(job, doer=DOER), at=at)
        add_counts(job, dataclasses.asdict(counts))
    return True


def _open(cursor: Any, job: ImportJob, plan: ColumnPlan, *, limit: int | None) -> None:
    open_plan(
        cursor=cursor, job_id=job.pk, app_id=plan.app_id, mini_app_id=plan.mini_app_id, limit=limit, rows=None
    )


def settle(*, cursor: Any, job: ImportJob, plan: ColumnPlan, actor: Actor, at: dt.datetime) -> ImportCounts:
    """The rows of the open plan are written, waiting, or gone; what became of them."""
    newest = job.newest_member_id or 0
    locked = lock_owners(cursor)
    touched: set[int] = set()
    for _round in range(_ROUNDS):
        later = judge(cursor=cursor, job_id=job.pk, newest_member_id=newest, asks=True)
        if create_people(cursor=cursor, actor=actor, at=at):
            cursor.execute("SELECT member_id FROM import_plan WHERE verdict = 'created'")
            locked |= {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT member_id FROM import_plan WHERE verdict = 'match'")
        if not {row[0] for row in cursor.fetchall()} <= locked:
            raise Moved
        touched |= link_identities(cursor=cursor, actor=actor, at=at)
        if has_strangers(cursor):
            raise Moved
        touched |= fill_blanks(cursor=cursor, job_id=job.pk, newer_wins=plan.newer_wins, actor=actor, at=at)
        if not later:
            break
    touched |= finish_rows(cursor=cursor, plan=plan, actor=actor, at=at)
    cursor.execute(_COUNTS, {"newest": newest, "touched": list(touched)})
    counts = ImportCounts(*cursor.fetchone())
    cursor.execute(_WAIT)
    cursor.execute(_SETTLED)
    return counts


def finish_rows(*, cursor: Any, plan: ColumnPlan, actor: Actor, at: dt.datetime) -> set[int]:
    """What hangs on a member who is settled: her address, tags and points. Who got any."""
    touched: set[int] = set()
    columns = plan.columns.keys()
    if columns & {"address", "province", "city", "district", "street"}:
        touched |= settle_places(cursor=cursor, newer_wins=plan.newer_wins, at=at)
    if "tags" in columns:
        tags = _tags_of(cursor, plan, actor=actor, at=at)
        touched |= tag_people(cursor=cursor, tags=tags, newer_wins=plan.newer_wins, actor=actor, at=at)
    if "points" in columns:
        touched |= credit_opening_points(cursor=cursor, actor=actor, at=at)
    return touched


def _tags_of(cursor: Any, plan: ColumnPlan, *, actor: Actor, at: dt.datetime) -> dict[str, Tag]:
    """The tags of the job's group by their words; new words are made, under the lock of all imports."""
    group = TagGroup.objects.filter(name=plan.tag_group).first()
    if group is None:
        group = TagGroup.objects.get(pk=create_tag_group(name=plan.tag_group, actor=actor, at=at).id)
    tags = {tag.name: tag for tag in Tag.objects.filter(group=group).select_related("group")}
    words = ImportRow.objects.filter(pk__in=RawSQL("SELECT row_id FROM import_plan", [])).values_list("tags")
    for word in sorted({word for (row,) in words for word in row} - tags.keys()):
        try:
            card = create_tag(group_id=group.pk, name=word, origin="import", actor=actor, at=at)
        except TagNameTaken:
            raise Moved from None
        tags[word] = Tag.objects.select_related("group").get(pk=card.id)
    return tags
