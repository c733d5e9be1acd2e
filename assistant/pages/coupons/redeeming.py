"""核销: a code becomes a coupon on the counter, an amount becomes a discount, and both become a result in large."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.faces import CouponFace, conditions_of, coupon_face, plain_yuan
from assistant.pages.shell import Shell
from core import clock
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import CounterCheck
from guides.contracts import GuideCard
from members.contracts import MemberCard

_THRESHOLDS: Final = frozenset({"coupons.below_minimum_spend", "coupons.below_minimum_quantity"})


@dataclasses.dataclass(frozen=True, slots=True)
class FindForm:
    """Scan or type; with what was typed and why it did not do."""

    request_key: str
    typed: str = ""
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class RedeemPage:
    shell: Shell
    store_name: str
    is_wechat: bool
    find: FindForm


@dataclasses.dataclass(frozen=True, slots=True)
class CounterCard:
    """The coupon on the counter: whose, what it asks for, and all that stands against it."""

    face: CouponFace
    code: str
    owner: str  # 沈** · 138 **** 5678
    owner_note: str  # 金卡
    conditions: tuple[str, ...]
    reasons: tuple[str, ...]  # in large and red; empty when it may be used
    wants_quantity: bool
    wants_discount: bool  # only the guide knows what it takes off
    request_key: str
    quote: "Quote"


@dataclasses.dataclass(frozen=True, slots=True)
class Quote:
    """What an amount comes to. `text` is empty while there is nothing to say."""

    discount: str = ""  # 30.00, as the field holds it
    text: str = ""  # 减 ¥30，实收 ¥170
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """What a change of the form draws anew: the sum, and the discount's field when the amount changed."""

    quote: Quote
    is_new_discount: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds so far; None where nothing usable was typed."""

    amount_fen: int | None = None
    quantity: int | None = None
    discount_fen: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RefusedScreen:
    """No, in large."""

    reasons: tuple[str, ...]
    face: CouponFace | None = None


def build_redeem(guide: GuideCard, *, request_key: str, is_wechat: bool) -> RedeemPage:
    """The empty page."""
    return RedeemPage(
        shell=Shell.around("coupons", guide.id),
        store_name=guide.store.name,
        is_wechat=is_wechat,
        find=FindForm(request_key),
    )


def build_counter(
    guide: GuideCard, code: str, *, request_key: str, now: dt.datetime | None = None
) -> CounterCard:
    """The coupon of a code, for this guide's store. Raises NoSuchCoupon."""
    now = now or clock.now()
    found = coupon_selectors.check_at_counter(code=code, store_id=guide.store.id, at=now)
    card = found.check.coupon
    terms = card.template.terms
    return CounterCard(
        face=coupon_face(card, now=now),
        code=card.code,
        owner=say_owner(found.owner),
        owner_note=found.tier_name or found.owner.stage_label,
        conditions=conditions_of(terms),
        reasons=tuple(reason.words for reason in found.check.reasons),
        wants_quantity=bool(terms.min_quantity),
        wants_discount=terms.kind in ("exchange", "fixed_price"),
        request_key=request_key,
        quote=Quote(),
    )


def build_quote(guide: GuideCard, code: str, *, typed: Typed, now: dt.datetime | None = None) -> Quote:
    """What the coupon takes off the amount, what is left to pay, and what the order lacks. A discount that was typed
    holds. Raises NoSuchCoupon."""
    if not typed.amount_fen:
        return Quote()
    found = coupon_selectors.check_at_counter(
        code=code, store_id=guide.store.id, amount_fen=typed.amount_fen, quantity=typed.quantity, at=now
    )
    lacking = tuple(_say_lacking(found, typed)) or tuple(
        reason.words for reason in found.check.reasons if reason.code not in _THRESHOLDS
    )
    terms = found.check.coupon.template.terms
    most = coupon_services.discount_at_counter(terms=terms, amount_fen=typed.amount_fen)
    off = most if typed.discount_fen is None else typed.discount_fen
    if off is None:
        return Quote(warnings=lacking)
    if off > typed.amount_fen:
        return Quote(warnings=(_("优惠金额比订单金额还多"),))
    warnings = lacking
    if most is not None and off > most:
        warnings = (*lacking, _("这张券最多减 ¥%(most)s") % {"most": plain_yuan(most)})
    text = _("减 ¥%(off)s，实收 ¥%(pay)s") % {
        "off": say_yuan(off),
        "pay": say_yuan(typed.amount_fen - off),
    }
    return Quote(discount=f"{off / 100:.2f}", text=text, warnings=warnings)


def say_owner(member: MemberCard) -> str:
    """Whose it is, as far as a counter needs to know: the surname and the masked phone."""
    name = f"{phrases.surname(member.display_name)}**" if member.is_named else _("微信会员")
    return " · ".join(part for part in (name, member.masked_phone) if part)


def say_yuan(fen: int) -> str:
    """1,280.50: always two decimals, as a till prints it."""
    return f"{fen // 100:,}.{fen % 100:02d}"


def _say_lacking(found: CounterCheck, typed: Typed) -> list[str]:
    """How much is missing, instead of only that something is."""
    terms = found.check.coupon.template.terms
    lines = []
    if typed.amount_fen is not None and typed.amount_fen < terms.min_spend_fen:
        short = say_yuan(terms.min_spend_fen - typed.amount_fen)
        lines.append(
            _("满 ¥%(spend)s 才能用，还差 ¥%(short)s")
            % {"spend": plain_yuan(terms.min_spend_fen), "short": short}
        )
    if typed.quantity is not None and typed.quantity < terms.min_quantity:
        lines.append(
            _("满 %(count)d 件才能用，还差 %(short)d 件")
            % {"count": terms.min_quantity, "short": terms.min_quantity - typed.quantity}
        )
    return lines
