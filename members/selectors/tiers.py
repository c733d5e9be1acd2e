"""The ladder, where a member stands on it, how she came there, and how many stand where."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import Count, QuerySet, Subquery, Sum

from core import clock
from core.compiled import Given, compiled, ids_of
from core.labels import label_of
from members.contracts import (
    MemberCard,
    ReassessmentCard,
    ReassessmentNumbers,
    TierCard,
    TierChangeLine,
    TierDecisions,
    TierGoal,
    TierStanding,
    TierSums,
)
from members.errors import NoSuchTier
from members.models import (
    ActivityEntry,
    Member,
    MemberStage,
    MemberTier,
    Tier,
    TierChange,
    TierReassessment,
    TierSettings,
)
from members.selectors.people import get_member_card, list_merge_targets
from members.selectors.tier_rules import (
    MEASURE_UNITS,
    MEASURE_WORDS,
    MEASURES,
    Window,
    assessed_windows,
    floor_of,
    rungs_of,
    running_window,
)
from members.selectors.tier_sql import BY_RULES, RANGE, judging, judging_values

_ONE: Final = 10_000  # basis points
_HISTORY: Final = 200
_DECIDED: Final = tuple(field.name for field in dataclasses.fields(TierDecisions))
_LAST_ID: Final = 2**63 - 1


def tier_card_from(tier: Tier) -> TierCard:
    """What may be shown of a rung."""
    return TierCard(
        id=tier.pk,
        rank=tier.rank,
        name=tier.name,
        color=tier.color,
        mode=tier.mode,  # type: ignore[arg-type]
        spend_fen=tier.spend_fen,
        order_count=tier.order_count,
        growth=tier.growth,
        multiplier_bp=tier.multiplier_bp,
        benefits=tuple(line for line in tier.benefits.splitlines() if line),
        birthday_gift=tier.birthday_gift,
        upgrade_gift=tier.upgrade_gift,
        is_active=tier.is_active,
    )


def list_tiers() -> tuple[TierCard, ...]:
    """Today's ladder, from the lowest tier to the highest."""
    return tuple(tier_card_from(tier) for tier in _ladder())


@compiled
def _ladder() -> QuerySet[Tier]:
    return Tier.objects.active().in_order()


def get_tier_card(tier_id: int) -> TierCard:
    """Also of a retired one. Raises NoSuchTier."""
    tier = Tier.objects.filter(pk=tier_id).first()
    if tier is None:
        raise NoSuchTier
    return tier_card_from(tier)


def get_tier_decisions() -> TierDecisions:
    """What the chain decided; the defaults while nobody has."""
    return decisions_of(_decided.first() or TierSettings())


@compiled
def _decided() -> QuerySet[TierSettings]:
    return TierSettings.objects.filter(pk=1)


def decisions_of(row: TierSettings) -> TierDecisions:
    return TierDecisions(
        period=row.period,  # type: ignore[arg-type]
        period_months=row.period_months,
        keeping=row.keeping,  # type: ignore[arg-type]
        grace_days=row.grace_days,
        descent=row.descent,  # type: ignore[arg-type]
        notice_days=row.notice_days,
    )


def sum_activity(member_id: int, window: Window) -> TierSums:
    """What this row did in a half-open span of Shanghai days."""
    return TierSums(*(_sums.first(member_id=member_id, since=window[0], until=window[1]) or (0, 0, 0)))


@compiled
def _sums(*, member_id: Given, since: Given, until: Given) -> QuerySet[ActivityEntry, tuple[int, int, int]]:
    entries = ActivityEntry.objects.filter(member_id=member_id, day__gte=since, day__lt=until)
    sums = (
        entries.order_by()
        .values("member_id")
        .annotate(spend=Sum("spend_fen"), orders=Sum("order_count"), points=Sum("growth"))
    )
    return sums.values_list("spend", "orders", "points")


def get_tier_standing(member_id: int, at: dt.datetime | None = None) -> TierStanding:
    """Her tier, until when, what it gives, and what she has towards the next one in the running period.

    A tier given by staff whose end has come counts as over, though the job may not have come by. A merged row
    leads to the one she lives on in. Raises NotFound.
    """
    return tier_standing_of(get_member_card(_living(member_id)), at)


def tier_standing_of(member: MemberCard, at: dt.datetime | None = None) -> TierStanding:
    """The same for whoever has the card of the living row already."""
    day = clock.business_day(at or clock.now())
    ladder, decisions = _rules_now()
    row = _standing.first(member_id=member.id)
    held = None if row is None else held_tier(row, day)
    if row is not None and held is not None:
        is_manual, until = _end(row, held, day)
        since = row.since if held.pk == row.tier_id else row.manual_until
        tier: TierCard | None = tier_card_from(held)
    else:
        is_manual, until = False, None
        tier = floor_of(ladder) if member.stage == "member" else None
        since = None if tier is None else clock.business_day(member.registered_at)
        if row is not None and tier is not None:
            since = row.since if row.tier_id is None else row.manual_until
    return TierStanding(
        tier=tier,
        since=since,
        until=until,
        is_manual=is_manual,
        progress=_progress(member.id, tier, ladder, decisions, day),
        benefits=() if tier is None else tier.benefits,
    )


