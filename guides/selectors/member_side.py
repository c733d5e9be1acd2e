"""What a member sees of guides and stores."""

import datetime as dt
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import clock
from core.compiled import Given, compiled
from core.errors import NotFound
from guides.contracts import ChangeReasonLine, GuideCard, MemberGuide
from guides.models import Binding, BindingPolicy, BindingSource, Guide, GuideState, Store
from guides.selectors.codes import get_guide_code
from guides.selectors.people import guide_card_of

DEFAULT_PAUSE_DAYS: Final = 30  # where no policy is active
# Why members change their guide; what is chosen is kept with the binding that ended.
CHANGE_REASONS: Final[dict[str, Promise]] = {
    "moved": _("我搬家或换了常去的门店"),
    "too_far": _("现在的门店太远"),
    "hard_to_reach": _("联系不上现在的导购"),
    "knows_another": _("有更熟悉的导购"),
    "other": _("其他原因"),
}


def list_change_reasons() -> tuple[ChangeReasonLine, ...]:
    """The reasons to choose from."""
    return tuple(ChangeReasonLine(key, str(label)) for key, label in CHANGE_REASONS.items())


def find_member_guide(member_id: int, at: dt.datetime | None = None) -> MemberGuide | None:
    """Her guide of today, also one who has left (then nobody cares for her until she chooses); None without."""
    at = at or clock.now()
    live = _live.first(member_id=member_id)
    if live is None:
        return None
    return MemberGuide(
        guide=guide_card_of(live.guide),
        bound_at=live.bound_at,
        qr_content=_qr_of(live.guide, at),
        change_free_on=change_free_on(live, at),
    )


@compiled
def _live(*, member_id: Given) -> QuerySet[Binding]:
    paths = ("guide__store__region", "guide__store__dealer")
    return Binding.objects.live().filter(member_id=member_id).select_related(*paths)


def change_free_on(live: Binding, at: dt.datetime) -> dt.date | None:
    """The Shanghai day from which she may choose another guide; None when she may now.

    Only a choice of her own makes her wait, and not when that guide has left.
    """
    if live.source != BindingSource.MEMBER or live.guide.state != GuideState.ACTIVE:
        return None
    free_at = live.bound_at + dt.timedelta(days=_pause_days(live.guide.store))
    return None if free_at <= at else clock.business_day(free_at)


def list_store_guides(store_id: int) -> tuple[GuideCard, ...]:
    """The active guides of a store, managers last, by name."""
    guides = Guide.objects.active().filter(store_id=store_id).select_related("store__region", "store__dealer")
    return tuple(guide_card_of(guide) for guide in guides.order_by("role", "name", "pk"))


def _pause_days(store: Store) -> int:
    """By the deepest active policy that holds in the store."""
    place = [int(part) for part in store.region.path.split("/") if part]
    rows = BindingPolicy.objects.filter(Q(region__isnull=True) | Q(region_id__in=place), is_active=True)
    found = [
        (0 if region_id is None else place.index(region_id) + 1, days)
        for region_id, days in rows.values_list("region_id", "change_pause_days")
    ]
    return max(found)[1] if found else DEFAULT_PAUSE_DAYS


def _qr_of(guide: Guide, at: dt.datetime) -> str:
    if guide.state != GuideState.ACTIVE:
        return ""
    try:
        return get_guide_code(guide.pk, at).qr_content
    except NotFound:
        return ""
