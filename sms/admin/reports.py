"""短信回执, 短信回复 and 不发短信的号码: what came back."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    ChoiceFilter,
    Question,
    ReadOnlyAdmin,
    Tile,
    ask,
    column,
    operation,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from sms.models import ReportState, SmsBlock, SmsReceipt, SmsReply
from sms.models.reports import BlockReason
from sms.services import count_lost_pulls, lift_block

_COLOURS: Final = {"waiting": "info", "done": "success", "unknown": ""}


class ReportStateFilter(ChoiceFilter):
    title = _("处理")
    parameter_name = "state"
    options = tuple(ReportState.choices)


class DeliveredFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "is_delivered"
    options = (("True", _("已送达")), ("False", _("没有送达")))


class OptOutFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "is_opt_out"
    options = (("True", _("退订")), ("False", _("其他")))


class ReasonFilter(ChoiceFilter):
    title = _("原因")
    parameter_name = "reason"
    options = tuple(BlockReason.choices)


class _Reports(ReadOnlyAdmin):
    has_audit_box = False
    show_full_result_count = False
    ordering = ("-received_at", "-pk")

    @column(_("处理"), ordering="state", labels=_COLOURS)
    def state_label(self, row: SmsReceipt | SmsReply) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("收到时间"), ordering="received_at")
    def received(self, row: SmsReceipt | SmsReply) -> str:
        return when(row.received_at)


@admin.register(SmsReceipt)
class SmsReceiptAdmin(_Reports):
    """Receipts; an unknown one is about a text that nobody here sent."""

    empty_words = _("发出短信以后，服务商会回报有没有送达")
    list_display = ("message_id", "delivered", "code", "state_label", "received")
    list_filter = (DeliveredFilter, ReportStateFilter)
    search_fields = ("=message_id",)
    search_help_text = _("按服务商回执号查找")
    fields = ("message_id", ("delivered", "code"), "state_label", ("told_at", "received_at"))

    @column(_("结果"), ordering="is_delivered", labels={"yes": "success", "no": "danger"})
    def delivered(self, row: SmsReceipt) -> tuple[str, str]:
        return ("yes", _now("已送达")) if row.is_delivered else ("no", _now("没有送达"))


@admin.register(SmsReply)
class SmsReplyAdmin(_Reports):
    """What people answered; the number is masked."""

    empty_words = _("会员回复了短信会列在这里；回复退订的不再发营销短信")
    list_display = ("masked_phone", "short_text", "is_opt_out", "state_label", "received")
    list_filter = (OptOutFilter, ReportStateFilter)
    search_fields = ("=phone_tail",)
    search_help_text = _("按手机尾号查找")
    fields = ("masked_phone", "words", "is_opt_out", "state_label", ("told_at", "received_at"))

    @column(_("手机号"))
    def masked_phone(self, row: SmsReply) -> str:
        return f"*** **** {row.phone_tail}"

    @column(_("内容"))
    def short_text(self, row: SmsReply) -> str:
        return row.text if len(row.text) <= 30 else f"{row.text[:29]}…"

    @column(_("内容"))
    def words(self, row: SmsReply) -> str:
        return format_html('<div class="xe-plain">{}</div>', row.text)


@admin.register(SmsBlock)
class SmsBlockAdmin(ReadOnlyAdmin):
    """Numbers that get no texts but codes."""

    empty_words = _("回复了退订的、服务商不让发的号码会列在这里")
    list_display = ("masked_phone", "reason_words", "blocked", "ends")
    list_filter = (ReasonFilter,)
    search_fields = ("=phone_tail",)
    search_help_text = _("按手机尾号查找")
    ordering = ("-blocked_at", "-pk")
    show_full_result_count = False
    fields = ("masked_phone", "reason_words", "blocked", "ends")
    actions_detail = ("lift",)

    @column(_("手机号"))
    def masked_phone(self, row: SmsBlock) -> str:
        return f"*** **** {row.phone_tail}" if row.phone_tail else _now("已注销的会员")

    @column(_("原因"), ordering="reason")
    def reason_words(self, row: SmsBlock) -> str:
        return str(row.get_reason_display())

    @column(_("时间"), ordering="blocked_at")
    def blocked(self, row: SmsBlock) -> str:
        return when(row.blocked_at)

    @column(_("到期"))
    def ends(self, row: SmsBlock) -> str:
        return when(row.until) if row.until else _now("一直")

    @operation(_("允许发短信"), path="lift")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id) if self.has_operate_permission(request) else None
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            lift_block(block_id=row.pk, actor=staff_actor(request))
            return _now("这个号码又可以收到短信了")

        question = Question(
            title=_("允许给尾号 %(tail)s 的号码发短信") % {"tail": row.phone_tail},
            submit=_("允许"),
            back_url=reverse("admin:sms_smsblock_changelist"),
            lines=[
                _("现在不发的原因：%(why)s") % {"why": row.get_reason_display()},
                _("只有本人明确要求恢复时才这样做；撤回的营销授权不会因此恢复"),
            ],
        )
        return ask(self, request, question, run)


def _tiles(request: HttpRequest) -> list[Tile]:
    lost = count_lost_pulls(at=clock.now())
    if not lost:
        return []
    url = reverse("admin:sms_smsreceipt_changelist")
    note = _("询问服务商后中断，正在按号码补查；一小时后还在，请到服务商控制台核对")
    return [Tile(_("可能丢失的短信回执"), thousands(lost), url, note, is_alarm=True)]


register_tiles("sms.view_smsreceipt", _tiles, order=5)
