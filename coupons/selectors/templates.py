"""Templates as cards, in the words of the counter."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from core import clock
from coupons.contracts import TemplateCard, TemplateTerms
from coupons.errors import NoSuchTemplate
from coupons.models import CouponTemplate, TemplateState

_TERM_NAMES = tuple(field.name for field in dataclasses.fields(TemplateTerms))


def yuan(fen: int) -> str:
    """12,345 fen → "123.45", 3,000 → "30"."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def terms_of(row: CouponTemplate) -> TemplateTerms:
    """The terms on a row, as they came in."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _TERM_NAMES}
    fixed: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return TemplateTerms(**fixed)


def template_card_of(row: CouponTemplate) -> TemplateCard:
    """What may be shown of a template."""
    terms = terms_of(row)
    return TemplateCard(
        id=row.pk,
        public_id=row.public_id,
        series=row.series,
        version=row.version,
        terms=terms,
        value_words=value_words(terms),
        validity_words=validity_words(terms),
        is_frozen=row.frozen_at is not None,
        is_active=row.state == TemplateState.ACTIVE,
    )


def get_template(template_id: int) -> TemplateCard:
    """Raises NoSuchTemplate."""
    row = CouponTemplate.objects.filter(pk=template_id).first()
    if row is None:
        raise NoSuchTemplate
    return template_card_of(row)


def list_template_versions(series: str) -> tuple[TemplateCard, ...]:
    """All versions of one series, the newest first."""
    return tuple(map(template_card_of, CouponTemplate.objects.filter(series=series).order_by("-version")))


def value_words(terms: TemplateTerms) -> str:
    """ "满 200 减 30"."""
    spend = _("满 %(n)s 元") % {"n": yuan(terms.min_spend_fen)} if terms.min_spend_fen else ""
    worth = _WORTH[terms.kind](terms)
    pieces = [spend, _("满 %(n)s 件") % {"n": terms.min_quantity} if terms.min_quantity else "", worth]
    return " ".join(piece for piece in pieces if piece)


def _cash_words(terms: TemplateTerms) -> str:
    off = yuan(terms.off_fen or 0)
    if terms.per_fen is None:
        return _("减 %(off)s 元") % {"off": off}
    words = _("每满 %(per)s 元减 %(off)s 元") % {"per": yuan(terms.per_fen), "off": off}
    return words + _cap_words(terms)


def _percent_words(terms: TemplateTerms) -> str:
    return _("%(rate)s 折") % {"rate": f"{(terms.rate_bp or 0) / 1000:g}"} + _cap_words(terms)


def _cap_words(terms: TemplateTerms) -> str:
    return _("，最多减 %(cap)s 元") % {"cap": yuan(terms.cap_fen)} if terms.cap_fen else ""


def _exchange_words(terms: TemplateTerms) -> str:
    return _("免费兑换 %(n)s 件") % {"n": terms.units} + _cap_words(terms)


def _price_words(terms: TemplateTerms) -> str:
    return _("任选 %(n)s 件，每件 %(price)s 元") % {"price": yuan(terms.price_fen or 0), "n": terms.units}


def _gift_words(terms: TemplateTerms) -> str:
    return _("赠 %(gift)s") % {"gift": terms.gift_name}


_WORTH: dict[str, Callable[[TemplateTerms], str]] = {
    "cash_off": _cash_words,
    "percent": _percent_words,
    "exchange": _exchange_words,
    "fixed_price": _price_words,
    "gift": _gift_words,
}


def validity_words(terms: TemplateTerms) -> str:
    """Until when it is good, for a card."""
    if terms.validity == "fixed" and terms.valid_from is not None and terms.valid_until is not None:
        last = terms.valid_until - dt.timedelta(microseconds=1)
        return _("%(start)s 至 %(end)s") % {
            "start": clock.business_day(terms.valid_from).isoformat(),
            "end": clock.business_day(last).isoformat(),
        }
    if terms.validity == "month_end":
        return _("领取当月有效")
    if terms.validity == "from_tomorrow":
        return _("领取次日起 %(n)s 天有效") % {"n": terms.valid_days}
    return _("领取后 %(n)s 天有效（含当天）") % {"n": terms.valid_days}


def span_of(terms: TemplateTerms, at: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """From when to when (half-open) a coupon issued at `at` is good: what `coupons_terms` answers, for previews."""
    if terms.validity == "fixed":
        assert terms.valid_from is not None
        assert terms.valid_until is not None
        return terms.valid_from, terms.valid_until
    today = clock.business_day(at)
    if terms.validity == "month_end":
        following = (today.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
        return at, clock.day_bounds(following)[0]
    days = terms.valid_days or 0
    if terms.validity == "from_tomorrow":
        tomorrow = today + dt.timedelta(days=1)
        return clock.day_bounds(tomorrow)[0], clock.day_bounds(today + dt.timedelta(days=days))[1]
    return at, clock.day_bounds(today + dt.timedelta(days=days - 1))[1]


def most_off_fen(terms: TemplateTerms, amount_fen: int) -> int:
    """The most this coupon can take off lines that cost `amount_fen`; the amount itself where the goods decide."""
    most = amount_fen
    if terms.kind == "cash_off":
        times = 1 if terms.per_fen is None else amount_fen // terms.per_fen
        most = (terms.off_fen or 0) * times
    elif terms.kind == "percent":
        most = amount_fen - amount_fen * (terms.rate_bp or 0) // 10_000
    elif terms.kind == "gift":
        most = 0
    if terms.cap_fen is not None:
        most = min(most, terms.cap_fen * (terms.units or 1))
    return min(most, amount_fen)


def worst_cost_fen(terms: TemplateTerms) -> int | None:
    """The most one coupon can cost whatever the basket; None where only a person can say."""
    if terms.kind == "cash_off" and terms.per_fen is None:
        return terms.off_fen
    if terms.kind == "gift":
        return terms.gift_value_fen
    if terms.cap_fen is None:
        return None
    return terms.cap_fen * (terms.units or 1)
