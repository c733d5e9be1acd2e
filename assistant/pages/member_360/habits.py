"""消费画像: when and what she buys, where she stands among all, and what happens if she does not come."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from sales.contracts import PurchasePortrait, VisitReason
from sales.selectors import find_portrait


@dataclasses.dataclass(frozen=True, slots=True)
class Habits:
    """Her groups as tags, a warning where there is one, and lines of label and value."""

    group: str
    tags: tuple[str, ...]
    moved: str
    warning: str
    lines: tuple[tuple[str, str], ...]


def build_habits(member_id: int, *, today: dt.date) -> Habits | None:
    """None before she has bought anything."""
    found = find_portrait(member_id)
    if found is None or found.last_on is None or found.first_on is None:
        return None
    return Habits(
        group=found.group_name,
        tags=(found.stage_label, found.interval_label),
        moved=_moved(found),
        warning=_("30 天内不来，会从「%(now)s」降到「%(coming)s」")
        % {"now": found.group_name, "coming": found.coming_name}
        if found.coming_name
        else "",
        lines=tuple(_lines(found, found.first_on, found.last_on, today)),
    )


def say_reason(reason: VisitReason, *, is_falling: bool, today: dt.date) -> str:
    """平时 30 天买一次，已 52 天没来."""
    days = (today - reason.last_on).days
    if is_falling:
        return _("已 %(days)d 天没来，30 天内不来会降到「%(coming)s」") % {
            "days": days,
            "coming": reason.coming_name,
        }
    return _("平时 %(often)d 天买一次，已 %(days)d 天没来") % {
        "often": reason.typical_days or 0,
        "days": days,
    }


def _moved(found: PurchasePortrait) -> str:
    if found.before_group == found.group:
        return _("和上月末一样")
    if found.before_group is None:
        return _("上月末还没有客群")
    return _("上月末是「%(group)s」") % {"group": found.before_name}


def _lines(
    found: PurchasePortrait, first_on: dt.date, last_on: dt.date, today: dt.date
) -> list[tuple[str, str]]:
    lines = [
        (_("最近消费"), _when(last_on, today)),
        (_("首次消费"), phrases.say_day(first_on, today=today)),
        (_("近 12 个月"), _sum(found.year_order_count, found.year_amount_fen)),
        (_("累计"), _sum(found.order_count, found.amount_fen)),
        (_("客单价"), phrases.say_money(found.basket_fen // 100 * 100)),
    ]
    if found.price_from_fen is not None:
        lines.append((_("价格带"), _band(found.price_from_fen, found.price_below_fen)))
    if found.categories:
        lines.append((_("偏好类目"), _("、").join(found.categories)))
    if found.typical_days is not None:
        lines.append((_("通常间隔"), _("%(days)d 天买一次") % {"days": found.typical_days}))
    if found.next_on is not None:
        lines.append((_("预计下次"), _next(found.next_on, today)))
    return lines


def _when(day: dt.date, today: dt.date) -> str:
    days = (today - day).days
    words = phrases.say_day(day, today=today)
    return _("今天") if days <= 0 else _("%(day)s，%(days)d 天前") % {"day": words, "days": days}


def _next(day: dt.date, today: dt.date) -> str:
    late = (today - day).days
    if late <= 0:
        return phrases.say_coming_day(day, today=today)
    return _("%(day)s，过了 %(days)d 天") % {"day": phrases.say_day(day, today=today), "days": late}


def _sum(count: int, fen: int) -> str:
    return _("%(count)s 单 · %(amount)s") % {
        "count": phrases.say_count(count),
        "amount": phrases.say_money(fen),
    }


def _band(low: int, below: int | None) -> str:
    if below is None:
        return _("每件 %(low)s 以上") % {"low": phrases.say_money(low)}
    if not low:
        return _("每件 %(high)s 以下") % {"high": phrases.say_money(below)}
    return _("每件 %(low)s 到 %(high)s") % {"low": phrases.say_money(low), "high": phrases.say_money(below)}
