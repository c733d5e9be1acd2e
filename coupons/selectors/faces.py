"""A template as a member sees it, and all its terms in words."""

import datetime as dt
from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

from core import clock
from coupons.contracts import TemplateFace, TemplateTerms
from coupons.models import CardColour, CouponKind, Gifting
from coupons.selectors.goods import goods_words
from coupons.selectors.templates import span_of, validity_words, value_words
from coupons.selectors.words import end_words, fen_words, listed, moment_words, money_words, rate_words
from guides import selectors as guide_selectors
from members import selectors as member_selectors

EMPTY = "—"
CHANNELS: dict[str, Callable[[], str]] = {
    "store": lambda: _("门店"),
    "mini_program": lambda: _("小程序"),
    "online": lambda: _("网店"),
}
_DAYS = "一二三四五六日"


def face_of(terms: TemplateTerms, *, is_brief: bool = False) -> TemplateFace:
    """The card; terms that are not finished yet leave a dash. A brief one, for lists, asks for no name of a place, tier
    or product and leaves these words empty."""
    before, value, after = _value(terms)
    return TemplateFace(
        title=terms.title.strip() or _("券名称"),
        colour=terms.colour,
        kind_words=kind_words(terms.kind),
        before=before,
        value=value,
        after=after,
        condition=_condition(terms),
        validity=_validity(terms),
        places="" if is_brief else place_words(terms),
        people="" if is_brief else people_words(terms),
        times=time_words(terms),
        goods="" if is_brief else goods_words(terms),
        together=together_words(terms),
        gifting=str(Gifting(terms.gifting).label) if terms.gifting in Gifting.values else EMPTY,
        usage=tuple(line.strip() for line in terms.usage_words.splitlines() if line.strip()),
    )


def kind_words(kind: str) -> str:
    return str(CouponKind(kind).label) if kind in CouponKind.values else EMPTY


def _value(terms: TemplateTerms) -> tuple[str, str, str]:
    if terms.kind == "cash_off":
        return "¥", EMPTY if terms.off_fen is None else fen_words(terms.off_fen), ""
    if terms.kind == "percent":
        return "", EMPTY if terms.rate_bp is None else rate_words(terms.rate_bp), _("折")
    if terms.kind == "fixed_price":
        return "¥", EMPTY if terms.price_fen is None else fen_words(terms.price_fen), _("/件")
    if terms.kind == "exchange":
        return _("免费"), str(terms.units or EMPTY), _("件")
    return "", _("赠"), ""


def _condition(terms: TemplateTerms) -> str:
    """What she must do for it, in one short line."""
    pieces = []
    if terms.min_spend_fen:
        pieces.append(_("满 %(n)s 元可用") % {"n": fen_words(terms.min_spend_fen)})
    if terms.min_quantity:
        pieces.append(_("满 %(n)s 件可用") % {"n": terms.min_quantity})
    if terms.kind == "cash_off" and terms.per_fen:
        pieces.append(_("每满 %(n)s 元减一次") % {"n": fen_words(terms.per_fen)})
    if terms.kind == "fixed_price" and terms.units:
        pieces.append(_("任选 %(n)s 件") % {"n": terms.units})
    if terms.kind == "gift":
        pieces.append(terms.gift_name or EMPTY)
    if terms.cap_fen:
        most = _("每件最多 %(n)s 元") if terms.kind == "exchange" else _("最多减 %(n)s 元")
        pieces.append(most % {"n": fen_words(terms.cap_fen)})
    if not (terms.min_spend_fen or terms.min_quantity or terms.per_fen):
        pieces.append(_("无门槛"))
    return "，".join(pieces)


def _validity(terms: TemplateTerms) -> str:
    if terms.validity == "fixed":
        if terms.valid_from is None or terms.valid_until is None:
            return EMPTY
        return _("%(start)s 至 %(end)s") % {
            "start": moment_words(terms.valid_from),
            "end": end_words(terms.valid_until),
        }
    if terms.validity != "month_end" and terms.valid_days is None:
        return EMPTY
    return validity_words(terms)


def example_words(terms: TemplateTerms, at: dt.datetime) -> str:
    """ "今天领取，可用到 12 月 3 日"; empty while the dates are not finished."""
    is_whole = (
        terms.valid_from is not None and terms.valid_until is not None
        if terms.validity == "fixed"
        else terms.validity == "month_end" or terms.valid_days is not None
    )
    if not is_whole:
        return ""
    start, end = span_of(terms, at)
    if end <= at:
        return _("有效期已经过了，这张券发不出去")
    if clock.business_day(start) > clock.business_day(at):
        words = _("今天领取，%(start)s起可用，可用到 %(end)s")
        return words % {"start": moment_words(start), "end": end_words(end)}
    return _("今天领取，可用到 %(end)s") % {"end": end_words(end)}


