"""What a guide may hand out, and her face-to-face offers."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Final

from django.db.models import Count, Q, QuerySet

from core import clock
from core.compiled import Compiled, Given, compiled, ids_of
from core.errors import Refusal
from coupons import errors
from coupons.contracts import BatchSummary, FaceToFaceCard, GuideBatch, GuideQuota
from coupons.errors import NoSuchOffer
from coupons.models import (
    BatchState,
    ClaimOutcome,
    CouponBatch,
    Door,
    FaceToFaceClaim,
    FaceToFaceOffer,
    GuideAllowance,
    TemplateState,
)
from coupons.selectors.batches import batch_card_of, period_start, sum_batches
from coupons.selectors.templates import template_card_of
from guides import selectors as guide_selectors

_PAGE: Final = 100
_LAST_CLAIMS: Final = 10


def list_guide_batches(*, guide_id: int, door: str, at: dt.datetime | None = None) -> tuple[GuideBatch, ...]:
    """Batches that guides issue through this door now or soon, those that close first before others; at most a
    hundred, in a handful of queries."""
    at = at or clock.now()
    return _guide_batches(_through(door)(at=at), guide_id, door, at)


@functools.lru_cache(maxsize=16)
def _through(door: str) -> Compiled[CouponBatch]:
    def through(*, at: Given) -> QuerySet[CouponBatch]:
        batches = CouponBatch.objects.select_related("template").filter(
            Q(closes_at__isnull=True) | Q(closes_at__gt=at),
            doors__contains=[door],
            state__in=[BatchState.OPEN, BatchState.PAUSED],
            template__state=TemplateState.ACTIVE,
        )
        return batches.order_by("closes_at", "pk")[:_PAGE]

    return compiled(through)


def get_guide_batch(*, batch_id: int, guide_id: int, door: str, at: dt.datetime | None = None) -> GuideBatch:
    """The same of one batch in any state. Raises NoSuchBatch."""
    batch = CouponBatch.objects.select_related("template").filter(pk=batch_id).first()
    if batch is None:
        raise errors.NoSuchBatch
    return _guide_batches([batch], guide_id, door, at or clock.now())[0]


def access_face_to_face(*, public_id: str, guide_id: int, at: dt.datetime | None = None) -> FaceToFaceCard:
    """This guide's offer, as it stands. Raises NoSuchOffer, also for another guide's."""
    offers = FaceToFaceOffer.objects.select_related("batch__template")
    offer = offers.filter(public_id=public_id.replace("\0", "")[:17], guide_id=guide_id).first()
    if offer is None:
        raise NoSuchOffer
    return offer_card_of(offer, at or clock.now())


def offer_card_of(offer: FaceToFaceOffer, at: dt.datetime) -> FaceToFaceCard:
    """The card of an offer fetched with its batch and template."""
    template = template_card_of(offer.batch.template)
    counts = count_claims([offer.pk])[offer.pk]
    last = FaceToFaceClaim.objects.filter(offer=offer, outcome=ClaimOutcome.ISSUED).order_by("-pk")
    claims = list(last.values_list("member_id", "at")[:_LAST_CLAIMS])
    names = guide_selectors.names_as_seen(offer.guide_id, [member_id for member_id, _at in claims])
    return FaceToFaceCard(
        public_id=offer.public_id,
        batch_id=offer.batch_id,
        title=template.terms.title,
        value_words=template.value_words,
        validity_words=template.validity_words,
        qr_content=guide_selectors.get_channel_code(offer.channel_code_id, at).qr_content,
        is_open=counts_at(offer, at),
        expires_at=offer.expires_at,
        claimed_count=counts.get(ClaimOutcome.ISSUED, 0),
        refused_count=counts.get(ClaimOutcome.REFUSED, 0),
        last_claims=tuple((names[member_id], claimed_at) for member_id, claimed_at in claims),
    )


def count_claims(offer_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many members each outcome had, by offer, in one query."""
    rows = FaceToFaceClaim.objects.filter(offer_id__in=offer_ids).values_list("offer_id", "outcome")
    found: dict[int, dict[str, int]] = {offer_id: {} for offer_id in offer_ids}
    for offer_id, outcome, count in rows.annotate(n=Count("member_id", distinct=True)).order_by():
        found[offer_id][outcome] = count
    return found


def counts_at(offer: FaceToFaceOffer, at: dt.datetime) -> bool:
    """Whether a scan at that moment brings a coupon."""
    return at < offer.expires_at and (offer.closed_at is None or at < offer.closed_at)


def _guide_batches(
    batches: list[CouponBatch], guide_id: int, door: str, at: dt.datetime
) -> tuple[GuideBatch, ...]:
    if not batches:
        return ()
    ids = [batch.pk for batch in batches]
    sums = sum_batches(ids)
    used = {(batch_id, start): count for batch_id, start, count in _used(batches=ids, guide_id=guide_id)}
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


@compiled
def _used(*, batches: Given, guide_id: Given) -> QuerySet[GuideAllowance, tuple[int, dt.date, int]]:
    rows = GuideAllowance.objects.filter(batch_id__in=ids_of(batches), guide_id=guide_id)
    return rows.values_list("batch_id", "period_start", "used_count")


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
