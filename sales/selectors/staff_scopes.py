"""Which documents and entries a staff account sees: those of the stores of its part of the chain."""

from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet

from core.models import StaffAccount
from coupons.selectors import visible_store_ids
from guides import selectors as guide_selectors
from sales.models import SaleReturn


def scope_by_store(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Sales and entries of stores of the scope. Entries also count in the store that a guide works in: whoever sees
    that store sees them."""
    stores = visible_store_ids(staff)
    return queryset if stores is None else queryset.filter(store_id__in=stores)


def scope_commission_lines(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Lines of the statements that a store of the scope pays."""
    stores = visible_store_ids(staff)
    return queryset if stores is None else queryset.filter(statement__store_id__in=stores)


def scope_returns(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Returns that a store of the scope took, or of a sale that one made."""
    stores = visible_store_ids(staff)
    if stores is None:
        return queryset
    own = Exists(SaleReturn.objects.filter(pk=OuterRef("pk"), sale__store_id__in=stores))
    return queryset.filter(Q(store_id__in=stores) | own)


def scope_held(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Documents that name a store of the scope by its code; those of unknown stores are head office's."""
    codes = visible_store_codes(staff)
    return queryset if codes is None else queryset.filter(store_code__in=codes)


def scope_jobs(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Jobs that the account started."""
    return queryset if staff.is_active and staff.is_superuser else queryset.filter(staff_id=staff.pk)


def visible_store_codes(staff: StaffAccount) -> list[str] | None:
    """The codes of the stores of the scope; None for head office."""
    if staff.is_active and staff.is_superuser:
        return None
    stores = guide_selectors.scope_stores(staff, apps.get_model("guides", "Store")._default_manager.all())
    return sorted(stores.values_list("code", flat=True))
