"""Redemptions as others count them."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import QuerySet

from core import clock
from coupons.contracts import UsedCoupon
from coupons.models import Redemption, RedemptionEntry

# A till that was offline tells a day later at most: its entry has the day of the sale.
_LATE: Final = dt.timedelta(days=2)


def redeemed_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of redemptions that were written down in the half-open span; unevaluated."""
    return _told("redeemed", since, until)


def reversed_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of redemptions that were taken back in the half-open span; unevaluated."""
    return _told("reversed", since, until)


def list_used_coupons(redemption_ids: Iterable[int]) -> tuple[UsedCoupon, ...]:
    """These redemptions, in the order of their ids."""
    rows = Redemption.objects.filter(pk__in=list(redemption_ids)).select_related("coupon__batch__template")
    return tuple(
        UsedCoupon(
            id=row.pk,
            store_id=row.store_id,
            guide_id=row.redeemed_by_guide_id,
            member_id=row.coupon.member_id,
            redeemed_at=row.redeemed_at,
            title=row.coupon.batch.template.title,
            order_no=row.order_no,
            stands=row.reversed_at is None,
        )
        for row in rows.order_by("pk")
    )


def _told(what: str, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    rows = RedemptionEntry.objects.filter(
        day__gte=clock.business_day(since - _LATE), what=what, at__gte=since, at__lt=until
    )
    return rows.values_list("redemption_id", flat=True)
