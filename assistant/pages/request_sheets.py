"""The dialogs behind the buttons of a service request."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, RequestCard

_SUGGESTED_TIME: Final = dt.time(10)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class RequestSheet:
    """The dialog of one act."""

    public_id: str
    act: str
    title: str
    name: str
    hint: str
    submit: str
    field: str  # words | time | to
    is_required: bool = False
    placeholder: str = ""
    value: str = ""
    earliest: str = ""
    request_key: str = ""
    choices: tuple[Choice, ...] = ()


def build_request_sheet(
    guide: GuideCard, public_id: str, act: str, *, request_key: str, now: dt.datetime | None = None
) -> RequestSheet:
    """The dialog of an act. Raises NotFound for an act that has none, and as `build_request` does."""
    now = now or clock.now()
    line, _steps = guide_selectors.access_guide_request(guide.id, public_id, at=now)
    request, name = line.request, f"{line.request.kind.name} · {line.member.display_name}"
    base = RequestSheet(public_id, act, "", name, "", _("确定"), "words", request_key=request_key)
    if act == "time":
        local = _suggest_time(request, now)
        return dataclasses.replace(
            base, title=_("约时间"), hint=_("会员会收到约好的时间"), field="time", is_required=True,
            value=f"{local:%Y-%m-%dT%H:%M}", earliest=f"{now.astimezone(clock.SHANGHAI):%Y-%m-%dT%H:%M}",
        )  # fmt: skip
    if act == "words":
        return dataclasses.replace(
            base, title=_("给会员留言"), hint=_("会员能看到，最多 300 字"), submit=_("发送"), is_required=True,
            placeholder=_("例如：料子已经到店，周六前都可以来试"),
        )  # fmt: skip
    if act == "finish":
        return dataclasses.replace(
            base, title=_("完成"), hint=_("可以不写；写了会员能看到"), submit=_("确认完成"),
            placeholder=_("例如：已经修好，随时可以来取"),
        )  # fmt: skip
    if act == "refuse":
        return dataclasses.replace(
            base, title=_("不受理"), hint=_("会员能看到原因，最多 300 字"), submit=_("确认不受理"),
            is_required=True, placeholder=_("例如：这款面料不能改短，建议换一件"),
        )  # fmt: skip
    if act == "hand-over":
        choices = [
            Choice(colleague.public_id, colleague.name, colleague.role_label)
            for colleague in guide_selectors.list_colleagues(guide.id)
        ]
        if request.guide_id is not None:
            choices.append(Choice("", _("放回门店"), _("店里谁都可以接单")))
        return dataclasses.replace(
            base, title=_("转交"), hint=_("说明只有同事看得到"), submit=_("转交"), field="to",
            placeholder=_("可以写上会员的要求"), choices=tuple(choices),
        )  # fmt: skip
    raise NotFound


def _suggest_time(request: RequestCard, now: dt.datetime) -> dt.datetime:
    """What the time field offers: what is agreed on or wished, if it is not over, else tomorrow at ten."""
    asked = request.scheduled_at or request.wanted_at
    if asked is not None and asked > now:
        return asked.astimezone(clock.SHANGHAI)
    tomorrow = clock.business_day(now) + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, _SUGGESTED_TIME, clock.SHANGHAI)
