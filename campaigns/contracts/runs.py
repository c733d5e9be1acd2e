"""How a run of a campaign stands, and why some of its members got nothing."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclasses.dataclass(frozen=True, slots=True)
class RunCard:
    """One run. `rate_per_min` is that of the last minute, None while it stands still, and while it has only just begun to go
    (`has_just_begun`); `finishes_at` is when it will be done at that rate. `reaches`: how many of its messages are in each
    state; `held_count`: of the queued ones, how many a pause keeps from leaving; `text_hundredths`: what its text messages cost
    so far, `held_hundredths`: what is put by for those under way, in hundredths of a fen."""

    id: int
    number: int
    state: str
    due_at: dt.datetime
    launched_at: dt.datetime | None
    released_at: dt.datetime | None
    code: str
    member_count: int
    control_count: int
    done_count: int
    refused_count: int
    stopped_count: int
    clicked_count: int
    spent_fen: int
    rate_per_min: int | None = None
    finishes_at: dt.datetime | None = None
    has_just_begun: bool = False
    reaches: Mapping[str, int] = dataclasses.field(default_factory=dict)
    held_count: int = 0
    text_hundredths: int = 0
    held_hundredths: int = 0

    @property
    def treated_count(self) -> int:
        """Who is to get something."""
        return self.member_count - self.control_count

    @property
    def waiting_count(self) -> int:
        return max(0, self.treated_count - self.done_count - self.refused_count - self.stopped_count)

    @property
    def percent(self) -> int:
        """Of those who are to get something, how many had their turn; whom a stop left out had none."""
        if self.launched_at is None:
            return 0
        had = self.treated_count - self.waiting_count - self.stopped_count
        return 100 * had // self.treated_count if self.treated_count else 100


# Why a campaign stands still or a run stopped, besides what staff said.
BUDGET: Final = "budget"
NOBODY: Final = "nobody"
RUN_WORDS: Final[Mapping[str, str | Promise]] = {
    BUDGET: _("预算用完了，加预算后可以继续"),
    NOBODY: _("人群里一个会员也没有，请先改人群或名单，再点继续；不办了就停止"),
    "segment_too_slow": _("人群算得太久，请缩小条件后再继续"),
    "late": _("到了截止时间，没轮到的不再发放"),
    "member_gone": _("会员已注销"),
    "missed": _("到了截止时间还没有开始"),
}
