"""Codes of sales as people read them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core.admin import money, percent, thousands
from core.errors import sentences_in
from coupons import errors as coupon_errors
from guides import selectors as guide_selectors
from members import errors as member_errors
from sales import errors
from sales.models import MONEY_METRICS, Metric

_PAYMENTS: Final[Mapping[str, Any]] = {
    "wechat": _("微信"),
    "alipay": _("支付宝"),
    "unionpay": _("银联"),
    "card": _("银行卡"),
    "cash": _("现金"),
    "balance": _("储值"),
}
_COUPON_OUTCOMES: Final[Mapping[str, Any]] = {
    "redeemed": _("已随单核销"),
    "known": _("收银台已核销"),
    "pending": _("待核销"),
}
_SENTENCES: Final = sentences_in(errors, coupon_errors, member_errors)


def reason_words(code: str) -> str:
    """The sentence of a refusal; a foreign code as it is."""
    return str(_SENTENCES.get(code, code))


def payment_words(method: str) -> str:
    """How it was paid; a word of the till's own as it is."""
    return str(_PAYMENTS.get(method, method))


def coupon_words(outcome: str) -> str:
    """What became of a coupon on an order."""
    return str(_COUPON_OUTCOMES[outcome]) if outcome in _COUPON_OUTCOMES else reason_words(outcome)


def value_words(metric: str, value: int) -> str:
    """A value of the ledger: yuan or a number, with its sign where it takes away."""
    return money(value) if metric in MONEY_METRICS else thousands(value)


def signed_words(metric: str, value: int) -> str:
    """The same with a plus where it adds."""
    return f"+{value_words(metric, value)}" if value > 0 else value_words(metric, value)


def metric_words(metric: str) -> str:
    """A metric's name."""
    return str(Metric(metric).label)


def share_words(share_bp: int) -> str:
    """7,000 → "70%"."""
    return f"{share_bp / 100:g}%"


def name_holders(pairs: Iterable[tuple[int | None, int]]) -> dict[tuple[int | None, int], str]:
    """Guides by name and number, stores alone by name, for rows of (guide, store)."""
    asked = set(pairs)
    guides = guide_selectors.list_guide_labels([guide for guide, _store in asked if guide is not None])
    stores = guide_selectors.list_store_names([store for _guide, store in asked])
    return {
        (guide, store): guides.get(guide, "") if guide is not None else stores.get(store, "")
        for guide, store in asked
    }


def change_words(before: int, after: int) -> str:
    """By how much of itself a sum would change."""
    return percent(after - before, before) if before else "—"
