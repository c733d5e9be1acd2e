"""删除义务: what WeChat obliges us to delete, by when, and whether it was done; on the page of the privacy settings, and as a
tile when something is late."""

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import Panel, Tile, register_panel, register_tiles, thousands, when
from members import selectors as member_selectors
from wechat.services.revocations import RevocationCount, count_revocations, count_waiting_revocations

# A push is obeyed within seconds; one that is older waits for somebody.
_GRACE = dt.timedelta(minutes=10)
_JOB = dt.timedelta(hours=2)
_LOOK_BACK = dt.timedelta(days=30)


def _panel(request: HttpRequest, settings: Any) -> Panel:
    now = clock.now()
    since = now - _LOOK_BACK
    unfollowed = member_selectors.get_unfollow_duty(now)
    revoked, cancelled, left = count_revocations(since=since)
    days = member_selectors.get_privacy_decisions().unfollow_keep_days
    rows = [
        (
            _now("取消关注，没有留手机号"),
            _now("取消关注后第 %(n)s 天") % {"n": days} if days is not None else _now("不自动删除"),
            thousands(unfollowed.waiting_count),
            when(unfollowed.next_at) if unfollowed.next_at else "—",
            _late(unfollowed.late_count),
            thousands(left.heard_count),
        ),
        (_now("在微信里撤回授权"), *_of_push(revoked, now)),
        (_now("在微信里注销"), *_of_push(cancelled, now)),
    ]
    heads = (_("义务"), _("什么时候删"), _("待删"), _("最早到期"), _("逾期"), _("近 30 天收到通知"))
    context = {
        "heads": heads,
        "rows": rows,
        "more_url": f"{reverse('admin:wechat_inboundevent_changelist')}?state=failed",
        "more_text": _now("处理失败的推送可以在收件箱里重新处理"),
    }
    return Panel(_("微信要求的删除"), "admin/xiaoer/panel_table.html", context)


def _of_push(count: RevocationCount, now: dt.datetime) -> tuple[str, str, str, str, str]:
    undone = count.waiting_count + count.failed_count
    is_late = count.oldest_at is not None and count.oldest_at < now - _GRACE
    return (
        _now("收到通知就删"),
        thousands(undone),
        when(count.oldest_at) if count.oldest_at else "—",
        _late(undone if is_late else 0),
        thousands(count.heard_count),
    )


def _late(count: int) -> str:
    return thousands(count) if count else "—"


def _tiles(request: HttpRequest) -> list[Tile]:
    """Only while something is late: the job that deletes runs hourly."""
    now = clock.now()
    late = member_selectors.count_late_unfollows(now - _JOB) + count_waiting_revocations(before=now - _GRACE)
    url = reverse("admin:members_privacysettings_changelist")
    return [Tile(_("逾期没有删除的资料"), thousands(late), url, is_alarm=True)] if late else []


register_panel("members.PrivacySettings", _panel)
register_tiles("members.view_privacysettings", _tiles, order=6)
