"""Batches: their numbers, what a member may claim, what a guide may still issue."""

import datetime as dt
import functools
import math
from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import Count, Func, IntegerField, Q, QuerySet, Sum

from core import clock
from core.compiled import Compiled, Given, compiled, ids_of
from core.errors import Refusal
from core.labels import label_of
from coupons import errors
from coupons.contracts import (
    BatchCard,
    BatchSummary,
    BatchTerms,
    ClaimableBatch,
    ClaimTarget,
    GuideQuota,
    IssuePace,
    IssueProgress,
)
from coupons.models import (
    BatchState,
    Coupon,
    CouponBatch,
    CouponBatchShard,
    Door,
    GuideAllowance,
    IssueJob,
    IssueSlice,
    QuotaPeriod,
    TemplateState,
)
from coupons.selectors.templates import template_card_of

_PAGE = 100
_SUMMED = (
    "quota", "issued_count", "redeemed_count", "voided_count", "expired_count", "budget_fen", "reserved_fen",
    "discount_fen", "sales_fen",
)  # fmt: skip
_EVER = dt.date(1970, 1, 1)


def batch_terms_of(row: CouponBatch) -> BatchTerms:
    """The terms on a row."""
    return BatchTerms(
        name=row.name,
        quota=row.quota,
        doors=tuple(row.doors),  # type: ignore[arg-type]
        member_limit=row.member_limit,
        member_daily_limit=row.member_daily_limit,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        guide_quota=row.guide_quota,
        guide_quota_period=row.guide_quota_period,  # type: ignore[arg-type]
        budget_fen=row.budget_fen,
        cost_fen=row.cost_fen,
    )


def batch_card_of(row: CouponBatch) -> BatchCard:
    """What may be shown of a batch."""
    return BatchCard(
        id=row.pk,
        public_id=row.public_id,
        template_id=row.template_id,
        terms=batch_terms_of(row),
        state=row.state,  # type: ignore[arg-type]
        state_label=label_of(row, "state"),
        has_partner_codes=row.has_partner_codes,
    )


def list_batch_names(public_ids: Collection[str]) -> dict[str, str]:
    """What these batches are called, with their coupons; unknown ones are missing."""
    rows = CouponBatch.objects.filter(public_id__in=list(public_ids))
    return {
        public_id: f"{title}（{name}）"
        for public_id, name, title in rows.values_list("public_id", "name", "template__title")
    }


def list_batch_costs(public_ids: Collection[str]) -> dict[str, int]:
    """The most that one coupon of each of these batches can cost, in fen; unknown ones are missing."""
    rows = CouponBatch.objects.filter(public_id__in=list(public_ids))
    return dict(rows.values_list("public_id", "cost_fen"))


def list_system_batches() -> list[tuple[str, str]]:
    """Batches from which the system may give, or soon: public id and name, the newest hundred."""
    rows = CouponBatch.objects.exclude(state=BatchState.ENDED).filter(doors__contains=[Door.SYSTEM])
    newest = rows.order_by("-pk").values_list("public_id", flat=True)[:100]
    return list(list_batch_names(list(newest)).items())


def get_batch(batch_id: int) -> BatchCard:
    """Raises NoSuchBatch."""
    row = CouponBatch.objects.filter(pk=batch_id).first()
    if row is None:
        raise errors.NoSuchBatch
    return batch_card_of(row)


def find_batch_id(public_id: str) -> int | None:
    """The batch of a link."""
    return CouponBatch.objects.filter(public_id=public_id[:16]).values_list("pk", flat=True).first()


def sum_batches(batch_ids: list[int]) -> dict[int, BatchSummary]:
    """The numbers of many batches in one query, from the counters; no coupon is counted."""
    found: dict[int, BatchSummary] = {}
    for batch_id, budget_fen, *sums in _sums(batches=batch_ids):
        values: dict[str, Any] = {name: int(value or 0) for name, value in zip(_SUMMED, sums, strict=True)}
        found[batch_id] = BatchSummary(**(values | {"budget_fen": budget_fen}))
    return found


@compiled
def _sums(*, batches: Given) -> QuerySet[CouponBatchShard, tuple[Any, ...]]:
    rows = CouponBatchShard.objects.filter(batch_id__in=ids_of(batches)).order_by()
    summed = rows.values("batch_id", "batch__budget_fen").annotate(
        **{f"sum_{name}": Sum(name) for name in _SUMMED}
    )
    return summed.values_list("batch_id", "batch__budget_fen", *(f"sum_{name}" for name in _SUMMED))


def sum_batch(batch_id: int) -> BatchSummary:
    """Raises NoSuchBatch."""
    summary = sum_batches([batch_id]).get(batch_id)
    if summary is None:
        raise errors.NoSuchBatch
    return summary


