"""What a template does to a basket, worked out by the function that prices real ones."""

from typing import Final

from django.utils.translation import gettext as _

from core.errors import Refusal
from coupons.contracts import BasketLine, TemplateTerms
from coupons.selectors.orders import pricing_terms
from coupons.selectors.words import fen_words
from coupons.services.pricing import price_basket

_YUAN: Final = 100
_PLAIN: Final = 30_000  # of a basket where nothing in the terms suggests an amount
_PRODUCT: Final = "example"


def work_example(*, terms: TemplateTerms, amount_fen: int | None = None) -> tuple[str, ...]:
    """One sentence a basket: one that reaches the threshold and one that just misses it, or the one of `amount_fen`.
    Nothing while the terms are not finished."""
    quantity = _quantity(terms)
    if amount_fen is not None:
        amounts = [amount_fen]
    else:
        amounts = list(dict.fromkeys([_amount(terms, quantity), *_telling(terms)]))
    try:
        return tuple(_sentence(terms, amount, quantity) for amount in amounts)
    except Refusal:
        return ()


def _sentence(terms: TemplateTerms, amount_fen: int, quantity: int) -> str:
    coupon = pricing_terms(terms, key=_PRODUCT)
    line = BasketLine(
        key=_PRODUCT,
        product=next(iter(terms.include_products), _PRODUCT),
        categories=terms.include_categories[:1],
        amount_fen=amount_fen,
        quantity=quantity,
    )
    basket = price_basket(lines=[line], coupons=[coupon])
    verdict = basket.coupons[0]
    what = _("%(amount)s 元的篮子") if quantity == 1 else _("%(n)s 件共 %(amount)s 元的篮子")
    values = {
        "basket": what % {"amount": fen_words(amount_fen), "n": quantity},
        "pay": fen_words(basket.payable_fen),
        "off": fen_words(basket.discount_fen),
        "gift": verdict.gift_name,
        "why": verdict.words,
    }
    if not verdict.is_used:
        return _("%(basket)s：%(why)s") % values
    if terms.kind == "gift":
        return _("%(basket)s：送 %(gift)s，付 %(pay)s 元") % values
    return _("%(basket)s：减 %(off)s 元，付 %(pay)s 元") % values


def _quantity(terms: TemplateTerms) -> int:
    """One more than what is free or has a price of its own, so that something is left to pay for."""
    return max(1, terms.min_quantity, terms.units + 1 if terms.units else 0)


def _amount(terms: TemplateTerms, quantity: int) -> int:
    """Round, at the threshold or above it."""
    if terms.kind == "cash_off" and terms.per_fen:
        natural = terms.per_fen * (1 if terms.min_spend_fen else 2)
    elif terms.kind == "cash_off":
        natural = 0 if terms.min_spend_fen else (terms.off_fen or 0) * 4
    elif terms.kind == "fixed_price":
        natural = _up((terms.price_fen or 0) * 3 // 2 or 10_000) * quantity
    elif terms.kind == "exchange":
        natural = 10_000 * quantity
    else:
        natural = 0 if terms.min_spend_fen else _PLAIN
    return _up(max(natural, terms.min_spend_fen, _YUAN))


def _telling(terms: TemplateTerms) -> list[int]:
    """Baskets at which the terms show: one yuan short of the threshold, and where the cap bites."""
    amounts = [terms.min_spend_fen - _YUAN] if terms.min_spend_fen > _YUAN else []
    if terms.cap_fen and terms.kind == "percent" and terms.rate_bp:
        amounts.append(_up(terms.cap_fen * 20_000 // (10_000 - terms.rate_bp)))
    if terms.cap_fen and terms.kind == "cash_off" and terms.per_fen and terms.off_fen:
        amounts.append(_up((terms.cap_fen // terms.off_fen + 1) * terms.per_fen))
    return [amount for amount in amounts if amount >= terms.min_spend_fen - _YUAN]


def _up(fen: int) -> int:
    """To the next ten yuan."""
    return -(-fen // 1_000) * 1_000
