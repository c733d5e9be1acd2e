"""The orders behind a number, and one of them with all that explains it."""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.redeeming import say_owner
from assistant.pages.links import url_of
from assistant.pages.performance.asked import Asked
from assistant.pages.performance.listed import NumberList, Whose, number_list
from assistant.pages.shell import Shell, Stretch
from core import clock
from core.phones import mask_within
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors
from sales import selectors as sale_selectors
from sales.contracts import AttributionCard, EntryLine, SaleCard, SaleOfMine
from sales.contracts.reviews import SaleRating

PAGE_ROWS: Final = 20
ROWS_TEMPLATE: Final = "assistant/_performance_order_rows.html"
_TITLES: Final = {"return_fen": "退货", "first_purchase_count": "首购", "repurchase_fen": "复购"}


@dataclasses.dataclass(frozen=True, slots=True)
class OrderRow:
    public_id: str
    title: str  # 订单 A1001
    value: str  # her part
    words: str  # 规则 1 …
    foot: str  # 今天 15:20 · 南京东路店 · 整单 ¥1,280
    returned_text: str
    rating_text: str  # ★★★★☆ 很好


@dataclasses.dataclass(frozen=True, slots=True)
class PartLine:
    who: str
    share: str  # 70%
    amount: str
    is_me: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TextLine:
    title: str
    value: str
    foot: str
    is_off: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class OrderPage:
    shell: Shell
    public_id: str
    order_no: str
    when_text: str
    store_name: str
    member_text: str
    member_url: str
    amount: str
    returned: str
    left: str
    is_first: bool
    rating_text: str
    words: str  # why it is whose
    parts: tuple[PartLine, ...]
    goods: tuple[TextLine, ...]
    returns: tuple[TextLine, ...]
    entries_title: str
    entries: tuple[TextLine, ...]
    entries_total: str
    earlier: tuple[TextLine, ...]  # decisions that held before
    may_decide: bool
    undo_id: int | None  # the decision that can be taken back
    request_key: str


def build_orders(
    guide: GuideCard, asked: Asked, *, whose: Whose, now: dt.datetime | None = None
) -> NumberList[OrderRow]:
    """The list of these orders in the period."""
    return number_list(
        guide,
        asked,
        build_order_rows(guide, asked, whose=whose, offset=0, now=now),
        what=_(_TITLES.get(asked.metric, "订单")),
        name="orders",
        whose=whose,
        rows_template=ROWS_TEMPLATE,
    )


def build_order_rows(
    guide: GuideCard, asked: Asked, *, whose: Whose, offset: int, now: dt.datetime | None = None
) -> Stretch[OrderRow]:
    """A stretch of it."""
    now = now or clock.now()
    given: Any = {"metric": asked.metric, "limit": PAGE_ROWS, "offset": offset}
    if whose.is_store:
        of = None if whose.of is None else whose.of.id
        found = sale_selectors.list_store_sales(guide.store.id, asked.span(now), guide_id=of, **given)
    else:
        found = sale_selectors.list_guide_sales(guide.id, asked.span(now), **given)
    next_url = ""
    if found.next_offset is not None:
        next_url = url_of(
            "assistant:performance-order-rows",
            period=asked.period,
            metric=asked.metric,
            who=whose.who,
            offset=found.next_offset,
        )
    rows = tuple(_row(line, now=now, is_store=whose.is_store) for line in found.lines)
    return Stretch(rows, offset == 0, next_url)


def build_order(
    guide: GuideCard, public_id: str, *, request_key: str, now: dt.datetime | None = None
) -> OrderPage:
    """One order. Raises NoSuchSale for one that is not hers to see."""
    now = now or clock.now()
    card = open_sale(guide, public_id)
    live = next((one for one in card.attributions if one.ended_at is None), None)
    is_managed = may_decide(guide, card)
    member_text, member_url = _member(guide, card)
    earlier = tuple(one for one in card.attributions if one.ended_at is not None)
    total = sum(entry.value for entry in card.entries)
    return OrderPage(
        shell=Shell.around("performance", guide.id),
        public_id=card.public_id,
        order_no=card.order_no,
        when_text=phrases.say_appointment(card.sold_at, now=now),
        store_name=card.store_name,
        member_text=member_text,
        member_url=member_url,
        amount=phrases.say_money(card.amount_fen),
        returned=phrases.say_money(card.returned_fen) if card.returned_fen else "",
        left=phrases.say_money(card.amount_fen - card.returned_fen),
        is_first=card.is_first,
        rating_text=say_rating(card.rating),
        words="" if live is None else live.words,
        parts=part_lines(live, guide.id),
        goods=tuple(
            TextLine(
                line.name,
                phrases.say_money(line.amount_fen),
                _("%(count)d 件，已退 %(back)d 件") % {"count": line.quantity, "back": line.returned_quantity}
                if line.returned_quantity
                else _("%(count)d 件") % {"count": line.quantity},
                line.returned_quantity == line.quantity,
            )
            for line in card.goods
        ),
        returns=tuple(
            TextLine(
                _("退货单 %(number)s") % {"number": given.return_no},
                phrases.say_money(-given.amount_fen),
                phrases.say_appointment(given.returned_at, now=now),
            )
            for given in card.returns
        ),
        entries_title=_("业绩怎么算出来的") if is_managed else _("我的业绩怎么算出来的"),
        entries=tuple(_entry(entry, is_managed=is_managed, now=now) for entry in card.entries),
        entries_total=phrases.say_money(total),
        earlier=tuple(TextLine(one.words, "", _say_decided(one, now=now), is_off=True) for one in earlier),
        may_decide=is_managed,
        undo_id=live.id if live is not None and is_managed and live.is_manual and earlier else None,
        request_key=request_key,
    )