def list_claimable_batches(
    member_id: int, *, door: str = Door.CLAIM, tier_id: int | None = None, at: dt.datetime | None = None
) -> tuple[ClaimableBatch, ...]:
    """The claim centre: batches that are open now or will be, with what stands against her claiming one.

    In a handful of queries whatever their number; at most a hundred, those that close first before others.
    """
    at = at or clock.now()
    return _claimable(_open_through(door)(at=at), member_id, door, tier_id, at)


@functools.lru_cache(maxsize=16)
def _open_through(door: str) -> Compiled[CouponBatch]:
    def through(*, at: Given) -> QuerySet[CouponBatch]:
        batches = CouponBatch.objects.select_related("template").filter(
            Q(closes_at__isnull=True) | Q(closes_at__gt=at),
            Q(template__valid_until__isnull=True) | Q(template__valid_until__gt=at),
            doors__contains=[door],
            state__in=[BatchState.OPEN, BatchState.PAUSED],
            template__state=TemplateState.ACTIVE,
        )
        return batches.order_by("closes_at", "pk")[:_PAGE]

    return compiled(through)


def get_claimable_batch(
    public_id: str,
    *,
    member_id: int,
    door: str = Door.CLAIM,
    tier_id: int | None = None,
    at: dt.datetime | None = None,
) -> ClaimableBatch:
    """The batch of a link, also when it is over, with what stands against her claiming one. Raises NoSuchBatch, also for
    a draft: nobody has been promised anything yet."""
    rows = CouponBatch.objects.select_related("template").filter(public_id=public_id[:16])
    row = rows.exclude(state=BatchState.DRAFT).first()
    if row is None:
        raise errors.NoSuchBatch
    return _claimable([row], member_id, door, tier_id, at or clock.now())[0]


def find_claim_target(public_id: str) -> ClaimTarget | None:
    """The batch of a link, in one query for the rush; None for an unknown one and a draft."""
    rows = CouponBatch.objects.filter(public_id=public_id[:16]).exclude(state=BatchState.DRAFT)
    found = rows.values_list("pk", "template__tier_ids").first()
    return None if found is None else ClaimTarget(found[0], tuple(found[1]))


def _claimable(
    batches: list[CouponBatch], member_id: int, door: str, tier_id: int | None, at: dt.datetime
) -> tuple[ClaimableBatch, ...]:
    keys = [batch.pk for batch in batches]
    sums = sum_batches(keys)
    today = clock.day_bounds(clock.business_day(at))[0]
    had = {
        batch_id: (total, on_day)
        for batch_id, total, on_day in _received(batches=keys, member_id=member_id, today=today)
    }
    lines = []
    for batch in batches:
        total, on_day = had.get(batch.pk, (0, 0))
        refusal = _why_over(batch, door, at) or _why_not(batch, sums[batch.pk], total, on_day, tier_id, at)
        lines.append(
            ClaimableBatch(
                batch=batch_card_of(batch),
                template=template_card_of(batch.template),
                remaining_count=sums[batch.pk].remaining_count,
                claimed_count=total,
                why_not="" if refusal is None else refusal.code,
                why_not_words="" if refusal is None else str(refusal.sentence),
            )
        )
    return tuple(lines)


@compiled
def _received(*, batches: Given, member_id: Given, today: Given) -> QuerySet[Coupon, tuple[int, int, int]]:
    received = Coupon.objects.filter(received_by=member_id, batch_id__in=ids_of(batches)).order_by()
    counted = received.values("batch_id").annotate(
        total=Count("pk"), on_day=Count("pk", filter=Q(issued_at__gte=today))
    )
    return counted.values_list("batch_id", "total", "on_day")


def _why_over(batch: CouponBatch, door: str, at: dt.datetime) -> type[Refusal] | None:
    """What a list of open batches leaves out, and a link leads to all the same."""
    template = batch.template
    is_over = (
        batch.state == BatchState.ENDED
        or template.state == TemplateState.RETIRED
        or (batch.closes_at is not None and at >= batch.closes_at)
        or (template.valid_until is not None and at >= template.valid_until)
    )
    if is_over:
        return errors.BatchEnded
    return None if door in batch.doors else errors.WrongDoor


def _why_not(
    batch: CouponBatch, summary: BatchSummary, total: int, today: int, tier_id: int | None, at: dt.datetime
) -> type[Refusal] | None:
    tiers = batch.template.tier_ids
    limit, daily = batch.member_limit, batch.member_daily_limit
    checks: tuple[tuple[bool, type[Refusal]], ...] = (
        (batch.state == BatchState.PAUSED, errors.BatchPaused),
        (batch.opens_at is not None and at < batch.opens_at, errors.BatchNotStarted),
        (bool(tiers) and tier_id not in tiers, errors.WrongTier),
        (limit is not None and total >= limit, errors.OverMemberLimit),
        (daily is not None and today >= daily, errors.OverDailyLimit),
        (summary.remaining_count <= 0, errors.BatchSoldOut),
        (
            batch.budget_fen is not None and batch.budget_fen - summary.reserved_fen < batch.cost_fen,
            errors.BudgetSpent,
        ),
    )
    return next((refusal for holds, refusal in checks if holds), None)


