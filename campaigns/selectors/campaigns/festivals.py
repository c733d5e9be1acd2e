"""Days that a marketer plans around: festivals by the moon and the sun, days off, the trade's own, the chain's."""

import datetime as dt
import functools
from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from lunar_python import Solar
from lunar_python.util import HolidayUtil

from campaigns.contracts.campaigns import Festival

# What shops sell for, of the many days that a calendar knows.
_SOLAR: Final = {
    "元旦节": _("元旦"),
    "情人节": _("情人节"),
    "妇女节": _("女神节"),
    "劳动节": _("劳动节"),
    "青年节": _("青年节"),
    "母亲节": _("母亲节"),
    "儿童节": _("儿童节"),
    "父亲节": _("父亲节"),
    "教师节": _("教师节"),
    "国庆节": _("国庆节"),
    "万圣节前夜": _("万圣夜"),
    "平安夜": _("平安夜"),
    "圣诞节": _("圣诞节"),
}
_TERMS: Final = {"清明": _("清明"), "冬至": _("冬至"), "立春": _("立春"), "立秋": _("立秋")}
_TRADE: Final[Mapping[tuple[int, int], str | Promise]] = {
    (5, 20): _("520"),
    (6, 18): _("618"),
    (8, 18): _("818"),
    (9, 9): _("99 大促"),
    (11, 11): _("双十一"),
    (12, 12): _("双十二"),
}


@functools.lru_cache(maxsize=4_096)
def festivals_of(day: dt.date) -> tuple[Festival, ...]:
    """What the day is called, the most important first, and whether it is a day off or worked instead of one (as far as the
    State Council has said)."""
    solar = Solar.fromYmd(day.year, day.month, day.day)
    moon = solar.getLunar()
    found = [Festival("moon", name) for name in moon.getFestivals()]
    found += [Festival("sun", str(_SOLAR[name])) for name in solar.getFestivals() if name in _SOLAR]
    if moon.getJieQi() in _TERMS:
        found.append(Festival("sun", str(_TERMS[moon.getJieQi()])))
    if (day.month, day.day) in _TRADE:
        found.append(Festival("trade", str(_TRADE[day.month, day.day])))
    told = HolidayUtil.getHoliday(day.isoformat())
    if told is not None:
        found.append(Festival("worked" if told.isWork() else "off", told.getName()))
    return tuple(found)


def moon_day(day: dt.date) -> str:
    """ "初一", or the month's name on its first day."""
    moon = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    return f"{moon.getMonthInChinese()}月" if moon.getDay() == 1 else moon.getDayInChinese()
