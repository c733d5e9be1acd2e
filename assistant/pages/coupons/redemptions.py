"""核销记录: what was redeemed in the store on a day; one of them in large; and the way back."""

import dataclasses
import datetime as dt
from typing import Final, Literal

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.redeeming import say_owner, say_yuan
from assistant.pages.links import url_of
from assistant.pages.reasons import choices_of
from assistant.pages.shell import Link, Shell, Stretch
from core import clock
from core.errors import NotFound
from coupons import selectors as coupon_selectors
from coupons.contracts import StoreRedemption
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors
from members.contracts import Choice

Who = Literal["store", "mine"]
PAGE_ROWS: Final = 20
DAYS_BACK: Final = 30  # how far a manager may look back
_FRESH: Final = dt.timedelta(minutes=5)


@dataclasses.dataclass(frozen=True, slots=True)
class RedemptionRow:
    id: int
    title: str
    off_text: str  # -¥30.00
    note: str  # 沈** · 订单 A1001 · ¥200.00
    foot: str  # 15:20 · 李娜
    is_reversed: bool
    may_undo: bool


@dataclasses.dataclass(frozen=True, slots=True)
class RedemptionsPage:
    shell: Shell
    title: str
    store_name: str
    who: tuple[Link, ...]
    earlier: Link | None  # a manager's
    later: Link | None
    redeemed: str
    discount: str
    sales: str
    list: Stretch[RedemptionRow]


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class RedemptionPage:
    """The result, to be read across a counter."""

    shell: Shell
    id: int
    is_live: bool
    headline: str  # 核销成功
    off_text: str  # 减 ¥30.00
    hint: str
    facts: tuple[Fact, ...]
    may_undo: bool


@dataclasses.dataclass(frozen=True, slots=True)
class UndoSheet:
    id: int
    name: str
    hint: str
    reasons: tuple[Choice, ...]
    request_key: str


def build_redemptions(
    guide: GuideCard, *, who: Who, day: dt.date | None, now: dt.datetime | None = None
) -> RedemptionsPage:
    """A day of the store, or what this guide redeemed on it. Raises NotFound for a day that is not hers to see."""
    now = now or clock.now()
    today = clock.business_day(now)
    day = _usable_day(guide, day, today)
    only = guide.id if who == "mine" else None
    sums = coupon_selectors.sum_store_day(guide.store.id, day=day, guide_id=only)
    step = dt.timedelta(days=1)
    is_manager = guide.role == "manager"
    return RedemptionsPage(
        shell=Shell.around("coupons", guide.id),
        title=_("今日核销")
        if day == today
        else _("%(day)s核销") % {"day": phrases.say_day(day, today=today)},
        store_name=guide.store.name,
        who=tuple(
            Link(label, _url(key, day, today), key == who)
            for key, label in (("store", _("本店")), ("mine", _("我核销的")))
        ),
        earlier=Link(_("前一天"), _url(who, day - step, today))
        if is_manager and day > today - dt.timedelta(days=DAYS_BACK)
        else None,
        later=Link(_("后一天"), _url(who, day + step, today)) if is_manager and day < today else None,
        redeemed=phrases.say_count(sums.redeemed_count),
        discount=phrases.say_money(sums.discount_fen),
        sales=phrases.say_money(sums.sales_fen),
        list=build_redemption_rows(guide, who=who, day=day, cursor=None, now=now),
    )


def build_redemption_rows(
    guide: GuideCard, *, who: Who, day: dt.date | None, cursor: int | None, now: dt.datetime | None = None
) -> Stretch[RedemptionRow]:
    """The stretch after `cursor`."""
    now = now or clock.now()
    today = clock.business_day(now)
    day = _usable_day(guide, day, today)
    found = coupon_selectors.list_store_redemptions(
        guide.store.id,
        day=day,
        guide_id=guide.id if who == "mine" else None,
        cursor=cursor,
        limit=PAGE_ROWS,
        at=now,
    )
    owners = member_selectors.list_member_cards({line.member_id for line in found.lines})
    guides = guide_selectors.list_guide_names({line.guide_id for line in found.lines if line.guide_id})
    rows = tuple(
        _row(line, say_owner(owners[line.member_id]), guides.get(line.guide_id or 0, ""))
        for line in found.lines
    )
    next_url = ""
    if found.next_cursor is not None:
        next_url = url_of(
            "assistant:coupon-redemption-rows", who=who, day=day.isoformat(), cursor=found.next_cursor
        )
    return Stretch(rows, cursor is None, next_url)


