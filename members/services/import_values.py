"""Reading one cell: what people write in lists of members, and what of it can be relied on.

Every reader takes the text of a cell (dates of a workbook come as ISO text) and returns the value, or the empty
value for an empty cell and for words that mean "nothing". It raises BadValue for what cannot be read safely: a
guessed birthday or a phone with a digit missing is worse than a line that comes back with its reason.
"""

import datetime as dt
import functools
import re
import unicodedata
from typing import Final

from core import clock, phones
from core.imports.contracts import BadValue

_NOTHING: Final = frozenset(
    {
        "", "-", "--", "—", "/", "无", "未知", "未填", "未填写", "不详", "空", "null", "none", "nil", "n/a", "na",
        "#n/a", "nan", "0000-00-00", "0000/00/00",
    }
)  # fmt: skip
_LONGEST_NOTHING: Final = max(map(len, _NOTHING))
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+")
_FLOAT_TAIL: Final = re.compile(r"\.0+$")
_LANDLINE: Final = re.compile(r"(?:\+?86)?0[1-9][0-9]{1,2}[1-9][0-9]{6,7}(?:转?[0-9]{1,6})?")
_SERVICE_NUMBER: Final = re.compile(r"[48]00[0-9]{7}")
_TITLES: Final = {"先生": "male", "女士": "female", "小姐": "female", "太太": "female"}
_GENDERS: Final = {
    "男": "male", "男性": "male", "男士": "male", "先生": "male", "m": "male", "male": "male", "1": "male",
    "女": "female", "女性": "female", "女士": "female", "小姐": "female", "f": "female", "female": "female",
    "2": "female",
    "0": "", "保密": "", "其他": "", "unknown": "", "u": "",
}  # fmt: skip
_LUNAR: Final = re.compile(r"农历|阴历|旧历|正月|腊月|冬月|闰|初[一二三四五六七八九十]|廿|卅")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*[日号]?")
_EIGHT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SHORT_YEAR: Final = re.compile(
    r"'?[0-9]{2}\s*[-/.年]\s*[0-9]{1,2}\s*[-/.月]\s*[0-9]{1,2}\s*[日号]?|[0-9]{6}"
)
_YEAR_LAST: Final = re.compile(r"[0-9]{1,2}\s*[-/.]\s*[0-9]{1,2}\s*[-/.]\s*[0-9]{4}")
_NO_YEAR: Final = re.compile(r"[0-9]{1,2}\s*[-/.月]\s*[0-9]{1,2}\s*[日号]?")
# Days since 1899-12-30, as Excel counts; between 1905 and 2099, so that no year and no short number is taken for one.
_SERIAL: Final = re.compile(r"([0-9]{4,5})(?:\.([0-9]+))?")
_SERIAL_ZERO: Final = dt.date(1899, 12, 30)
_SERIALS: Final = range(10_000, 73_050)
_TIME: Final = re.compile(
    r"(.*?)[T\s]+(上午|下午)?\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?:Z|\+08:?00)?"
)
_FOURTEEN: Final = re.compile(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})")
_FIRST_BIRTHDAY: Final = dt.date(1905, 1, 1)
_FIRST_REGISTERED: Final = dt.date(1980, 1, 1)
_POINTS: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_MOST_POINTS: Final = 1_000_000_000
_CARD: Final = re.compile(r"[0-9A-Za-z_\-.:/#]{1,80}")
_WECHAT_ID: Final = re.compile(r"[0-9A-Za-z_\-]{6,64}")
_TAG_BREAKS: Final = re.compile(r"[,，、;；|/\n]+")
NAME_LENGTH: Final = 60
TAG_LENGTH: Final = 20
_MOST_TAGS: Final = 20


def plain(text: str) -> str:
    """Half-width, without control characters and stray blanks; the empty text for words that mean nothing."""
    if text.isascii() and text.isprintable():
        cleaned = text.strip()
    else:
        shown = unicodedata.normalize("NFKC", text)
        if not shown.isprintable():
            shown = "".join(sign if sign.isprintable() else " " for sign in shown)
        cleaned = " ".join(shown.split())
    return "" if len(cleaned) <= _LONGEST_NOTHING and cleaned.lower() in _NOTHING else cleaned


def read_phone(text: str) -> str:
    """The 11 digits of a mobile number of mainland China; without +86, 0086, blanks, dashes and Excel's ".0"."""
    if phones.is_mobile(text):
        return text
    cleaned = _FLOAT_TAIL.sub("", plain(text).removeprefix("'"))
    if not cleaned:
        return ""
    if _SCIENTIFIC.fullmatch(cleaned):
        raise BadValue("phone_scientific")
    digits = phones.digits_of(cleaned)
    if phones.is_mobile(digits):
        return digits
    if "*" in digits:
        raise BadValue("phone_masked")
    if _LANDLINE.fullmatch(digits) or _SERVICE_NUMBER.fullmatch(digits):
        raise BadValue("phone_landline")
    raise BadValue("phone_unusable")


def read_name(text: str) -> tuple[str, str]:
    """The name, and the gender that its form of address tells ("" for none).

    王小明先生 is 王小明; 王女士 stays, for nothing but a surname would be left of her.
    """
    name = plain(text).removeprefix("'")
    if not name:
        return "", ""
    gender = _TITLES.get(name[-2:], "") if len(name) > 2 else ""
    if gender:
        rest = name[:-2].rstrip()
        name = rest if len(rest) >= 2 else name
    if len(name) > NAME_LENGTH:
        raise BadValue("name_too_long")
    if not name.isalpha() and not any(sign.isalpha() for sign in name):
        raise BadValue("name_unusable")
    return name, gender


