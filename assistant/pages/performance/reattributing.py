"""A manager decides whose an order of her store is: the form, what it would change, and the way back."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.member_words import guide_actor
from assistant.pages.performance.orders import PartLine, may_decide, open_sale, part_lines
from assistant.pages.reasons import choices_of
from core import clock
from core.errors import InvalidInput
from core.shares import split
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, GuideEntry
from members.contracts import Choice as Reason
from sales import selectors as sale_selectors
from sales import services as sale_services
from sales.contracts import AttributionCard, SaleCard, Share
from sales.errors import AttributionChanged, NoSuchSale

WHOLE_BP: Final = 10_000
STORE: Final = "@store"  # among numbers of guides: the rest is the store's
REASONS: Final = ("系统记错导购", "两人一起接待", "顾客指定", "换班交接")


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    is_on: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ReattributeSheet:
    public_id: str
    order_no: str
    live_id: int
    words: str
    first: tuple[Choice, ...]
    second: tuple[Choice, ...]  # the store first
    share: str  # the first one's, in whole percent
    reasons: tuple[Reason, ...]
    request_key: str
    preview: "Preview"


@dataclasses.dataclass(frozen=True, slots=True)
class Preview:
    """What would change, in fen, before it does."""

    now: tuple[PartLine, ...]
    then: tuple[PartLine, ...]
    hint: str
    is_same: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says: guides by number, the first one's share in percent. No first guide means the store; no second
    one means that nobody else has a part, STORE that the store has the rest."""

    first: str
    second: str
    percent: int


def build_sheet(
    guide: GuideCard, public_id: str, *, request_key: str, now: dt.datetime | None = None
) -> ReattributeSheet:
    """The form as the order stands. Raises NoSuchSale for one that is not this manager's to decide."""
    card, live = _open(guide, public_id)
    entries = _choosable(guide, live)
    wanted = _standing(live, entries)
    return ReattributeSheet(
        public_id=card.public_id,
        order_no=card.order_no,
        live_id=live.id,
        words=live.words,
        first=_choices(entries, wanted.first),
        second=(Choice(STORE, _("门店"), wanted.second == STORE), *_choices(entries, wanted.second)),
        share=str(wanted.percent),
        reasons=choices_of(*(_(reason) for reason in REASONS)),
        request_key=request_key,
        preview=build_preview(guide, public_id, wanted, now=now),
    )


def build_preview(
    guide: GuideCard, public_id: str, wanted: Wanted, *, now: dt.datetime | None = None
) -> Preview:
    """Who has how much now, and who would. Raises InvalidInput for a form that nobody sends."""
    now = now or clock.now()
    card, live = _open(guide, public_id)
    entries = _choosable(guide, live)
    shares = _shares(guide, wanted, entries, live)
    left = card.amount_fen - card.returned_fen
    parts = split(amount=left, weights=[share.share_bp for share in shares])
    then = tuple(
        PartLine(
            who=entries[share.guide_id].name if share.guide_id is not None else guide.store.name,
            share=f"{share.share_bp / 100:g}%",
            amount=phrases.say_money(part),
            is_me=share.guide_id == guide.id,
        )
        for share, part in zip(shares, parts, strict=True)
    )
    stood = [(share.guide_id, share.store_id, share.share_bp) for share in live.shares]
    return Preview(
        now=part_lines(live, guide.id),
        then=then,
        hint=_hint(card, now),
        is_same=stood == [(share.guide_id, share.store_id, share.share_bp) for share in shares],
    )


def reattribute(
    guide: GuideCard, public_id: str, wanted: Wanted, *, replaces: int, reason: str, request_key: str
) -> None:
    """The order is whose the form says."""
    card, live = _open(guide, public_id)
    sale_services.reattribute_sale(
        sale_id=card.id,
        shares=_shares(guide, wanted, _choosable(guide, live), live),
        reason=reason,
        request_key=request_key,
        actor=guide_actor(guide),
        replaces=replaces,
    )


