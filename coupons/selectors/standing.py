"""Standing rules: whose occasion has come, as SQL over the other apps' id querysets; and what became of it."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, QuerySet

from core import clock
from core.labels import label_of
from coupons.contracts import StandingCounts, StandingPreview, StandingRuleCard, StandingTerms
from coupons.errors import OF_OUTCOME, NoSuchRule, TierLost, WrongTier
from coupons.models import (
    IssueState,
    Occasion,
    RuleState,
    StandingIssue,
    StandingRound,
    StandingRule,
    Withdrawal,
)
from coupons.selectors.batches import sum_batch
from guides import selectors as guide_selectors
from members import selectors as member_selectors

# Found by the job when their event was lost; what is older is lost for good.
LOOK_BACK: Final = dt.timedelta(days=1)
# A birthday that the job missed, because nothing ran, is made up for so many days.
BIRTHDAY_LATE: Final = dt.timedelta(days=3)
PREVIEW_SPAN: Final = dt.timedelta(days=7)
# What comes by the calendar comes at this hour of a Shanghai day.
OPENING_HOUR: Final = 9
# Everybody is looked at for these; the others leave a row when they happen.
BY_CALENDAR: Final = frozenset({Occasion.BIRTHDAY, Occasion.TIER_MONTHLY})
# They come to a member more than once.
AGAIN: Final = frozenset({Occasion.BOUND, Occasion.BIRTHDAY, Occasion.TIER_MONTHLY, Occasion.PURCHASE})

Sql = tuple[str, list[Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """Member ids with one key for all, or pairs with an id that ends the key."""

    rows: QuerySet[Any, Any]
    key: str
    has_id: bool = False


def due_sql(
    rule: StandingRule, *, at: dt.datetime, member_id: int | None = None, since: dt.datetime | None = None
) -> Sql:
    """SELECT of (member_id, occasion_key): everybody, or this member, for whom the rule's occasion has come by now
    and whom its conditions fit, whether or not she had it already. `since` replaces the instant from which on what
    happened counts."""
    sources = list(_sources(rule, at, since))
    where, wanted = condition_sql(rule)
    parts: list[str] = []
    values: list[Any] = []
    for source in sources:
        found = _compiled(source.rows)
        if found is None:
            continue
        columns, key = ("(member_id, id)", "%s || found.id") if source.has_id else ("(member_id)", "%s::text")
        sql = f"SELECT found.member_id, {key} AS occasion_key FROM ({found[0]}) found {columns}"  # noqa: S608
        values += [source.key, *found[1]]
        values += [] if member_id is None else [member_id]
        values += wanted
        only = "found.member_id = %s AND " if member_id is not None else ""
        parts.append(f"{sql} WHERE {only}{where}")
    if not parts:
        return "SELECT NULL::bigint AS member_id, NULL::text AS occasion_key WHERE FALSE", []
    return " UNION ALL ".join(parts), values


def condition_sql(rule: StandingRule) -> Sql:
    """What the rule asks of `found.member_id`, beside its occasion; "TRUE" when nothing."""
    wheres: list[str] = []
    values: list[Any] = []
    for choice in _conditions(rule):
        compiled = [one for one in map(_compiled, choice) if one is not None]
        alternatives = " OR ".join(f"found.member_id IN ({one[0]})" for one in compiled)
        wheres.append(f"({alternatives or 'FALSE'})")
        values += [value for one in compiled for value in one[1]]
    return " AND ".join(wheres) or "TRUE", values


def get_member_condition(rule_id: int) -> Sql:
    """The same of a rule by its id, for a statement over another's books. Raises NoSuchRule."""
    rule = StandingRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise NoSuchRule
    return condition_sql(rule)


def tier_demands(rule: StandingRule) -> Iterator[tuple[str, Sql]]:
    """What is asked of a member's tier when it is her turn: the code for those who do not meet it, and a SELECT of the
    ids of those who do. Of the rule (fetched with batch and template) and of the coupon's own terms."""
    if rule.tier_id is not None:
        is_reached = rule.occasion == Occasion.TIER_REACHED
        holders = member_selectors.holder_member_ids(tier_id=rule.tier_id, or_higher=is_reached)
        yield TierLost.code, _either(holders)
    if rule.batch.template.tier_ids:
        tiers = rule.batch.template.tier_ids
        fit = [one for tier in tiers for one in member_selectors.holder_member_ids(tier_id=tier)]
        yield WrongTier.code, _either(fit)


