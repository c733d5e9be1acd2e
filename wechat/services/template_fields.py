"""Fields of templates: reading them out of a template's text, and making values that WeChat will take.

Official pages "subscribe message" (value rules by kind; they hold for category templates of official accounts too) and
"template message". What breaks a rule is answered with 47003, so nothing leaves that breaks one.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.texts import clean, cut
from wechat.contracts import TemplateCard, TemplateField
from wechat.errors import TemplateFieldUnfit, TemplateGone
from wechat.services.field_moments import fit_date, fit_time

NOTHING: Final = "无"
_SLOT: Final = re.compile(r"([^{}\n\r]*?)[:：]?\s*\{\{\s*([a-z_]+?)(\d*)\.DATA\s*\}\}")
# Since 2023 WeChat drops these without a word.
_DROPPED: Final = frozenset({"first", "remark"})
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
_AMOUNT: Final = re.compile(r"([¥￥$€£]?)(\d+)(?:\.(\d+))?(元?)")
_PHONE: Final = re.compile(r"[0-9+\-]{1,17}")
_CAR: Final = re.compile(r"[\u4e00-\u9fff]?[0-9A-Za-z·-]{1,7}[\u4e00-\u9fff]?")
_SYMBOLS: Final = re.compile(r"[!-/:-@\[-`{-~]{1,5}")
_AMOUNT_DIGITS: Final = 10
_NUMBER_DIGITS: Final = 32


class _Unfit(Exception):
    """This value cannot be made to fit its kind."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of field takes: in words, and how a value is made to fit."""

    words: str | Promise
    fit: Callable[[str], str]


def read_template(content: str, example: str) -> list[dict[str, str]]:
    """The fields of a template's text in order, without those that WeChat drops, each with its label and its part of the
    example."""
    lines = {}
    for line in example.splitlines():
        label, colon, value = line.replace("：", ":", 1).partition(":")
        if colon:
            lines[label.strip()] = value.strip()
    return [
        {
            "name": f"{kind}{number}",
            "kind": kind,
            "label": label.strip(),
            "example": lines.get(label.strip(), ""),
        }
        for label, kind, number in _SLOT.findall(content)
        if kind not in _DROPPED
    ]


def fit_fields(template: TemplateCard, values: Mapping[str, Any]) -> dict[str, str]:
    """The values as WeChat will take them, for every field of the template.

    Texts lose line breaks and are cut with an ellipsis, never inside a character that people see as one; an empty text
    is "无" (in letters and digits "-"). Dates, times, amounts and numbers are brought into WeChat's form. Values for
    fields that the template does not have are left out. Raises TemplateFieldUnfit, naming field and rule, for what
    cannot be made to fit (no date, too many digits, an empty number), and TemplateGone.
    """
    if not template.is_live:
        raise TemplateGone(title=template.title)
    return {field.name: fit_value(field, values.get(field.name)) for field in template.fields}


def fit_value(field: TemplateField, value: object) -> str:
    """One value as its kind takes it; see `fit_fields`."""
    kind = kind_of(field.kind)
    try:
        return kind.fit(clean("" if value is None else str(value)))
    except _Unfit as error:
        raise TemplateFieldUnfit(
            field=field.name, label=field.label, kind=field.kind, rule=str(kind.words)
        ) from error


def kind_of(name: str) -> Kind:
    """The rules of a kind; one that we do not know is held to the narrowest text."""
    return KINDS.get(name, KINDS["thing"])


def _text(limit: int) -> Callable[[str], str]:
    return lambda value: cut(value, limit) if value else NOTHING


def _number(value: str) -> str:
    plain = value.replace(",", "").replace(" ", "")
    if not _NUMBER.fullmatch(plain) or not plain.isascii() or len(plain.replace(".", "")) > _NUMBER_DIGITS:
        raise _Unfit
    return plain


def _amount(value: str) -> str:
    """As money is written: two decimals at most; round ones go when the digits are too many."""
    found = _AMOUNT.fullmatch(value.replace(",", "").replace(" ", ""))
    if found is None or (not value.isascii() and not (found[2] + (found[3] or "")).isascii()):
        raise _Unfit
    sign, whole, decimals, unit = found[1], found[2], (found[3] or "")[:2], found[4]
    if not decimals.strip("0") and len(whole) + len(decimals) > _AMOUNT_DIGITS:
        decimals = ""
    if len(whole) + len(decimals) > _AMOUNT_DIGITS:
        raise _Unfit
    return f"{sign}{whole}{'.' if decimals else ''}{decimals}{unit}"


def _characters(value: str) -> str:
    """Letters, digits and marks only; others are left out."""
    kept = _only(value, lambda char: "!" <= char <= "~")
    return cut(kept, 32, ending="...") if kept else "-"


def _letters(value: str) -> str:
    kept = "".join(char for char in value if char.isascii() and char.isalpha())
    if not kept:
        raise _Unfit
    return kept[:32]


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def fit(value: str) -> str:
        if not pattern.fullmatch(value):
            raise _Unfit
        return value

    return fit


def _name(value: str) -> str:
    """Ten characters, or twenty when all of them are letters; pictures are left out, and no mark says that it was cut:
    a name has none."""
    kept = _only(value, lambda char: _is_written(char) or char in "·.-")
    return cut(kept, 20 if kept.isascii() else 10, ending="") if kept else NOTHING


def _only(value: str, is_kept: Callable[[str], bool]) -> str:
    """These characters of it, and one space where there were some."""
    return " ".join("".join(char for char in value if char == " " or is_kept(char)).split())


def _phrase(value: str) -> str:
    kept = "".join(char for char in value if "\u4e00" <= char <= "\u9fff")
    return kept[:5] or NOTHING


def _is_written(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN" and ord(char) <= 0xFFFF


def _moment(fit: Callable[[str], str | None]) -> Callable[[str], str]:
    def fitted(value: str) -> str:
        made = fit(value)
        if made is None:
            raise _Unfit
        return made

    return fitted


KINDS: Final[Mapping[str, Kind]] = {
    "thing": Kind(_("20 个字以内"), _text(20)),
    "number": Kind(_("32 位以内的数字，可以带小数"), _number),
    "letter": Kind(_("32 个以内的字母"), _letters),
    "symbol": Kind(_("5 个以内的符号"), _matching(_SYMBOLS)),
    "character_string": Kind(_("32 个以内的字母、数字或符号"), _characters),
    "time": Kind(_("24 小时制的时间，可以带日期，如 2026年11月28日 10:00"), _moment(fit_time)),
    "date": Kind(_("日期，可以带时间，如 2026年11月28日"), _moment(fit_date)),
    "amount": Kind(_("金额，可以带币种符号和小数，10 位数字以内"), _amount),
    "phone_number": Kind(_("17 位以内的数字或符号"), _matching(_PHONE)),
    "car_number": Kind(_("8 位以内的车牌号"), _matching(_CAR)),
    "name": Kind(_("10 个汉字或 20 个字母以内"), _name),
    "phrase": Kind(_("5 个以内的汉字"), _phrase),
}
