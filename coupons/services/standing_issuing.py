"""Standing rules at work: occasions are noted first, one row for each, then what waits is given.

A few are given one by one, with a reason for each who gets none; many by bulk issue in rounds. An event only makes it
quick: the job notes everything that happened within a day, and all that the calendar brought, and whatever waits is
given when its batch gives again.
"""

import datetime as dt
import logging
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from core import clock
from core.actor import Actor
from core.errors import Refusal
from coupons import errors
from coupons.errors import MemberGone
from coupons.models import IssueState, Occasion, StandingIssue, StandingRule
from coupons.selectors.standing import BY_CALENDAR, closed_reason, due_sql, tier_demands
from coupons.services.issuing import issue_coupon
from coupons.services.standing_rounds import give_in_rounds, settle_rounds
from members import selectors as member_selectors
from members import services as member_services
from members.errors import NoSuchMember

logger = logging.getLogger(__name__)

# Up to so many are given one by one; more go by bulk issue.
FEW: Final = 200
NOTED_AT_ONCE: Final = 20_000
# How often everybody is looked at for what the calendar brings.
LOOK_EVERY: Final = dt.timedelta(hours=1)
# The batch gives again some day: whoever came meanwhile waits.
_WAIT_FOR: Final = {
    errors.BatchPaused.code,
    errors.BatchNotOpen.code,
    errors.BatchNotStarted.code,
}

_NOTE: Final = """
WITH due AS MATERIALIZED (
    SELECT DISTINCT found.member_id, found.occasion_key FROM ({due}) found (member_id, occasion_key)
    WHERE (found.member_id, found.occasion_key) > (%s, %s) AND NOT EXISTS (
        SELECT 1 FROM coupons_standingissue had WHERE had.rule_id = %s AND had.member_id = found.member_id
          AND had.occasion_key = found.occasion_key)
    ORDER BY 1, 2 LIMIT %s
), noted AS (
    INSERT INTO coupons_standingissue (rule_id, member_id, occasion_key, state, reason, noted_at, withdrawal)
    SELECT %s, member_id, occasion_key, 'waiting', '', %s, '' FROM due ORDER BY 1, 2
    ON CONFLICT (rule_id, member_id, occasion_key) DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM noted), (SELECT count(*) FROM due), last.member_id, last.occasion_key
FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT * FROM due ORDER BY 1 DESC, 2 DESC LIMIT 1) last ON true
"""
# Of many rows only those that nobody is giving or merging just now: nothing here waits while it holds others.
_UPDATE: Final = """
WITH free AS MATERIALIZED (
    SELECT id FROM coupons_standingissue issue
    WHERE rule_id = %s AND state = 'waiting' AND round_id IS NULL AND {which}
    ORDER BY id FOR NO KEY UPDATE OF issue SKIP LOCKED
)
UPDATE coupons_standingissue issue SET {what} FROM free WHERE issue.id = free.id
"""
_REFUSED: Final = "state = 'refused', reason = %s, settled_at = %s"
_WAITS: Final = _UPDATE.format(which="reason <> %s", what="reason = %s")
_OVER: Final = _UPDATE.format(which="true", what=_REFUSED)


def meet_occasions(
    *, occasions: tuple[str, ...], member_id: int | None = None, actor: Actor, at: dt.datetime | None = None
) -> int:
    """What running rules of these occasions give to this member (or to all who had the occasion within a day) is
    given, or waits for its batch; how many coupons. The same again finds its rows and gives nothing."""
    at = at or clock.now()
    rules = _running(at).filter(occasion__in=occasions)
    return sum(_run(rule, member_id, actor, at) for rule in rules)


