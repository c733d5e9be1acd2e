"""A person decides whose a sale is: the earlier decision and its entries stay, reversed."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max, Sum

from core import audit, clock, events
from core.actor import Actor
from core.codes import new_public_id
from guides import selectors as guide_selectors
from members import services as member_services
from sales.contracts import AttributionCard, EffectLine, Share
from sales.errors import AttributionChanged, NoSuchSale, ReasonMissing, RequestReused, SharesUnusable
from sales.events import SaleReattributed
from sales.models import WHOLE_BP, Attribution, AttributionShare, EntryReason, PerformanceEntry, Sale
from sales.selectors.attribution import attribution_card_of
from sales.services.reconciling import reconcile_sales

_MOST_SHARES = 4


def reattribute_sale(
    *,
    sale_id: int,
    shares: Sequence[Share],
    reason: str,
    request_key: str,
    actor: Actor,
    replaces: int | None = None,
    at: dt.datetime | None = None,
) -> AttributionCard:
    """The sale belongs to these, in basis points that make the whole; the ledger reverses and writes what differs.

    The same `request_key` again gets the same answer. Refuses an unknown or replaced sale, parts that do not add up,
    a guide twice, an unknown guide or store, an empty reason. Of two who decide at once the later one holds, unless
    `replaces` names the decision she looked at: then another one meanwhile is refused (AttributionChanged).
    """
    at = at or clock.now()
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    _check_shares(shares)
    found = Sale.objects.current().filter(pk=sale_id).first()
    if found is None:
        raise NoSuchSale
    with transaction.atomic():
        if found.member_id is not None:
            member_services.lock_members([found.member_id])
        sale = Sale.objects.lock(sale_id)
        if not sale.is_current:
            raise NoSuchSale
        known = Attribution.objects.filter(sale=sale, request_key=request_key).first()
        if known is not None:
            return _answer_again(known, shares)
        live = Attribution.objects.live().filter(sale=sale)
        if replaces is not None and not live.filter(pk=replaces).exists():
            raise AttributionChanged
        live.update(ended_at=at)
        made = Attribution.objects.create(
            sale=sale, rule=None, rule_words="", made_at=at, made_by=actor.label[:90] or actor.kind, reason=reason,
            request_key=request_key,
        )  # fmt: skip
        AttributionShare.objects.bulk_create(
            [
                AttributionShare(
                    attribution=made, place=place, role=share.role, guide_id=share.guide_id, store_id=share.store_id,
                    share_bp=share.share_bp,
                )
                for place, share in enumerate(shares)
            ]
        )  # fmt: skip
        reconcile_sales([sale.pk], reason=EntryReason.REATTRIBUTED, at=at)
        audit.record(action="sales.reattributed", subject=sale, actor=actor, at=at, reason=reason)
        events.publish(SaleReattributed(sale.pk, made.pk))
        return attribution_card_of(made)


def preview_reattribution(
    *, sale_id: int, shares: Sequence[Share], actor: Actor, at: dt.datetime | None = None
) -> tuple[EffectLine, ...]:
    """What `reattribute_sale` would write, by doing it and taking it back: the entries per guide, store, metric and the
    day they count on. Raises as it does."""
    with transaction.atomic():
        last_id = PerformanceEntry.objects.aggregate(last=Max("pk"))["last"] or 0
        reattribute_sale(
            sale_id=sale_id, shares=shares, reason="-", request_key=new_public_id(), actor=actor, at=at
        )
        rows = PerformanceEntry.objects.filter(sale_ref=sale_id, pk__gt=last_id)
        sums = rows.values("guide_id", "store_id", "metric", "booked_on", "due_on").annotate(sum=Sum("value"))
        effect = tuple(
            EffectLine(
                guide_id=row["guide_id"],
                store_id=row["store_id"],
                metric=row["metric"],
                booked_on=row["booked_on"],
                due_on=row["due_on"],
                value=row["sum"],
            )
            for row in sums.order_by("booked_on", "guide_id", "store_id", "metric")
            if row["sum"]
        )
        transaction.set_rollback(True)
    return effect


def _check_shares(shares: Sequence[Share]) -> None:
    guides = [share.guide_id for share in shares]
    if not 1 <= len(shares) <= _MOST_SHARES or len(set(guides)) != len(guides):
        raise SharesUnusable(field="shares")
    if any(share.share_bp < 1 or (share.role == "store") != (share.guide_id is None) for share in shares):
        raise SharesUnusable(field="shares")
    if sum(share.share_bp for share in shares) != WHOLE_BP:
        raise SharesUnusable(field="shares")
    stores, _regions, _dealers = guide_selectors.known_place_ids(
        store_ids=[share.store_id for share in shares], region_ids=(), dealer_ids=()
    )
    known_guides = guide_selectors.known_guide_ids([guide for guide in guides if guide is not None])
    if {share.store_id for share in shares} - stores or set(guides) - {None} - known_guides:
        raise SharesUnusable(field="shares")


def _answer_again(known: Attribution, shares: Sequence[Share]) -> AttributionCard:
    stood = [
        (share.role, share.guide_id, share.store_id, share.share_bp)
        for share in AttributionShare.objects.filter(attribution=known).order_by("place")
    ]
    if stood != [(share.role, share.guide_id, share.store_id, share.share_bp) for share in shares]:
        raise RequestReused
    return attribution_card_of(known)