def read_gender(text: str) -> str:
    """female, male, or "" for nothing said. 1 and 2 are WeChat's male and female."""
    word = _FLOAT_TAIL.sub("", plain(text)).lower()
    if not word:
        return ""
    if word not in _GENDERS:
        raise BadValue("gender_unusable")
    return _GENDERS[word]


def read_birthday(text: str) -> dt.date | None:
    """A day of the solar calendar with its full year, not in the future."""
    day = _read_day(plain(text))
    if day is None:
        return None
    if day > clock.today():
        raise BadValue("date_future")
    if day < _FIRST_BIRTHDAY:
        raise BadValue("date_too_early")
    return day


def read_registered(text: str) -> dt.datetime | None:
    """An instant, in Shanghai time where the cell has a time and the day's beginning where not; not in the future."""
    cleaned = plain(text)
    if not cleaned:
        return None
    date_text, time = cleaned, dt.time.min
    if found := _FOURTEEN.fullmatch(cleaned):
        date_text = found[1]
        time = _time_of(int(found[2]), int(found[3]), int(found[4]))
    elif found := _TIME.fullmatch(cleaned):
        date_text = found[1]
        hour = int(found[3])
        if found[2] == "下午" and hour < 12:
            hour += 12
        time = _time_of(hour, int(found[4]), int(found[5] or 0))
    day = _read_day(date_text)
    if day is None:
        raise BadValue("date_unusable")
    instant = dt.datetime.combine(day, time, clock.SHANGHAI).astimezone(dt.UTC)
    if instant > clock.now():
        raise BadValue("date_future")
    if day < _FIRST_REGISTERED:
        raise BadValue("date_too_early")
    return instant


def read_points(text: str) -> int | None:
    """A whole number from 0 to a billion; 1,200 and 1200.0 are 1200."""
    cleaned = plain(text).replace(",", "").removesuffix("分").strip()
    if not cleaned:
        return None
    if not _POINTS.fullmatch(cleaned):
        raise BadValue("points_unusable")
    whole, _dot, rest = cleaned.partition(".")
    if rest.strip("0"):
        raise BadValue("points_fraction")
    points = int(whole[:20])
    if points < 0:
        raise BadValue("points_negative")
    if points > _MOST_POINTS:
        raise BadValue("points_too_many")
    return points


def read_card(text: str) -> str:
    """A card number as tills write it, at most 80 signs. A number that Excel has rounded is refused."""
    card = plain(text).removeprefix("'").replace(" ", "")
    if not card:
        return ""
    if _SCIENTIFIC.fullmatch(card):
        raise BadValue("card_scientific")
    card = _FLOAT_TAIL.sub("", card) if card.replace(".", "", 1).isdecimal() else card
    if not _CARD.fullmatch(card):
        raise BadValue("card_unusable")
    return card


def read_wechat_id(text: str) -> str:
    """An openid or unionid; nothing else has such an alphabet and length."""
    cleaned = plain(text)
    if cleaned and not _WECHAT_ID.fullmatch(cleaned):
        raise BadValue("wechat_id_unusable")
    return cleaned


def read_tags(text: str) -> list[str]:
    """The words of a cell, each once, in order; separated by commas, 顿号, semicolons, bars or slashes."""
    words = list(dict.fromkeys(plain(word) for word in _TAG_BREAKS.split(plain(text))))
    tags = [word for word in words if word]
    if len(tags) > _MOST_TAGS:
        raise BadValue("too_many_tags")
    if any(len(tag) > TAG_LENGTH for tag in tags):
        raise BadValue("tag_too_long")
    return tags


@functools.lru_cache(maxsize=65_536)
def _read_day(text: str) -> dt.date | None:
    """A day of the cleaned text, None of an empty one; many people share a birthday, so it is kept."""
    if not text:
        return None
    if _LUNAR.search(text):
        raise BadValue("date_lunar")
    date_text, is_midnight = _without_midnight(text)
    found = _YEAR_FIRST.fullmatch(date_text) or _EIGHT.fullmatch(date_text)
    if found:
        try:
            return dt.date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            raise BadValue("date_unusable") from None
    serial = _SERIAL.fullmatch(date_text)
    if serial and not is_midnight and int(serial[1]) in _SERIALS:
        return _SERIAL_ZERO + dt.timedelta(days=int(serial[1]))
    for shape, code in (
        (_SHORT_YEAR, "date_two_digit_year"),
        (_YEAR_LAST, "date_order_unclear"),
        (_NO_YEAR, "date_no_year"),
    ):
        if shape.fullmatch(date_text):
            raise BadValue(code)
    raise BadValue("date_unusable")


def _without_midnight(text: str) -> tuple[str, bool]:
    """Systems export days as 1990-05-01 00:00:00; any other time of a day stays and makes it unreadable."""
    found = _TIME.fullmatch(text)
    if found and int(found[3]) == int(found[4]) == int(found[5] or 0) == 0:
        return found[1], True
    return text, False


def _time_of(hour: int, minute: int, second: int) -> dt.time:
    try:
        return dt.time(hour, minute, second)
    except ValueError:
        raise BadValue("date_unusable") from None