def work_standing_rules(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Every running rule has given what it owes by now: what the calendar brought, occasions whose event was lost,
    and members who waited for a paused batch. Answers how many coupons were given. Run twice at once, or killed at any
    moment, it gives each once."""
    at = at or clock.now()
    given = settle_rounds(at=at)
    for rule in _running(at):
        try:
            given += _run(rule, None, actor, at)
        except Refusal as refusal:
            # One rule in trouble keeps no other from giving.
            logger.warning("coupons.rule_not_worked", extra={"rule": rule.pk, "refusal": refusal.code})
    return given


def give_standing_coupon(*, issue_id: int, actor: Actor, at: dt.datetime | None = None) -> str:
    """The waiting member has her coupon, or a reason why not, or goes on waiting for a paused batch. Answers the state
    (an IssueState); a row that is settled, or in a round, is left as it is."""
    at = at or clock.now()
    member_id = StandingIssue.objects.values_list("member_id", flat=True).get(pk=issue_id)
    try:
        with transaction.atomic():
            living_id = member_services.lock_member(member_id)
            row = StandingIssue.objects.lock(issue_id)
            if row.member_id == living_id and row.state == IssueState.WAITING and row.round_id is None:
                _give(row, actor, at)
            return row.state
    except NoSuchMember:
        waiting = StandingIssue.objects.filter(pk=issue_id, state=IssueState.WAITING)
        waiting.update(state=IssueState.REFUSED, reason=MemberGone.code, settled_at=at)
        return IssueState.REFUSED.value


def _running(at: dt.datetime) -> QuerySet[StandingRule]:
    return StandingRule.objects.running(at).select_related("batch__template").order_by("pk")


def _run(rule: StandingRule, member_id: int | None, actor: Actor, at: dt.datetime) -> int:
    if (member_id is not None and rule.occasion != Occasion.PURCHASE) or _is_to_look(rule, at):
        _note(rule, member_id, at)
        if member_id is None:
            StandingRule.objects.filter(pk=rule.pk).update(looked_at=at)
    waiting = StandingIssue.objects.filter(rule=rule, state=IssueState.WAITING, round__isnull=True)
    if member_id is not None:
        waiting = waiting.filter(member_id=member_id)
    if not waiting.exists():
        return 0
    if _is_closed(rule, at):
        return 0
    if member_id is None:
        _refuse_wrong_tiers(rule, at)
    rows = list(waiting.order_by("pk").values_list("pk", flat=True)[: FEW + 1])
    if len(rows) > FEW:
        return give_in_rounds(rule_id=rule.pk, actor=actor, at=at)
    return sum(
        give_standing_coupon(issue_id=row, actor=actor, at=at) == IssueState.GIVEN.value for row in rows
    )


def _is_to_look(rule: StandingRule, at: dt.datetime) -> bool:
    if rule.occasion == Occasion.PURCHASE:
        return False  # whoever records sales notes them
    if rule.occasion not in BY_CALENDAR:
        return True
    return rule.looked_at is None or at - rule.looked_at >= LOOK_EVERY or at < rule.looked_at


def _note(rule: StandingRule, member_id: int | None, at: dt.datetime) -> int:
    """In slices, each a transaction: whoever has the occasion and no row has one now, waiting."""
    due, values = due_sql(rule, at=at, member_id=member_id)
    noted = 0
    after: list[Any] = [0, ""]
    while True:
        limits = [*after, rule.pk, NOTED_AT_ONCE, rule.pk, at]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_NOTE.format(due=due), [*values, *limits])
            new, seen, *last = cursor.fetchone()
        noted += int(new)
        if seen < NOTED_AT_ONCE:
            return noted
        after = list(last)


def _refuse_wrong_tiers(rule: StandingRule, at: dt.datetime) -> None:
    """Who has another tier by now than rule and coupon ask for gets nothing."""
    for code, (fit, values) in tier_demands(rule):
        which = f"NOT EXISTS (SELECT 1 FROM ({fit}) fit (id) WHERE fit.id = issue.member_id)"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE.format(which=which, what=_REFUSED), [rule.pk, *values, code, at])


def _is_closed(rule: StandingRule, at: dt.datetime) -> bool:
    """The batch gives nothing now: who waits goes on waiting for one that will, and is refused by one that is over."""
    refusal = errors.OF_OUTCOME.get(closed_reason(rule.batch_id, at))
    if refusal is None:
        return False
    with connection.cursor() as cursor:
        if refusal.code in _WAIT_FOR:
            cursor.execute(_WAITS, [rule.pk, refusal.code, refusal.code])
        else:
            cursor.execute(_OVER, [rule.pk, refusal.code, at])
    return True


def _give(row: StandingIssue, actor: Actor, at: dt.datetime) -> None:
    """The locked row of a locked member is settled."""
    rule = StandingRule.objects.get(pk=row.rule_id)
    tier = member_selectors.get_tier_standing(row.member_id, at).tier
    try:
        issued = issue_coupon(
            batch_id=rule.batch_id,
            member_id=row.member_id,
            request_key=f"rule:{rule.pk}:{row.occasion_key}",
            door="system",
            tier_id=None if tier is None else tier.id,
            actor=actor,
            at=at,
        )
    except Refusal as refusal:
        row.reason = refusal.code
        if refusal.code not in _WAIT_FOR:
            row.state, row.settled_at = IssueState.REFUSED, at
    else:
        row.state, row.reason, row.settled_at = IssueState.GIVEN, "", at
        row.coupon_id = issued.id
    row.save(update_fields=["state", "reason", "coupon", "settled_at"])
