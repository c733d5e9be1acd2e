"""发券: whom she gives a coupon to, what will happen in numbers, and what became of it."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.faces import (
    BatchFace,
    CouponFace,
    batch_face,
    most_to_give,
    period_words,
    quota_after,
    template_face,
)
from assistant.pages.links import url_of
from assistant.pages.shell import Avatar, Shell, member_avatar
from core import clock
from core.errors import InvalidInput, NotFound
from coupons import selectors as coupon_selectors
from coupons.contracts import DirectedIssueCard, DirectedLine, GuideBatch
from coupons.errors import NoSuchBatch
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors
from members.contracts import MemberCard

PAGE_ROWS: Final = 20
MOST_AT_ONCE: Final = 50
_DOOR: Final = "guide"
_NAMED: Final = 3  # names in the confirmation before it counts


@dataclasses.dataclass(frozen=True, slots=True)
class Narrowing:
    """What narrows the list of her members: words, a birthday this month, a tier, a tag (`c7` the chain's, `o7` her
    own)."""

    query: str = ""
    birthday: bool = False
    tier_id: int = 0
    tag: str = ""

    @property
    def is_on(self) -> bool:
        return bool(self.query or self.birthday or self.tier_id or self.tag)


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_on: bool


@dataclasses.dataclass(frozen=True, slots=True)
class PickRow:
    """One member who may be picked."""

    public_id: str
    name: str
    avatar: Avatar
    note: str  # 会员 · 尾号 5678 · 3月8日生日


@dataclasses.dataclass(frozen=True, slots=True)
class PickRows:
    rows: tuple[PickRow, ...]
    is_first: bool
    is_narrowed: bool
    next_url: str

    @property
    def is_empty(self) -> bool:
        return self.is_first and not self.rows


@dataclasses.dataclass(frozen=True, slots=True)
class PickPage:
    """Pick members for a batch."""

    shell: Shell
    batch: BatchFace
    most: int  # at one go
    narrowing: Narrowing
    tiers: tuple[Option, ...]
    tags: tuple[Option, ...]
    list: PickRows


@dataclasses.dataclass(frozen=True, slots=True)
class Doubt:
    """Who will probably get none, and why."""

    name: str
    why: str


@dataclasses.dataclass(frozen=True, slots=True)
class ConfirmSheet:
    """What will happen, in numbers, before she says yes."""

    batch_id: str
    face: CouponFace
    title: str  # 发给 12 位会员
    who: str  # 小美、小丽等 12 位
    facts: tuple[str, ...]
    doubts: tuple[Doubt, ...]
    public_ids: tuple[str, ...]
    request_key: str
    submit: str  # empty when nobody can be given one
    back_to: str = ""  # the member page that asked


@dataclasses.dataclass(frozen=True, slots=True)
class GiveSheet:
    """发券 on a member's page: what she may be given."""

    public_id: str
    name: str
    request_key: str
    ready: tuple[BatchFace, ...]
    waiting: tuple[BatchFace, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class GivenSaid:
    """The answer to giving on a member's page: her coupons anew where they are open, a sentence, and no dialog when
    it worked."""

    part: Any | None
    text: str
    is_given: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ResultRow:
    public_id: str  # empty where she is not this guide's to open
    name: str
    avatar: Avatar
    why: str


@dataclasses.dataclass(frozen=True, slots=True)
class ResultPage:
    """What became of each."""

    shell: Shell
    face: CouponFace
    batch_id: str
    title: str
    is_good: bool
    given: tuple[ResultRow, ...]
    refused: tuple[ResultRow, ...]
    retry_ids: tuple[str, ...]  # refused for reasons that pass
    retry_key: str


def get_batch_id(public_id: str) -> int:
    """The row id of a batch. Raises NoSuchBatch."""
    batch_id = coupon_selectors.find_batch_id(public_id.replace("\0", ""))
    if batch_id is None:
        raise NoSuchBatch
    return batch_id


def find_batch(guide: GuideCard, public_id: str, *, now: dt.datetime) -> GuideBatch:
    """A batch of her list. Raises NoSuchBatch for an unknown one, one that is over, and one that guides never give."""
    lines = coupon_selectors.list_guide_batches(guide_id=guide.id, door=_DOOR, at=now)
    found = next((line for line in lines if line.batch.public_id == public_id), None)
    if found is None:
        raise NoSuchBatch
    return found


def build_pick(
    guide: GuideCard, batch_id: str, *, narrowing: Narrowing, now: dt.datetime | None = None
) -> PickPage:
    """The page where members are picked. Raises NoSuchBatch."""
    now = now or clock.now()
    line = find_batch(guide, batch_id, now=now)
    return PickPage(
        shell=Shell.around("coupons", guide.id),
        batch=batch_face(line),
        most=min(MOST_AT_ONCE, most_to_give(line)),
        narrowing=narrowing,
        tiers=tuple(
            Option(str(tier.id), tier.name, tier.id == narrowing.tier_id)
            for tier in member_selectors.list_tiers()
        ),
        tags=_tags(guide, narrowing),
        list=build_pick_rows(guide, batch_id, narrowing=narrowing, cursor=None, now=now),
    )


def build_pick_rows(
    guide: GuideCard,
    batch_id: str,
    *,
    narrowing: Narrowing,
    cursor: str | None,
    now: dt.datetime | None = None,
) -> PickRows:
    """The stretch after `cursor` of her members, narrowed."""
    now = now or clock.now()
    found = guide_selectors.list_bound_members(
        guide_id=guide.id,
        query=narrowing.query,
        among=_among(guide, narrowing, now=now),
        cursor=cursor,
        limit=PAGE_ROWS,
    )
    rows = tuple(_pick_row(line.member) for line in found.lines)
    next_url = ""
    if found.next_cursor:
        next_url = url_of(
            "assistant:coupon-pick-rows",
            batch_id,
            q=narrowing.query,
            birthday=1 if narrowing.birthday else "",
            tier=narrowing.tier_id or "",
            tag=narrowing.tag,
            cursor=found.next_cursor,
        )
    return PickRows(rows, cursor is None, narrowing.is_on, next_url)


def build_confirm(
    guide: GuideCard,
    batch_id: str,
    *,
    public_ids: Sequence[str],
    request_key: str,
    back_to: str = "",
    now: dt.datetime | None = None,
) -> ConfirmSheet:
    """What giving these members one each will do.

    Raises NoSuchBatch, InvalidInput for nobody and for too many, NotFound when none of them is hers; who went to
    another guide meanwhile is left out.
    """
    now = now or clock.now()
    line = find_batch(guide, batch_id, now=now)
    if not 1 <= len(public_ids) <= MOST_AT_ONCE:
        raise InvalidInput(_("请先选会员，一次最多 %(most)d 位") % {"most": MOST_AT_ONCE}, field="members")
    members = list(guide_selectors.access_members(guide_id=guide.id, public_ids=public_ids).values())
    if not members:
        raise NotFound
    foreseen = coupon_selectors.foresee_directed_issue(
        batch_id=line.batch.id, member_ids=[member.id for member in members], at=now
    )
    doubts = tuple(
        Doubt(member.display_name, foreseen[member.id].words) for member in members if member.id in foreseen
    )
    sure = len(members) - len(doubts)
    given = min(sure, most_to_give(line))
    return ConfirmSheet(
        batch_id=line.batch.public_id,
        face=template_face(line.template),
        title=_("发给 %(count)d 位会员") % {"count": len(members)} if len(members) > 1 else _("确认发券"),
        who=_say_who([member.display_name for member in members]),
        facts=_facts(line, sure=sure, given=given),
        doubts=doubts,
        public_ids=tuple(member.public_id for member in members),
        request_key=request_key,
        submit=_("确认发 %(count)d 张") % {"count": given} if given and not line.why_not else "",
        back_to=back_to,
    )


def build_give_sheet(
    guide: GuideCard, member: MemberCard, *, request_key: str, now: dt.datetime | None = None
) -> GiveSheet:
    """The dialog on a member's page: batches for her, and those that are not, with the reason."""
    now = now or clock.now()
    ready: list[BatchFace] = []
    waiting: list[BatchFace] = []
    for line in coupon_selectors.list_guide_batches(guide_id=guide.id, door=_DOOR, at=now):
        (waiting if line.why_not else ready).append(batch_face(line))
    return GiveSheet(member.public_id, member.display_name, request_key, tuple(ready), tuple(waiting))


def build_result(
    guide: GuideCard, public_id: str, *, retry_key: str, now: dt.datetime | None = None
) -> ResultPage:
    """What became of a directed issue of hers. Raises NoSuchJob."""
    issue = coupon_selectors.access_directed_issue(guide_id=guide.id, public_id=public_id)
    names = _members_of(guide, issue)
    given = tuple(_result_row(line, names) for line in issue.lines if line.coupon is not None)
    refused = tuple(_result_row(line, names) for line in issue.lines if line.coupon is None)
    passing = {line.member_id for line in issue.lines if line.is_passing}
    return ResultPage(
        shell=Shell.around("coupons", guide.id),
        face=template_face(issue.template),
        batch_id=issue.batch.public_id,
        title=say_result(issue),
        is_good=not refused,
        given=given,
        refused=refused,
        retry_ids=tuple(names[key][0].public_id for key in names if key in passing and names[key][1]),
        retry_key=retry_key,
    )


def say_result(issue: DirectedIssueCard) -> str:
    """已发放 10 张, 2 位没有发出."""
    given, refused = issue.given_count, len(issue.lines) - issue.given_count
    if not refused:
        return _("已发放 %(count)d 张") % {"count": given}
    if not given:
        return _("没有发出")
    return _("已发放 %(given)d 张，%(refused)d 位没有发出") % {"given": given, "refused": refused}


def _tags(guide: GuideCard, narrowing: Narrowing) -> tuple[Option, ...]:
    chain = [(f"c{tag.id}", tag.name) for tag in member_selectors.list_tags()]
    own = [(f"o{tag.id}", tag.name) for tag in guide_selectors.list_own_tags(guide.id)]
    return tuple(Option(value, label, value == narrowing.tag) for value, label in (*own, *chain))


def _among(guide: GuideCard, narrowing: Narrowing, *, now: dt.datetime) -> Iterable[QuerySet[Any, int]]:
    if narrowing.birthday:
        yield member_selectors.born_in_month_ids(clock.business_day(now).month)
    if narrowing.tier_id:
        yield member_selectors.tier_member_ids(narrowing.tier_id)
    if narrowing.tag:
        tag_id = int(narrowing.tag[1:])
        if narrowing.tag.startswith("o"):
            yield guide_selectors.own_tagged_member_ids(guide_id=guide.id, tag_id=tag_id)
        else:
            yield member_selectors.tagged_member_ids(tag_id, now)


def _pick_row(member: MemberCard) -> PickRow:
    notes = [member.stage_label]
    if member.masked_phone:
        notes.append(_("尾号 %(tail)s") % {"tail": member.masked_phone[-4:]})
    if member.birthday:
        notes.append(_("%(day)s生日") % {"day": phrases.say_birthday(member.birthday)})
    return PickRow(member.public_id, member.display_name, member_avatar(member), " · ".join(notes))


def _say_who(names: list[str]) -> str:
    listed = "、".join(names[:_NAMED])
    if len(names) <= _NAMED:
        return listed
    return _("%(names)s等 %(count)d 位") % {"names": listed, "count": len(names)}


def _facts(line: GuideBatch, *, sure: int, given: int) -> tuple[str, ...]:
    if line.why_not:
        return (line.why_not_words,)
    facts = []
    left = quota_after(line.quota, given)
    if given < sure:
        facts.append(
            _("只剩 %(left)d 张可发，按名单顺序发，后面 %(short)d 位发不到")
            % {"left": given, "short": sure - given}
        )
    if left:
        facts.append(
            _("发完后，您%(period)s的额度还剩 %(left)s 张") % {"period": period_words(line), "left": left}
        )
    rest = phrases.say_count(line.remaining_count - given)
    facts.append(_("这批券还剩 %(count)s 张") % {"count": rest})
    return tuple(facts)


def _members_of(guide: GuideCard, issue: DirectedIssueCard) -> dict[int, tuple[MemberCard, bool]]:
    """Whom she asked for, as she calls them, and whether she may still open them."""
    cards = guide_selectors.list_cards_for(guide.id, [line.member_id for line in issue.lines])
    hers = guide_selectors.openable_ids(guide.id, cards)
    return {key: (card, key in hers) for key, card in cards.items()}


def _result_row(line: DirectedLine, names: dict[int, tuple[MemberCard, bool]]) -> ResultRow:
    card, is_hers = names[line.member_id]
    return ResultRow(
        public_id=card.public_id if is_hers else "",
        name=card.display_name,
        avatar=member_avatar(card),
        why="" if line.why_not is None else line.why_not.words,
    )
