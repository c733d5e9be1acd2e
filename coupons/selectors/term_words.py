"""The terms of a coupon line by line, as a member reads them."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.contracts import TemplateTerms, TermLine
from coupons.selectors.faces import channel_words
from coupons.selectors.goods import goods_words
from coupons.selectors.templates import yuan
from members import selectors as member_selectors

_WEEKDAYS: Final = tuple(
    gettext_lazy(day) for day in ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
)


def list_term_lines(terms: TemplateTerms) -> tuple[TermLine, ...]:
    """What she has to know before she uses it; what is free of conditions is said as well. One query where the coupon is
    for tiers, one each where it names categories or products, else none."""
    return tuple(TermLine(str(title), words) for title, words in _lines(terms) if words)


def _lines(terms: TemplateTerms) -> Iterator[tuple[str, str]]:
    yield _("使用门槛"), _threshold(terms)
    yield _("可用时间"), _times(terms)
    yield _("适用门店"), _places(terms)
    yield _("适用渠道"), _channels(terms)
    yield _("适用商品"), goods_words(terms)
    yield _("适用会员"), _tiers(terms)
    yield _("叠加"), _stacking(terms)
    yield _("转赠"), _gifting(terms)


def _threshold(terms: TemplateTerms) -> str:
    pieces = []
    if terms.min_spend_fen:
        pieces.append(_("满 %(n)s 元可用") % {"n": yuan(terms.min_spend_fen)})
    if terms.min_quantity:
        pieces.append(_("满 %(n)s 件可用") % {"n": terms.min_quantity})
    return "，".join(pieces) or _("无门槛")


def _times(terms: TemplateTerms) -> str:
    days = "、".join(str(_WEEKDAYS[day]) for day in sorted(set(terms.weekdays)) if 0 <= day <= 6)
    hours = "、".join(terms.hours)
    return " ".join(piece for piece in (days, hours) if piece) or _("有效期内任何时间")


def _places(terms: TemplateTerms) -> str:
    if terms.store_ids or terms.region_ids or terms.dealer_ids:
        return _("指定门店可用，见门店列表")
    return _("全部门店可用")


def _channels(terms: TemplateTerms) -> str:
    if not terms.channels:
        return _("不限")
    return "、".join(channel_words(channel) for channel in terms.channels)


def _tiers(terms: TemplateTerms) -> str:
    if not terms.tier_ids:
        return ""
    wanted = set(terms.tier_ids)
    names = [tier.name for tier in member_selectors.list_tiers() if tier.id in wanted]
    return "、".join(names) or _("指定等级")


def _stacking(terms: TemplateTerms) -> str:
    if terms.is_exclusive:
        return _("不与其他优惠券同用")
    # Pricing takes coupons of one template out of a stacking group, and no group is one too.
    return _("每单最多用 %(n)s 张，不与同类优惠券同用") % {"n": terms.max_per_order or 1}


def _gifting(terms: TemplateTerms) -> str:
    return {
        "nobody": _("不可转赠"),
        "first": _("可转赠好友一次"),
        "anyone": _("可转赠好友"),
    }[terms.gifting]
