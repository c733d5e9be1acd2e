"""Which coupons and redemptions a staff account sees: those that concern members or stores of its part."""

from typing import Any

from django.apps import apps
from django.db.models import QuerySet

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


def scope_issue_jobs(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Bulk issues made at the account's own desk."""
    return queryset if staff.is_active and staff.is_superuser else queryset.filter(staff_id=staff.pk)
