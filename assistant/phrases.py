"""How the assistant says times, greetings and names."""

import datetime as dt
import zlib
from typing import Final

from django.utils.translation import gettext as _

from core import clock

AVATAR_TONES: Final = 6
_COMPOUND_SURNAMES: Final = frozenset(
    (
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "令狐",
        "慕容",
        "司徒",
        "夏侯",
        "端木",
        "南宫",
        "独孤",
        "长孙",
        "宇文",
    )
)
_WEEKDAYS: Final = "一二三四五六日"


def say_time(at: dt.datetime, *, now: dt.datetime) -> str:
    """An instant as people say it: 刚刚, 5分钟前, 今天 15:20, 昨天 15:20, 3月8日, 2025年3月8日."""
    passed = (now - at).total_seconds()
    if passed < 60:
        return _("刚刚")
    if passed < 60 * 60:
        return _("%(minutes)d分钟前") % {"minutes": passed // 60}
    local, today = at.astimezone(clock.SHANGHAI), clock.business_day(now)
    if local.date() == today:
        return _("今天 %(time)s") % {"time": f"{local:%H:%M}"}
    if local.date() == today - dt.timedelta(days=1):
        return _("昨天 %(time)s") % {"time": f"{local:%H:%M}"}
    return say_day(local.date(), today=today)


def say_appointment(at: dt.datetime, *, now: dt.datetime) -> str:
    """A time to meet, past or to come: 今天 15:20, 明天 15:20, 昨天 15:20, 3月8日 15:20."""
    local, today = at.astimezone(clock.SHANGHAI), clock.business_day(now)
    names = {-1: _("昨天"), 0: _("今天"), 1: _("明天")}
    day = names.get((local.date() - today).days) or say_day(local.date(), today=today)
    return f"{day} {local:%H:%M}"


def say_day(day: dt.date, *, today: dt.date) -> str:
    """A date: 3月8日 in this year, 2025年3月8日 in another."""
    if day.year == today.year:
        return _("%(month)d月%(day)d日") % {"month": day.month, "day": day.day}
    return _("%(year)d年%(month)d月%(day)d日") % {"year": day.year, "month": day.month, "day": day.day}


def say_coming_day(day: dt.date, *, today: dt.date) -> str:
    """A day to come: 今天, 明天, 后天, 3月8日."""
    days = (day - today).days
    if days == 0:
        return _("今天")
    if days == 1:
        return _("明天")
    return _("后天") if days == 2 else say_day(day, today=today)


def say_today(now: dt.datetime) -> str:
    """The heading of a day: 11月22日 周日."""
    today = clock.business_day(now)
    return f"{say_day(today, today=today)} {_('周')}{_WEEKDAYS[today.weekday()]}"


def say_birthday(day: dt.date) -> str:
    """Month and day only: a shop assistant has no use for the year, and it is nobody's business."""
    return _("%(month)d月%(day)d日") % {"month": day.month, "day": day.day}


def greet(now: dt.datetime) -> str:
    """早上好, 中午好, 下午好 or 晚上好, by Shanghai's clock."""
    hour = now.astimezone(clock.SHANGHAI).hour
    if 5 <= hour < 11:
        return _("早上好")
    if 11 <= hour < 13:
        return _("中午好")
    if 13 <= hour < 18:
        return _("下午好")
    return _("晚上好")


def surname(name: str) -> str:
    """What stands in the avatar: the surname, 欧阳 as two characters; the first letter of anything else."""
    text = name.strip()
    if text[:2] in _COMPOUND_SURNAMES:
        return text[:2]
    return text[:1].upper() or "·"


def avatar_tone(key: str) -> int:
    """A stable colour for one person, 0 to AVATAR_TONES - 1."""
    return zlib.crc32(key.encode()) % AVATAR_TONES


def say_money(fen: int) -> str:
    """¥1,280.50; whole yuan without the zeros; ¥1.28万 from ten thousand yuan on."""
    yuan, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    if yuan >= 10_000:
        return f"{sign}¥{say_count(yuan)}"
    return f"{sign}¥{yuan:,}.{rest:02d}" if rest else f"{sign}¥{yuan:,}"


def say_count(number: int) -> str:
    """1,280 below ten thousand, 1.28万 from there."""
    if number < 10_000:
        return f"{number:,}"
    return _("%(number)s万") % {"number": f"{number / 10_000:.2f}".rstrip("0").rstrip(".")}
