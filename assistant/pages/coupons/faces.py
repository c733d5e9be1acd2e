"""How a coupon looks: its worth in large, its terms and dates in words."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from core import clock
from coupons import selectors as coupon_selectors
from coupons.contracts import CouponCard, GuideBatch, GuideQuota, TemplateCard, TemplateTerms
from coupons.errors import BatchNotStarted

_SOON_DAYS: Final = 3
_WEEKDAYS: Final = "一二三四五六日"


@dataclasses.dataclass(frozen=True, slots=True)
class CouponFace:
    """One coupon as a card."""

    title: str
    worth: str  # ¥50, 8.5折
    threshold: str  # 满 300 可用
    colour: str
    value_words: str
    dates: str  # 今天到期, 3月8日 到期, 领取后 7 天有效
    is_soon: bool = False
    state_label: str = ""
    is_usable: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class BatchFace:
    """A batch that she may give from, or the reason why not now."""

    public_id: str
    face: CouponFace
    quota_text: str  # 本周还可发 18 张
    remaining_text: str  # 这批还剩 1,000 张
    why_not: str


def template_face(template: TemplateCard) -> CouponFace:
    """A coupon nobody holds yet."""
    terms = template.terms
    return CouponFace(
        title=terms.title,
        worth=_WORTH[terms.kind](terms),
        threshold=say_threshold(terms),
        colour=terms.colour,
        value_words=template.value_words,
        dates=_say_validity(template),
    )


def coupon_face(card: CouponCard, *, now: dt.datetime) -> CouponFace:
    """A coupon in somebody's hands."""
    return coupon_faces([card], now=now)[0]


def coupon_faces(cards: Sequence[CouponCard], *, now: dt.datetime) -> tuple[CouponFace, ...]:
    """Coupons in somebody's hands; they come from few templates, each of which is drawn once."""
    templates = {card.template.id: card.template for card in cards}
    faces = {key: template_face(template) for key, template in templates.items()}
    return tuple(_held_face(card, faces[card.template.id], now=now) for card in cards)


def _held_face(card: CouponCard, face: CouponFace, *, now: dt.datetime) -> CouponFace:
    is_usable = card.state in ("issued", "locked", "gifting")
    is_waiting = card.state == "issued"  # what says itself that it is usable needs no label
    return dataclasses.replace(
        face,
        dates=say_end(card, now=now),
        is_soon=is_usable and is_soon(card, now=now),
        state_label="" if is_waiting else card.state_label,
        is_usable=is_usable,
    )


def batch_face(line: GuideBatch) -> BatchFace:
    """A batch on her list."""
    return BatchFace(
        public_id=line.batch.public_id,
        face=template_face(line.template),
        quota_text=say_quota(line),
        remaining_text=_("这批还剩 %(count)s 张") % {"count": phrases.say_count(line.remaining_count)},
        why_not=_say_why_not(line),
    )


def _say_why_not(line: GuideBatch) -> str:
    opens_at = line.batch.terms.opens_at
    if line.why_not == BatchNotStarted.code and opens_at is not None:
        day = phrases.say_appointment(opens_at, now=clock.now())
        return _("%(day)s 开始发放") % {"day": day}
    return line.why_not_words


def say_quota(line: GuideBatch) -> str:
    """How many she may still give: 本周还可发 18 张."""
    left = line.quota.remaining_count
    if left is None:
        return _("您的额度不限")
    return _("您%(period)s还可发 %(count)s 张") % {
        "period": period_words(line),
        "count": phrases.say_count(left),
    }


def period_words(line: GuideBatch) -> str:
    """The period her quota is counted in: 今天, 本周; empty for the whole batch."""
    periods = {"day": _("今天"), "week": _("本周"), "month": _("本月")}
    return periods.get(line.batch.terms.guide_quota_period, "")


def most_to_give(line: GuideBatch) -> int:
    """How many coupons quota and batch leave her now."""
    left = line.quota.remaining_count
    return line.remaining_count if left is None else min(left, line.remaining_count)