def place_words(terms: TemplateTerms) -> str:
    """Where it is good."""
    stores, regions, dealers = guide_selectors.list_place_names(
        store_ids=terms.store_ids, region_ids=terms.region_ids, dealer_ids=terms.dealer_ids
    )
    pieces = []
    if regions:
        pieces.append(_("%(names)s的门店") % {"names": listed(list(regions.values()), unit=_("个区域"))})
    if dealers:
        pieces.append(_("%(names)s的门店") % {"names": listed(list(dealers.values()), unit=_("家经销商"))})
    if stores:
        pieces.append(listed(list(stores.values()), unit=_("家")))
    words = _("全部门店") if not pieces else _("，以及").join(pieces)
    if terms.channels:
        words += _("；限%(channels)s") % {"channels": "、".join(map(channel_words, terms.channels))}
    return words


def channel_words(channel: str) -> str:
    return CHANNELS[channel]() if channel in CHANNELS else channel


def people_words(terms: TemplateTerms) -> str:
    """For whom it is."""
    if not terms.tier_ids:
        return _("全部会员")
    return _("限%(names)s") % {"names": "、".join(tier_names(terms.tier_ids))}


def tier_names(tier_ids: Iterable[int]) -> list[str]:
    """The names of tiers, also of retired ones; an unknown one by its number."""
    names = {tier.id: tier.name for tier in member_selectors.list_tiers()}
    return [names[tier_id] if tier_id in names else _retired_name(tier_id) for tier_id in tier_ids]


def _retired_name(tier_id: int) -> str:
    found = member_selectors.find_tier_name(tier_id)
    return found or f"#{tier_id}"


def time_words(terms: TemplateTerms) -> str:
    """On which days and hours it is good."""
    days = sorted(day for day in terms.weekdays if 0 <= day < 7)
    if not days:
        words = "" if terms.hours else _("不限时段")
    elif days == list(range(days[0], days[-1] + 1)) and len(days) > 2:
        words = _("周%(first)s至周%(last)s") % {"first": _DAYS[days[0]], "last": _DAYS[days[-1]]}
    else:
        words = "、".join(_("周%(day)s") % {"day": _DAYS[day]} for day in days)
    hours = "、".join(span.replace("-", "–") for span in terms.hours)
    return " ".join(piece for piece in (words or _("每天"), hours) if piece)


def together_words(terms: TemplateTerms) -> str:
    """How it combines with others."""
    if terms.is_exclusive:
        return _("不与其他券同用")
    most = _("每单最多用 %(n)s 张") % {"n": terms.max_per_order or 1}
    if terms.stacking_group:
        return most + _("，同属“%(group)s”的券不能叠加") % {"group": terms.stacking_group}
    return most + _("，没有分组的券之间不能叠加")


def describe_terms(terms: TemplateTerms) -> list[tuple[str, str]]:
    """All terms in words, by title, in the order in which a marketer thinks: for a page, and to compare versions."""
    face = face_of(terms)
    lines = [
        (_("类型"), face.kind_words),
        (_("优惠"), value_words(terms)),
        (_("使用门槛"), face.condition),
        (_("适用门店和渠道"), face.places),
        (_("适用会员"), face.people),
        (_("适用商品"), face.goods),
        (_("有效期"), face.validity),
        (_("可用时段"), face.times),
        (_("叠加"), face.together),
        (_("转赠"), face.gifting),
        (_("券名称"), face.title),
        (_("使用说明"), " ".join(face.usage) or EMPTY),
        (_("卡片颜色"), str(CardColour(terms.colour).label) if terms.colour in CardColour.values else EMPTY),
    ]
    if terms.kind == "gift" and terms.gift_value_fen is not None:
        lines.insert(2, (_("赠品价值"), money_words(terms.gift_value_fen)))
    return lines


def compare_terms(older: TemplateTerms, newer: TemplateTerms) -> list[tuple[str, str, str]]:
    """(title, before, after) of everything that differs. Places and goods are compared whole, not as their words."""
    before, after = dict(describe_terms(older)), dict(describe_terms(newer))
    changed = [
        (title, before.get(title, EMPTY), after.get(title, EMPTY))
        for title in dict.fromkeys([*before, *after])
        if before.get(title) != after.get(title)
    ]
    told = {title for title, _before, _after in changed}
    for title, names in _WHOLE.items():
        pair = [tuple(sorted(map(str, getattr(one, name)))) for name in names for one in (older, newer)]
        if _(title) not in told and pair[::2] != pair[1::2]:
            sizes = [sum(len(side) for side in sides) for sides in (pair[::2], pair[1::2])]
            changed.append((_(title), _("%(n)s 项") % {"n": sizes[0]}, _("%(n)s 项") % {"n": sizes[1]}))
    return changed


_WHOLE = {
    "适用门店和渠道": ("store_ids", "region_ids", "dealer_ids", "channels"),
    "适用商品": ("include_products", "include_categories", "exclude_products", "exclude_categories"),
}

__all__ = ["CHANNELS", "compare_terms", "describe_terms", "example_words", "face_of"]
