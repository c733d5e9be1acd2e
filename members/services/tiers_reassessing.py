"""Tiers of all members: the nightly job at the end of their time, the warning before it, and the reassessment that
staff start after the rules were changed.

All work in slices, by member id, each in a transaction of its own. What a slice has done is no longer due, so a job
that was killed goes on where it was, and two at once share the work: both lock the members first and look again.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from members.contracts import ReassessmentCard, TierCard, TierDecisions, TierRun
from members.errors import ReassessmentUnderWay, StaffOnly
from members.events import ReassessmentRequested, TierAtRisk
from members.models import MemberTier, ReassessmentState, TierReassessment, TierSettings
from members.selectors.tier_rules import assessed_windows, keeping_window, rungs_of, tier_at
from members.selectors.tier_sql import AT_THE_END, BY_RULES, IDS, RANGE, judging, judging_values
from members.selectors.tiers import get_tier_decisions, list_tiers, reassessment_card
from members.services import tiers_batches
from members.services.points_ledger import actor_words
from members.services.tiers_batches import Batch, lock_living, missing_for, run_sql

_NEXT_RANGE = """
SELECT max(id), count(*) FROM (SELECT id FROM members_member WHERE id > %(after)s ORDER BY id LIMIT %(size)s) slice
"""
_DIFFERENT = """
SELECT (SELECT count(*) FROM judged), coalesce(array_agg(member_id ORDER BY member_id), '{}') FROM judged
WHERE target <> cur OR (%(rungs)s::bigint[])[target] IS DISTINCT FROM earned_tier_id
      OR before_id IS DISTINCT FROM after_id