def may_be_given(job_id: int, member_id: int) -> bool:
    """Whether a bulk issue may give to this row, when the one in its audience was merged into it meanwhile: that of a
    standing rule only while her row of it waits. She may have had the same occasion's coupon before."""
    rounds = StandingRound.objects.filter(job_id=job_id)
    if not rounds.exists():
        return True
    rows = StandingIssue.objects.filter(round__in=rounds, member_id=member_id, state=IssueState.WAITING)
    return rows.exists()


def has_purchase_rules(at: dt.datetime) -> bool:
    """Whether any running rule gives for a purchase."""
    return StandingRule.objects.running(at).filter(occasion=Occasion.PURCHASE).exists()


def list_gifted_keys(keys: Iterable[str]) -> list[str]:
    """Those of these orders' keys for which a rule owes or gave something that was not taken back."""
    # The condition is that of the index.
    rows = StandingIssue.objects.filter(occasion_key__in=list(keys), occasion_key__startswith="sale:")
    standing = rows.filter(withdrawal="").exclude(state=IssueState.REFUSED)
    return sorted(set(standing.values_list("occasion_key", flat=True)))


def count_withdrawn_gifts(keys: Iterable[str]) -> dict[str, int]:
    """How many coupons each of these orders had brought and lost again unused."""
    rows = StandingIssue.objects.filter(occasion_key__in=list(keys), occasion_key__startswith="sale:")
    voided = rows.filter(withdrawal=Withdrawal.VOIDED).values_list("occasion_key")
    return dict(voided.annotate(n=Count("pk")).order_by())


def rule_card_of(rule: StandingRule) -> StandingRuleCard:
    """What may be shown of a rule."""
    values: dict[str, Any] = {
        field.name: getattr(rule, field.name) for field in dataclasses.fields(StandingTerms)
    }
    fixed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return StandingRuleCard(
        id=rule.pk,
        public_id=rule.public_id,
        terms=StandingTerms(**fixed),
        occasion_label=label_of(rule, "occasion"),
        is_on=rule.state == RuleState.ON,
    )


def get_standing_rule(rule_id: int) -> StandingRuleCard:
    """Raises NoSuchRule."""
    rule = StandingRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise NoSuchRule
    return rule_card_of(rule)


def count_standing_issues(rule_ids: Sequence[int]) -> dict[int, StandingCounts]:
    """What became of the occasions of these rules, in one query."""
    rows = StandingIssue.objects.filter(rule_id__in=rule_ids).values_list("rule_id", "state", "reason")
    found: dict[int, list[tuple[str, str, int]]] = {rule_id: [] for rule_id in rule_ids}
    for rule_id, state, reason, count in rows.annotate(n=Count("pk")).order_by():
        found[rule_id].append((state, reason, count))
    return {
        rule_id: StandingCounts(
            given_count=sum(n for state, _why, n in lines if state == IssueState.GIVEN),
            waiting_count=sum(n for state, _why, n in lines if state == IssueState.WAITING),
            refused={why: n for state, why, n in lines if state == IssueState.REFUSED},
        )
        for rule_id, lines in found.items()
    }


def preview_standing_rule(rule_id: int, *, at: dt.datetime | None = None) -> StandingPreview:
    """What switching the rule on would do today: members whose occasion the calendar has brought and who have not had
    it; for rules that wait for something, those who had the occasion within the last seven days. Reads only."""
    at = at or clock.now()
    rule = StandingRule.objects.select_related("batch").filter(pk=rule_id).first()
    if rule is None:
        raise NoSuchRule
    is_looking_back = rule.occasion not in BY_CALENDAR
    sql, values = due_sql(rule, at=_opened(at), since=at - PREVIEW_SPAN if is_looking_back else at)
    counted = (
        f"SELECT count(DISTINCT due.member_id) FROM ({sql}) due WHERE %s OR NOT EXISTS ("  # noqa: S608
        "SELECT 1 FROM coupons_standingissue had WHERE had.rule_id = %s AND had.member_id = due.member_id"
        " AND had.occasion_key = due.occasion_key)"
    )
    with connection.cursor() as cursor:
        cursor.execute(counted, [*values, is_looking_back, rule.pk])
        [count] = cursor.fetchone()
    reason = closed_reason(rule.batch_id, at)
    refusal = OF_OUTCOME.get(reason)
    return StandingPreview(
        member_count=count,
        is_looking_back=is_looking_back,
        remaining_count=sum_batch(rule.batch_id).remaining_count,
        why_not="" if refusal is None else refusal.code,
        why_not_words="" if refusal is None else str(refusal.sentence),
        is_of_purchases=rule.occasion == Occasion.PURCHASE,
        is_once_only=rule.occasion in AGAIN and rule.batch.member_limit is not None,
    )


