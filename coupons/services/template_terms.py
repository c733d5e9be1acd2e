"""Whether terms make sense, told so that a marketer knows what to change."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from coupons.contracts import TemplateTerms
from coupons.errors import TemplateUnusable
from coupons.models import NUMBERS, NUMBERS_OF_KIND, CardColour, CouponKind, Gifting, Validity
from guides import selectors as guide_selectors

MOST_FEN: Final = 100_000_000  # a million yuan
_SPAN: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)")
_WORD: Final = re.compile(r"[^\s,;，；]{1,40}")
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_]{0,15}")
_LIST_LENGTH: Final = 500
_NEEDED: Final[dict[str, str | Promise]] = {
    "off_fen": _("请填写减多少钱"),
    "rate_bp": _("请填写折扣，例如 8 折"),
    "price_fen": _("请填写一口价"),
    "units": _("请填写件数"),
    "gift_value_fen": _("请填写赠品价值，没有就填 0"),
}


def check_terms(terms: TemplateTerms) -> None:
    """Raises TemplateUnusable with the field and what to do, for the first thing that is wrong."""
    for check in _CHECKS:
        check(terms)


def _refuse(field: str, message: str | Promise) -> None:
    raise TemplateUnusable(str(message), field=field)


def _check_words(terms: TemplateTerms) -> None:
    if not 1 <= len(terms.title.strip()) <= 20 or "\0" in terms.title:
        _refuse("title", _("券名称请填写 1 到 20 个字"))
    if len(terms.usage_words) > 500 or "\0" in terms.usage_words:
        _refuse("usage_words", _("使用说明最多 500 个字"))
    if terms.colour not in CardColour.values:
        _refuse("colour", _("请选择一种卡片颜色"))
    if terms.gifting not in Gifting.values:
        _refuse("gifting", _("请选择谁可以转赠"))
    if len(terms.stacking_group) > 20 or "\0" in terms.stacking_group:
        _refuse("stacking_group", _("叠加组的名称最多 20 个字"))


def _check_kind(terms: TemplateTerms) -> None:
    if terms.kind not in CouponKind.values:
        _refuse("kind", _("请选择券的类型"))
    needed, allowed = NUMBERS_OF_KIND[terms.kind]
    for name in NUMBERS:
        value = getattr(terms, name)
        if value is None and name in needed:
            _refuse(name, _NEEDED[name])
        if value is not None and name not in (*needed, *allowed):
            _refuse(name, _("这种类型的券用不到这一项，请清空"))
    if (terms.kind == "gift") != bool(terms.gift_name.strip()):
        _refuse("gift_name", _("赠品券要写明赠品，其他券不用写"))
    if len(terms.gift_name) > 40 or "\0" in terms.gift_name:
        _refuse("gift_name", _("赠品名称最多 40 个字"))


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _check_numbers(terms: TemplateTerms) -> None:
    for name, least in (
        ("off_fen", 1), ("per_fen", 1), ("cap_fen", 1), ("price_fen", 0), ("gift_value_fen", 0), ("min_spend_fen", 0),
    ):  # fmt: skip
        value = getattr(terms, name)
        if value is not None and not _is_whole(value, least, MOST_FEN):
            _refuse(name, _("金额要大于 0，最多一百万元") if least else _("金额不能小于 0，最多一百万元"))
    if terms.rate_bp is not None and not _is_whole(terms.rate_bp, 1, 9_999):
        _refuse("rate_bp", _("折扣要在 0 到 10 折之间，例如 8.5 折填 8500"))
    if terms.units is not None and not _is_whole(terms.units, 1, 1_000):
        _refuse("units", _("件数请填写 1 到 1000"))
    if not _is_whole(terms.min_quantity, 0, 1_000):
        _refuse("min_quantity", _("件数门槛请填写 0 到 1000"))
    if terms.max_per_order is not None and not _is_whole(terms.max_per_order, 1, 100):
        _refuse("max_per_order", _("每单最多用几张请填写 1 到 100"))
    if terms.is_exclusive and (terms.max_per_order or 1) > 1:
        _refuse("max_per_order", _("不与其他券同用的券每单只能用一张"))


def _check_worth(terms: TemplateTerms) -> None:
    """Numbers that are fine alone and wrong together."""
    off = terms.off_fen or 0
    if terms.per_fen is not None and terms.per_fen < off:
        _refuse("per_fen", _("每满的金额不能小于减的金额，否则等于白送"))
    if terms.per_fen is not None and terms.cap_fen is not None and terms.cap_fen < off:
        _refuse("cap_fen", _("最多优惠不能小于一次减的金额"))
    if terms.kind == "cash_off" and terms.per_fen is None:
        if terms.cap_fen is not None:
            _refuse("cap_fen", _("只减一次的券不用填最多优惠"))
        if 0 < terms.min_spend_fen < off:
            _refuse("min_spend_fen", _("使用门槛不能小于减的金额"))


def _check_validity(terms: TemplateTerms) -> None:
    if terms.validity not in Validity.values:
        _refuse("validity", _("请选择有效期的算法"))
    if terms.validity == "fixed":
        start, end = terms.valid_from, terms.valid_until
        if start is None:
            _refuse("valid_from", _("请填写可用开始时间"))
        elif end is None or end <= start:
            _refuse("valid_until", _("可用结束时间要晚于开始时间"))
        elif end - start > dt.timedelta(days=3_660):
            _refuse("valid_until", _("有效期最长十年"))
    elif terms.valid_from is not None or terms.valid_until is not None:
        _refuse("valid_from", _("只有固定日期的券才填写开始和结束时间"))
    if terms.validity in {Validity.FROM_TODAY, Validity.FROM_TOMORROW}:
        if not _is_whole(terms.valid_days, 1, 3_650):
            _refuse("valid_days", _("有效天数请填写 1 到 3650"))
    elif terms.valid_days is not None:
        _refuse("valid_days", _("这种有效期不用填天数"))


def _check_windows(terms: TemplateTerms) -> None:
    if any(not _is_whole(day, 0, 6) for day in terms.weekdays) or _has_twins(terms.weekdays):
        _refuse("weekdays", _("请从周一到周日中选择可用的日子"))
    if len(terms.hours) > 10 or any(not _SPAN.fullmatch(span) for span in terms.hours):
        _refuse("hours", _("可用时段请写成 10:00-14:00 这样，最多 10 段"))
    if any(span[:5] == span[6:] for span in terms.hours):
        _refuse("hours", _("可用时段的开始和结束不能相同"))


def _check_scope(terms: TemplateTerms) -> None:
    for name in ("include_products", "include_categories", "exclude_products", "exclude_categories"):
        words = getattr(terms, name)
        if len(words) > _LIST_LENGTH or _has_twins(words) or any(not _WORD.fullmatch(word) for word in words):
            _refuse(name, _("商品和类目请填写编号，每个最多 40 个字符，不要重复，最多 500 个"))
    if set(terms.include_products) & set(terms.exclude_products):
        _refuse("exclude_products", _("同一个商品不能既适用又排除"))
    if set(terms.include_categories) & set(terms.exclude_categories):
        _refuse("exclude_categories", _("同一个类目不能既适用又排除"))
    if _has_twins(terms.channels) or any(not _CHANNEL.fullmatch(word) for word in terms.channels):
        _refuse("channels", _("渠道请填写英文小写编号，例如 store"))
    if len(terms.channels) > 20:
        _refuse("channels", _("渠道最多 20 个"))
    if len(terms.tier_ids) > 50 or any(not _is_whole(tier, 1, 2**62) for tier in terms.tier_ids):
        _refuse("tier_ids", _("请从会员等级中选择"))


def _check_places(terms: TemplateTerms) -> None:
    known = guide_selectors.known_place_ids(
        store_ids=terms.store_ids, region_ids=terms.region_ids, dealer_ids=terms.dealer_ids
    )
    named: tuple[tuple[str, Iterable[int], str | Promise], ...] = (
        ("store_ids", terms.store_ids, _("有的门店不存在，请重新选择")),
        ("region_ids", terms.region_ids, _("有的区域不存在，请重新选择")),
        ("dealer_ids", terms.dealer_ids, _("有的经销商不存在，请重新选择")),
    )
    for (field, ids, message), found in zip(named, known, strict=True):
        if set(ids) - found:
            _refuse(field, message)


def _has_twins(values: tuple[Any, ...]) -> bool:
    return len(set(values)) < len(values)


_CHECKS: Final[tuple[Callable[[TemplateTerms], None], ...]] = (
    _check_words,
    _check_kind,
    _check_numbers,
    _check_worth,
    _check_validity,
    _check_windows,
    _check_scope,
    _check_places,
)
