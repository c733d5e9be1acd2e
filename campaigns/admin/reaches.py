"""触达记录: what was to be said to whom, over which channel it went, and why not over the others."""

import datetime as dt
import json
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.words import why_words
from campaigns.contracts import CHANNEL_LABELS, TOPICS
from campaigns.models import Importance, InboxMessage, Reach, ReachState
from core.admin import (
    ChoiceFilter,
    DaysFilter,
    Panel,
    ScopedReadOnlyAdmin,
    column,
    narrow,
    register_panel,
    when,
)
from members import selectors as member_selectors
from members.admin.cells import MemberCells

_COLOURS: Final = {
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "delivered": "success",
    "failed": "danger",
    "skipped": "",
    "uncertain": "warning",
}
_OF_MEMBER: Final = 10


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ReachState)


class TopicFilter(ChoiceFilter):
    title = _("事项")
    parameter_name = "topic"
    options = tuple((topic.code, topic.label) for topic in TOPICS.values())


class ChannelFilter(ChoiceFilter):
    title = _("通道")
    parameter_name = "channel"
    options = tuple(CHANNEL_LABELS.items())


class ImportanceFilter(ChoiceFilter):
    title = _("重要程度")
    parameter_name = "importance"
    options = tuple(Importance.choices)


@admin.register(Reach)
class ReachAdmin(MemberCells, ScopedReadOnlyAdmin):
    """Every reach, newest first. Nothing here is changed by hand."""

    list_display = ("member_name", "topic_words", "state_label", "channel_words", "why", "queued", "sent")
    list_filter = (StateFilter, TopicFilter, ChannelFilter, ImportanceFilter, ("queued_at", DaysFilter))
    search_fields = ("=reason_key",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或完整的事由")
    ordering = ("-pk",)
    show_full_result_count = False
    has_audit_box = False
    fieldsets = (
        (
            None,
            {"fields": (("member_link", "topic_words"), ("state_label", "channel_words"), "why", "words")},
        ),
        (_("时间"), {"fields": (("queued_at", "not_before"), ("sent_at", "finished_at"), "expires_at")}),
        (_("依据"), {"fields": (("importance_words", "attempt_count"), "reason_key", "message_id")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = member_selectors.search_member_ids(term)
        return queryset.filter(member_id__in=found) | queryset.filter(reason_key=term), False

    @column(_("事项"), ordering="topic")
    def topic_words(self, row: Reach) -> str:
        return str(row.get_topic_display())

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Reach) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("通道"), ordering="channel")
    def channel_words(self, row: Reach) -> str:
        return str(row.get_channel_display()) if row.channel else "—"

    @column(_("原因"))
    def why(self, row: Reach) -> str:
        if row.state in {ReachState.SENT, ReachState.DELIVERED}:
            return "—"
        return why_words(row.code, row.errcode) or "—"

    @column(_("重要程度"))
    def importance_words(self, row: Reach) -> str:
        return str(row.get_importance_display())

    @column(_("内容"))
    def words(self, row: Reach) -> str:
        if not row.content:
            return _now("已清除")
        content = json.loads(row.content)
        return format_html(
            '<strong>{}</strong><div class="xe-plain">{}</div>', content["title"], content["text"]
        )

    @column(_("创建时间"), ordering="queued_at")
    def queued(self, row: Reach) -> str:
        return when(row.queued_at)

    @column(_("发送时间"), ordering="sent_at")
    def sent(self, row: Reach) -> str:
        return when(row.sent_at)


def _tries_panel(request: HttpRequest, row: Reach) -> Panel:
    """Channel by channel: which were passed over, and why; the one it went over last."""
    rows = [
        (
            str(CHANNEL_LABELS.get(one["channel"], one["channel"])),
            why_words(one["code"], one.get("errcode")),
            when_text(one["at"]),
        )
        for one in row.tries
    ]
    if row.channel:
        rows.append((str(row.get_channel_display()), str(row.get_state_display()), when(row.sent_at)))
    context = {
        "heads": (_("通道"), _("结果"), _("时间")),
        "rows": rows,
        "empty": _("还没有开始发送"),
    }
    return Panel(_("逐个通道"), "admin/xiaoer/panel_table.html", context)


def when_text(moment: str) -> str:
    """An instant that a row keeps as text."""
    return when(dt.datetime.fromisoformat(moment))


def _member_panel(request: HttpRequest, member: Any) -> Panel:
    """What she was told last, as far as this account sees it."""
    found = narrow(Reach, request.user, Reach.objects.filter(member_id=member.pk))
    rows = [
        (
            when(row.queued_at),
            str(row.get_topic_display()),
            str(row.get_state_display()),
            str(row.get_channel_display()) if row.channel else "—",
            why_words(row.code, row.errcode) or "—",
        )
        for row in found.order_by("-queued_at", "-pk")[:_OF_MEMBER]
    ]
    context = {
        "heads": (_("时间"), _("事项"), _("状态"), _("通道"), _("原因")),
        "rows": rows,
        "empty": _("还没有给她发过通知"),
    }
    return Panel(_("触达"), "admin/xiaoer/panel_table.html", context)


register_panel("campaigns.Reach", _tries_panel)
register_panel("members.Member", _member_panel, order=60)


@admin.register(InboxMessage)
class InboxMessageAdmin(MemberCells, ScopedReadOnlyAdmin):
    """What lies in members' inboxes of the mini-program."""

    list_display = ("member_name", "topic_words", "title", "sent", "read")
    list_filter = (TopicFilter,)
    search_fields = ("title",)
    search_help_text = _("按标题查找")
    ordering = ("-pk",)
    show_full_result_count = False
    has_audit_box = False
    fields = ("member_link", "topic_words", "title", "words", "page", "sent_at", "read_at")

    @column(_("事项"), ordering="topic")
    def topic_words(self, row: InboxMessage) -> str:
        return str(row.get_topic_display())

    @column(_("内容"))
    def words(self, row: InboxMessage) -> str:
        return format_html('<div class="xe-plain">{}</div>', row.text)

    @column(_("时间"), ordering="sent_at")
    def sent(self, row: InboxMessage) -> str:
        return when(row.sent_at)

    @column(_("已读时间"), ordering="read_at")
    def read(self, row: InboxMessage) -> str:
        return when(row.read_at)