def closed_reason(batch_id: int, at: dt.datetime) -> str:
    """Why the batch gives nothing to rules now (an outcome of `coupons_terms`); empty: it does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM coupons_terms(%s, 'system', %s)", [batch_id, at])
        return cursor.fetchone()[0] or ""


def celebrated(
    rule: StandingRule, at: dt.datetime, since: dt.datetime | None = None
) -> dict[int, set[tuple[int, int]]]:
    """The birthdays (month, day) the rule cares for today, by the year that celebrates them: from the days that were
    missed to as many days ahead as it says. Who was born on 29 February celebrates the 28th in other years."""
    today = clock.business_day(at)
    started = clock.business_day(since or rule.switched_on_at or at)
    day, last = max(started, today - BIRTHDAY_LATE), today + dt.timedelta(days=rule.days_before)
    found: dict[int, set[tuple[int, int]]] = {}
    while day <= last:
        days = found.setdefault(day.year, set())
        days.add((day.month, day.day))
        is_leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        if (day.month, day.day) == (2, 28) and not is_leap:
            days.add((2, 29))
        day += dt.timedelta(days=1)
    return found


def _sources(rule: StandingRule, at: dt.datetime, since: dt.datetime | None) -> Iterator[_Source]:
    if rule.occasion in BY_CALENDAR:
        yield from _by_calendar(rule, at, since)
        return
    starts = [one for one in (rule.switched_on_at, rule.starts_at, at - LOOK_BACK) if one is not None]
    # WeChat tells moments in whole seconds: who scans in the second of the switch was there before it, by her clock.
    span: dict[str, Any] = {"since": since or max(starts).replace(microsecond=0), "until": at}
    if rule.occasion == Occasion.FIRST_BOUND:
        first = guide_selectors.new_bindings(**span, is_first=True).values_list("member_id", flat=True)
        yield _Source(first, "bound:first")
    elif rule.occasion == Occasion.BOUND:
        yield _Source(guide_selectors.new_bindings(**span), "bound:", has_id=True)
    elif rule.occasion == Occasion.JOINED:
        yield _Source(member_selectors.joined_member_ids(**span), "joined")
    elif rule.occasion == Occasion.PROFILE_COMPLETED:
        yield _Source(member_selectors.completed_member_ids(**span), "profile")
    elif rule.tier_id is not None:
        risen = member_selectors.risen_member_ids(tier_id=rule.tier_id, **span)
        yield _Source(risen, f"tier:{rule.tier_id}")


def _by_calendar(rule: StandingRule, at: dt.datetime, since: dt.datetime | None) -> Iterator[_Source]:
    if at.astimezone(clock.SHANGHAI).hour < OPENING_HOUR:
        return
    if rule.occasion == Occasion.BIRTHDAY:
        for year, days in celebrated(rule, at, since).items():
            yield _Source(member_selectors.birthday_member_ids(days=days), f"birthday:{year}")
    elif rule.tier_id is not None:
        month = clock.business_day(at).strftime("%Y-%m")
        for holders in member_selectors.holder_member_ids(tier_id=rule.tier_id):
            yield _Source(holders, f"month:{month}")


def _conditions(rule: StandingRule) -> list[list[QuerySet[Any, int]]]:
    """All of them must hold, of each one alternative."""
    found: list[list[QuerySet[Any, int]]] = []
    # A purchase is asked where it was made (`coupons.services.standing_purchases`).
    if (rule.store_ids or rule.region_ids) and rule.occasion != Occasion.PURCHASE:
        places = guide_selectors.place_member_ids(store_ids=rule.store_ids, region_ids=rule.region_ids)
        found.append([places])
    if rule.tier_ids:
        found.append(
            [one for tier in rule.tier_ids for one in member_selectors.holder_member_ids(tier_id=tier)]
        )
    if rule.sources:
        found.append([member_selectors.source_member_ids(rule.sources)])
    return found


def _either(choices: list[QuerySet[Any, int]]) -> Sql:
    compiled = [one for one in map(_compiled, choices) if one is not None]
    sql = " UNION ALL ".join(one[0] for one in compiled) or "SELECT NULL::bigint WHERE FALSE"
    return sql, [value for one in compiled for value in one[1]]


def _compiled(rows: QuerySet[Any, Any]) -> Sql | None:
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return None
    return sql, list(values)


def _opened(at: dt.datetime) -> dt.datetime:
    """Today, when what comes by the calendar has come."""
    local = at.astimezone(clock.SHANGHAI)
    return at if local.hour >= OPENING_HOUR else local.replace(hour=OPENING_HOUR).astimezone(dt.UTC)
