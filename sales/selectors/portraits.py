"""What a member's purchases come to, as her guide is told of it: one member whole, or why a list names each of hers."""

from collections.abc import Collection
from typing import Final

from core.compiled import ask
from sales.contracts import PurchasePortrait, VisitReason
from sales.models import STANDARD_LISTS, IntervalTier, LifeStage

_PORTRAIT: Final = """
SELECT row.first_on, row.last_on, row.order_count, row.amount_fen, row.year_order_count, row.year_amount_fen,
       row.basket_fen, row.price_band, row.typical_days, row.next_on, row.rfm_group, row.before_group, row.coming_group,
       row.stage, row.interval_tier, settings.group_names, settings.price_cuts,
       array(SELECT coalesce(nullif(category.name, ''), liked.code)
             FROM unnest(row.categories) WITH ORDINALITY AS liked (code, place)
             LEFT JOIN sales_category category ON category.code = liked.code ORDER BY liked.place)
FROM sales_membermetrics row LEFT JOIN sales_rfmsettings settings ON settings.id = 1
WHERE row.member_id = %(member_id)s
"""
_REASONS: Final = """
SELECT row.member_id, row.last_on, row.typical_days, row.rfm_group, row.coming_group, settings.group_names
FROM sales_membermetrics row LEFT JOIN sales_rfmsettings settings ON settings.id = 1
WHERE row.member_id = ANY(%(ids)s) AND row.order_count > 0
"""


def find_portrait(member_id: int) -> PurchasePortrait | None:
    """None before anything of hers was counted. Who has not bought has noughts, and no days."""
    for row in ask(_PORTRAIT, {"member_id": member_id}):
        names = row[15] or STANDARD_LISTS["group_names"]
        cuts = row[16] or STANDARD_LISTS["price_cuts"]
        band = row[7]
        return PurchasePortrait(
            first_on=row[0],
            last_on=row[1],
            order_count=row[2],
            amount_fen=row[3],
            year_order_count=row[4],
            year_amount_fen=row[5],
            basket_fen=row[6],
            price_from_fen=None if band is None else (cuts[band - 1] if band else 0),
            price_below_fen=None if band is None or band == len(cuts) else cuts[band],
            categories=tuple(row[17]),
            typical_days=row[8],
            next_on=row[9],
            group=row[10],
            group_name=_name(names, row[10]),
            before_group=row[11],
            before_name=_name(names, row[11]),
            coming_name=_name(names, row[12]) if row[12] != row[10] else "",
            stage_label=str(LifeStage(row[13]).label),
            interval_label=str(IntervalTier(row[14]).label),
        )
    return None


def list_visit_reasons(member_ids: Collection[int]) -> dict[int, VisitReason]:
    """Of those who have bought: when last, how often, and which group they would come to without buying."""
    if not member_ids:
        return {}
    return {
        member_id: VisitReason(
            last_on=last_on,
            typical_days=typical_days,
            group_name=_name(names or STANDARD_LISTS["group_names"], group),
            coming_name=_name(names or STANDARD_LISTS["group_names"], coming) if coming != group else "",
        )
        for member_id, last_on, typical_days, group, coming, names in ask(_REASONS, {"ids": list(member_ids)})
    }


def _name(names: list[str], group: int | None) -> str:
    return "" if group is None else names[group]