"""
_DUE = "valid_until = %(valid_until)s AND grace_until IS NULL AND warned_for IS DISTINCT FROM %(valid_until)s"
# A tier that staff gave and that outlasts the day is not at risk.
_AT_RISK = """
FROM judged WHERE reached < cur AND NOT (man >= cur AND coalesce(manual_until > %(valid_until)s, false))
"""
_WARN = """
, warned AS (
    UPDATE members_membertier row SET warned_for = %(valid_until)s
    FROM (SELECT member_id #risk) risky WHERE row.member_id = risky.member_id
    RETURNING row.member_id
)
SELECT member_id, cur, spend, orders, growth FROM judged JOIN warned USING (member_id) ORDER BY member_id
"""


def reassess_tiers(*, actor: Actor, at: dt.datetime | None = None) -> TierRun:
    """Nobody's tier outlasts its end: gifts of staff that are over are taken back; who kept her tier has it for
    another period, who did not has the grace days, and falls when they are over.

    The check is made for the day of the end (or of the grace's end), however late the job runs. Run twice, or by
    two at once, it changes nothing the second time. Publishes TierChanged for each slice; the changes are the trail
    of each member, the audit has one row for the run.
    """
    at = at or clock.now()
    day = clock.business_day(at)
    rungs, decisions = rungs_of(list_tiers()), get_tier_decisions()
    batch = Batch(rungs=rungs, decisions=decisions, actor=actor, at=at, day=day)
    ended = kept = graced = fallen = 0
    for ids in _slices_of(MemberTier.objects.filter(manual_until__lte=day)):
        with transaction.atomic():
            ended += batch.end_grants(ids)
    for valid_until, grace_until in _ends(day):
        grace = valid_until + dt.timedelta(days=decisions.grace_days)
        checked_on = grace_until or (grace if grace <= day else valid_until)
        window = keeping_window(decisions, valid_until, checked_on)
        due = MemberTier.objects.due(day).filter(valid_until=valid_until, grace_until=grace_until)
        for ids in _slices_of(due):
            with transaction.atomic():
                done = batch.at_the_end(ids, window, ended=(valid_until, grace_until), checked_on=checked_on)
            kept, graced, fallen = kept + done.kept, graced + done.graced, fallen + done.fallen
    fallen += _leave_retired(batch)
    counts = {"ended": ended, "kept": kept, "graced": graced, "fallen": fallen}
    _tell_run("members.tiers_reassessed", actor=actor, at=at, **counts)
    return TierRun(ended, kept, graced, fallen)


def announce_tiers_at_risk(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Whoever would lose her tier within the chain's notice days is announced (TierAtRisk) with what is missing,
    once for each end. Answers how many were. A tier that is kept by then, after all, is simply kept."""
    at = at or clock.now()
    day = clock.business_day(at)
    rungs, decisions = rungs_of(list_tiers()), get_tier_decisions()
    last = day + dt.timedelta(days=decisions.notice_days)
    coming = MemberTier.objects.filter(
        earned_tier__isnull=False, grace_until__isnull=True, valid_until__gt=day, valid_until__lte=last
    )
    told = 0
    for valid_until in _days_of(coming):
        rows = coming.filter(valid_until=valid_until).exclude(warned_for=valid_until)
        for ids in _slices_of(rows):
            with transaction.atomic():
                told += _warn(ids, valid_until, rungs=rungs, decisions=decisions, day=day)
    _tell_run("members.tiers_at_risk_announced", actor=actor, at=at, members=told)
    return told


def request_reassessment(*, may_fall: bool, actor: Actor, at: dt.datetime | None = None) -> ReassessmentCard:
    """All members will be assessed by today's rules, in the background; who would stand lower keeps her tier
    unless `may_fall`. Refuses everybody but staff, and while another reassessment is under way."""
    at = at or clock.now()
    if actor.kind != "staff":
        raise StaffOnly
    try:
        with transaction.atomic():
            row = TierReassessment.objects.create(
                may_fall=may_fall,
                on=clock.business_day(at),
                requested_at=at,
                requested_by=actor_words(actor),
            )
            audit.record(
                action="members.reassessment_requested", subject=row, actor=actor, at=at, may_fall=may_fall
            )
            events.publish(ReassessmentRequested(row.pk))
    except IntegrityError as error:
        if violated(error) == "tierreassessment_one_waiting":
            raise ReassessmentUnderWay from None
        raise
    return reassessment_card(row)


def run_reassessments(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """The reassessment that waits is worked off to its end. Answers how many members rose or fell in this run.

    Its row is locked for each slice and remembers how far it is: a run that was killed is gone on with, and two at
    once take turns.
    """
    changed = 0
    while (moved := _next_slice(actor=actor, at=at or clock.now())) is not None:
        changed += moved
    return changed


def _next_slice(*, actor: Actor, at: dt.datetime) -> int | None:
    with transaction.atomic():
        rows = TierReassessment.objects.filter(state=ReassessmentState.WAITING).lock_rows()
        if not rows:
            return None
        row = rows[0]
        upto, count = run_sql(_NEXT_RANGE, after=row.cursor, size=tiers_batches.SLICE)[0]
        if not count:
            row.state, row.done_at = ReassessmentState.DONE, at
            row.save(update_fields=["state", "done_at"])
            audit.record(
                action="members.reassessment_done",
                subject=row,
                actor=actor,
                at=at,
                members=row.seen_count,
                risen=row.risen_count,
                fallen=row.fallen_count,
            )
            return 0
        seen, risen, fallen = _reassess_range(row, upto, actor=actor, at=at)
        row.cursor = upto
        row.seen_count += seen
        row.risen_count += risen
        row.fallen_count += fallen
        row.save(update_fields=["cursor", "seen_count", "risen_count", "fallen_count"])
        return risen + fallen


def _reassess_range(
    row: TierReassessment, upto: int, *, actor: Actor, at: dt.datetime
) -> tuple[int, int, int]:
    """Members up to that id: looked at without locks, and those who would change again under theirs."""
    rungs, decisions = rungs_of(list_tiers()), get_tier_decisions()
    windows = assessed_windows(decisions, row.on)
    values = judging_values(
        rungs=rungs, windows=windows, day=row.on, may_fall=row.may_fall, after=row.cursor, upto=upto
    )
    sql = judging(who=RANGE, target=BY_RULES, rungs=rungs, windows=windows)
    seen, ids = run_sql(sql + _DIFFERENT, **values)[0]
    if not ids:
        return seen, 0, 0
    batch = Batch(rungs=rungs, decisions=decisions, actor=actor, at=at, day=row.on)
    done = batch.by_rules(ids, windows, may_fall=row.may_fall)
    return seen, done.risen, done.fallen


def _leave_retired(batch: Batch) -> int:
    """A tier can be retired in the very moment in which a member reaches it. She has what the rules give her."""
    strays = MemberTier.objects.filter(earned_tier__is_active=False)
    windows = assessed_windows(batch.decisions, batch.day)
    fallen = 0
    for ids in _slices_of(strays):
        with transaction.atomic():
            fallen += batch.by_rules(ids, windows, may_fall=False).fallen
    return fallen


def _warn(
    ids: Sequence[int],
    valid_until: dt.date,
    *,
    rungs: Sequence[TierCard],
    decisions: TierDecisions,
    day: dt.date,
) -> int:
    """Who is at risk is looked for first, so that nobody else is locked."""
    window = keeping_window(decisions, valid_until, valid_until)
    sql = judging(who=IDS, target=AT_THE_END, rungs=rungs, windows=[window], rows=_DUE)
    values = judging_values(
        rungs=rungs, windows=[window], day=day, valid_until=valid_until, is_final=True, is_straight=True
    )
    risky = run_sql(" ".join((sql, "SELECT member_id", _AT_RISK)), **values, ids=list(ids))
    living = lock_living(ids=[row[0] for row in risky])
    if not living:
        return 0
    rows = run_sql(sql + _WARN.replace("#risk", _AT_RISK), **values, ids=living)
    for member_id, position, *sums in rows:
        tier = tier_at(rungs, position)
        tier_id = 0 if tier is None else tier.id
        events.publish(
            TierAtRisk(member_id, tier_id, valid_until.isoformat(), *missing_for(tier=tier, sums=sums))
        )
    return len(rows)


def _ends(day: dt.date) -> list[tuple[dt.date, dt.date | None]]:
    """The different ends that have come: a handful, as the job runs every day."""
    pairs = MemberTier.objects.due(day).values_list("valid_until", "grace_until").distinct()
    found: list[Any] = list(pairs)
    return sorted(found, key=lambda pair: (pair[0], pair[1] or dt.date.min))


def _days_of(rows: Any) -> list[dt.date]:
    """The different ends of these rows."""
    return sorted(rows.order_by().values_list("valid_until", flat=True).distinct())


def _slices_of(rows: Any) -> Iterator[list[int]]:
    """Member ids of these rows, in order, a slice at a time; what was done meanwhile is not met again."""
    after = 0
    while True:
        found = rows.filter(member_id__gt=after).order_by("member_id")
        ids = list(found.values_list("member_id", flat=True)[: tiers_batches.SLICE])
        if not ids:
            return
        yield ids
        after = ids[-1]


def _tell_run(action: str, *, actor: Actor, at: dt.datetime, **counts: int) -> None:
    if any(counts.values()):
        audit.record(action=action, subject=TierSettings(pk=1), actor=actor, at=at, **counts)
