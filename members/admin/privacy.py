"""The privacy desk: requests for one's own data, reveals of phones, the chain's decisions about both."""

import datetime as dt
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    OnlyRow,
    Panel,
    Question,
    Tile,
    ask,
    column,
    name_actions,
    name_details,
    name_values,
    narrow,
    operation,
    register_panel,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from members import services
from members.admin.consents import OfMember
from members.models import (
    DataRequest,
    DataRequestKind,
    DataRequestState,
    ErasureReason,
    PhoneReveal,
    PrivacySettings,
    RevealOutcome,
    RevealReason,
)
from members.services.holdings import all_holdings

_SOON = dt.timedelta(days=3)
_SHORT_WORDS = 24

name_actions(
    {
        "members.phone_revealed": _("查看手机号"),
        "members.phone_reveal_refused": _("查看手机号超过次数"),
        "members.data_request_asked": _("提出资料申请"),
        "members.data_request_withdrawn": _("撤回资料申请"),
        "members.data_request_done": _("办结资料申请"),
        "members.exported": _("导出会员资料"),
        "members.erased": _("注销并删除资料"),
        "members.privacysettings.add": _("修改隐私设置"),
        "members.privacysettings.change": _("修改隐私设置"),
    }
)
name_details(
    {
        "reason": _("原因"),
        "limit": _("超过的限制"),
        "counts": _("条数"),
        "row_count": _("会员记录数"),
        "codes": _("微信代码"),
        "forgotten": _("已删除"),
        "is_cancellation": _("微信账号注销"),
    }
)
_LIMIT_WORDS = {
    "doer_hour": _("本人每小时次数"),
    "doer_day": _("本人 24 小时次数"),
    "member_day": _("同一会员 24 小时次数"),
}
_PART_WORDS = {part.label: part.title for part in all_holdings()} | {
    "identity": _("身份标识"),
    "name": _("姓名"),
    "phone": _("手机号"),
}
name_values("reason", RevealReason.choices, within="members.phone_reveal")
name_values("reason", ErasureReason.choices, within="members.erased")
name_values("limit", _LIMIT_WORDS)
name_values("counts", _PART_WORDS)
name_values("forgotten", _PART_WORDS)
name_values(
    "codes",
    {
        "2": _("收货地址"), "6": _("昵称头像"), "8": _("手机号"), "19": _("昵称"), "20": _("头像"),
        "201": _("收货地址"), "202": _("发票抬头"), "203": _("卡券"), "204": _("录音"), "205": _("昵称头像"),
        "206": _("位置"), "207": _("选中的图片或视频"),
    },
    within="members.authorization_forgotten",
)  # fmt: skip


class RequestKindFilter(ChoiceFilter):
    title = _("申请")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in DataRequestKind)


class RequestStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in DataRequestState)


