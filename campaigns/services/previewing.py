"""How a topic's template will look: its keywords filled with a sample, and every cut that WeChat's limits make."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _now

from campaigns.contracts import TOPICS
from core.texts import clean
from wechat.contracts import TemplateCard, TemplateField
from wechat.errors import TemplateFieldUnfit
from wechat.services.template_fields import fit_value, kind_of

# What each value of a topic looks like, and one as long as it gets.
_SAMPLES: Final[Mapping[str, tuple[str, str]]] = {
    "text": (
        "您有一条新消息，点开看看。",
        "您在素衣湖滨银泰店消费了 ¥1,899，获得 189 积分，感谢您的光临，期待再见。",
    ),
    "member": ("林小美", "欧阳慕容静怡·阿依古丽·买买提"),
    "amount": ("¥1,899", "¥12,345,678.90"),
    "store": ("素衣湖滨银泰店", "素衣 SUYI 杭州湖滨银泰 in77 购物中心 C 区三层旗舰店"),
    "points": ("189", "1234567"),
    "balance": ("1024", "12345678"),
    "reason": ("购物获得", "购物获得（双倍积分活动，含生日当月加赠，退货时会收回）"),
    "order_no": ("SO20261128000123", "SO-HZ-YT-20261128-152033-000000000123-A"),
    "time": ("2026-11-28 15:20", "2026-11-28 15:20"),
    "day": ("2026-12-31", "2026-12-31"),
    "from_day": ("2026-11-28", "2026-11-28"),
    "coupon": ("满1000减120", "周年庆全场通用满1000元减120元券（特价商品与礼品卡除外）"),
    "worth": ("¥120", "¥12,000.50"),
    "count": ("2", "120"),
    "tier": ("金卡会员", "黑金至尊会员（终身荣誉）"),
    "guide": ("李娜", "司徒婉儿（羊绒与大衣搭配顾问）"),
    "kind": ("改裤长", "羊绒大衣整衣改短并更换里衬"),
    "step": ("已完成", "已由门店转交总部工坊"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class PreviewLine:
    """One keyword as the phone shows it. `whole`: what it was before it was cut or changed, "" when it was not; `fault`: why
    WeChat would not take it at all."""

    name: str
    label: str
    shown: str
    whole: str = ""
    fault: str = ""


def sample_of(*, topic: str, value: str, is_long: bool) -> str:
    """What this value of the topic may look like."""
    if value == "title":
        label = str(TOPICS[topic].label)
        return f"{label}：请您留意，有一件与您有关的事情需要查看" if is_long else label
    return _SAMPLES[value][is_long]


def preview_mapping(
    *,
    topic: str,
    card: TemplateCard,
    fields: Mapping[str, Mapping[str, str]],
    is_long: bool = False,
    said: Mapping[str, str] | None = None,
) -> tuple[PreviewLine, ...]:
    """The template's lines, in its order. A source that is unknown is an empty text; `said` are values that are known, the
    others are samples."""
    known = said or {}

    def value(source: Mapping[str, str]) -> str:
        return known.get(source.get("value", ""), "") or _value(topic, source, is_long=is_long)

    return tuple(_line(field, value(fields.get(field.name, {}))) for field in card.fields)


def find_fault(*, topic: str, field: TemplateField, source: Mapping[str, str]) -> str:
    """Why this keyword may not be filled so, in words for whoever edits it; "" when it may. A text that is written by hand has
    to fit as it stands; a value of the topic may be cut, but must be of the kind."""
    rule = kind_of(field.kind).words
    if "value" in source:
        fault = _line(field, _value(topic, source, is_long=False)).fault
        label = TOPICS[topic].values.get(source["value"], source["value"])
        return (
            _now("「%(value)s」填不进这里，这里要填%(rule)s") % {"value": label, "rule": rule}
            if fault
            else ""
        )
    words = clean(source.get("words", ""))
    if not words:
        return _now("请填写固定文字，这里要填%(rule)s") % {"rule": rule}
    line = _line(field, words)
    if line.fault:
        return _now("要填%(rule)s") % {"rule": rule}
    if line.whole:
        return _now("要填%(rule)s，现在会变成「%(shown)s」") % {"rule": rule, "shown": line.shown}
    return ""


def _value(topic: str, source: Mapping[str, str], *, is_long: bool) -> str:
    if "value" not in source:
        return source.get("words", "")
    known = source["value"] in TOPICS[topic].values
    return sample_of(topic=topic, value=source["value"], is_long=is_long) if known else ""


def _line(field: TemplateField, value: str) -> PreviewLine:
    label = field.label or field.name
    try:
        shown = fit_value(field, value)
    except TemplateFieldUnfit as refusal:
        return PreviewLine(field.name, label, "", value, str(refusal.details["rule"]))
    plain = clean(value)
    # A date, an amount or a number is only written anew.
    is_cut = bool(plain) and shown != plain and field.kind not in ("time", "date", "amount", "number")
    return PreviewLine(field.name, label, shown, plain if is_cut else "")