def build_redemption(
    guide: GuideCard, redemption_id: int, *, now: dt.datetime | None = None
) -> RedemptionPage:
    """One redemption of her store. Raises NoSuchRedemption."""
    now = now or clock.now()
    line = coupon_selectors.access_store_redemption(
        store_id=guide.store.id, redemption_id=redemption_id, at=now
    )
    use = line.redemption
    is_live = use.reversed_at is None
    owner = member_selectors.get_member_card(line.member_id)
    guides = guide_selectors.list_guide_names([line.guide_id] if line.guide_id else [])
    facts = [
        Fact(_("券"), line.template.terms.title),
        Fact(_("持有人"), say_owner(owner)),
        Fact(_("订单号"), use.order_no),
        Fact(_("订单金额"), f"¥{say_yuan(use.amount_fen)}"),
        Fact(_("实收"), f"¥{say_yuan(use.amount_fen - use.discount_fen)}"),
        Fact(_("核销人"), _who(guides.get(line.guide_id or 0, ""), use.till)),
        Fact(_("核销时间"), phrases.say_appointment(use.redeemed_at, now=now)),
    ]
    if use.reversed_at is not None:
        facts.append(Fact(_("撤销时间"), phrases.say_appointment(use.reversed_at, now=now)))
        facts.append(Fact(_("撤销原因"), line.reversal_reason))
    return RedemptionPage(
        shell=Shell.around("coupons", guide.id),
        id=use.id,
        is_live=is_live,
        headline=_headline(line, now),
        off_text=_say_off(line),
        hint=_hint(line),
        facts=tuple(fact for fact in facts if fact.value),
        may_undo=line.may_undo,
    )


def build_undo_sheet(
    guide: GuideCard, redemption_id: int, *, request_key: str, now: dt.datetime | None = None
) -> UndoSheet:
    """The question before a redemption is taken back. Raises NoSuchRedemption."""
    line = coupon_selectors.access_store_redemption(
        store_id=guide.store.id, redemption_id=redemption_id, at=now
    )
    use = line.redemption
    return UndoSheet(
        id=use.id,
        name=f"{line.template.terms.title} · {_('订单')} {use.order_no}",
        hint=_("撤销后这张券退回给会员，没过期就还能用；优惠的 ¥%(off)s 请向顾客补收")
        % {"off": say_yuan(use.discount_fen)}
        if use.discount_fen
        else _("撤销后这张券退回给会员，没过期就还能用"),
        reasons=choices_of(_("订单或金额填错了"), _("顾客不要了"), _("用错了券"), _("其他")),
        request_key=request_key,
    )


def _usable_day(guide: GuideCard, day: dt.date | None, today: dt.date) -> dt.date:
    if day is None or day == today:
        return today
    if guide.role != "manager" or not today - dt.timedelta(days=DAYS_BACK) <= day < today:
        raise NotFound
    return day


def _headline(line: StoreRedemption, now: dt.datetime) -> str:
    use = line.redemption
    if use.reversed_at is not None:
        return _("已撤销")
    return _("核销成功") if now - use.redeemed_at < _FRESH else _("已核销")


def _say_off(line: StoreRedemption) -> str:
    if line.template.terms.kind == "gift":
        return _("赠 %(gift)s") % {"gift": line.template.terms.gift_name}
    return _("减 ¥%(off)s") % {"off": say_yuan(line.redemption.discount_fen)}


def _hint(line: StoreRedemption) -> str:
    if line.redemption.reversed_at is None:
        return _("填错了可以在今天之内撤销") if line.may_undo else ""
    if line.redemption.coupon_state == "expired":
        return _("券已过期，不能再用")
    return _("券已退回给会员") if line.redemption.coupon_state == "issued" else ""


def _row(line: StoreRedemption, owner: str, guide_name: str) -> RedemptionRow:
    use = line.redemption
    time = f"{use.redeemed_at.astimezone(clock.SHANGHAI):%H:%M}"
    return RedemptionRow(
        id=use.id,
        title=line.template.terms.title,
        off_text=f"-¥{say_yuan(use.discount_fen)}" if use.discount_fen else _("赠品"),
        note=f"{owner.partition(' · ')[0]} · {_('订单')} {use.order_no} · ¥{say_yuan(use.amount_fen)}",
        foot=f"{time} · {_who(guide_name, use.till)}".removesuffix(" · "),
        is_reversed=use.reversed_at is not None,
        may_undo=line.may_undo,
    )


def _who(guide_name: str, till: str) -> str:
    if guide_name:
        return guide_name
    return _("收银台 %(till)s") % {"till": till} if till else ""


def _url(who: str, day: dt.date, today: dt.date) -> str:
    return url_of("assistant:coupon-redemptions", who=who, day="" if day == today else day.isoformat())
