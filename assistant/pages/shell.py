"""What all pages of a logged-in guide share."""

import dataclasses
import datetime as dt
from typing import Generic, Literal, TypeVar

from django.utils.translation import gettext as _

from assistant import phrases
from guides import selectors as guide_selectors
from guides.contracts import BoundMemberLine, GuideSummary
from members.contracts import MemberCard

Tab = Literal["today", "members", "coupons", "performance", "me"]


Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True, slots=True)
class Shell:
    """The tab bar and the pulse: `since` is the newest notice this page already shows."""

    tab: Tab
    since: int
    has_unread: bool

    @property
    def has_badge(self) -> bool:
        """今日 shows its news itself; the dot calls her from the other tabs."""
        return self.has_unread and self.tab != "today"

    @classmethod
    def of(cls, tab: Tab, summary: GuideSummary) -> "Shell":
        """For a page that shows the guide's numbers as well."""
        return cls(tab, summary.latest_notice_id, summary.unread_notices > 0)

    @classmethod
    def around(cls, tab: Tab, guide_id: int) -> "Shell":
        """For a page that does not."""
        notices = guide_selectors.get_notice_state(guide_id)
        return cls(tab, notices.latest_id, notices.unread_count > 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """One of several ways on, of which one may be where she is."""

    label: str
    url: str
    is_on: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch(Generic[Row]):
    """Some rows of a list that goes on at `next_url` (empty: it ends)."""

    rows: tuple[Row, ...]
    is_first: bool
    next_url: str

    @property
    def is_empty(self) -> bool:
        return self.is_first and not self.rows


@dataclasses.dataclass(frozen=True, slots=True)
class Avatar:
    """The surname on one of six tones."""

    text: str
    tone: int

    @classmethod
    def of(cls, name: str, key: str) -> "Avatar":
        return cls(phrases.surname(name), phrases.avatar_tone(key))


@dataclasses.dataclass(frozen=True, slots=True)
class MemberRow:
    """One member in a list or on a card."""

    public_id: str
    name: str
    avatar: Avatar
    is_member: bool
    stage_label: str
    bound_text: str  # 今天 10:32
    source_label: str  # 扫导购码
    is_following: bool
    is_new: bool
    reason: str = ""  # 平时 30 天买一次，已 52 天没来


def member_row(line: BoundMemberLine, *, now: dt.datetime, reason: str = "") -> MemberRow:
    member = line.member
    return MemberRow(
        public_id=member.public_id,
        name=member.display_name,
        avatar=member_avatar(member),
        is_member=member.stage == "member",
        stage_label=member.stage_label,
        bound_text=phrases.say_time(line.bound_at, now=now),
        source_label=line.source_label,
        is_following=member.is_following,
        is_new=line.is_new,
        reason=reason,
    )


def member_avatar(member: MemberCard) -> Avatar:
    return Avatar.of(member.display_name if member.is_named else _("微"), member.public_id)
