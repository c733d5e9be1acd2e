"""Batches: made, opened, paused, extended, ended. The counters lie in shards (`coupons.models.batches`)."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from coupons.contracts import BatchCard, BatchTerms
from coupons.errors import (
    BatchEnded,
    BatchFrozen,
    BatchNotOpen,
    BatchUnusable,
    NoSuchBatch,
    NoSuchTemplate,
    PartnerBatch,
    TemplateRetired,
)
from coupons.models import (
    SHARDS,
    BatchState,
    CouponBatch,
    CouponBatchShard,
    CouponTemplate,
    TemplateState,
)
from coupons.selectors.batches import batch_card_of
from coupons.services.batch_terms import MOST_COUPONS, usable_batch
from coupons.services.sold_out import forget_sold_out
from coupons.services.template_terms import MOST_FEN, usable_public_id


def create_batch(
    *,
    template_id: int,
    terms: BatchTerms,
    partner_name: str = "",
    public_id: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> BatchCard:
    """A batch of the template waits to be opened. With a `partner_name` its coupons carry that partner's codes, and
    its quota is the number of codes imported. A form sends the `public_id` it was given: sent twice, it gets the
    first answer.

    Refuses a retired template, numbers and spans that make no sense, and a budget where nobody said what a coupon
    can cost.
    """
    at = at or clock.now()
    with transaction.atomic():
        template = _lock_template(template_id)
        first = CouponBatch.objects.filter(public_id=public_id).first()
        if first is not None:
            return batch_card_of(first)
        terms = usable_batch(terms=terms, template=template, is_partner=bool(partner_name))
        batch = CouponBatch.objects.create(
            template=template,
            created_at=at,
            public_id=usable_public_id(public_id=public_id),
            has_partner_codes=bool(partner_name),
            partner_name=partner_name[:40],
            **_columns(terms),
        )
        CouponBatchShard.objects.bulk_create(
            CouponBatchShard(
                batch=batch,
                shard=shard,
                quota=(terms.quota + SHARDS - 1 - shard) // SHARDS,
                budget_fen=_share_of_budget(terms, shard),
            )
            for shard in range(SHARDS)
        )
        audit.record(action="coupons.batch_created", subject=batch, actor=actor, at=at, quota=terms.quota)
    return batch_card_of(batch)


def change_batch(
    *, batch_id: int, terms: BatchTerms, actor: Actor, at: dt.datetime | None = None
) -> BatchCard:
    """The batch has this name, window, doors, limits and guides' quota; while it is a draft also these numbers.

    Refuses other numbers once it was opened (`extend_quota`, `extend_budget` add to them), an ended batch, and what
    `create_batch` refuses.
    """
    at = at or clock.now()
    with transaction.atomic():
        batch = _lock_batch(batch_id)
        _refuse_ended(batch)
        template = CouponTemplate.objects.get(pk=batch.template_id)
        if batch.has_partner_codes and terms.quota != batch.quota:
            raise PartnerBatch(field="quota")
        terms = usable_batch(terms=terms, template=template, is_partner=batch.has_partner_codes)
        numbers = (terms.quota, terms.budget_fen, terms.cost_fen)
        has_new_numbers = numbers != (batch.quota, batch.budget_fen, batch.cost_fen)
        if has_new_numbers and batch.state != BatchState.DRAFT:
            raise BatchFrozen
        more = terms.quota - batch.quota
        changed = changed_fields(batch, **_columns(terms))
        if changed:
            batch.save(update_fields=changed)
            if has_new_numbers:
                _spread(batch, more=more)
            audit.record(action="coupons.batch_changed", subject=batch, actor=actor, at=at, fields=changed)
    return batch_card_of(batch)


def open_batch(*, batch_id: int, actor: Actor, at: dt.datetime | None = None) -> BatchCard:
    """The batch issues from now on, or from its `opens_at`; the template's terms are frozen. Also resumes a paused
    one. Refuses an ended batch, one whose template was retired, and one without a single coupon."""
    at = at or clock.now()
    with transaction.atomic():
        found = CouponBatch.objects.filter(pk=batch_id).values_list("template_id", flat=True).first()
        if found is None:
            raise NoSuchBatch
        template = _lock_template(found)
        batch = _lock_batch(batch_id)
        _refuse_ended(batch)
        if batch.quota == 0:
            raise BatchUnusable(str(_("请先导入合作方券码")), field="quota")
        if batch.state == BatchState.OPEN:
            return batch_card_of(batch)
        if template.frozen_at is None:
            template.frozen_at = at
            template.save(update_fields=["frozen_at"])
        _move(batch, BatchState.OPEN, "coupons.batch_opened", actor, at)
    return batch_card_of(batch)


def pause_batch(*, batch_id: int, actor: Actor, at: dt.datetime | None = None) -> BatchCard:
    """Nothing is issued until it is opened again; what is out stays good. Refuses a draft and an ended batch."""
    with transaction.atomic():
        batch = _lock_batch(batch_id)
        _refuse_ended(batch)
        if batch.state == BatchState.DRAFT:
            raise BatchNotOpen
        if batch.state != BatchState.PAUSED:
            _move(batch, BatchState.PAUSED, "coupons.batch_paused", actor, at)
    return batch_card_of(batch)


def end_batch(*, batch_id: int, actor: Actor, at: dt.datetime | None = None) -> BatchCard:
    """Nothing is issued any more, for good; what is out stays good. Doing it again changes nothing."""
    with transaction.atomic():
        batch = _lock_batch(batch_id)
        if batch.state != BatchState.ENDED:
            _move(batch, BatchState.ENDED, "coupons.batch_ended", actor, at)
    return batch_card_of(batch)


def extend_quota(*, batch_id: int, more: int, actor: Actor, at: dt.datetime | None = None) -> BatchCard:
    """There are so many coupons more; who was told that all are gone may try again. Refuses an ended batch, a
    partner's (import codes), and a number that is not positive."""
    with transaction.atomic():
        batch = _lock_batch(batch_id)
        _refuse_ended(batch)
        if batch.has_partner_codes:
            raise PartnerBatch
        if not isinstance(more, int) or isinstance(more, bool) or not 1 <= more <= MOST_COUPONS - batch.quota:
            raise BatchUnusable(str(_("追加数量请填写大于 0 的整数")), field="more")
        batch.quota += more
        batch.save(update_fields=["quota"])
        _spread(batch, more=more)
        audit.record(action="coupons.quota_extended", subject=batch, actor=actor, at=at, more=more)
    forget_sold_out(batch_id)
    return batch_card_of(batch)


