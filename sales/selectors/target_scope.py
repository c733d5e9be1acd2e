"""Which targets a staff account sees."""

from typing import Any

from django.db.models import Q, QuerySet

from core.models import StaffAccount
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors


def scope_targets(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Targets of regions, stores, and guides who work in stores of the scope."""
    stores = coupon_selectors.visible_store_ids(staff)
    if stores is None:
        return queryset
    return queryset.filter(
        Q(store__in=stores)
        | Q(guide__store__in=stores)
        | Q(region__in=guide_selectors.visible_region_ids(staff) or ())
    )
