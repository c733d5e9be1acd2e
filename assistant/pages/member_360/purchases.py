"""订单: what she bought, how often, and what she likes."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.member_360.contract import Viewing
from sales.selectors import purchases as purchase_selectors
from sales.selectors.purchases import PurchaseLine

_SHOWN: Final = 20
_NAMED: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class PurchaseRow:
    title: str  # 针织衫、风衣外套等 4 件
    value: str
    foot: str  # 昨天 15:20 · 南京东路店
    returned_text: str


@dataclasses.dataclass(frozen=True, slots=True)
class PurchasesPart:
    amount_text: str
    count_text: str
    average_text: str
    last_text: str  # 上次 11月20日，12 天前
    categories: tuple[tuple[str, str], ...]  # 上装, 6 件 · ¥2,480
    rows: tuple[PurchaseRow, ...]


def build_purchases(viewing: Viewing) -> PurchasesPart:
    """The tab of her orders: the last twelve months in numbers, her categories, her newest orders."""
    sums = purchase_selectors.sum_purchases(viewing.member.id, at=viewing.now)
    average = sums.year_amount_fen // sums.year_order_count if sums.year_order_count else 0
    return PurchasesPart(
        amount_text=phrases.say_money(sums.year_amount_fen),
        count_text=phrases.say_count(sums.year_order_count),
        average_text=phrases.say_money(average // 100 * 100),
        last_text=_say_last(sums.last_at, viewing.now),
        categories=tuple(
            (
                one.name,
                _("%(count)s 件 · %(amount)s")
                % {"count": phrases.say_count(one.unit_count), "amount": phrases.say_money(one.amount_fen)},
            )
            for one in purchase_selectors.list_favourite_categories(viewing.member.id)
        ),
        rows=tuple(
            _row(line, viewing.now)
            for line in purchase_selectors.list_purchases(viewing.member.id, limit=_SHOWN)
        ),
    )


def _say_last(at: dt.datetime | None, now: dt.datetime) -> str:
    if at is None:
        return ""
    days = (now - at).days
    when = phrases.say_time(at, now=now)
    return (
        _("上次购买 %(when)s，%(days)d 天前") % {"when": when, "days": days}
        if days > 1
        else _("上次购买 %(when)s") % {"when": when}
    )


def _row(line: PurchaseLine, now: dt.datetime) -> PurchaseRow:
    names = _("、").join(dict.fromkeys(line.goods[:_NAMED]))
    if len(line.goods) > _NAMED:
        names = _("%(names)s等 %(count)d 样") % {"names": names, "count": len(line.goods)}
    return PurchaseRow(
        title=names or line.order_no,
        value=phrases.say_money(line.amount_fen),
        foot=f"{phrases.say_appointment(line.sold_at, now=now)} · {line.store_name}",
        returned_text=_("已退 %(amount)s") % {"amount": phrases.say_money(line.returned_fen)}
        if line.returned_fen
        else "",
    )
