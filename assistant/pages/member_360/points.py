"""积分: what she has, what goes soon, and what happened to it."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.member_360.contract import Viewing
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors
from members.contracts import MemberCard, PointsEntryLine, PointsSummary


@dataclasses.dataclass(frozen=True, slots=True)
class PointsRow:
    title: str  # 获得 · 消费积分
    when_text: str
    delta_text: str  # +120
    is_gain: bool
    after_text: str  # 余 1,280


@dataclasses.dataclass(frozen=True, slots=True)
class PointsRows:
    """A stretch of the ledger; `next_cursor` opens the following one."""

    public_id: str
    rows: tuple[PointsRow, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsPart:
    balance_text: str
    is_owing: bool
    hints: tuple[str, ...]  # 其中 200 分 3月31日到期
    ledger: PointsRows


def build_points(viewing: Viewing) -> PointsPart:
    """The tab of her points."""
    summary = member_selectors.get_points_summary(viewing.member.id, at=viewing.now)
    return PointsPart(
        balance_text=phrases.say_count(summary.balance),
        is_owing=summary.balance < 0,
        hints=_hints(summary, today=clock.business_day(viewing.now)),
        ledger=_rows(viewing.member, cursor=None, now=viewing.now),
    )


def build_points_rows(
    guide: GuideCard, public_id: str, *, cursor: int | None, now: dt.datetime | None = None
) -> PointsRows:
    """The next stretch. Raises NotFound as the page does."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    return _rows(member, cursor=cursor, now=now or clock.now())


def _hints(summary: PointsSummary, *, today: dt.date) -> tuple[str, ...]:
    hints = []
    if summary.balance < 0:
        hints.append(_("退货后欠下，之后获得的积分会先抵扣"))
    if summary.expires_on is not None and summary.expiring:
        hints.append(
            _("其中 %(points)s 分 %(day)s 到期")
            % {
                "points": phrases.say_count(summary.expiring),
                "day": phrases.say_day(summary.expires_on, today=today),
            }
        )
    if summary.frozen:
        hints.append(_("另有 %(points)s 分冻结中") % {"points": phrases.say_count(summary.frozen)})
    return tuple(hints)


def _rows(member: MemberCard, *, cursor: int | None, now: dt.datetime) -> PointsRows:
    page = member_selectors.list_points_entries(member.id, cursor=cursor)
    left = _("余 %(points)s")
    return PointsRows(
        public_id=member.public_id,
        rows=tuple(_row(line, left=left, now=now) for line in page.lines),
        next_cursor=page.next_cursor,
    )


def _row(line: PointsEntryLine, *, left: str, now: dt.datetime) -> PointsRow:
    return PointsRow(
        title=f"{line.kind_label} · {line.reason}" if line.reason else line.kind_label,
        when_text=phrases.say_time(line.at, now=now),
        delta_text=f"{line.delta:+,}" if line.delta else "0",
        is_gain=line.delta > 0,
        after_text=left % {"points": phrases.say_count(line.balance_after)},
    )
