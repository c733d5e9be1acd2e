"""粉丝同步: start a pass over all followers, see how far it is, pause, resume and stop it."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    DressedForm,
    Question,
    ReadOnlyAdmin,
    ask,
    bound_data,
    column,
    operation,
    staff_actor,
    thousands,
    when,
)
from wechat.admin.lanes import REMEDIES
from wechat.models import Account, FollowerSync
from wechat.models.account import AccountKind
from wechat.models.followers import SyncPhase, SyncState
from wechat.services import follower_syncs, quota, verdicts

_LIST: Final = "admin:wechat_followersync_changelist"
_PATHS: Final[dict[str, Any]] = {
    "/cgi-bin/user/get": _("粉丝名单"),
    "/cgi-bin/user/info/batchget": _("粉丝信息"),
}


class StartForm(DressedForm):
    account = forms.ModelChoiceField(
        label=_("公众号"),
        queryset=Account.objects.filter(is_active=True, kind=AccountKind.OFFICIAL).order_by("pk"),
        empty_label=None,
    )


@admin.register(FollowerSync)
class FollowerSyncAdmin(ReadOnlyAdmin):
    """Runs, the newest first; each with what it found."""

    empty_words = _("点右上角的“开始同步”，把公众号已有的粉丝都取过来；以后的增减自己会跟上")
    list_display = (
        "started", "account", "state_label", "progress", "new", "lost", "requests", "ended",
    )  # fmt: skip
    list_select_related = ("account",)
    list_filter = ("state", "account")
    ordering = ("-pk",)
    fields = (
        "account", "state_label", "trouble", "progress", "rate", "new", "lost", "identified",
        "requests", "quota_today", "started", "moved", "ended",
    )  # fmt: skip
    change_form_outer_before_template = "admin/xiaoer/_follower_sync_standing.html"
    actions_list = ("start",)
    actions_detail = ("pause", "resume", "stop")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what the run's state allows; one that waits after trouble may be told to go on at once."""
        row = self.subject(request, str(object_id))
        if row is None or row.ended_at:
            return []
        possible = {
            "pause": row.state == SyncState.RUNNING,
            "resume": row.state != SyncState.RUNNING or row.resume_at is not None,
        }
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if possible.get(action.path, True)]

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<int:pk>/progress/", "wechat_followersync_progress", self.progress_view),)

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        return {**super().below_form(request, instance), "standing": self._standing(instance)}

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """How far the run is now; when it is over the whole page is read anew."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        standing = self._standing(row)
        answer = TemplateResponse(request, self.change_form_outer_before_template, {"standing": standing})
        if not standing:
            answer.headers["HX-Refresh"] = "true"
        return answer

    def _standing(self, row: FollowerSync) -> dict[str, Any]:
        """Of a run that works, what changes by itself; else nothing."""
        if row.state != SyncState.RUNNING:
            return {}
        is_asking = row.phase == SyncPhase.IDENTIFYING
        whole = max(row.new_count, row.identified_count) if is_asking else row.total_count
        done = row.identified_count if is_asking else row.seen_count
        trouble, rate = self.trouble(row), self.rate(row)
        return {
            "url": reverse("admin:wechat_followersync_progress", args=[row.pk]),
            "title": row.get_phase_display(),
            "percent": 100 * min(done, whole) // whole if whole else 0,
            "progress": self.progress(row),
            "rate": "" if rate == "—" else rate,
            "trouble": "" if trouble == "—" else trouble,
        }

    @column(
        _("状态"),
        labels={
            "running": "info", "paused": "warning", "failed": "danger", "finished": "success", "stopped": "warning",
        },
    )  # fmt: skip
    def state_label(self, row: FollowerSync) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @column(_("开始时间"), ordering="started_at")
    def started(self, row: FollowerSync) -> str:
        return when(row.started_at)

    @column(_("最近进展"))
    def moved(self, row: FollowerSync) -> str:
        return when(row.moved_at)

    @column(_("结束时间"), ordering="ended_at")
    def ended(self, row: FollowerSync) -> str:
        return when(row.ended_at)

    @column(_("进度"))
    def progress(self, row: FollowerSync) -> str:
        if not row.total_count and row.state == SyncState.RUNNING:
            return _now("马上开始")
        seen = _now("已读 %(seen)s / %(total)s 位粉丝") % {
            "seen": thousands(row.seen_count),
            "total": thousands(row.total_count),
        }
        if row.ended_at:
            return seen
        if row.phase == SyncPhase.IDENTIFYING:
            # The newly found ones have no unionid yet; others may have been asked about before.
            return _now("名单已读完，查 unionid：已查 %(n)s 位，新增的有 %(new)s 位") % {
                "n": thousands(row.identified_count),
                "new": thousands(row.new_count),
            }
        return f"{row.get_phase_display()}：{seen}"

    @column(_("新增粉丝"), ordering="new_count")
    def new(self, row: FollowerSync) -> str:
        return thousands(row.new_count)

    @column(_("发现已取关"), ordering="lost_count")
    def lost(self, row: FollowerSync) -> str:
        return thousands(row.lost_count)

    @column(_("查过 unionid"), ordering="identified_count")
    def identified(self, row: FollowerSync) -> str:
        return thousands(row.identified_count)

    @column(_("用了多少次接口"), ordering="request_count")
    def requests(self, row: FollowerSync) -> str:
        return thousands(row.request_count)

    @column(_("速度"))
    def rate(self, row: FollowerSync) -> str:
        minutes = (row.moved_at - row.phase_started_at).total_seconds() / 60
        done = row.identified_count if row.phase == SyncPhase.IDENTIFYING else row.seen_count
        if row.ended_at or row.phase == SyncPhase.CHECKING or minutes <= 0 or not done:
            return "—"
        words = _now("每分钟 %(n)s 位") % {"n": thousands(round(done / minutes))}
        whole = row.total_count
        if row.state != SyncState.RUNNING or whole <= done:
            return words
        ends_at = row.moved_at + dt.timedelta(minutes=(whole - done) * minutes / done)
        return _now("%(words)s，这一步预计 %(at)s 前完成") % {"words": words, "at": when(ends_at)}

    @column(_("今天已用接口次数"))
    def quota_today(self, row: FollowerSync) -> str:
        lines = {
            line.path: line.call_count
            for line in quota.count_calls_by_day(clock.today())
            if line.account_id == row.account_id
        }
        return "；".join(
            f"{words} {thousands(lines.get(path, 0))} / {thousands(quota.DAILY_LIMITS[path])}"
            for path, words in _PATHS.items()
        )

    @column(_("遇到的问题"))
    def trouble(self, row: FollowerSync) -> str:
        if not row.trouble_code:
            budget = _now("今天查 unionid 的预算用完了，%(at)s 自动继续") % {"at": when(row.resume_at)}
            return budget if row.resume_at and not row.ended_at else "—"
        words = verdicts.words_of(row.trouble_code)
        if row.trouble_errcode:
            words = f"{words}（{row.trouble_errcode}）"
        if row.state == SyncState.RUNNING:
            return _now("%(why)s，%(at)s 自动继续") % {"why": words, "at": when(row.resume_at)}
        remedy = REMEDIES.get(row.trouble_code, _("请看「接口调用」里最近的记录，处理后再继续"))
        return f"{words}。{remedy}"

    @operation(_("开始同步"), icon="sync", path="start", variant="primary")
    def start(self, request: HttpRequest) -> HttpResponse:
        def run(cleaned: dict[str, Any]) -> HttpResponse:
            run_id = follower_syncs.start_follower_sync(
                account_id=cleaned["account"].pk, actor=staff_actor(request)
            )
            messages.success(
                request, _now("已开始同步「%(name)s」的粉丝") % {"name": cleaned["account"].name}
            )
            return HttpResponseRedirect(reverse("admin:wechat_followersync_change", args=[run_id]))

        question = Question(
            title=_("同步全部粉丝"),
            submit=_("开始同步"),
            back_url=reverse(_LIST),
            lines=[
                _("从微信读取完整的粉丝名单，新粉丝登记为泛会员；不会发送任何消息"),
                _("每 1 万粉丝用 1 次名单接口（新账号每天 500 次），查 unionid 每 100 人用 1 次"),
                _("名单里没有的粉丝，向微信逐个核对后才标为已取关"),
                _("可以随时暂停；之后的关注和取关由推送实时更新，一般只需同步一次"),
            ],
        )
        return ask(self, request, question, run, form=StartForm(bound_data(request)))

    @operation(_("暂停"), path="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_("写完正在读的一页就停；已同步的保留，之后从停下的地方继续")]
        return self._turn(
            request, object_id, follower_syncs.pause_follower_sync, _("暂停"), _now("已暂停"), lines
        )

    @operation(_("继续"), path="resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_("从停下的地方继续；问题没有解决的话会再次停下")]
        return self._turn(
            request, object_id, follower_syncs.resume_follower_sync, _("继续"), _now("已继续"), lines
        )

    @operation(_("停止"), variant="danger", path="stop")
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_("已同步的粉丝保留，没有读到的不动；停止后不能继续，要重新开始一次")]
        return self._turn(
            request, object_id, follower_syncs.stop_follower_sync, _("停止"), _now("已停止"), lines
        )

    def _turn(
        self,
        request: HttpRequest,
        object_id: str,
        service: Callable[..., None],
        verb: Any,
        done: str,
        lines: list[Any],
    ) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            service(run_id=row.pk, actor=staff_actor(request))
            return done

        question = Question(
            title=_("%(verb)s「%(name)s」的粉丝同步") % {"verb": verb, "name": row.account.name},
            submit=verb,
            back_url=reverse("admin:wechat_followersync_change", args=[row.pk]),
            lines=lines,
            is_dangerous=service is follower_syncs.stop_follower_sync,
        )
        return ask(self, request, question, run, subject=row)
