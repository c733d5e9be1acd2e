"""Reply rules: the list with how often each won, the editor with its messages and a preview."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core import clock
from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    MomentInput,
    UnfoldStackedInline,
    UnfoldTabularInline,
    column,
    find_answer,
    operation,
    thousands,
    when,
)
from core.admin.hours import HoursField
from wechat.admin.reply_forms import (
    MOST_PARTS,
    ReplyHolidayForm,
    ReplyHoursForm,
    ReplyPartForm,
    ReplyPartFormSet,
    ReplyRuleForm,
    part_kinds,
    part_targets,
)
from wechat.admin.reply_tester import ReplyTester
from wechat.models import ReplyHoliday, ReplyHours, ReplyPart, ReplyRule
from wechat.models.outbox import MessageKind
from wechat.models.replies import ReplyTrigger
from wechat.services import accounts
from wechat.services.contents import TEXT_BYTES
from wechat.services.reply_kinds import all_kinds, find_kind

_TEXTLESS: Final = {MessageKind.IMAGE.value, MessageKind.ARTICLE.value, MessageKind.MINI_PROGRAM_CARD.value}


class TriggerFilter(ChoiceFilter):
    title = _("何时回复")
    parameter_name = "trigger"
    options = tuple((trigger.value, trigger.label) for trigger in ReplyTrigger)


class ReplyPartInline(UnfoldStackedInline):
    """The messages of a rule, one below the other; each shows what its kind needs."""

    model = ReplyPart
    form = ReplyPartForm
    formset: Any = ReplyPartFormSet
    extra = 0
    min_num = 1
    max_num = MOST_PARTS[False]
    verbose_name = _("消息")
    verbose_name_plural = _("回复什么")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            return forms.ChoiceField(
                label=db_field.verbose_name, choices=part_kinds, widget=UnfoldAdminSelectWidget()
            )
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "text":
            field.widget.attrs |= {"data-byte-limit": str(TEXT_BYTES), "rows": "5"}
        return field

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """`target` is chosen among what the kinds of other apps offer now."""
        formset = super().get_formset(request, obj, **kwargs)

        class Form(formset.form):  # type: ignore[name-defined,misc]
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                target = self.fields["target"]
                target.widget = UnfoldAdminSelectWidget(choices=part_targets(self.instance.target))
                target.widget.is_required = False

        formset.form = Form
        return formset


@admin.register(ReplyRule)
class ReplyRuleAdmin(ReplyTester, BaseAdmin):
    """Rules by which the account answers, with a preview beside the form and a page to try them."""

    empty_words = _("新增一条规则：关注、关键词或别的消息来的时候由它回复")

    class Media:
        js = ("admin_xiaoer/replies.js",)

    form = ReplyRuleForm
    inlines = (ReplyPartInline,)
    list_display = ("name", "occasion", "summary", "won", "last_won", "span", "priority", "is_active")
    list_select_related = ("tally",)
    list_filter = (TriggerFilter, "is_active", "account")
    search_fields = ("name", "keyword", "parts__text", "parts__title", "=channel_code", "=menu_key")
    search_help_text = _("按规则名、关键词、内容、渠道码或菜单标识查找")
    actions_list = ("open_tester", "open_hours")
    radio_fields = {"keyword_match": admin.HORIZONTAL, "message_kind": admin.HORIZONTAL}
    change_form_outer_after_template = "admin/xiaoer/reply_rule_after.html"
    # Only what the chosen trigger needs is shown.
    conditional_fields = {
        "channel_code": "trigger == 'follow' || trigger == 'scan'",
        "keyword": "trigger == 'keyword'",
        "keyword_match": "trigger == 'keyword'",
        "message_kind": "trigger == 'message'",
        "menu_key": "trigger == 'click'",
    }
    fieldsets = (
        (None, {"fields": ("account", "name", "is_active")}),
        (
            _("什么时候回复"),
            {
                "fields": (
                    "trigger", "channel_code", "keyword_match", "keyword", "message_kind", "menu_key",
                    "valid_from", "valid_until", "priority", "pause_minutes",
                )
            },
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("parts")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rules are texts, not history: they may go."""
        opts = self.model._meta
        return request.user.has_perm(f"{opts.app_label}.delete_{opts.model_name}")

    @column(_("何时回复"), ordering="trigger")
    def occasion(self, row: ReplyRule) -> str:
        if row.trigger == ReplyTrigger.KEYWORD:
            return f"{row.get_keyword_match_display()}“{row.keyword}”"
        if row.trigger == ReplyTrigger.MESSAGE:
            return _now("收到%(kind)s") % {"kind": row.get_message_kind_display()}
        if row.trigger == ReplyTrigger.CLICK:
            return _now("点菜单 %(key)s") % {"key": row.menu_key}
        if row.channel_code and row.trigger == ReplyTrigger.FOLLOW:
            return _now("扫码 %(code)s 关注时") % {"code": row.channel_code}
        if row.channel_code:
            return _now("已关注的人扫 %(code)s 时") % {"code": row.channel_code}
        return str(row.get_trigger_display())

    @column(_("回复什么"))
    def summary(self, row: ReplyRule) -> str:
        parts = list(row.parts.all())
        if not parts:
            return _now("没有内容，不会回复")
        words = _part_words(parts[0])
        if len(parts) == 1:
            return words
        return _now("%(first)s，共 %(count)s 条") % {"first": words, "count": len(parts)}

    @column(_("命中次数"), ordering="tally__won_count")
    def won(self, row: ReplyRule) -> str:
        return thousands(row.tally.won_count) if hasattr(row, "tally") else "0"

    @column(_("最近命中"), ordering="tally__last_won_at")
    def last_won(self, row: ReplyRule) -> str:
        return when(row.tally.last_won_at if hasattr(row, "tally") else None)

    @column(_("有效期"), labels={"now": "success", "later": "info", "over": "danger"})
    def span(self, row: ReplyRule) -> tuple[str, str]:
        now = clock.now()
        if row.valid_until is not None and row.valid_until <= now:
            return "over", _now("已结束")
        if row.valid_from is not None and row.valid_from > now:
            return "later", _now("%(at)s 开始") % {"at": when(row.valid_from)}
        if row.valid_until is not None:
            return "now", _now("到 %(at)s") % {"at": when(row.valid_until)}
        return "now", _now("一直有效")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("valid_from", "valid_until"):
            return forms.DateTimeField(
                label=db_field.verbose_name,
                help_text=db_field.help_text,
                required=False,
                widget=MomentInput(),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ReplyRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        accounts.forget_cached()
        if obj.channel_code and find_answer("channel_code_words", obj.channel_code) is None:
            messages.warning(
                request,
                _now("没有找到渠道码 %(code)s，规则已保存，但扫其他码不会触发它")
                % {"code": obj.channel_code},
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        accounts.forget_cached()

    @operation(_("试一试"), icon="play_circle", needs=("view",), path="open-tester", variant="primary")
    def open_tester(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:wechat_reply_tester"))

    @operation(_("营业时间"), icon="schedule", needs=("view",), path="open-hours")
    def open_hours(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:wechat_replyhours_changelist"))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("try/", "wechat_reply_tester", self.tester_view),)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The preview is told what parts of other apps' kinds would say."""
        brought = {
            kind.key: {
                "title": str(kind.title),
                "names": bool(kind.target_title),
                "texts": {target: kind.preview(target) for target, _words in kind.choices()}
                or {"": kind.preview("")},
            }
            for kind in all_kinds()
        }
        context = {"brought_kinds": brought} | (extra_context or {})
        return super().changeform_view(request, object_id, form_url, context)


class ReplyHolidayInline(UnfoldTabularInline):
    model = ReplyHoliday
    form = ReplyHolidayForm
    extra = 0
    verbose_name = _("特别日子")
    verbose_name_plural = _("节假日和特别日子（这些天不按每周时间）")


@admin.register(ReplyHours)
class ReplyHoursAdmin(BaseAdmin):
    """When people answer themselves, by account."""

    empty_words = _("没有设置时全天都算有人；新增一条，下班以后就能用“下班时间”的规则回复")
    form = ReplyHoursForm
    inlines = (ReplyHolidayInline,)
    list_display = ("account", "weekly_words")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "weekly":
            return HoursField(label=_("每周时间"), required=False, help_text=_("都空着表示全天有人"))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @column(_("每周时间"))
    def weekly_words(self, row: ReplyHours) -> str:
        if not any(row.weekly):
            return _now("全天有人")
        opens = sorted({span for span in row.weekly if span})
        days = sum(1 for span in row.weekly if span)
        return _now("每周 %(days)s 天，%(spans)s") % {"days": days, "spans": "、".join(opens)}

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        accounts.forget_cached()


def _part_words(part: ReplyPart) -> str:
    kind = find_kind(part.kind)
    if kind is not None:
        return str(kind.title)
    if part.kind in _TEXTLESS:
        label = str(MessageKind(part.kind).label)
        return f"{label}：{part.title}" if part.title else label
    return part.text if len(part.text) <= 30 else f"{part.text[:30]}…"
