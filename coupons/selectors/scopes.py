"""Which coupons and redemptions a staff account sees: those that concern members or stores of its part."""

from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from core.models import StaffAccount
from guides import selectors as guide_selectors


def scope_coupons(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Coupons of members whom the account sees."""
    if staff.is_active and staff.is_superuser:
        return queryset
    members = guide_selectors.scope_members(staff, apps.get_model("members", "Member")._default_manager.all())
    return queryset.filter(member_id__in=members.values("pk"))


def scope_redemptions(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Redemptions in stores of the scope."""
    if staff.is_active and staff.is_superuser:
        return queryset
    stores = guide_selectors.scope_stores(staff, apps.get_model("guides", "Store")._default_manager.all())
    return queryset.filter(store_id__in=stores.values("pk"))


def visible_store_ids(staff: StaffAccount) -> frozenset[int] | None:
    """The stores of the scope; None for head office, which also sees what no store issued."""
    if staff.is_active and staff.is_superuser:
        return None
    stores = guide_selectors.scope_stores(staff, apps.get_model("guides", "Store")._default_manager.all())
    return frozenset(stores.values_list("pk", flat=True))


def scope_coupon_days(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Numbers of what stores of the scope issued or redeemed."""
    stores = visible_store_ids(staff)
    if stores is None:
        return queryset
    return queryset.filter(Q(issued_store_id__in=stores) | Q(redeemed_store_id__in=stores))


def scope_settlement_lines(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Lines that a store of the scope issued or redeemed."""
    stores = visible_store_ids(staff)
    if stores is None:
        return queryset
    return queryset.filter(Q(issued_store__in=stores) | Q(redeemed_store__in=stores))


def scope_offers(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Face-to-face offers made in stores of the scope."""
    if staff.is_active and staff.is_superuser:
        return queryset
    stores = guide_selectors.scope_stores(staff, apps.get_model("guides", "Store")._default_manager.all())
    return queryset.filter(store_id__in=stores.values("pk"))


def scope_exchange_codes(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Codes that members whom the account sees have used; those that are free are head office's."""
    if staff.is_active and staff.is_superuser:
        return queryset
    members = guide_selectors.scope_members(staff, apps.get_model("members", "Member")._default_manager.all())
    return queryset.filter(used_by_id__in=members.values("pk"))


def scope_unlock_shares(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Links of members whom the account sees."""
    return scope_coupons(staff, queryset)


def scope_issue_jobs(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Bulk issues made at the account's own desk."""
    return queryset if staff.is_active and staff.is_superuser else queryset.filter(staff_id=staff.pk)