@compiled
def _standing(*, member_id: Given) -> QuerySet[MemberTier]:
    return _rows().filter(member_id=member_id)


def find_tier_of(member: MemberCard, at: dt.datetime | None = None) -> TierCard | None:
    """The tier of whoever has this card of a living row, in one query, or in two where it is everybody's or none."""
    row = _standing.first(member_id=member.id)
    held = None if row is None else held_tier(row, clock.business_day(at or clock.now()))
    if held is not None:
        return tier_card_from(held)
    return floor_of(list_tiers()) if member.stage == "member" else None


def has_tier_grant(member_id: int, at: dt.datetime | None = None) -> bool:
    """Staff gave this row a tier that has not ended, also where she earned as much since."""
    day = clock.business_day(at or clock.now())
    return MemberTier.objects.filter(member_id=member_id, manual_until__gt=day).exists()


def held_tier(row: MemberTier, day: dt.date) -> Tier | None:
    """The higher of what she earned and what staff gave her and has not ended by that day."""
    return higher_tier(row.manual_tier, row.manual_until, row.earned_tier, day)


def higher_tier(
    manual: Tier | None, manual_until: dt.date | None, earned: Tier | None, day: dt.date
) -> Tier | None:
    """The same of its parts."""
    given = manual if manual_until is not None and manual_until > day else None
    return max(
        (tier for tier in (given, earned) if tier is not None), key=lambda tier: tier.rank, default=None
    )


def list_member_tiers(member_ids: Iterable[int], at: dt.datetime | None = None) -> dict[int, TierCard]:
    """The tier of each of these living rows that has one; three queries, however many there are."""
    day = clock.business_day(at or clock.now())
    ids = list(member_ids)
    floor = floor_of(list_tiers())
    tiers: dict[int, TierCard] = {}
    if floor is not None:
        tiers = dict.fromkeys(_joined(ids=ids), floor)
    for row in _standings(ids=ids):
        held = held_tier(row, day)
        if held is not None:
            tiers[row.member_id] = tier_card_from(held)
    return tiers


@compiled
def _joined(*, ids: Given) -> QuerySet[Member, int]:
    members = Member.objects.filter(pk__in=ids_of(ids), stage=MemberStage.MEMBER)
    return members.values_list("pk", flat=True)


@compiled
def _standings(*, ids: Given) -> QuerySet[MemberTier]:
    return _rows().filter(member_id__in=ids_of(ids))


def tier_multiplier_bp(member_id: int, at: dt.datetime | None = None) -> int:
    """How much points count for her, in basis points: 10,000 is once, and for whoever has no tier."""
    living_id = _living(member_id)
    tier = list_member_tiers([living_id], at).get(living_id)
    return _ONE if tier is None else tier.multiplier_bp


def list_tier_history(member_id: int) -> tuple[TierChangeLine, ...]:
    """How she came to her tier, newest first; at most 200 lines. A merged row leads to the one she lives on in."""
    return _lines(TierChange.objects.filter(member_id=_living(member_id)).order_by("-pk")[:_HISTORY])


def list_tier_changes(first_change_id: int, last_change_id: int) -> tuple[TierChangeLine, ...]:
    """The changes that a TierChanged event tells of, in order."""
    return _lines(TierChange.objects.filter(pk__range=(first_change_id, last_change_id)).order_by("pk"))


def tier_member_ids(tier_id: int) -> QuerySet[Any, int]:
    """Ids of the living members who have the tier; unevaluated. Of everybody's tier, those without a higher one."""
    living = Member.objects.living()
    tier = Tier.objects.filter(pk=tier_id).first()
    floor = floor_of(list_tiers())
    if tier is not None and floor is not None and tier.pk == floor.id:
        above = MemberTier.objects.filter(tier__isnull=False).values("member_id")
        living = living.filter(stage=MemberStage.MEMBER).exclude(pk__in=above)
    else:
        living = living.filter(pk__in=MemberTier.objects.filter(tier=tier_id).values("member_id"))
    return living.values_list("pk", flat=True)


def count_by_tier(members: QuerySet[Any] | None = None) -> dict[int, int]:
    """How many living members have each tier; `members` (an id queryset) narrows who is counted."""
    rows = MemberTier.objects.filter(tier__isnull=False, member__merged_into__isnull=True)
    if members is not None:
        rows = rows.filter(member_id__in=members)
    counts: dict[int, int] = dict(rows.values_list("tier_id").annotate(Count("pk")).order_by())
    floor = floor_of(list_tiers())
    if floor is not None:
        joined = Member.objects.living().filter(stage=MemberStage.MEMBER)
        if members is not None:
            joined = joined.filter(pk__in=members)
        above = rows.filter(member__stage=MemberStage.MEMBER).count()
        counts[floor.id] = joined.count() - above
    return counts


