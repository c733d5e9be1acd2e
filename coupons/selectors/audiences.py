"""Whom staff chooses for a bulk issue, inside the account's part of the chain: id querysets, never lists."""

import functools
import operator
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from core.models import StaffAccount
from coupons.contracts import Audience
from coupons.models import Coupon, CouponBatch
from coupons.selectors.faces import tier_names
from coupons.selectors.words import day_words, listed
from guides import selectors as guide_selectors
from members import selectors as member_selectors


def own_member_ids(staff: StaffAccount) -> QuerySet[Any, int]:
    """Ids of all living members whom the account sees; unevaluated."""
    return guide_selectors.scope_members(staff, member_selectors.living_member_ids())


def audience_ids(audience: Audience, staff: StaffAccount) -> QuerySet[Any, int]:
    """Ids of whom the account chose, of those whom it sees; unevaluated."""
    ids = own_member_ids(staff)
    if audience.tier_ids:
        ids = ids.filter(_any_of(map(member_selectors.tier_member_ids, audience.tier_ids)))
    if audience.tag_ids:
        ids = ids.filter(_any_of(map(member_selectors.tagged_member_ids, audience.tag_ids)))
    if audience.store_ids or audience.region_ids or audience.dealer_ids:
        bound = guide_selectors.place_member_ids(
            store_ids=audience.store_ids, region_ids=audience.region_ids, dealer_ids=audience.dealer_ids
        )
        ids = ids.filter(pk__in=bound)
    if audience.joined_from is not None or audience.joined_until is not None:
        ids = ids.filter(
            pk__in=member_selectors.registered_member_ids(audience.joined_from, audience.joined_until)
        )
    return ids


def _any_of(parts: Iterable[QuerySet[Any, int]]) -> Q:
    return functools.reduce(operator.or_, (Q(pk__in=part) for part in parts))


def count_served(batch_id: int, member_ids: QuerySet[Any, int]) -> int:
    """How many of them have as many of the batch as one may; in one statement."""
    limit = CouponBatch.objects.filter(pk=batch_id).values_list("member_limit", flat=True).first()
    if limit is None:
        return 0
    had = Coupon.objects.filter(batch_id=batch_id, received_by__in=member_ids).values("received_by")
    return had.annotate(n=Count("pk")).filter(n__gte=limit).count()


def audience_words(audience: Audience) -> str:
    """ "标签 敏感肌；等级 金卡；华东大区的会员"."""
    pieces = []
    if audience.tag_ids:
        names = [member_selectors.get_tag_card(tag_id).name for tag_id in audience.tag_ids]
        pieces.append(_("标签 %(names)s") % {"names": listed(names)})
    if audience.tier_ids:
        pieces.append(_("等级 %(names)s") % {"names": listed(tier_names(audience.tier_ids))})
    stores, regions, dealers = guide_selectors.list_place_names(
        store_ids=audience.store_ids, region_ids=audience.region_ids, dealer_ids=audience.dealer_ids
    )
    places = [*regions.values(), *dealers.values(), *stores.values()]
    if places:
        pieces.append(_("导购在%(places)s的会员") % {"places": listed(places)})
    if audience.joined_from is not None:
        pieces.append(_("%(day)s起入会") % {"day": day_words(audience.joined_from)})
    if audience.joined_until is not None:
        pieces.append(_("%(day)s前（含当天）入会") % {"day": day_words(audience.joined_until)})
    return "；".join(pieces) or _("看得到的全部会员")