def extend_budget(*, batch_id: int, more_fen: int, actor: Actor, at: dt.datetime | None = None) -> BatchCard:
    """There is so much money more. Refuses an ended batch, one without a budget, and an amount not positive."""
    with transaction.atomic():
        batch = _lock_batch(batch_id)
        _refuse_ended(batch)
        if batch.budget_fen is None:
            raise BatchUnusable(str(_("这个批次没有设预算")), field="more_fen")
        if (
            not isinstance(more_fen, int)
            or isinstance(more_fen, bool)
            or not 1 <= more_fen <= 1_000 * MOST_FEN
        ):
            raise BatchUnusable(str(_("追加预算请填写大于 0 的金额")), field="more_fen")
        batch.budget_fen += more_fen
        batch.save(update_fields=["budget_fen"])
        _spread(batch, more=0)
        audit.record(action="coupons.budget_extended", subject=batch, actor=actor, at=at, more_fen=more_fen)
    forget_sold_out(batch_id)
    return batch_card_of(batch)


def spread_room(*, batch_ids: list[int]) -> None:
    """Room that came back in some shards of these batches lies evenly again. In the caller's transaction, which
    takes no other lock afterwards."""
    for batch in CouponBatch.objects.filter(pk__in=batch_ids, budget_fen__isnull=False).order_by("pk"):
        _spread(batch, more=0)


def _spread(batch: CouponBatch, *, more: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coupons_spread(%s, %s, %s)", [batch.pk, more, batch.budget_fen])


def _share_of_budget(terms: BatchTerms, shard: int) -> int | None:
    """Whole coupons' worth, the remainder in the first shards: quota and budget agree on where the last ones lie."""
    if terms.budget_fen is None or not terms.cost_fen:
        return None
    return (terms.budget_fen // terms.cost_fen + SHARDS - 1 - shard) // SHARDS * terms.cost_fen


def _lock_batch(batch_id: int) -> CouponBatch:
    rows = CouponBatch.objects.lock_all([batch_id])
    if not rows:
        raise NoSuchBatch
    return rows[0]


def _lock_template(template_id: int) -> CouponTemplate:
    rows = CouponTemplate.objects.lock_all([template_id])
    if not rows:
        raise NoSuchTemplate
    if rows[0].state == TemplateState.RETIRED:
        raise TemplateRetired
    return rows[0]


def _refuse_ended(batch: CouponBatch) -> None:
    if batch.state == BatchState.ENDED:
        raise BatchEnded


def _move(batch: CouponBatch, state: BatchState, action: str, actor: Actor, at: dt.datetime | None) -> None:
    batch.state = state
    batch.save(update_fields=["state"])
    audit.record(action=action, subject=batch, actor=actor, at=at)


def _columns(terms: BatchTerms) -> dict[str, Any]:
    values = {field.name: getattr(terms, field.name) for field in dataclasses.fields(terms)}
    return values | {"doors": sorted(set(terms.doors))}
