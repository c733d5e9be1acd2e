"""Mass messages: what staff write, and the words of how they end."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from django.utils.translation import gettext_lazy as _

from campaigns.contracts.topics import Text
from wechat.contracts import MassContent

AudienceName = Literal["all", "tag", "list"]
PurposeName = Literal["normal", "marketing"]

ALL: Final = "all"
TAG: Final = "tag"
LIST: Final = "list"

# Why a mass message did not go, or a person was left out. Codes of WeChat's own refusals are the gateway's ("wechat.…").
PARTS_FAILED: Final = "parts_failed"
MISSED: Final = "missed"
NOBODY: Final = "nobody"
TAG_GONE: Final = "tag_gone"
UNRESOLVED: Final = "unresolved"
REJECTED: Final = "rejected"

MASS_WORDS: Final[Mapping[str, Text]] = {
    MISSED: _("过了发送时间还没有发出去，没有再发"),
    NOBODY: _("名单或标签里没有可以发的人"),
    TAG_GONE: _("微信里已经没有这个标签"),
    UNRESOLVED: _("微信一直没有说清有没有收下，为避免重复不再发送"),
    REJECTED: _("微信收下后没有发出"),
    PARTS_FAILED: _("有几段没有发出，其余的已经发了"),
}
# Official page "result of a mass message".
REJECTIONS: Final[Mapping[int, Text]] = {
    10001: _("涉嫌广告"),
    20001: _("涉嫌政治"),
    20002: _("涉嫌色情"),
    20004: _("涉嫌社会"),
    20006: _("涉嫌违法犯罪"),
    20008: _("涉嫌欺诈"),
    20013: _("涉嫌版权"),
    21000: _("涉嫌其他"),
    22000: _("涉嫌互推"),
    30001: _("原创校验出错，而且选择了转载时停止"),
    30002: _("原创校验判定不能群发"),
    30003: _("原创校验判定为转载，而且选择了转载时停止"),
    40001: _("管理员在微信里拒绝了"),
    40002: _("管理员 30 分钟内没有确认"),
}
COPYRIGHT_WORDS: Final[Mapping[int, Text]] = {
    1: _("没有被判为转载"),
    2: _("被判为转载，可以群发"),
    3: _("被判为转载，不能群发"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class MassDraft:
    """What staff wrote. `member_ids` is whom a list names, None to keep the list there is; `bad_lines` which of its lines
    named nobody, and why."""

    account_id: int
    name: str
    content: MassContent
    audience: AudienceName
    purpose: PurposeName = "marketing"
    article_title: str = ""
    tag_id: int | None = None
    member_ids: Sequence[int] | None = None
    list_name: str = ""
    bad_lines: Mapping[int, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class MassReach:
    """How many a mass message will reach, as far as we know. `left_out`: of a list, how many for which reason. `spent_count`:
    of a list, who surely had this month's four already. `as_of`: when WeChat told the number of a tag."""

    count: int
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)
    spent_count: int = 0
    as_of: dt.datetime | None = None
    is_tag_gone: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class MassUse:
    """Mass messages of an account that went out this month through this system, by audience, and the calls of today."""

    all_count: int
    tag_count: int
    list_count: int
    calls_today: int
