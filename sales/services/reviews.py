"""A member is asked what she thinks of a purchase, once for an order, and a low score becomes a service request."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.arrays import array_words
from core.codes import new_public_ids
from core.errors import NotFound, Refusal
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import MemberText
from guides.errors import RequestStoreMissing
from members import services as member_services
from sales.contracts.reviews import ReviewCard
from sales.errors import NoSuchReview, ReviewAnswered, ReviewOver, ReviewUnusable
from sales.models import AttributionShare, PurchaseCare, Review, ReviewState, Sale
from sales.selectors.reviews import review_card_of
from sales.services.order_keys import order_key

HIGHEST: Final = 5
# A night's file plans thousands: rows of the model would take longer than all the rest of their care.
_PLAN: Final = """
INSERT INTO sales_review (public_id, order_key, sale_id, member_id, store_id, guide_id, due_at, expires_at, state, words,
                          request_outcome)
SELECT planned.*, 'planned', '', ''
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[],
            %s::timestamptz[]) AS planned
ON CONFLICT DO NOTHING
"""
WORDS_LENGTH: Final = 280
_REQUEST_LENGTH: Final = 300
_OPENED_AT_ONCE: Final = 500
_OPENED: Final = "opened"


def plan_reviews(*, sales: Sequence[Sale], care: PurchaseCare, at: dt.datetime) -> int:
    """Whoever bought these, in a store that asks, will be invited; how many rows were tried. One for an order."""
    stores = _asking_stores(care)
    chosen = [sale for sale in sales if stores is None or sale.store_id in stores]
    guides = _main_guides([sale.pk for sale in chosen])
    after, span = dt.timedelta(hours=care.review_after_hours), dt.timedelta(days=care.review_open_days)
    rows = [
        (
            public_id, order_key(sale), sale.pk, sale.member_id, sale.store_id, guides.get(sale.pk), due_at, due_at + span,
        )
        for public_id, sale in zip(new_public_ids(len(chosen)), chosen, strict=True)
        for due_at in (max(sale.sold_at + after, at),)
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_PLAN, [array_words(column) for column in zip(*rows, strict=True)])
    return len(rows)


def work_reviews(*, at: dt.datetime | None = None) -> int:
    """Whoever is due is invited, and what was not answered in time is over; how many invitations were opened. Where the
    chain has switched reviews off meanwhile nobody is invited any more."""
    at = at or clock.now()
    opened = 0
    while (count := _open_some(at)) is not None:
        opened += count
    over = Review.objects.filter(state=ReviewState.OPEN, expires_at__lte=at)
    over.update(state=ReviewState.OVER)
    return opened


def answer_review(
    *, member_id: int, public_id: str, score: int, words: str, actor: Actor, at: dt.datetime | None = None
) -> ReviewCard:
    """She has rated her purchase; of a low score her guide, or the store, hears as a service request.

    The same again is answered as the first time. Refuses another's and an unknown one alike (NoSuchReview), another
    answer than the first (ReviewAnswered), one whose time is over or whose goods came back (ReviewOver), and a score
    outside 1 to 5 or more than 280 characters (ReviewUnusable).
    """
    at = at or clock.now()
    said = _usable(score, words)
    with transaction.atomic():
        living_id = member_services.lock_member(member_id)
        row = _lock(living_id, public_id)
        if row.state == ReviewState.ANSWERED:
            if (row.score, row.words) != (score, said):
                raise ReviewAnswered
            return review_card_of(row)
        if row.state != ReviewState.OPEN or row.expires_at <= at:
            raise ReviewOver
        row.state, row.score, row.words, row.answered_at = ReviewState.ANSWERED, score, said, at
        row.request_outcome = _ask_for_help(row, actor, at)
        row.save(update_fields=["state", "score", "words", "answered_at", "request_outcome"])
        audit.record(action="sales.review_answered", subject=row, actor=actor, at=at)
        return review_card_of(row)


def carry_review(*, old: Sale, sale_id: int, member_id: int | None) -> None:
    """A correction took the place of the order: its review goes along, and ends where it names somebody else."""
    rows = Review.objects.filter(sale=old)
    if old.member_id != member_id:
        rows.unanswered().update(state=ReviewState.DROPPED)
    rows.update(sale_id=sale_id)


def drop_reviews(sales: Sequence[Sale]) -> int:
    """Of orders that came back whole nobody is asked; how many were dropped."""
    whole = [sale.pk for sale in sales if sale.returned_unit_count == sale.unit_count]
    return Review.objects.filter(sale__in=whole).unanswered().update(state=ReviewState.DROPPED)


def _open_some(at: dt.datetime) -> int | None:
    """Up to some hundred are invited; None when nobody is due."""
    is_on = PurchaseCare.objects.filter(pk=1, is_review_on=True).exists()
    with transaction.atomic():
        due = Review.objects.filter(state=ReviewState.PLANNED, due_at__lte=at).claim(_OPENED_AT_ONCE)
        if not due:
            return None
        live = [row for row in due if is_on and row.expires_at > at]
        of_live = {row.pk for row in live}
        gone = [row.pk for row in due if row.pk not in of_live]
        Review.objects.filter(pk__in=gone).update(state=ReviewState.DROPPED)
        Review.objects.filter(pk__in=of_live).update(state=ReviewState.OPEN)
        stores = guide_selectors.list_store_names({row.store_id for row in live})
        texts = [
            MemberText(
                member_id=row.member_id,
                topic="review",
                reason_key=f"review:{row.public_id}",
                title=_("想听听您的评价"),
                text=_words(row, stores.get(row.store_id, "")),
                values={"store": stores.get(row.store_id, ""), "day": _last_day(row).isoformat()},
            )
            for row in live
        ]
        guide_services.tell_members(told=texts, at=at)
        return len(live)


def _last_day(row: Review) -> dt.date:
    return clock.business_day(row.expires_at - dt.timedelta(microseconds=1))


def _words(row: Review, store_name: str) -> str:
    return _("您在%(store)s买的还满意吗？%(day)s前可以在小程序的“我的评价”里打分，您说的我们都会看。") % {
        "store": store_name,
        "day": guide_services.day_words(day=_last_day(row)),
    }


def _lock(member_id: int, public_id: str) -> Review:
    found = Review.objects.filter(public_id=public_id.replace("\0", "")[:17], member_id=member_id)
    pk = found.exclude(state=ReviewState.PLANNED).values_list("pk", flat=True).first()
    if pk is None:
        raise NoSuchReview
    try:
        return Review.objects.lock(pk)
    except NotFound:
        raise NoSuchReview from None


def _usable(score: int, words: str) -> str:
    if isinstance(score, bool) or not isinstance(score, int) or not 1 <= score <= HIGHEST:
        raise ReviewUnusable(field="score")
    said = guide_services.clean_text(words)
    if len(said) > WORDS_LENGTH:
        raise ReviewUnusable(field="words")
    return said


def _ask_for_help(row: Review, actor: Actor, at: dt.datetime) -> str:
    """What became of a low score: "opened", the code of a refusal, or nothing where the chain wants none."""
    care = PurchaseCare.objects.filter(pk=1).first()
    if care is None or not care.low_score_kind or (row.score or 0) > care.low_score:
        return ""
    text = _("订单 %(number)s 评价 %(score)s 分") % {"number": row.sale.order_no, "score": row.score}
    text = f"{text}：{row.words}" if row.words else text
    try:
        _open_request(row, care.low_score_kind, text[:_REQUEST_LENGTH], actor, at)
    except Refusal as refusal:
        return refusal.code
    return _OPENED


def _open_request(row: Review, kind: str, words: str, actor: Actor, at: dt.datetime) -> None:
    """Her exclusive guide has it; without one at work the store that sold."""
    for store_id in (None, row.store_id):
        try:
            with transaction.atomic():
                guide_services.open_request(
                    member_id=row.member_id, kind=kind, words=words, store_id=store_id,
                    request_key=f"review:{row.public_id}", actor=actor, at=at,
                )  # fmt: skip
            return
        except RequestStoreMissing:
            if store_id is not None:
                raise


def _asking_stores(care: PurchaseCare) -> frozenset[int] | None:
    """The stores whose members are asked; None: all."""
    if not care.review_store_ids and not care.review_region_ids:
        return None
    return guide_selectors.stores_within(store_ids=care.review_store_ids, region_ids=care.review_region_ids)


def _main_guides(sale_ids: Sequence[int]) -> dict[int, int | None]:
    """Whose each of these orders mainly is now: the greatest part, the first of equal ones."""
    rows = AttributionShare.objects.filter(
        attribution__sale_id__in=sale_ids, attribution__ended_at__isnull=True
    ).order_by("attribution__sale_id", "-share_bp", "place")
    found: dict[int, int | None] = {}
    for sale_id, guide_id in rows.values_list("attribution__sale_id", "guide_id"):
        found.setdefault(sale_id, guide_id)
    return found
