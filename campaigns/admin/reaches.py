"""触达记录: what was to be said to whom, over which channel it went, and why not over the others."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import services
from campaigns.admin.words import why_words
from campaigns.contracts import CHANNEL_LABELS, REACH_WORDS, TOPICS
from campaigns.models import Importance, InboxMessage, Reach, ReachState
from campaigns.services.resending import reason_of_again
from core.admin import (
    ChoiceFilter,
    Column,
    DaysFilter,
    Exports,
    LongListPaginator,
    Panel,
    Question,
    Rows,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    column,
    cost_words,
    narrow,
    operation,
    register_panel,
    run_for_each,
    staff_actor,
    thousands,
    when,
)
from core.admin.exports import ListedRows
from members import selectors as member_selectors
from members.admin.cells import MemberCells
from sms.services import words as sms_words
from wechat.services import verdicts

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
_WENT: Final = (ReachState.SENT, ReachState.DELIVERED)
_RESENT_AT_ONCE: Final = 500
_RESEND_LINE: Final = _("按现在的触达规则重新挑通道，免打扰、频次和授权照样算；原来这条记录不变")


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


class WhyFilter(ChoiceFilter):
    title = _("没发出去的原因")
    parameter_name = "code"
    options = (
        *REACH_WORDS.items(),
        *((f"{verdicts.PREFIX}{code}", words) for code, words in verdicts.WORDS.items() if code),
        *((f"{sms_words.PREFIX}{code}", words) for code, words in sms_words.WORDS.items() if code),
    )


@admin.register(Reach)
class ReachAdmin(MemberCells, Exports, TypedSearch, ScopedReadOnlyAdmin):
    """Every reach, newest first. What failed can be sent once more by hand."""

    empty_words = _("每告诉会员一件事，不管发没发出去，都记在这里；哪些事会告诉她，见“触达事项”")
    list_display = ("member_name", "topic_words", "state_label", "channel_words", "why", "queued", "sent")
    list_filter = (
        StateFilter,
        WhyFilter,
        TopicFilter,
        ChannelFilter,
        ImportanceFilter,
        ("queued_at", DaysFilter),
    )
    actions = ("resend_chosen",)
    actions_detail = ("resend",)
    search_fields = ("=reason_key",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或完整的事由")
    ordering = ("-pk",)
    paginator = LongListPaginator
    show_full_result_count = False
    fieldsets = (
        (
            None,
            {"fields": (("member_link", "topic_words"), ("state_label", "channel_words"), "why", "words")},
        ),
        (_("时间"), {"fields": (("queued_at", "not_before"), ("sent_at", "finished_at"), "expires_at")}),
        (
            _("依据"),
            {
                "fields": (
                    ("importance_words", "attempt_count"),
                    ("segment_count", "cost"),
                    "reason_key",
                    "message_id",
                )
            },
        ),
    )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "campaigns_reach_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = member_selectors.search_member_ids(text)
        return queryset.filter(Q(member_id__in=found) | Q(reason_key=text))

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
        if row.state in _WENT:
            return "—"
        return why_words(row.code, row.errcode) or "—"

    @column(_("重要程度"))
    def importance_words(self, row: Reach) -> str:
        return str(row.get_importance_display())

    @column(_("短信费用"))
    def cost(self, row: Reach) -> str:
        return cost_words(row.cost_hundredths)

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

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what failed, and was not sent again yet."""
        row = self.subject(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row is not None and _may_go(row) else []

    @operation(_("重发…"), icon="redo", path="resend")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            again = services.resend_reach(reach_id=row.pk, actor=staff_actor(request))
            messages.success(request, _now("已按现在的规则重新排队，下面是新的一条"))
            return HttpResponseRedirect(reverse("admin:campaigns_reach_change", args=[again]))

        question = Question(
            title=_now("把「%(topic)s」再发给 %(name)s 一次")
            % {"topic": row.get_topic_display(), "name": self.member_name(row)},
            submit=_("重发"),
            back_url=reverse("admin:campaigns_reach_change", args=[row.pk]),
            lines=[
                _now("上次没发出去：%(why)s") % {"why": self.why(row)},
                _RESEND_LINE,
                _("还是同样的内容；过去的事再说一遍可能会让她奇怪"),
            ],
        )
        return ask(self, request, question, run, subject=row)

    @operation(_("重发选中的"), needs=("operate",))
    def resend_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """The failed ones among them; the others are told of."""
        failed = queryset.filter(state=ReachState.FAILED)
        count, others = failed.count(), queryset.exclude(state=ReachState.FAILED).count()
        if count > _RESENT_AT_ONCE or not count:
            words = (
                _now("选中的没有一条是发送失败的")
                if not count
                else _now("一次最多重发 %(most)s 条，请先用条件缩小范围") % {"most": _RESENT_AT_ONCE}
            )
            messages.error(request, words)
            return None

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            run_for_each(
                request,
                failed,
                lambda row: services.resend_reach(reach_id=row.pk, actor=staff_actor(request)),
                lambda done: _now("已重新排队 %(n)s 条") % {"n": thousands(done)},
            )
            return HttpResponseRedirect(reverse("admin:campaigns_reach_changelist"))

        question = Question(
            title=_now("重发 %(n)s 条没发出去的触达") % {"n": thousands(count)},
            submit=_("重发"),
            back_url=reverse("admin:campaigns_reach_changelist"),
            lines=[
                *([_now("另外 %(n)s 条不是发送失败的，不会动") % {"n": thousands(others)}] if others else []),
                _RESEND_LINE,
                _("每条只会重发一次；重发过的不会再发"),
            ],
        )
        return ask(self, request, question, run)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        """Without the words: they are for her."""
        return (
            Column(_("会员码"), lambda row: row.member.code),
            Column(_("事项"), lambda row: str(row.get_topic_display())),
            Column(_("重要程度"), lambda row: str(row.get_importance_display())),
            Column(_("状态"), lambda row: str(row.get_state_display())),
            Column(_("通道"), lambda row: str(row.get_channel_display()) if row.channel else ""),
            Column(_("原因"), lambda row: "" if row.state in _WENT else why_words(row.code, row.errcode)),
            Column(_("试过的通道"), _tries_words),
            Column(_("短信计费条数"), lambda row: row.segment_count, "count"),
            Column(_("短信费用（百分之一分）"), lambda row: row.cost_hundredths, "count"),
            Column(_("创建时间"), lambda row: row.queued_at, "moment"),
            Column(_("发送时间"), lambda row: row.sent_at, "moment"),
            Column(_("完成时间"), lambda row: row.finished_at, "moment"),
            Column(_("事由"), lambda row: row.reason_key),
        )

    def export_rows(self, request: HttpRequest) -> Rows:
        listed = self.get_changelist_instance(request).get_queryset(request)
        return ListedRows(listed.select_related("member"))


def _may_go(row: Reach) -> bool:
    again = Reach.objects.filter(reason_key=reason_of_again(row))
    return row.state == ReachState.FAILED and bool(row.content) and not again.exists()


def _tries_words(row: Reach) -> str:
    return "；".join(
        f"{CHANNEL_LABELS.get(one['channel'], one['channel'])}：{why_words(one['code'], one.get('errcode'))}"
        for one in row.tries
    )


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
        "empty": _("没有试过任何通道，原因见上面") if row.finished_at else _("还没有开始发送"),
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
