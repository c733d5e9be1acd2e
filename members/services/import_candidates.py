"""What a person says about a row that may be somebody we know."""

import datetime as dt
from typing import Any, Final, Literal

from django.db import connection, transaction

from core import audit, clock
from core.actor import Actor
from core.imports.holds import wait_turn
from core.imports.running import actor_of
from members.errors import CandidateDecided, NoSuchCandidate
from members.models import CandidateState, ImportCandidate, ImportRow
from members.services.import_columns import ColumnPlan, usable_mapping
from members.services.import_filling import fill_blanks, link_identities
from members.services.import_matching import open_plan
from members.services.import_running import DOER, TURN, finish_rows
from members.services.import_writing import create_people
from members.services.people import lock_member
from members.services.tags import tag_doer

Decision = Literal["same", "different", "skipped"]
# What belongs to another member stays hers; a phone that is not the new member's is not kept with her either.
_FREE_KEYS: Final = """
DELETE FROM import_key key USING members_memberidentity owned
WHERE owned.kind = key.kind AND owned.app_id = key.app_id AND owned.value = key.value
"""
_NO_FOREIGN_PHONE: Final = """
UPDATE members_importrow row SET phone = '', phone_tail = ''
FROM import_plan plan WHERE plan.row_id = row.id AND NOT EXISTS (SELECT FROM import_key WHERE kind = 'phone')
"""


def decide_candidate(
    *, candidate_id: int, decision: Decision, actor: Actor, at: dt.datetime | None = None
) -> None:
    """The row is this member (she gets what it says and she lacks), or it is not, or nobody wants to know.

    When the row is none of the members it may have been, it becomes a new one, with the identities that are
    nobody's yet. Put aside, it is dropped, also from later files. The same decision twice is once; refuses
    another decision after the first, and a row that was deleted with its file.
    """
    at = at or clock.now()
    found = ImportCandidate.objects.filter(pk=candidate_id).first()
    if found is None:
        raise NoSuchCandidate
    with transaction.atomic(), connection.cursor() as cursor:
        wait_turn(TURN)
        member_id = lock_member(found.member_id)
        candidate = ImportCandidate.objects.select_related("job__created_by").lock(candidate_id)
        if candidate.state != CandidateState.WAITING:
            if candidate.state == decision:
                return
            raise CandidateDecided
        row = ImportRow.objects.filter(job=candidate.job, line=candidate.line, is_waiting=True).first()
        if row is None:
            raise NoSuchCandidate
        others = ImportCandidate.objects.filter(
            job=candidate.job, line=candidate.line, state=CandidateState.WAITING
        ).exclude(pk=candidate.pk)
        _answer(ImportCandidate.objects.filter(pk=candidate.pk), decision, actor, at)
        if decision == "same":
            _answer(others, "different", actor, at)
            _take_over(cursor, candidate, row, member_id, actor, at)
        elif decision == "skipped":
            _answer(others, "skipped", actor, at)
            row.delete()
        elif not others.exists():
            _make_new(cursor, candidate, row, actor, at)
        audit.record(
            action="members.import_decided", subject=candidate, actor=actor, at=at, decision=decision
        )


def _answer(candidates: Any, decision: Decision, actor: Actor, at: dt.datetime) -> None:
    candidates.update(state=decision, decided_at=at, decided_by=tag_doer(actor))


def _plan_of(cursor: Any, candidate: ImportCandidate, row: ImportRow) -> ColumnPlan:
    plan = usable_mapping(mapping=candidate.job.mapping, width=len(candidate.job.headings))
    open_plan(
        cursor=cursor,
        job_id=candidate.job.pk,
        app_id=plan.app_id,
        mini_app_id=plan.mini_app_id,
        limit=1,
        rows=[row.pk],
    )
    return plan


def _take_over(
    cursor: Any, candidate: ImportCandidate, row: ImportRow, member_id: int, actor: Actor, at: dt.datetime
) -> None:
    plan = _plan_of(cursor, candidate, row)
    cursor.execute("UPDATE import_plan SET verdict = 'match', member_id = %s", [member_id])
    link_identities(cursor=cursor, actor=actor, at=at)
    fill_blanks(cursor=cursor, job_id=candidate.job.pk, newer_wins=plan.newer_wins, actor=actor, at=at)
    finish_rows(cursor=cursor, plan=plan, actor=actor_of(candidate.job, doer=DOER), at=at)
    row.delete()


def _make_new(cursor: Any, candidate: ImportCandidate, row: ImportRow, actor: Actor, at: dt.datetime) -> None:
    plan = _plan_of(cursor, candidate, row)
    cursor.execute(_FREE_KEYS)
    cursor.execute("SELECT count(*) FROM import_key")
    if cursor.fetchone()[0]:
        cursor.execute(_NO_FOREIGN_PHONE)
        cursor.execute("UPDATE import_plan SET verdict = 'create'")
        create_people(cursor=cursor, actor=actor, at=at)
        finish_rows(cursor=cursor, plan=plan, actor=actor_of(candidate.job, doer=DOER), at=at)
    row.delete()
