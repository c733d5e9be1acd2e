"""The members and coupons behind a number that counts no orders."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.redeeming import say_owner
from assistant.pages.links import url_of
from assistant.pages.performance.asked import METRICS, Asked
from assistant.pages.performance.listed import NumberList, Whose, number_list
from assistant.pages.shell import Stretch
from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors
from members.contracts import MemberCard
from sales import selectors as sale_selectors
from sales.contracts import FactLine, FactNote

PAGE_ROWS: Final = 20
ROWS_TEMPLATE: Final = "assistant/_performance_fact_rows.html"


@dataclasses.dataclass(frozen=True, slots=True)
class FactRow:
    title: str  # 小美 / 林** · 138 **** 5678
    url: str  # her page, where this guide may open it
    value: str  # +1
    words: str  # 扫导购码
    foot: str  # 今天 · 南京东路店
    is_reversal: bool


def build_facts(
    guide: GuideCard, asked: Asked, *, whose: Whose, now: dt.datetime | None = None
) -> NumberList[FactRow]:
    """The list behind such a number in the period. Raises NotFound for a number of orders."""
    return number_list(
        guide,
        asked,
        build_fact_rows(guide, asked, whose=whose, offset=0, now=now),
        what=METRICS[asked.metric],
        name="facts",
        whose=whose,
        rows_template=ROWS_TEMPLATE,
    )


def build_fact_rows(
    guide: GuideCard, asked: Asked, *, whose: Whose, offset: int, now: dt.datetime | None = None
) -> Stretch[FactRow]:
    """A stretch of it."""
    now = now or clock.now()
    if not sale_selectors.is_fact_metric(asked.metric):
        raise NotFound
    given: Any = {"metric": asked.metric, "limit": PAGE_ROWS, "offset": offset}
    if whose.is_store:
        of = None if whose.of is None else whose.of.id
        found = sale_selectors.list_store_facts(guide.store.id, asked.span(now), guide_id=of, **given)
    else:
        found = sale_selectors.list_guide_facts(guide.id, asked.span(now), **given)
    next_url = ""
    if found.next_offset is not None:
        next_url = url_of(
            "assistant:performance-fact-rows",
            period=asked.period,
            metric=asked.metric,
            who=whose.who,
            offset=found.next_offset,
        )
    build = _Rows(
        guide, found.lines, is_store=whose.is_store and whose.of is None, today=clock.business_day(now)
    )
    return Stretch(tuple(map(build.row, found.lines)), offset == 0, next_url)


class _Rows:
    """Everything that the lines of one stretch name, read at once."""

    def __init__(
        self, guide: GuideCard, lines: tuple[FactLine, ...], *, is_store: bool, today: dt.date
    ) -> None:
        self.is_store, self.today = is_store, today
        self.notes: Mapping[tuple[str, int], FactNote] = sale_selectors.describe_facts(
            (line.kind, line.ref) for line in lines
        )
        ids = {note.member_id for note in self.notes.values() if note.member_id is not None}
        self.members: Mapping[int, MemberCard] = member_selectors.list_member_cards(ids) if ids else {}
        self.openable = guide_selectors.openable_ids(guide.id, ids) if ids else set()
        self.stores = guide_selectors.list_store_names({line.store_id for line in lines})
        self.guides = guide_selectors.list_guide_names(
            line.guide_id for line in lines if is_store and line.guide_id is not None
        )

    def row(self, line: FactLine) -> FactRow:
        note = self.notes.get((line.kind, line.ref))
        member = None if note is None else self.members.get(note.member_id or 0)
        if note is not None and note.kind == "share":
            # About a material, not about whoever opened it.
            title, url = note.words or _("素材"), ""
        else:
            title, url = (_("会员"), "") if member is None else self._whom(member)
        foot = [phrases.say_day(line.due_on, today=self.today)]
        if self.is_store:
            foot.append(self.guides.get(line.guide_id or 0, "") or _("门店自身"))
        else:
            foot.append(self.stores.get(line.store_id, ""))
        if line.booked_on != line.due_on:
            foot.append(
                _("已关账，计入 %(day)s") % {"day": phrases.say_day(line.booked_on, today=self.today)}
            )
        is_plain = line.is_reversal or note is None or note.kind == "share"
        words = line.reason_label if is_plain or note is None else note.words or line.reason_label
        return FactRow(
            title, url, f"{line.value:+d}", words, " · ".join(filter(None, foot)), line.is_reversal
        )

    def _whom(self, member: MemberCard) -> tuple[str, str]:
        if member.id in self.openable:
            return member.display_name, url_of("assistant:member", member.public_id)
        return say_owner(member), ""
