"""What came of shared links: views and visitors as they were counted, claims and orders read from where they are kept."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from campaigns.contracts.materials import ORDER_DAYS, MaterialNumbers
from campaigns.models import MaterialShare
from core import clock
from coupons.selectors.referrals import count_article_claims
from sales.selectors.bought_sql import purchases_sql

# An order counts once, however often and by whichever of these links she opened the material before.
_ORDERS: Final = """
WITH opened AS MATERIALIZED (
    SELECT visit.first_at, reader.member_id
    FROM campaigns_materialvisit visit JOIN campaigns_materialreader reader ON reader.id = visit.reader_id
    WHERE visit.share_id = ANY(%(share_ids)s::bigint[]) AND reader.member_id IS NOT NULL),
bought AS ({purchases})
SELECT count(*)::int, coalesce(sum(fen), 0)::bigint FROM bought WHERE EXISTS (
    SELECT FROM opened WHERE opened.member_id = bought.member_id AND bought.sold_at >= opened.first_at
        AND bought.sold_at < opened.first_at + make_interval(days => %(days)s))
"""
_SINCE: Final = "SELECT min(first_at) FROM campaigns_materialvisit WHERE share_id = ANY(%s::bigint[])"


def sum_shares(share_ids: Collection[int]) -> MaterialNumbers:
    """What came of these links together."""
    keys = sorted(share_ids)
    shares = MaterialShare.objects.filter(pk__in=keys)
    sums = shares.aggregate(views=Sum("view_count"), visitors=Sum("visitor_count"))
    claims = count_article_claims(shares.values("token"))
    order_count, amount_fen = _orders(keys)
    return MaterialNumbers(
        view_count=sums["views"] or 0,
        visitor_count=sums["visitors"] or 0,
        claim_count=sum(claims.values()),
        order_count=order_count,
        amount_fen=amount_fen,
    )


def sum_material(material_id: int) -> MaterialNumbers:
    """What came of all links to the material."""
    return sum_shares(MaterialShare.objects.filter(material_id=material_id).values_list("pk", flat=True))


def count_material_views(material_ids: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    """Of each of these materials the guides who took a link or whose link was opened, the views and the visitors."""
    rows = MaterialShare.objects.filter(material_id__in=material_ids).order_by()
    taken = Count("pk", filter=Q(shared_at__isnull=False) | Q(view_count__gt=0))
    counted = rows.values("material_id").annotate(
        taken=taken, views=Sum("view_count"), visitors=Sum("visitor_count")
    )
    return {
        material_id: (guides, views, visitors)
        for material_id, guides, views, visitors in counted.values_list(
            "material_id", "taken", "views", "visitors"
        )
    }


def list_sharing_guides(
    material_id: int, *, stores: QuerySet[Any] | None = None, limit: int = 50
) -> list[MaterialShare]:
    """Links to it that were taken or opened, those with the most visitors first; of guides in these stores only."""
    rows = MaterialShare.objects.filter(material_id=material_id).select_related("guide__store")
    if stores is not None:
        rows = rows.filter(guide__store__in=stores)
    used = rows.filter(Q(shared_at__isnull=False) | Q(view_count__gt=0))
    return list(used.order_by("-visitor_count", "-view_count", "guide__name")[:limit])


def _orders(share_ids: Sequence[int]) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [list(share_ids)])
        since = cursor.fetchone()[0]
        if since is None:
            return 0, 0
        purchases = purchases_sql(who="SELECT member_id FROM opened", has_goods=False)
        values = {
            "share_ids": list(share_ids),
            "days": ORDER_DAYS,
            "from_at": since,
            "until_at": clock.now(),
            "least_fen": 1,
        }
        cursor.execute(_ORDERS.format(purchases=purchases), values)
        order_count, amount_fen = cursor.fetchone()
    return order_count, amount_fen
