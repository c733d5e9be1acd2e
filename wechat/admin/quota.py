"""Today's use of WeChat's interfaces, against what WeChat allows; asking WeChat for it, and having it set back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import BaseAdmin, DressedForm, Question, ask, bound_data, staff_actor, when
from core.errors import Refusal
from wechat.admin.interfaces import interface_name
from wechat.admin.lanes import lane_lines
from wechat.models import Account
from wechat.services import quota, quota_clearing
from wechat.services.quota_clearing import CLEARS_PER_MONTH, WeChatQuota

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


def chosen_day(text: str) -> dt.date:
    """The day of the address; today when there is none, or none that is a day."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return clock.today()
    return min(day, clock.today())


class ClearForm(DressedForm):
    reason = forms.CharField(label=_("为什么清零"), max_length=100)


class QuotaDesk(_Base):
    """Mixed into the calls' admin: the pages at `quota/`."""

    def quota_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("quota/", "wechat_quota", self.quota_view),
            ("quota/<int:account_id>/clear/", "wechat_quota_clear", self.clear_view),
        )

    def quota_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Calls of one day by account and interface, the busiest first; a POST asks WeChat for its own count."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        day = chosen_day(request.GET.get("day", ""))
        lines = quota.count_calls_by_day(day)
        is_today = day == clock.today()
        asked = self._asked(request, lines) if is_today and request.method == "POST" else {}
        busiest = max((line.call_count for line in lines), default=0)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("今日接口用量") if is_today else _("接口用量"),
            "day": day,
            "before_iso": (day - dt.timedelta(days=1)).isoformat(),
            "after_iso": "" if is_today else (day + dt.timedelta(days=1)).isoformat(),
            "today": clock.today(),
            "shown": [_shown(line, busiest, asked) for line in lines],
            "has_asked": bool(asked),
            "accounts": _accounts(lines) if is_today and may_clear(request) else [],
            "clears_per_month": CLEARS_PER_MONTH,
            "lanes": lane_lines(request, at=clock.now()),
            "call_count": sum(line.call_count for line in lines),
            "refused_count": sum(line.refused_count for line in lines),
            "failed_count": sum(line.failed_count for line in lines),
        }
        return TemplateResponse(request, "admin/xiaoer/quota.html", context)

    def _asked(
        self, request: HttpRequest, lines: Sequence[quota.QuotaLine]
    ) -> Mapping[tuple[int, str], WeChatQuota]:
        """What WeChat itself counts for the account of the form; the trouble it had is said."""
        wanted = request.POST.get("account", "")
        account_id = int(wanted) if wanted.isascii() and wanted.isdecimal() else 0
        paths = [line.path for line in lines if line.account_id == account_id]
        if not may_clear(request) or not paths:
            return {}
        try:
            told = quota_clearing.ask_quotas(account_id=account_id, paths=paths)
        except Refusal as refusal:
            messages.error(request, str(refusal.message))
            return {}
        return {(account_id, path): counted for path, counted in told.items()}

    def clear_view(self, request: HttpRequest, account_id: int, model_admin: Any = None) -> HttpResponse:
        """What it does, how often it was done, then one button."""
        if not may_clear(request):
            raise PermissionDenied
        account = get_object_or_404(Account.objects.filter(is_active=True), pk=account_id)
        used = quota_clearing.count_clears(account_id, clock.now())

        def run(cleaned: dict[str, Any]) -> str:
            quota_clearing.clear_quota(
                account_id=account_id, reason=cleaned["reason"], actor=staff_actor(request)
            )
            return _now("微信已从零开始计数；因额度用完停发的通道已恢复")

        question = Question(
            title=_("清零「%(name)s」今天的接口用量") % {"name": account.name},
            submit=_("清零"),
            back_url=reverse("admin:wechat_quota"),
            lines=[
                _now("每个账号每月只能清零 %(most)s 次，在微信后台清零的也算；这个月从这里清零过 %(used)s 次")
                % {"most": CLEARS_PER_MONTH, "used": used},
                _("微信每天零点会自己恢复额度；不急就等到零点"),
                _("因「今天的发送次数已用完」停发的通道会马上恢复发送"),
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=ClearForm(bound_data(request)), subject=account)


def may_clear(request: HttpRequest) -> bool:
    """Who may lift a halt may also have the counters set back."""
    return request.user.has_perm("wechat.change_sendlane")


def _shown(
    line: quota.QuotaLine, busiest: int, asked: Mapping[tuple[int, str], WeChatQuota]
) -> dict[str, Any]:
    return {
        "line": line,
        "name": interface_name(line.path),
        "share": max(1, round(line.call_count * 100 / busiest)),
        "used_percent": None if line.used_bp is None else line.used_bp / 100,
        "is_tight": line.used_bp is not None and line.used_bp >= 8_000,
        "told": asked.get((line.account_id, line.path)),
    }


def _accounts(lines: Sequence[quota.QuotaLine]) -> list[dict[str, Any]]:
    """Those with calls today, and how often they were set back this month."""
    now = clock.now()
    names = {line.account_id: line.account_name for line in lines}
    return [
        {
            "id": account_id,
            "name": name,
            "used": quota_clearing.count_clears(account_id, now),
            "last": when(quota_clearing.find_last_clear(account_id)),
            "clear_url": reverse("admin:wechat_quota_clear", args=[account_id]),
        }
        for account_id, name in sorted(names.items())
    ]