def take_back(guide: GuideCard, public_id: str, *, undoes: int, request_key: str) -> None:
    """The decision before the last holds again. Refuses when somebody decided meanwhile (AttributionChanged)."""
    card, _live = _open(guide, public_id)
    place = next((place for place, one in enumerate(card.attributions) if one.id == undoes), None)
    if place is None or place + 1 >= len(card.attributions):
        raise AttributionChanged
    before = card.attributions[place + 1]
    sale_services.reattribute_sale(
        sale_id=card.id,
        shares=[Share(one.role, one.guide_id, one.store_id, one.share_bp) for one in before.shares],
        reason=_("撤销：%(reason)s") % {"reason": card.attributions[place].reason[:100]},
        request_key=request_key,
        actor=guide_actor(guide),
        replaces=undoes,
    )


def _open(guide: GuideCard, public_id: str) -> tuple[SaleCard, AttributionCard]:
    card = open_sale(guide, public_id)
    live = next((one for one in card.attributions if one.ended_at is None), None)
    if live is None or not may_decide(guide, card):
        raise NoSuchSale
    return card, live


def _choosable(guide: GuideCard, live: AttributionCard) -> dict[int, GuideEntry]:
    """Her guides, and whoever has a part now: one of another store who helped, one who has left."""
    entries = guide_selectors.list_active_guide_entries(guide.store.id)
    others = [
        share.guide_id
        for share in live.shares
        if share.guide_id is not None and share.guide_id not in entries
    ]
    return entries | (guide_selectors.list_guide_entries(others) if others else {})


def _standing(live: AttributionCard, entries: dict[int, GuideEntry]) -> Wanted:
    """The form as the order stands, as far as it can say it: two parts, one of them a guide's."""
    known = [share for share in live.shares if share.guide_id is not None]
    if not known:
        return Wanted("", "", 100)
    first = entries[known[0].guide_id or 0].number
    if len(known) > 1:
        return Wanted(first, entries[known[1].guide_id or 0].number, known[0].share_bp // 100)
    return Wanted(first, STORE if len(live.shares) > 1 else "", known[0].share_bp // 100)


def _choices(entries: dict[int, GuideEntry], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(entry.number, entry.name, entry.number == chosen) for entry in entries.values())


def _shares(
    guide: GuideCard, wanted: Wanted, entries: dict[int, GuideEntry], live: AttributionCard
) -> list[Share]:
    by_number = {entry.number: entry.id for entry in entries.values()}
    for number, field in ((wanted.first, "first"), (wanted.second, "second")):
        if number and number not in by_number and (field, number) != ("second", STORE):
            raise InvalidInput(field=field)
    if not wanted.first:
        return [_part(guide, None, WHOLE_BP, live)]
    first = by_number[wanted.first]
    if not wanted.second or wanted.second == wanted.first or wanted.percent == 100:
        return [_part(guide, first, WHOLE_BP, live)]
    part = wanted.percent * 100
    second = None if wanted.second == STORE else by_number[wanted.second]
    return [_part(guide, first, part, live), _part(guide, second, WHOLE_BP - part, live)]


def _part(guide: GuideCard, guide_id: int | None, share_bp: int, live: AttributionCard) -> Share:
    """Whoever has a part now keeps the role she has it in, and the store in which it counts."""
    stood = next((one for one in live.shares if one.guide_id == guide_id), None)
    if stood is not None:
        return Share(stood.role, guide_id, stood.store_id, share_bp)
    return Share("store" if guide_id is None else "serving", guide_id, guide.store.id, share_bp)


def _hint(card: SaleCard, now: dt.datetime) -> str:
    day = clock.business_day(card.sold_at)
    if day.replace(day=1) in sale_selectors.list_closed_months():
        return _("%(month)d月已关账，调整的差额会计入还没关账的月份") % {"month": day.month}
    return _("原来的归属会保留在记录里，可以撤销")
