"""What a guide may hand out."""

import datetime as dt
from typing import Final

from django.db.models import Q

from core import clock
from core.errors import Refusal
from coupons import errors
from coupons.contracts import BatchSummary, GuideBatch, GuideQuota
from coupons.models import (
    BatchState,
    CouponBatch,
    Door,
    GuideAllowance,
    TemplateState,
)
from coupons.selectors.batches import batch_card_of, period_start, sum_batches
from coupons.selectors.templates import template_card_of

_PAGE: Final = 100


def list_guide_batches(*, guide_id: int, door: str, at: dt.datetime | None = None) -> tuple[GuideBatch, ...]:
    """Batches that guides issue through this door now or soon, those that close first before others; at most a
    hundred, in a handful of queries."""
    at = at or clock.now()
    batches = list(
        CouponBatch.objects.select_related("template")
        .filter(
            Q(closes_at__isnull=True) | Q(closes_at__gt=at),
            doors__contains=[door],
            state__in=[BatchState.OPEN, BatchState.PAUSED],
            template__state=TemplateState.ACTIVE,
        )
        .order_by("closes_at", "pk")[:_PAGE]
    )
    return _guide_batches(batches, guide_id, door, at)


def get_guide_batch(*, batch_id: int, guide_id: int, door: str, at: dt.datetime | None = None) -> GuideBatch:
    """The same of one batch in any state. Raises NoSuchBatch."""
    batch = CouponBatch.objects.select_related("template").filter(pk=batch_id).first()
    if batch is None:
        raise errors.NoSuchBatch
    return _guide_batches([batch], guide_id, door, at or clock.now())[0]


def _guide_batches(
    batches: list[CouponBatch], guide_id: int, door: str, at: dt.datetime
) -> tuple[GuideBatch, ...]:
    sums = sum_batches([batch.pk for batch in batches])
    used = {
        (row.batch_id, row.period_start): row.used_count
        for row in GuideAllowance.objects.filter(batch__in=batches, guide_id=guide_id)
    }
    lines = []
    for batch in batches:
        start = period_start(batch.guide_quota_period, at)
        quota = GuideQuota(batch.guide_quota, used.get((batch.pk, start), 0))
        refusal = _why_not(batch, sums[batch.pk], quota, door, at)
        lines.append(
            GuideBatch(
                batch=batch_card_of(batch),
                template=template_card_of(batch.template),
                quota=quota,
                remaining_count=sums[batch.pk].remaining_count,
                why_not="" if refusal is None else refusal.code,
                why_not_words="" if refusal is None else str(refusal.sentence),
            )
        )
    return tuple(lines)


def _why_not(
    batch: CouponBatch, summary: BatchSummary, quota: GuideQuota, door: str, at: dt.datetime
) -> type[Refusal] | None:
    is_over = batch.state == BatchState.ENDED or (batch.closes_at is not None and at >= batch.closes_at)
    no_budget = batch.budget_fen is not None and batch.budget_fen - summary.reserved_fen < batch.cost_fen
    checks: tuple[tuple[bool, type[Refusal]], ...] = (
        (batch.state == BatchState.DRAFT, errors.BatchNotOpen),
        (is_over or batch.template.state == TemplateState.RETIRED, errors.BatchEnded),
        (batch.state == BatchState.PAUSED, errors.BatchPaused),
        (batch.opens_at is not None and at < batch.opens_at, errors.BatchNotStarted),
        (door not in batch.doors or door not in {Door.GUIDE, Door.FACE_TO_FACE}, errors.WrongDoor),
        (summary.remaining_count <= 0, errors.BatchSoldOut),
        (no_budget, errors.BudgetSpent),
        (quota.remaining_count == 0, errors.GuideQuotaSpent),
    )
    return next((refusal for holds, refusal in checks if holds), None)
