"""Whose statements a month has: enough to show a list a page at a time, and to compute only the page."""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping

from guides import selectors as guide_selectors
from sales.models import CommissionStatement, Metric
from sales.selectors.commission_groups import last_stores
from sales.selectors.commission_months import state_of
from sales.selectors.commission_sources import guides_with_entries, list_terms, reach_of


@dataclasses.dataclass(frozen=True, slots=True)
class PaidGuide:
    """A guide with a statement of a month, and the store that pays her."""

    guide_id: int
    guide_number: str
    guide_name: str
    store_id: int
    store_name: str


def list_paid_guides(month_on: dt.date, *, store_ids: Collection[int] | None = None) -> tuple[PaidGuide, ...]:
    """Who has a statement of a month and is paid by one of these stores (None: any), by store and number. Of a month
    that is open those who have anything to settle that a rule might pay; while a worker is at the statements those who
    have one."""
    month_on = month_on.replace(day=1)
    if state_of(month_on) == "open":
        stores = _paying_stores(month_on)
    else:
        rows = CommissionStatement.objects.filter(month__month_on=month_on, is_live=True)
        stores = dict(rows.values_list("guide_id", "store_id"))
    kept = {guide: store for guide, store in stores.items() if store_ids is None or store in store_ids}
    return tuple(sorted(paid_guides(kept), key=lambda one: (one.store_name, one.guide_number)))


def paid_guides(stores: Mapping[int, int]) -> list[PaidGuide]:
    """These guides with the stores that pay them, given by the guides' ids."""
    tags = guide_selectors.list_guide_tags(stores)
    names = guide_selectors.list_store_names(set(stores.values()))
    return [
        PaidGuide(guide_id, *tags[guide_id], store_id, names.get(store_id, ""))
        for guide_id, store_id in stores.items()
    ]


def _paying_stores(month_on: dt.date) -> dict[int, int]:
    """As `Sources.paying_store`, of everybody at once."""
    reach = reach_of(month_on)
    paid = {one.bounty_metric for one in list_terms() if one.kind == "bounty"}
    guide_ids = guides_with_entries(reach, [str(Metric.SALES_FEN), *paid])
    seats = guide_selectors.list_roster_stores(
        starts_on=reach.month_on, ends_on=reach.end, guide_ids=guide_ids
    )
    others = set(guide_ids) - set(seats)
    sold = last_stores(reach, others)
    gone = {one: guide_selectors.get_guide_card(one).store.id for one in others - set(sold)}
    return seats | sold | gone
