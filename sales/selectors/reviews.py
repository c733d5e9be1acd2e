"""Reviews as their members, and the guides whose orders they are about, see them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

from django.db.models import OuterRef, QuerySet, Subquery

from guides import selectors as guide_selectors
from sales.contracts.reviews import ReviewCard, ReviewPage, ReviewStateName, SaleRating
from sales.errors import NoSuchReview
from sales.models import Review, ReviewState, Sale, SaleLine

_SHOWN = (ReviewState.OPEN, ReviewState.ANSWERED, ReviewState.OVER)
_GOODS = 5


def list_member_reviews(member_id: int, *, before_id: int | None = None, limit: int = 20) -> ReviewPage:
    """Her invitations and what she said, the newest first; those not opened yet are none of hers."""
    rows = Review.objects.filter(member_id=member_id, state__in=_SHOWN)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    found = list(rows.select_related("sale").order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return ReviewPage(tuple(_cards(shown)), shown[-1].pk if len(found) > limit else None)


def access_member_review(member_id: int, public_id: str) -> ReviewCard:
    """One of hers. Raises NoSuchReview for another's, an unknown one, and one that is not opened yet."""
    row = (
        Review.objects.filter(member_id=member_id, public_id=public_id.replace("\0", "")[:17])
        .filter(state__in=_SHOWN)
        .select_related("sale")
        .first()
    )
    if row is None:
        raise NoSuchReview
    return review_card_of(row)


def count_open_reviews(member_id: int) -> int:
    """How many orders she may rate now."""
    return Review.objects.filter(member_id=member_id, state=ReviewState.OPEN).count()


def with_rating(sales: QuerySet[Sale]) -> QuerySet[Any]:
    """The same sales, each with what its member said of it, for `rating_of`: no query more."""
    said = Review.objects.filter(sale=OuterRef("pk"), state=ReviewState.ANSWERED)
    return sales.annotate(
        rated_score=Subquery(said.values("score")[:1]),
        rated_words=Subquery(said.values("words")[:1]),
        rated_at=Subquery(said.values("answered_at")[:1]),
    )


def rating_of(sale: Any) -> SaleRating | None:
    """The rating of a sale that was fetched `with_rating`."""
    if sale.rated_score is None:
        return None
    return SaleRating(sale.rated_score, sale.rated_words or "", sale.rated_at)


def review_card_of(row: Review) -> ReviewCard:
    """The card of one row."""
    return _cards([row])[0]


def _cards(rows: Sequence[Review]) -> list[ReviewCard]:
    stores = guide_selectors.list_store_names({row.store_id for row in rows})
    guides = guide_selectors.list_guide_names({row.guide_id for row in rows if row.guide_id is not None})
    goods: dict[int, list[str]] = defaultdict(list)
    lines = SaleLine.objects.filter(sale__in=[row.sale_id for row in rows]).select_related("product")
    for line in lines.order_by("sale_id", "number"):
        goods[line.sale_id].append(str(line.product))
    return [
        ReviewCard(
            public_id=row.public_id,
            state=cast("ReviewStateName", str(row.state)),
            order_no=row.sale.order_no,
            store_name=stores.get(row.store_id, ""),
            guide_name=guides.get(row.guide_id or 0, ""),
            sold_at=row.sale.sold_at,
            amount_fen=row.sale.amount_fen,
            goods=tuple(goods[row.sale_id][:_GOODS]),
            expires_at=row.expires_at,
            score=row.score,
            words=row.words,
            answered_at=row.answered_at,
        )
        for row in rows
    ]
