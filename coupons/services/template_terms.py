"""Whether terms make sense, told so that a marketer knows what to change."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import clock
from core.codes import ALPHABET, new_public_id
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
    "gift_value_fen": _("请填写赠品价值，按成本或市价估一个；预算和挑选最划算的券都要用它"),
}


Faults = Iterator[tuple[str, str | Promise]]  # the field, and what to do


def check_terms(terms: TemplateTerms) -> None:
    """Raises TemplateUnusable with the field and what to do, for the first thing that is wrong."""
    for check in _CHECKS:
        for field, message in check(terms):
            raise TemplateUnusable(str(message), field=field)


def list_faults(*, terms: TemplateTerms) -> dict[str, str]:
    """Everything that is wrong with the terms, for a form: what to do, by field."""
    faults: dict[str, str] = {}
    for check in _CHECKS:
        for field, message in check(terms):
            faults.setdefault(field, str(message))
    return faults


def usable_public_id(*, public_id: str) -> str:
    """The id a form was given to send, or a new one."""
    is_ours = len(public_id) == 16 and all(sign in ALPHABET for sign in public_id)
    return public_id if is_ours else new_public_id()


def _check_words(terms: TemplateTerms) -> Faults:
    if not 1 <= len(terms.title.strip()) <= 20 or "\0" in terms.title:
        yield ("title", _("券名称请填写 1 到 20 个字"))
    if len(terms.usage_words) > 500 or "\0" in terms.usage_words:
        yield ("usage_words", _("使用说明最多 500 个字"))
    if terms.colour not in CardColour.values:
        yield ("colour", _("请选择一种卡片颜色"))
    if terms.gifting not in Gifting.values:
        yield ("gifting", _("请选择谁可以转赠"))
    if len(terms.stacking_group) > 20 or "\0" in terms.stacking_group:
        yield ("stacking_group", _("叠加组的名称最多 20 个字"))


def _check_kind(terms: TemplateTerms) -> Faults:
    if terms.kind not in CouponKind.values:
        yield ("kind", _("请选择券的类型"))
        return
    needed, allowed = NUMBERS_OF_KIND[terms.kind]
    for name in NUMBERS:
        value = getattr(terms, name)
        if value is None and name in needed:
            yield (name, _NEEDED[name])
        if value is not None and name not in (*needed, *allowed):
            yield (name, _("这种类型的券用不到这一项，请清空"))
    if (terms.kind == "gift") != bool(terms.gift_name.strip()):
        yield ("gift_name", _("赠品券要写明赠品，其他券不用写"))
    if len(terms.gift_name) > 40 or "\0" in terms.gift_name:
        yield ("gift_name", _("赠品名称最多 40 个字"))


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _check_numbers(terms: TemplateTerms) -> Faults:
    for name, least in (
        ("off_fen", 1), ("per_fen", 1), ("cap_fen", 1), ("price_fen", 0), ("gift_value_fen", 1), ("min_spend_fen", 0),
    ):  # fmt: skip
        value = getattr(terms, name)
        if value is not None and not _is_whole(value, least, MOST_FEN):
            yield (name, _("金额要大于 0，最多一百万元") if least else _("金额不能小于 0，最多一百万元"))
    if terms.rate_bp is not None and not _is_whole(terms.rate_bp, 1, 9_999):
        yield ("rate_bp", _("折扣要在 0 到 10 折之间，例如 8.5 折"))
    if terms.units is not None and not _is_whole(terms.units, 1, 1_000):
        yield ("units", _("件数请填写 1 到 1000"))
    if not _is_whole(terms.min_quantity, 0, 1_000):
        yield ("min_quantity", _("件数门槛请填写 0 到 1000"))
    if terms.max_per_order is not None and not _is_whole(terms.max_per_order, 1, 100):
        yield ("max_per_order", _("每单最多用几张请填写 1 到 100"))
    if terms.is_exclusive and (terms.max_per_order or 1) > 1:
        yield ("max_per_order", _("不与其他券同用的券每单只能用一张"))


def _check_worth(terms: TemplateTerms) -> Faults:
    """Numbers that are fine alone and wrong together."""
    off = terms.off_fen or 0
    if terms.per_fen is not None and terms.per_fen < off:
        yield ("per_fen", _("每满的金额不能小于减的金额，否则等于白送"))
    if terms.per_fen is not None and terms.cap_fen is not None and terms.cap_fen < off:
        yield ("cap_fen", _("最多优惠不能小于一次减的金额"))
    if terms.kind == "cash_off" and terms.per_fen is None:
        if terms.cap_fen is not None:
            yield ("cap_fen", _("只减一次的券不用填最多优惠"))
        if 0 < terms.min_spend_fen < off:
            yield ("min_spend_fen", _("使用门槛不能小于减的金额"))


def _check_validity(terms: TemplateTerms) -> Faults:
    if terms.validity not in Validity.values:
        yield ("validity", _("请选择有效期的算法"))
    if terms.validity == "fixed":
        start, end = terms.valid_from, terms.valid_until
        if start is None:
            yield ("valid_from", _("请填写可用开始时间"))
        elif end is None or end <= start:
            yield ("valid_until", _("可用结束时间要晚于开始时间"))
        elif end - start > dt.timedelta(days=3_660):
            yield ("valid_until", _("有效期最长十年"))
    elif terms.valid_from is not None or terms.valid_until is not None:
        yield ("valid_from", _("只有固定日期的券才填写开始和结束时间"))
    if terms.validity in {Validity.FROM_TODAY, Validity.FROM_TOMORROW}:
        if not _is_whole(terms.valid_days, 1, 3_650):
            yield ("valid_days", _("有效天数请填写 1 到 3650"))
    elif terms.valid_days is not None:
        yield ("valid_days", _("这种有效期不用填天数"))


def _check_windows(terms: TemplateTerms) -> Faults:
    if any(not _is_whole(day, 0, 6) for day in terms.weekdays) or _has_twins(terms.weekdays):
        yield ("weekdays", _("请从周一到周日中选择可用的日子"))
    if len(terms.hours) > 10 or any(not _SPAN.fullmatch(span) for span in terms.hours):
        yield ("hours", _("可用时段请写成 10:00-14:00 这样，最多 10 段"))
    if any(span[:5] == span[6:] for span in terms.hours):
        yield ("hours", _("可用时段的开始和结束不能相同"))
    if _never_comes(terms):
        yield ("weekdays", _("有效期里没有一天是选中的日子，这张券永远用不了"))


def _never_comes(terms: TemplateTerms) -> bool:
    """Fixed days of which none is one of the weekdays."""
    start, end = terms.valid_from, terms.valid_until
    if not terms.weekdays or start is None or end is None or not start < end <= start + dt.timedelta(days=6):
        return False
    first, last = clock.business_day(start), clock.business_day(end - dt.timedelta(microseconds=1))
    days = ((first + dt.timedelta(days=n)).weekday() for n in range((last - first).days + 1))
    return set(terms.weekdays).isdisjoint(days)


def _check_scope(terms: TemplateTerms) -> Faults:
    for name in ("include_products", "include_categories", "exclude_products", "exclude_categories"):
        words = getattr(terms, name)
        if len(words) > _LIST_LENGTH or _has_twins(words) or any(not _WORD.fullmatch(word) for word in words):
            yield (name, _("商品和类目请填写编号，每个最多 40 个字符，不要重复，最多 500 个"))
    if set(terms.include_products) & set(terms.exclude_products):
        yield ("exclude_products", _("同一个商品不能既适用又排除"))
    if set(terms.include_categories) & set(terms.exclude_categories):
        yield ("exclude_categories", _("同一个类目不能既适用又排除"))
    if _has_twins(terms.channels) or any(not _CHANNEL.fullmatch(word) for word in terms.channels):
        yield ("channels", _("渠道请填写英文小写编号，例如 store"))
    if len(terms.channels) > 20:
        yield ("channels", _("渠道最多 20 个"))
    if len(terms.tier_ids) > 50 or any(not _is_whole(tier, 1, 2**62) for tier in terms.tier_ids):
        yield ("tier_ids", _("请从会员等级中选择"))


def _check_places(terms: TemplateTerms) -> Faults:
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
            yield (field, message)


def _has_twins(values: tuple[Any, ...]) -> bool:
    return len(set(values)) < len(values)


_CHECKS: Final[tuple[Callable[[TemplateTerms], Faults], ...]] = (
    _check_words,
    _check_kind,
    _check_numbers,
    _check_worth,
    _check_validity,
    _check_windows,
    _check_scope,
    _check_places,
)