def period_start(period: str, at: dt.datetime) -> dt.date:
    """The first day of the period in which a guide's issue at that moment counts."""
    today = clock.business_day(at)
    return {
        QuotaPeriod.DAY.value: today,
        QuotaPeriod.WEEK.value: today - dt.timedelta(days=today.weekday()),
        QuotaPeriod.MONTH.value: today.replace(day=1),
    }.get(period, _EVER)


def get_guide_quota(*, batch_id: int, guide_id: int, at: dt.datetime | None = None) -> GuideQuota:
    """What this guide may issue of the batch in the current period, and has. Raises NoSuchBatch."""
    batch = CouponBatch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise errors.NoSuchBatch
    start = period_start(batch.guide_quota_period, at or clock.now())
    used = GuideAllowance.objects.filter(batch=batch, guide_id=guide_id, period_start=start)
    return GuideQuota(batch.guide_quota, used.values_list("used_count", flat=True).first() or 0)


def get_issue_progress(job_id: int) -> IssueProgress:
    """How far a bulk issue is. Raises NoSuchJob."""
    job = IssueJob.objects.filter(pk=job_id).first()
    if job is None:
        raise errors.NoSuchJob
    refused: dict[str, int] = {}
    done = issued = 0
    slices = IssueSlice.objects.filter(job=job, is_done=True).extra(
        select={"size": "cardinality(member_ids)"}
    )
    for size, count, missed in slices.values_list("size", "issued_count", "refused"):
        done += size
        issued += count
        for reason, number in missed.items():
            refused[reason] = refused.get(reason, 0) + number
    return IssueProgress(
        job_id=job.pk,
        key=job.key,
        batch_id=job.batch_id,
        state=job.state,  # type: ignore[arg-type]
        stop_reason=job.stop_reason,
        asked_count=job.asked_count,
        done_count=done,
        issued_count=issued,
        refused=refused,
    )


def sum_issue_jobs(job_ids: list[int]) -> dict[int, tuple[int, int]]:
    """(members that were done, coupons issued) of many bulk issues, in one query."""
    size = Func("member_ids", function="cardinality", output_field=IntegerField())
    slices = IssueSlice.objects.filter(job_id__in=job_ids, is_done=True).values("job_id")
    sums = slices.annotate(done=Sum(size), issued=Sum("issued_count"))
    found = {row["job_id"]: (row["done"], row["issued"]) for row in sums}
    return {job_id: found.get(job_id, (0, 0)) for job_id in job_ids}


def get_issue_pace(job_id: int, at: dt.datetime) -> IssuePace:
    """How fast the last minute of work was, and what is left at that pace."""
    progress = get_issue_progress(job_id)
    size = Func("member_ids", function="cardinality", output_field=IntegerField())
    recent = IssueSlice.objects.filter(job_id=job_id, done_at__gt=at - dt.timedelta(minutes=1))
    sums = recent.aggregate(done=Sum(size))
    if not sums["done"]:
        return IssuePace(0.0, None)
    started = IssueJob.objects.values_list("started_at", flat=True).get(pk=job_id)
    since = max(started, at - dt.timedelta(minutes=1))
    rate = sums["done"] / max(1.0, (at - since).total_seconds())
    return IssuePace(rate, math.ceil((progress.asked_count - progress.done_count) / rate))


def list_first_members(job_id: int, limit: int = 10) -> list[int]:
    """Some of whom a bulk issue is for, the newest members first."""
    found: list[int] = []
    slices = IssueSlice.objects.filter(job_id=job_id).order_by("-number")
    for members in slices.values_list("member_ids", flat=True).iterator(chunk_size=1):
        found += sorted(members, reverse=True)[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def count_job_served(job_id: int) -> int:
    """How many of whom a bulk issue is for had as many of its batch as one may before it began, or have now."""
    job = IssueJob.objects.select_related("batch").filter(pk=job_id).first()
    if job is None:
        raise errors.NoSuchJob
    if job.batch.member_limit is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_SERVED, [job_id, job.batch_id, job.batch.member_limit])
        return int(cursor.fetchone()[0])


_SERVED = """
SELECT count(*) FROM (
    SELECT received_by FROM coupons_coupon
    WHERE received_by IN (SELECT unnest(member_ids) FROM coupons_issueslice WHERE job_id = %s) AND batch_id = %s
    GROUP BY received_by HAVING count(*) >= %s) served
"""
