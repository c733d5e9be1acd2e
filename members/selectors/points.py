"""What she has, what happened to it, and what a sale would earn her."""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from django.db.models import F, QuerySet, Subquery, Sum

from core import clock
from core.compiled import Compiled, Given, compiled
from core.errors import NotFound
from core.labels import label_of
from members.contracts import (
    EarningLine,
    EarningRuleCard,
    MultiplierCard,
    PointsDecisions,
    PointsEntryLine,
    PointsEntryPage,
    PointsSummary,
    QuotedPoints,
)
from members.models import (
    EarningRule,
    Member,
    MultiplierRule,
    PointsAccount,
    PointsEntry,
    PointsLot,
    PointsSettings,
)
from members.selectors.people import list_merge_targets
from members.selectors.points_quote import quote_earned_points
from members.selectors.tiers import tier_multiplier_bp

_PAGE: Final = 100
_LAST_ID: Final = 2**63 - 1


def get_points_decisions() -> PointsDecisions:
    """What the chain decided; the defaults while nobody has."""
    row = PointsSettings.objects.filter(pk=1).first() or PointsSettings()
    return PointsDecisions(
        expiry_months=row.expiry_months,
        shortage_policy=row.shortage_policy,  # type: ignore[arg-type]
        notice_days=row.notice_days,
        approval_limit=row.approval_limit,
        profile_reward=row.profile_reward,
    )


def entry_line(entry: PointsEntry) -> PointsEntryLine:
    """What may be shown of a ledger row."""
    return PointsEntryLine(
        id=entry.pk,
        kind=entry.kind,  # type: ignore[arg-type]
        kind_label=label_of(entry, "kind"),
        delta=entry.delta,
        shortfall=abs(entry.asked - entry.delta),
        balance_after=entry.balance_after,
        reason=entry.reason,
        source_key=entry.source_key,
        at=entry.at,
        actor=entry.actor,
    )


def get_points_entry(entry_id: int) -> tuple[int, PointsEntryLine]:
    """Whose it is, and the line. Raises NotFound."""
    entry = PointsEntry.objects.select_related("account").filter(pk=entry_id).first()
    if entry is None:
        raise NotFound
    return entry.account.member_id, entry_line(entry)


def get_points_summary(member_id: int, at: dt.datetime | None = None) -> PointsSummary:
    """Her points; zeros for somebody who never had any. Points past their day count as gone already.

    A merged row leads to the one she lives on in.
    """
    at = at or clock.now()
    account = _account_of(member_id)
    if account is None:
        return PointsSummary(0, 0, 0, None)
    # Lots of one day share their instant: a few groups, however long she has been a member.
    overdue, instant, expiring = 0, None, 0
    for expires_at, points in _ending(member_id=account.member_id):
        if expires_at <= at:
            overdue += points
        else:
            instant, expiring = expires_at, points
            break
    return PointsSummary(
        balance=account.balance - overdue,
        frozen=account.frozen,
        expiring=expiring,
        expires_on=None if instant is None else last_day(instant),
    )


def list_points_balances(member_ids: Iterable[int], at: dt.datetime | None = None) -> dict[int, int]:
    """What many have, as `get_points_summary` says it of one; 0 for somebody who never had any."""
    living = list_merge_targets(member_ids)
    accounts = PointsAccount.objects.filter(member_id__any_of=set(living.values()))
    balances = dict(accounts.values_list("member_id", "balance"))
    overdue = dict(
        PointsLot.objects.filled()
        .filter(account__member_id__any_of=list(balances), expires_at__lte=at or clock.now())
        .values_list("account__member_id")
        .annotate(points=Sum("remaining"))
    )
    return {asked: balances.get(row, 0) - overdue.get(row, 0) for asked, row in living.items()}


@compiled
def _ending(*, member_id: Given) -> QuerySet[PointsLot, tuple[dt.datetime, int]]:
    account = PointsAccount.objects.filter(member_id=member_id).values("pk")
    lots = PointsLot.objects.filled().filter(account_id=Subquery(account), expires_at__isnull=False)
    return lots.values_list("expires_at").annotate(points=Sum("remaining")).order_by("expires_at")


def list_points_entries(member_id: int, *, cursor: int | None = None, limit: int = 20) -> PointsEntryPage:
    """Her ledger, newest first, from `cursor` (the `next_cursor` of the page before) on."""
    limit = max(1, min(limit, _PAGE))
    before = _LAST_ID if cursor is None else cursor
    rows = _entries(limit)(member_id=member_id, before=before)
    if not rows:  # none, or hers is a merged row, whose account is empty
        rows = _entries(limit)(member_id=_living(member_id), before=before)
    lines = tuple(entry_line(row) for row in rows[:limit])
    return PointsEntryPage(lines, lines[-1].id if len(rows) > limit else None)


@functools.lru_cache(maxsize=64)
def _entries(limit: int) -> Compiled[PointsEntry]:
    """A page of a ledger and one more, newest first."""

    def page(*, member_id: Given, before: Given) -> QuerySet[PointsEntry]:
        account = PointsAccount.objects.filter(member_id=member_id).values("pk")
        return PointsEntry.objects.filter(account_id=Subquery(account), pk__lt=before).order_by("-pk")[
            : limit + 1
        ]

    return compiled(page)


def list_earning_rules(on: dt.date) -> tuple[EarningRuleCard, ...]:
    """The rules in force on a Shanghai day, in the order in which they are tried."""
    rows = EarningRule.objects.active_on(on).order_by("-priority", "-pk")
    return tuple(
        EarningRuleCard(row.pk, row.name, row.category, row.fen_per_point, row.multiplier_bp, row.priority)
        for row in rows
    )


def list_points_multipliers(on: dt.date) -> tuple[MultiplierCard, ...]:
    """The multipliers in force on a Shanghai day."""
    rows = MultiplierRule.objects.active_on(on).order_by("pk")
    return tuple(MultiplierCard(row.name, row.kind, row.multiplier_bp) for row in rows)  # type: ignore[arg-type]


def quote_member_points(member_id: int, *, lines: Sequence[EarningLine], at: dt.datetime) -> QuotedPoints:
    """What a sale of hers at that moment earns by the rules of that day and her tier. Raises NotFound,
    AmountsUnusable."""
    on = clock.business_day(at)
    member = Member.objects.filter(pk=_living(member_id)).first()
    if member is None:
        raise NotFound
    return quote_earned_points(
        lines=lines,
        rules=list_earning_rules(on),
        multipliers=list_points_multipliers(on),
        on=on,
        birthday=member.birthday,
        tier_multiplier_bp=tier_multiplier_bp(member.pk, at),
    )


def last_day(expires_at: dt.datetime) -> dt.date:
    """The last Shanghai day on which points that expire at this instant may be spent."""
    return clock.business_day(expires_at - dt.timedelta(microseconds=1))


def _account_of(member_id: int) -> PointsAccount | None:
    """Her account in one look; a merged row, whose account is empty, costs another."""
    account = _account.first(member_id=member_id)
    if account is not None and account.into is None:
        return cast("PointsAccount", account)
    return PointsAccount.objects.filter(member_id=_living(member_id)).first()


@compiled
def _account(*, member_id: Given) -> QuerySet[Any, Any]:
    return PointsAccount.objects.filter(member_id=member_id).annotate(into=F("member__merged_into_id"))


def _living(member_id: int) -> int:
    return list_merge_targets([member_id]).get(member_id, member_id)