@admin.register(DataRequest)
class DataRequestAdmin(OfMember):
    """Requests, those that are due first; a copy is made when it is fetched and kept nowhere."""

    list_display = (
        "member_name", "kind_words", "state_label", "asked_by", "asked", "due_label", "waits_until", "closed",
    )  # fmt: skip
    list_select_related = ("member",)
    list_filter = (RequestKindFilter, RequestStateFilter)
    date_hierarchy = "asked_at"
    ordering = ("-state", "due_on", "-pk")
    actions_detail = ("download", "erase", "withdraw")
    fieldsets = (
        (None, {"fields": (("member_name", "kind_words"), ("state_label", "due_label"))}),
        (_("申请"), {"fields": (("asked_by", "asked"), "waits_until")}),
        (_("办理"), {"fields": (("closed_by", "closed"),)}),
    )

    @column(_("申请"), ordering="kind")
    def kind_words(self, row: DataRequest) -> str:
        return str(row.get_kind_display())

    @column(_("状态"), ordering="state", labels={"open": "warning", "done": "success", "withdrawn": "info"})
    def state_label(self, row: DataRequest) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("申请时间"), ordering="asked_at")
    def asked(self, row: DataRequest) -> str:
        return when(row.asked_at)

    @column(_("答复期限"), ordering="due_on", labels={"late": "danger", "soon": "warning", "ok": "info"})
    def due_label(self, row: DataRequest) -> tuple[str, str]:
        day = row.due_on.isoformat()
        if row.state != DataRequestState.OPEN:
            return "ok", day
        left = (row.due_on - clock.today()).days
        if left < 0:
            return "late", _now("%(day)s 已超期") % {"day": day}
        return ("soon" if left <= _SOON.days else "ok"), _now("%(day)s 还有 %(n)s 天") % {
            "day": day,
            "n": left,
        }

    @column(_("等待期至"), ordering="not_before")
    def waits_until(self, row: DataRequest) -> str:
        return when(row.not_before)

    @column(_("办结时间"), ordering="closed_at")
    def closed(self, row: DataRequest) -> str:
        return when(row.closed_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """The buttons that can do something for this request in its state."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        is_export, is_open = row.kind == DataRequestKind.EXPORT, row.state == DataRequestState.OPEN
        waits = row.not_before is not None and clock.now() < row.not_before
        possible = {
            "download": is_export and row.state != DataRequestState.WITHDRAWN,
            "erase": not is_export and is_open and not waits,
            "withdraw": is_open,
        }
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if any(possible[n] and action.path == n for n in possible)]

    @operation(_("下载资料"), icon="download", variant="primary", path="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            made = services.fulfil_export(request_id=row.pk, actor=staff_actor(request))
            answer = HttpResponse(made.content, content_type="application/zip")
            answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(made.name)}"
            answer["Cache-Control"] = "private, no-store"
            return answer

        question = self._question(
            row,
            _("下载资料"),
            [
                _now("压缩包里是一份可以直接打开的网页和一份数据文件，交给会员本人"),
                _now("手机号只显示首尾；下载后申请即办结，系统里不留这份文件"),
            ],
        )
        return ask(self, request, question, run, subject=row)

    @operation(_("立即删除"), icon="person_remove", variant="danger", path="erase")
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.fulfil_erasure(request_id=row.pk, actor=staff_actor(request))
            return _now("已注销，资料已删除")

        counts = services.count_holdings(member_id=row.member_id)
        lines = [
            _now("%(part)s：%(n)s 条") % {"part": part, "n": thousands(n)} for part, n in counts.items() if n
        ]
        question = self._question(
            row,
            _("立即删除"),
            [_now("会删除或抹去下列资料，不能恢复；积分清零，专属导购结束"), *lines],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=row)

    @operation(_("撤回申请"), icon="undo", path="withdraw")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.withdraw_data_request(request_id=row.pk, actor=staff_actor(request))
            return _now("申请已撤回")

        question = self._question(row, _("撤回申请"), [_now("会员不想继续时撤回，以后可以再申请")])
        return ask(self, request, question, run, subject=row)

    def _question(
        self, row: DataRequest, submit: Any, lines: list[Any], *, is_dangerous: bool = False
    ) -> Question:
        return Question(
            title=_now("%(name)s：%(kind)s") % {"name": self.member_name(row), "kind": self.kind_words(row)},
            submit=submit,
            back_url=reverse("admin:members_datarequest_change", args=[row.pk]),
            lines=lines,
            is_dangerous=is_dangerous,
        )


class RevealReasonFilter(ChoiceFilter):
    title = _("原因")
    parameter_name = "reason"
    options = tuple((reason.value, reason.label) for reason in RevealReason)


class RevealOutcomeFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "outcome"
    options = tuple((outcome.value, outcome.label) for outcome in RevealOutcome)


class RevealerFilter(ChoiceFilter):
    title = _("查看人")
    parameter_name = "actor_kind"
    options = (("guide", _("导购")), ("staff", _("后台员工")))


@admin.register(PhoneReveal)
class PhoneRevealAdmin(OfMember):
    """Who saw whose phone, when and why; and who wanted to see too many."""

    list_display = (
        "moment", "doer_words", "member_name", "reason_words", "words_short", "outcome_label", "limit_words",
    )  # fmt: skip
    list_select_related = ("member",)
    list_filter = (RevealOutcomeFilter, RevealReasonFilter, RevealerFilter)
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    search_fields = ("actor_label",)
    search_help_text = _("查看人，或会员姓名、拼音、手机号、会员码")
    has_audit_box = False
    fields = (
        ("moment", "doer_words"),
        ("member_name", "outcome_label"),
        ("reason_words", "limit_words"),
        "words_shown",
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return super().found_by(queryset, text) | queryset.filter(actor_label__icontains=text)

    @column(_("时间"), ordering="at")
    def moment(self, row: PhoneReveal) -> str:
        return when(row.at)

    @column(_("查看人"), ordering="actor_label")
    def doer_words(self, row: PhoneReveal) -> str:
        kind = _now("导购") if row.actor_kind == "guide" else _now("后台")
        return f"{kind} · {row.actor_label}"

    @column(_("原因"), ordering="reason")
    def reason_words(self, row: PhoneReveal) -> str:
        return str(row.get_reason_display())

    @column(_("补充说明"))
    def words_short(self, row: PhoneReveal) -> str:
        return Truncator(row.words).chars(_SHORT_WORDS) or "—"

    @column(_("补充说明"))
    def words_shown(self, row: PhoneReveal) -> str:
        return row.words or "—"

    @column(_("结果"), ordering="outcome", labels={"shown": "info", "refused": "danger"})
    def outcome_label(self, row: PhoneReveal) -> tuple[str, str]:
        return row.outcome, str(row.get_outcome_display())

    @column(_("超过的限制"))
    def limit_words(self, row: PhoneReveal) -> str:
        return str(_LIMIT_WORDS.get(row.limit, "—"))


@admin.register(PrivacySettings)
class PrivacySettingsAdmin(OnlyRow, BaseAdmin):
    """One row for the chain."""

    fieldsets = (
        (
            _("查看手机号"),
            {
                "fields": (
                    ("guide_reveals_per_hour", "guide_reveals_per_day"),
                    ("staff_reveals_per_hour", "staff_reveals_per_day"),
                    "member_reveals_per_day",
                )
            },
        ),
        (_("资料申请"), {"fields": (("cooling_off_days", "request_due_days"),)}),
        (_("取消关注"), {"fields": ("unfollow_keep_days", "unfollow_withdraws_marketing")}),
        (_("换了主人的手机号"), {"fields": ("phone_rest_days",)}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


def _requests_panel(request: HttpRequest, member: Any) -> Panel | None:
    """Her requests and who looked at her phone, to accounts with the right."""
    if not request.user.has_perm("members.view_datarequest"):
        return None
    requests = DataRequest.objects.filter(member_id=member.pk).order_by("-pk")[:5]
    reveals = PhoneReveal.objects.filter(member_id=member.pk).order_by("-pk")[:5]
    rows = [
        (row.get_kind_display(), row.get_state_display(), row.asked_by, when(row.asked_at))
        for row in requests
    ]
    rows += [
        (
            _now("查看手机号"),
            f"{row.get_outcome_display()} · {row.get_reason_display()}",
            row.actor_label,
            when(row.at),
        )
        for row in reveals
    ]
    context = {
        "heads": (_("事项"), _("状态"), _("谁"), _("时间")),
        "rows": rows,
        "empty": _("没有资料申请，也没有人查看过手机号"),
    }
    return Panel(_("资料申请与手机号查看"), "admin/xiaoer/panel_table.html", context)


def _request_tiles(request: HttpRequest) -> list[Tile]:
    rows = narrow(DataRequest, request.user, DataRequest.objects.open())
    late = rows.filter(due_on__lt=clock.today() + _SOON).count()
    url = f"{reverse('admin:members_datarequest_changelist')}?state=open"
    note = _now("%(n)s 件快到期或已超期") % {"n": late} if late else ""
    return [Tile(_("待办的资料申请"), thousands(rows.count()), url, note=note, is_alarm=late > 0)]


def _reveal_tiles(request: HttpRequest) -> list[Tile]:
    since = clock.now() - dt.timedelta(days=1)
    refused = PhoneReveal.objects.filter(outcome=RevealOutcome.REFUSED, at__gt=since)
    count = narrow(PhoneReveal, request.user, refused).count()
    url = f"{reverse('admin:members_phonereveal_changelist')}?outcome=refused"
    return [Tile(_("24 小时内查看手机号超次数"), thousands(count), url, is_alarm=count > 0)]


register_panel("members.Member", _requests_panel, order=75)
register_tiles("members.view_datarequest", _request_tiles, order=6)
register_tiles("members.view_phonereveal", _reveal_tiles, order=7)
