"""Which rows a staff account sees. Head office (superuser) sees all; an account without a scope, nothing."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.models import StaffAccount
from guides.models import Binding, StaffScope, Store


def scope_stores(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Stores of the scope: in the region or below it, of the dealer, or the store itself."""
    return queryset if _sees_all(staff) else queryset.filter(pk__in=_store_ids(staff))


def scope_guides(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Guides who work in a store of the scope today, or worked there last."""
    return queryset if _sees_all(staff) else queryset.filter(store__in=_store_ids(staff))


def scope_bindings(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Bindings made in a store of the scope."""
    return queryset if _sees_all(staff) else queryset.filter(store__in=_store_ids(staff))


def scope_channel_codes(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Codes of a store of the scope or of its guides."""
    return queryset if _sees_all(staff) else queryset.filter(store__in=_store_ids(staff))


def scope_channel_scans(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Scans of such codes; scans of unknown codes are head office's."""
    return queryset if _sees_all(staff) else queryset.filter(channel_code__store__in=_store_ids(staff))


def scope_requests(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Service requests that a store of the scope has."""
    return queryset if _sees_all(staff) else queryset.filter(store__in=_store_ids(staff))


def scope_follow_ups(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Follow-ups of guides of the scope; those that wait for a guide are head office's."""
    return queryset if _sees_all(staff) else queryset.filter(guide__store__in=_store_ids(staff))


def scope_conversations(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Conversations of members whose guide of today works in a store of the scope; of those without one, what was given
    to a guide of the scope, or whose last guide worked there. Those of people who never had one are head office's."""
    if _sees_all(staff):
        return queryset
    stores = _store_ids(staff)
    live = Binding.objects.live().filter(member=OuterRef("member"))
    later = Binding.objects.filter(member=OuterRef("member"), bound_at__gt=OuterRef("bound_at"))
    last = Binding.objects.filter(~Exists(later), member=OuterRef("member"), store__in=stores)
    unbound = Q(given_to__store__in=stores) | Q(Exists(last))
    return queryset.filter(Q(Exists(live.filter(guide__store__in=stores))) | ~Q(Exists(live)) & unbound)


def scope_members(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Members whose guide of today works in a store of the scope; unbound members are head office's."""
    if _sees_all(staff):
        return queryset
    bound = Binding.objects.live().filter(guide__store__in=_store_ids(staff))
    return queryset.filter(pk__in=bound.values("member_id"))


def scope_member_rows(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with the key of such a member."""
    if _sees_all(staff):
        return queryset
    bound = Binding.objects.live().filter(guide__store__in=_store_ids(staff))
    return queryset.filter(member_id__in=bound.values("member_id"))


def scope_points(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Rows of the points accounts of such members."""
    if _sees_all(staff):
        return queryset
    bound = Binding.objects.live().filter(guide__store__in=_store_ids(staff))
    return queryset.filter(account__member_id__in=bound.values("member_id"))


def scope_tier_changes(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Tier changes of such members."""
    if _sees_all(staff):
        return queryset
    bound = Binding.objects.live().filter(guide__store__in=_store_ids(staff))
    return queryset.filter(member_id__in=bound.values("member_id"))


def scope_merges(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Merges that such a member survived."""
    if _sees_all(staff):
        return queryset
    bound = Binding.objects.live().filter(guide__store__in=_store_ids(staff))
    return queryset.filter(survivor__in=bound.values("member_id"))


def _sees_all(staff: StaffAccount) -> bool:
    return staff.is_active and staff.is_superuser


def _store_ids(staff: StaffAccount) -> QuerySet[Any, Any]:
    wanted = Q(pk__in=[])
    if staff.is_active:
        for scope in StaffScope.objects.filter(staff_id=staff.pk).select_related("region"):
            if scope.region is not None:
                wanted |= Q(region__path__startswith=scope.region.path)
            elif scope.dealer_id is not None:
                wanted |= Q(dealer_id=scope.dealer_id)
            else:
                wanted |= Q(pk=scope.store_id)
    return Store.objects.filter(wanted).values("pk")