def preview_reassessment(*, may_fall: bool, at: dt.datetime | None = None) -> ReassessmentNumbers:
    """How many would rise and fall if everybody were assessed by today's rules now. Reads only."""
    day = clock.business_day(at or clock.now())
    rungs, windows = rungs_of(list_tiers()), assessed_windows(get_tier_decisions(), day)
    sql = judging(who=RANGE, target=BY_RULES, rungs=rungs, windows=windows)
    counted = (
        "SELECT count(*), count(*) FILTER (WHERE after_pos > before_pos),"
        " count(*) FILTER (WHERE after_pos < before_pos) FROM judged"
    )
    values = judging_values(rungs=rungs, windows=windows, day=day, may_fall=may_fall, after=0, upto=_LAST_ID)
    with connection.cursor() as cursor:
        cursor.execute(" ".join((sql, counted)), values)
        return ReassessmentNumbers(*cursor.fetchone())


def needs_reassessment() -> bool:
    """The ladder or the decisions changed after everybody was assessed last."""
    changed_at = TierSettings.objects.filter(pk=1).values_list("rules_changed_at", flat=True).first()
    if changed_at is None or (not MemberTier.objects.exists() and not ActivityEntry.objects.exists()):
        return False
    return not TierReassessment.objects.filter(requested_at__gte=changed_at).exists()


def find_last_reassessment() -> ReassessmentCard | None:
    """The one under way, or the last that is done."""
    row = TierReassessment.objects.order_by("-pk").first()
    return None if row is None else reassessment_card(row)


def reassessment_card(row: TierReassessment) -> ReassessmentCard:
    return ReassessmentCard(
        id=row.pk,
        may_fall=row.may_fall,
        is_done=row.done_at is not None,
        seen_count=row.seen_count,
        risen_count=row.risen_count,
        fallen_count=row.fallen_count,
        requested_at=row.requested_at,
        done_at=row.done_at,
    )


def _rules_now() -> tuple[tuple[TierCard, ...], TierDecisions]:
    """The ladder and what the chain decided, in one query."""
    rungs = _rules()
    decided = TierSettings()
    for name in _DECIDED:
        value = getattr(rungs[0], f"chain_{name}") if rungs else None
        if value is not None:
            setattr(decided, name, value)
    return tuple(tier_card_from(rung) for rung in rungs), decisions_of(decided)


@compiled
def _rules() -> QuerySet[Any, Any]:
    decided = TierSettings.objects.filter(pk=1)
    chains = {f"chain_{name}": Subquery(decided.values(name)) for name in _DECIDED}
    return Tier.objects.active().in_order().annotate(**chains)


def _progress(
    member_id: int,
    tier: TierCard | None,
    ladder: Sequence[TierCard],
    decisions: TierDecisions,
    day: dt.date,
) -> tuple[TierGoal, ...]:
    rank = 0 if tier is None else tier.rank
    higher = next((rung for rung in rungs_of(ladder) if rung.rank > rank), None)
    if higher is None:
        return ()
    sums = sum_activity(member_id, running_window(decisions, day))
    return tuple(
        TierGoal(
            next_tier=higher,
            measure=measure,
            measure_label=str(MEASURE_WORDS[measure]),
            have=max(0, getattr(sums, field)),
            need=getattr(higher, field),
            unit=str(MEASURE_UNITS[measure]),
        )
        for measure, field in MEASURES
        if getattr(higher, field) is not None
    )


def _end(row: MemberTier, held: Tier, day: dt.date) -> tuple[bool, dt.date | None]:
    """Whether it is staff's gift that holds, and when what holds ends: the later end where she earned it too."""
    ends = []
    if row.earned_tier_id == held.pk:
        ends.append((row.grace_until or row.valid_until or day, False))
    if row.manual_tier_id == held.pk and row.manual_until is not None and row.manual_until > day:
        ends.append((row.manual_until, True))
    until, is_manual = max(ends)
    return is_manual, until


def _rows() -> QuerySet[MemberTier]:
    return MemberTier.objects.select_related("earned_tier", "manual_tier")


def _lines(changes: QuerySet[TierChange]) -> tuple[TierChangeLine, ...]:
    return tuple(change_line(change) for change in changes.select_related("from_tier", "to_tier"))


def change_line(change: TierChange) -> TierChangeLine:
    """What may be shown of a change fetched with its tiers."""
    sums = None
    if change.spend_fen is not None:
        sums = TierSums(change.spend_fen, change.order_count or 0, change.growth or 0)
    return TierChangeLine(
        id=change.pk,
        member_id=change.member_id,
        from_tier=None if change.from_tier is None else tier_card_from(change.from_tier),
        to_tier=None if change.to_tier is None else tier_card_from(change.to_tier),
        is_upgrade=change.is_upgrade,
        cause=change.cause,
        cause_label=label_of(change, "cause"),
        note=change.note,
        until=change.until,
        sums=sums,
        window_from=change.window_from,
        window_until=change.window_until,
        at=change.at,
        actor=change.actor,
    )


def _living(member_id: int) -> int:
    return list_merge_targets([member_id]).get(member_id, member_id)