def quota_after(quota: GuideQuota, given: int) -> str:
    """What is left of her quota after so many."""
    if quota.remaining_count is None:
        return ""
    return phrases.say_count(max(0, quota.remaining_count - given))


def say_end(card: CouponCard, *, now: dt.datetime) -> str:
    """Until when it is good, or from when; for what is over, when it ended."""
    today = clock.business_day(now)
    if card.valid_from > now:
        day = phrases.say_day(clock.business_day(card.valid_from), today=today)
        return _("%(day)s起可用") % {"day": day}
    last = clock.business_day(card.valid_until - dt.timedelta(microseconds=1))
    return _("%(day)s到期") % {"day": phrases.say_coming_day(last, today=today)}


def is_soon(card: CouponCard, *, now: dt.datetime) -> bool:
    """Whether it ends within three days."""
    return card.valid_from <= now and card.valid_until <= now + dt.timedelta(days=_SOON_DAYS)


def say_threshold(terms: TemplateTerms) -> str:
    """From what purchase on it counts, in short."""
    if terms.min_spend_fen:
        return _("满 %(spend)s 可用") % {"spend": plain_yuan(terms.min_spend_fen)}
    if terms.min_quantity:
        return _("满 %(count)d 件可用") % {"count": terms.min_quantity}
    if terms.kind == "cash_off" and terms.per_fen:
        return _("每满 %(per)s 减") % {"per": plain_yuan(terms.per_fen)}
    if terms.kind == "fixed_price":
        return _("任选 %(count)d 件") % {"count": terms.units or 1}
    if terms.kind == "exchange":
        return _("免费 %(count)d 件") % {"count": terms.units or 1}
    return _("无门槛")


def conditions_of(terms: TemplateTerms) -> tuple[str, ...]:
    """What a coupon asks for besides its worth, one line each, in the words of the counter."""
    lines = []
    if goods := coupon_selectors.scope_words(terms):
        lines.append(_("只限%(goods)s，金额按这些商品填") % {"goods": goods})
    if left_out := coupon_selectors.excluded_words(terms):
        lines.append(_("%(goods)s不能用，金额不含这些商品") % {"goods": left_out})
    if terms.weekdays and len(terms.weekdays) < 7:
        days = "、".join(_("周") + _WEEKDAYS[day] for day in sorted(terms.weekdays))
        lines.append(_("只在%(days)s可用") % {"days": days})
    if terms.hours:
        lines.append(_("每天 %(hours)s 可用") % {"hours": "、".join(terms.hours)})
    if terms.store_ids or terms.region_ids or terms.dealer_ids:
        lines.append(_("只限部分门店"))
    if terms.is_exclusive:
        lines.append(_("不能和其他券一起用"))
    if terms.max_per_order:
        lines.append(_("每单最多用 %(count)d 张") % {"count": terms.max_per_order})
    return (*lines, *(line.strip() for line in terms.usage_words.splitlines() if line.strip()))


def plain_yuan(fen: int) -> str:
    """An amount inside a sentence: 300, 19.90."""
    yuan, rest = divmod(fen, 100)
    return f"{yuan}.{rest:02d}" if rest else str(yuan)


def _say_validity(template: TemplateCard) -> str:
    terms = template.terms
    if terms.validity == "fixed" and terms.valid_from is not None and terms.valid_until is not None:
        today = clock.today()
        last = clock.business_day(terms.valid_until - dt.timedelta(microseconds=1))
        return _("%(start)s 至 %(end)s") % {
            "start": phrases.say_day(clock.business_day(terms.valid_from), today=today),
            "end": phrases.say_day(last, today=today),
        }
    return template.validity_words


def _price(terms: TemplateTerms) -> str:
    return f"¥{plain_yuan(terms.price_fen or 0)}"


_WORTH: Final[dict[str, Callable[[TemplateTerms], str]]] = {
    "cash_off": lambda terms: f"¥{plain_yuan(terms.off_fen or 0)}",
    "percent": lambda terms: _("%(rate)s折") % {"rate": f"{(terms.rate_bp or 0) / 1000:g}"},
    "exchange": lambda terms: _("兑换"),
    "fixed_price": _price,
    "gift": lambda terms: _("赠品"),
}