def open_sale(guide: GuideCard, public_id: str) -> SaleCard:
    """The order, if it is hers or of the store she manages. Raises NoSuchSale."""
    managed = guide.store.id if guide.role == "manager" else None
    return sale_selectors.access_sale(public_id=public_id, guide_id=guide.id, managed_store_id=managed)


def may_decide(guide: GuideCard, card: SaleCard) -> bool:
    """Whose it is is for the manager of the store that sold it to say."""
    return guide.role == "manager" and card.store_id == guide.store.id


def part_lines(card: AttributionCard | None, own_id: int | None) -> tuple[PartLine, ...]:
    """Who has how much of what is left of the order."""
    if card is None:
        return ()
    return tuple(
        PartLine(
            who=f"{share.role_label} {share.guide_name or share.store_name}".strip(),
            share=f"{share.share_bp / 100:g}%",
            amount=phrases.say_money(share.amount_fen),
            is_me=share.guide_id is not None and share.guide_id == own_id,
        )
        for share in card.shares
    )


def _row(line: SaleOfMine, *, now: dt.datetime, is_store: bool) -> OrderRow:
    foot = [phrases.say_appointment(line.sold_at, now=now)]
    if not is_store:
        foot.append(line.store_name)
    foot.append(_("整单 %(amount)s") % {"amount": phrases.say_money(line.amount_fen)})
    return OrderRow(
        public_id=line.public_id,
        title=line.order_no,
        value=phrases.say_money(line.part_fen),
        words=line.words,
        foot=" · ".join(foot),
        returned_text=_("已退 %(amount)s") % {"amount": phrases.say_money(line.returned_fen)}
        if line.returned_fen
        else "",
        rating_text=say_rating(line.rating),
    )


def say_rating(rating: SaleRating | None) -> str:
    """What the member said of the order, if she did."""
    if rating is None:
        return ""
    stars = "★" * rating.score + "☆" * (5 - rating.score)
    return f"{stars} {mask_within(rating.words)}".strip()


def _member(guide: GuideCard, card: SaleCard) -> tuple[str, str]:
    if card.member_id is None:
        return _("散客"), ""
    member = member_selectors.get_member_card(card.member_id)
    if guide_selectors.openable_ids(guide.id, [card.member_id]):
        return member.display_name, url_of("assistant:member", member.public_id, tab="sales")
    return say_owner(member), ""


def _entry(entry: EntryLine, *, is_managed: bool, now: dt.datetime) -> TextLine:
    today = clock.business_day(now)
    what = _("冲回") if entry.is_reversal else entry.reason_label
    foot = _("计入 %(day)s") % {"day": phrases.say_day(entry.booked_on, today=today)}
    if entry.booked_on != entry.due_on:
        foot = _("%(due)s 已关账，计入 %(day)s") % {
            "due": phrases.say_day(entry.due_on, today=today),
            "day": phrases.say_day(entry.booked_on, today=today),
        }
    title = f"{entry.who} · {what}" if is_managed else what
    return TextLine(title, f"{'+' if entry.value > 0 else ''}{phrases.say_money(entry.value)}", foot)


def _say_decided(card: AttributionCard, *, now: dt.datetime) -> str:
    ended = phrases.say_time(card.ended_at, now=now) if card.ended_at else ""
    who = f"{card.made_by} " if card.made_by else _("系统")  # a guide's number stands off from the words
    return _("%(who)s定的，%(when)s改掉") % {"who": who, "when": ended}
