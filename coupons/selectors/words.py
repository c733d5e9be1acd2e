"""Numbers, money and days as people say them."""

import datetime as dt

from django.utils.translation import gettext as _

from core import clock

_WAN = 10_000


def count_words(number: int) -> str:
    """10,000 → "1 万", 12,500 → "12,500"."""
    for size, name in ((100_000_000, _("亿")), (_WAN, _("万"))):
        if number >= size and number % (size // 10) == 0:
            return f"{number / size:g} {name}"
    return f"{number:,}"


def counted(number: int, unit: str) -> str:
    """ "1 万张", "1,666 张"."""
    words = count_words(number)
    return f"{words}{unit}" if not words[-1].isdecimal() else f"{words} {unit}"


def money_words(fen: int) -> str:
    """5,000,000 fen → "5 万元", 128,050 → "1,280.50 元"."""
    whole, rest = divmod(fen, 100)
    if rest:
        return _("%(n)s 元") % {"n": f"{whole:,}.{rest:02d}"}
    return counted(whole, _("元"))


def rate_words(rate_bp: int) -> str:
    """8,500 → "8.5"."""
    return f"{rate_bp / 1000:g}"


def day_words(day: dt.date) -> str:
    """12 月 3 日, with the year when it is another than this one."""
    words = _("%(month)s 月 %(day)s 日") % {"month": day.month, "day": day.day}
    return words if day.year == clock.today().year else f"{day.year} {_('年')} {words}"


def moment_words(at: dt.datetime) -> str:
    """The day, and the time of day where it is not its beginning."""
    local = at.astimezone(clock.SHANGHAI)
    words = day_words(local.date())
    return words if local.time() == dt.time.min else f"{words} {local:%H:%M}"


def end_words(at: dt.datetime) -> str:
    """An end as the last day that counts, and the time of day where that is not its end."""
    local = at.astimezone(clock.SHANGHAI)
    if local.time() == dt.time.min:
        return day_words(local.date() - dt.timedelta(days=1))
    return f"{day_words(local.date())} {local:%H:%M}"


def span_words(seconds: int | None) -> str:
    """How long it will take, roughly."""
    if seconds is None:
        return ""
    if seconds < 60:
        return _("不到 1 分钟")
    return _("大约 %(n)s 分钟") % {"n": -(-seconds // 60)}


def listed(names: list[str], *, most: int = 3, unit: str = "") -> str:
    """南京东路店、天河路店 等 5 家."""
    words = "、".join(names[:most])
    return (
        words
        if len(names) <= most
        else _("%(names)s 等 %(n)s %(unit)s")
        % {
            "names": words,
            "n": len(names),
            "unit": unit or _("个"),
        }
    )


def fen_words(fen: int) -> str:
    """Without a unit: "30", "1,280.50"."""
    return f"{fen // 100:,}" if fen % 100 == 0 else f"{fen // 100:,}.{fen % 100:02d}"
