"""What WeChat pushed, with replay; and who follows."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    CountedFilter,
    Question,
    ReadOnlyAdmin,
    ScopedReadOnlyAdmin,
    Tile,
    ask,
    column,
    mask_openid,
    operation,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from core.logs import redact
from wechat.models import Follower, InboundEvent
from wechat.models.inbox import InboundState
from wechat.services import inbox

KIND_WORDS: Final[dict[str, Any]] = {
    "text": _("文字消息"),
    "image": _("图片消息"),
    "voice": _("语音消息"),
    "video": _("视频消息"),
    "shortvideo": _("小视频"),
    "location": _("位置消息"),
    "link": _("链接消息"),
    "event.subscribe": _("关注"),
    "event.unsubscribe": _("取消关注"),
    "event.scan": _("扫码（已关注）"),
    "event.click": _("点菜单"),
    "event.view": _("点菜单链接"),
    "event.location": _("上报位置"),
    "event.user_authorization_revoke": _("撤回授权"),
}
_STATE_COLOURS: Final = {
    "stored": "info",
    "processing": "info",
    "processed": "success",
    "ignored": "warning",
    "unreadable": "danger",
    "failed": "danger",
}


class KindFilter(CountedFilter):
    title = _("类型")
    parameter_name = "kind"

    def counts(self, request: HttpRequest, page: Any) -> list[tuple[str, Any, int]]:
        rows = InboundEvent.objects.order_by().values_list("kind").annotate(number=Count("pk"))
        return [
            (kind, KIND_WORDS.get(kind, kind), number) for kind, number in rows.order_by("-number", "kind")
        ]


class StateFilter(CountedFilter):
    title = _("状态")
    parameter_name = "state"

    def counts(self, request: HttpRequest, page: Any) -> list[tuple[str, Any, int]]:
        rows = dict(InboundEvent.objects.order_by().values_list("state").annotate(number=Count("pk")))
        return [(state.value, state.label, rows.get(state.value, 0)) for state in InboundState]


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    """The inbox: every push once, with its outcome; finished ones can be processed again."""

    list_display = (
        "number",
        "kind_words",
        "masked_user",
        "account",
        "state_label",
        "attempt_count",
        "received",
    )
    list_select_related = ("account",)
    list_filter = (StateFilter, KindFilter, "account")
    list_before_template = "admin/xiaoer/inbox_summary.html"
    search_fields = ("=id", "kind__startswith")
    search_help_text = _("按推送编号或类型查找，如 event.subscribe")
    date_hierarchy = "received_at"
    ordering = ("-received_at", "-pk")
    actions = ("replay_selected",)
    actions_detail = ("replay_one",)
    fieldsets = (
        (None, {"fields": (("kind_words", "state_label"), ("masked_user", "account"), "failure")}),
        (_("经过"), {"fields": (("pushed_at", "received_at"), ("finished_at", "attempt_count"))}),
        (_("原文（用户标识和手机号已遮盖）"), {"fields": ("masked_raw",)}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        unknown = inbox.count_by_kind(state=InboundState.IGNORED)
        context = {
            "unknown_kinds": unknown[:8],
            "unknown_count": sum(number for _kind, number in unknown),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    @column(_("编号"), ordering="pk")
    def number(self, row: InboundEvent) -> str:
        return f"#{row.pk}"

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: InboundEvent) -> Any:
        words = KIND_WORDS.get(row.kind)
        return row.kind if words is None else f"{words}"

    @column(_("用户"))
    def masked_user(self, row: InboundEvent) -> str:
        return mask_openid(row.openid) or "—"

    @column(_("状态"), ordering="state", labels=_STATE_COLOURS)
    def state_label(self, row: InboundEvent) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("收到时间"), ordering="received_at")
    def received(self, row: InboundEvent) -> str:
        return when(row.received_at)

    @column(_("原文"))
    def masked_raw(self, row: InboundEvent) -> str:
        raw = row.raw.replace(row.openid, mask_openid(row.openid)) if row.openid else row.raw
        return format_html('<pre class="xe-code">{}</pre>', redact(raw))

    @operation(_("重新处理"), icon="replay")
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[InboundEvent]) -> HttpResponse:
        return self._ask_replay(request, list(queryset.values_list("pk", flat=True)))

    @operation(_("重新处理"), icon="replay", path="replay")
    def replay_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        return self._ask_replay(request, [row.pk], row)

    def _ask_replay(
        self, request: HttpRequest, event_ids: Sequence[int], row: InboundEvent | None = None
    ) -> HttpResponse:
        def run(_cleaned: dict[str, Any]) -> str:
            put_back = inbox.replay(event_ids=event_ids, actor=staff_actor(request))
            untouched = len(event_ids) - put_back
            done = _("%(n)s 条推送已放回队列，几秒内会再处理一遍") % {"n": f"{put_back:,}"}
            return (
                f"{done}；" + str(_("另有 %(n)s 条正在处理，没有动") % {"n": untouched})
                if untouched
                else done
            )

        if row is not None:
            back = reverse("admin:wechat_inboundevent_change", args=[row.pk])
            lines: list[Any] = [_("这条推送会重新处理一遍：%(kind)s，%(at)s 收到") % {
                "kind": self.kind_words(row), "at": when(row.received_at)}]  # fmt: skip
        else:
            back = reverse("admin:wechat_inboundevent_changelist")
            lines = [_("选中的 %(n)s 条推送会重新处理一遍") % {"n": f"{len(event_ids):,}"}]
        lines.append(_("已经生效的事（绑定、关注）不会重复发生；正在处理的推送不受影响"))
        question = Question(title=_("重新处理推送"), submit=_("重新处理"), back_url=back, lines=lines)
        return ask(self, request, question, run, subject=row)


@admin.register(Follower)
class FollowerAdmin(ScopedReadOnlyAdmin):
    """Who follows which account. Followers belong to no store, so only head office sees them."""

    list_display = (
        "masked_openid",
        "account",
        "is_following",
        "followed_at",
        "unfollowed_at",
        "acted",
        "window",
    )
    list_select_related = ("account",)
    list_filter = ("is_following", "account")
    search_fields = ("=openid", "=first_scene")
    search_help_text = _("按完整 openid，或首次关注时扫的渠道码查找")
    date_hierarchy = "followed_at"
    ordering = ("-pk",)
    fields = (
        "account", "masked_openid", "masked_unionid", "is_following", "followed_at", "unfollowed_at",
        "first_scene", "acted", "window",
    )  # fmt: skip

    @column(_("openid"))
    def masked_openid(self, row: Follower) -> str:
        return mask_openid(row.openid)

    @column(_("unionid"))
    def masked_unionid(self, row: Follower) -> str:
        return mask_openid(row.unionid) or "—"

    @column(_("上次互动"), ordering="acted_at")
    def acted(self, row: Follower) -> str:
        return when(row.acted_at)

    @column(_("可发消息至"), ordering="window_until")
    def window(self, row: Follower) -> str:
        return when(row.window_until)


def _tiles(request: HttpRequest) -> list[Tile]:
    """Pushes of today, and those that somebody should look at."""
    start, _end = clock.day_bounds(clock.today())
    url = reverse("admin:wechat_inboundevent_changelist")
    today = InboundEvent.objects.filter(received_at__gte=start)
    failed = InboundEvent.objects.filter(state=InboundState.FAILED).count()
    return [
        Tile(_("今天收到的推送"), thousands(today.count()), url),
        Tile(_("处理失败的推送"), thousands(failed), f"{url}?state=failed", is_alarm=failed > 0),
    ]


register_tiles("wechat.view_inboundevent", _tiles, order=2)
